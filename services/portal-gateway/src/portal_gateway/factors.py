"""Second factors as arithmetic: one-time codes of an authenticator app (RFC 6238) and recovery codes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from urllib.parse import quote

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20
RECOVERY_CODES = 10
_DRIFT_STEPS = 1


def new_secret() -> bytes:
    """Return a new secret for an authenticator app."""
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """Return the code of a time step."""
    digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(secret: bytes, code: str, *, epoch_seconds: int, used_step: int) -> int | None:
    """Return the time step a code belongs to, at most one away from now; ``None`` when it is wrong or was used before."""
    now = epoch_seconds // STEP_SECONDS
    found = None
    for step in range(max(now - _DRIFT_STEPS, 0), now + _DRIFT_STEPS + 1):
        # Compare all of them: how long it takes says nothing.
        is_it = hmac.compare_digest(code_at(secret, step).encode(), code.strip().encode())
        if is_it and step > used_step:
            found = step
    return found


def address(secret: bytes, *, email: str, issuer: str) -> str:
    """Return the address an authenticator app reads, as text or as a QR code."""
    return (
        f"otpauth://totp/{quote(issuer)}:{quote(email)}?secret={readable(secret)}"
        f"&issuer={quote(issuer)}&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}"
    )


def readable(secret: bytes) -> str:
    """Return a secret as a person types it."""
    return base64.b32encode(secret).decode().rstrip("=")


def new_recovery_codes() -> list[str]:
    """Return ten codes of 80 random bits: too many to guess, so a plain digest keeps them."""
    made = []
    for _ in range(RECOVERY_CODES):
        text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
        made.append("-".join(text[at : at + 4] for at in range(0, 16, 4)))
    return made


def normal(recovery_code: str) -> str:
    """Return a recovery code as it is kept, however it was typed."""
    return "".join(character for character in recovery_code.lower() if character.isalnum())
