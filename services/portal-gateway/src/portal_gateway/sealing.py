"""Secrets that must be read again (of authenticator apps and identity providers) are sealed before they are kept."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


class SealBroken(Exception):
    """What was kept was sealed with another key, or somebody changed it."""


class Sealer:
    """Seals with AES-256-GCM; the purpose is part of the seal, so that nothing can be passed off as something else."""

    def __init__(self, key_material: str) -> None:
        derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"portal-gateway sealing")
        self._cipher = AESGCM(derived.derive(key_material.encode()))

    def seal(self, secret: bytes, *, purpose: str) -> bytes:
        """Return the sealed secret."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, purpose.encode())

    def open(self, sealed: bytes, *, purpose: str) -> bytes:
        """Return the secret.

        Raises:
            SealBroken: another key, another purpose, or changed bytes.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
        except InvalidTag as error:
            raise SealBroken("sealed with another key, or changed") from error
