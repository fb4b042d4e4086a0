"""Passwords: what is good enough, and how they are kept. Hashing is slow on purpose, and at most two at once."""

from __future__ import annotations

import asyncio
import re
import secrets

import argon2
from zxcvbn import zxcvbn

CHARACTERS_MIN, CHARACTERS_MAX = 12, 128
COUNTED_CHARACTERS_MAX = 24
SCORE_MIN = 3
"""Of 0 to 4: more than a hundred million attempts."""
# The library's own defaults take ten times as long: on two cores that is a way to stop everybody from signing in.
_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_nobody = _hasher.hash(secrets.token_urlsafe(16))
_hashing = asyncio.Semaphore(2)


class BadPassword(Exception):
    """The password is too short, too long, or among those that are tried early."""


def check(password: str, *, email: str, words: tuple[str, ...] = ()) -> None:
    """Let a password pass; any characters are welcome, length is what counts.

    Raises:
        BadPassword: it says which rule was broken.
    """
    if not CHARACTERS_MIN <= len(password) <= CHARACTERS_MAX:
        raise BadPassword(f"a password has {CHARACTERS_MIN} to {CHARACTERS_MAX} characters")
    own = [part for word in (email, *words) for part in (word, *re.split(r"\W+", word)) if part]
    # What is likely is counted by zxcvbn: 30,000 passwords that became known, dictionaries, names, keys side by side, dates,
    # repeats and usual replacements. Its time grows steeply with the length, so it sees the beginning only.
    if zxcvbn(password[:COUNTED_CHARACTERS_MAX], user_inputs=own)["score"] < SCORE_MIN:
        raise BadPassword(
            "this password is tried early by whoever breaks in: it is much used, or made of names, dates or keys in a row;"
            " take several words that have nothing to do with each other"
        )


async def matches(password_hash: str | None, password: str) -> bool:
    """Return whether a password belongs to a hash; for nobody's hash the same work is done."""

    def verify() -> bool:
        try:
            return _hasher.verify(password_hash or _nobody, password) and password_hash is not None
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    async with _hashing:
        return await asyncio.to_thread(verify)


async def hashed(password: str) -> str:
    """Return the hash to keep."""
    async with _hashing:
        return await asyncio.to_thread(_hasher.hash, password)
