"""Loads and saves what the gateway keeps: people, sessions, second factors, keys, notes."""

from __future__ import annotations

import hashlib


def digest(text: str) -> bytes:
    """Return SHA-256 of a token, a code or an address: who reads the table cannot become anybody."""
    return hashlib.sha256(text.encode()).digest()
