"""Passwords: what is good enough, and how they are kept. Hashing is slow on purpose, and at most two at once."""

from __future__ import annotations

import asyncio
import functools
import secrets
from importlib import resources

import argon2

CHARACTERS_MIN, CHARACTERS_MAX = 12, 128
# The library's own defaults take ten times as long: on two cores that is a way to stop everybody from signing in.
_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_nobody = _hasher.hash(secrets.token_urlsafe(16))
_hashing = asyncio.Semaphore(2)


class BadPassword(Exception):
    """The password is too short, too long, one that many people use, or made of the person's own name."""


def check(password: str, *, email: str, words: tuple[str, ...] = ()) -> None:
    """Let a password pass; any characters are welcome, length is what counts.

    Raises:
        BadPassword: it says which rule was broken.
    """
    if not CHARACTERS_MIN <= len(password) <= CHARACTERS_MAX:
        raise BadPassword(f"a password has {CHARACTERS_MIN} to {CHARACTERS_MAX} characters")
    plain = password.casefold()
    if plain == email.casefold() or len(set(plain)) < 4:
        raise BadPassword("a password is not the e-mail address, and not one character again and again")
    bare = plain.strip("0123456789!?.@#$%&*-_ ")
    if {plain, bare} & common():
        raise BadPassword("this password is on the list of those that are tried first; take another one")
    own = {part for word in (*words, email.partition("@")[0]) for part in (word.casefold(),) if len(part) >= 4}
    if bare in own:
        raise BadPassword("a password is more than a name with numbers")


@functools.cache
def common() -> frozenset[str]:
    """Return the passwords that everybody who breaks in tries first, in lower case."""
    text = resources.files("portal_gateway").joinpath("common_passwords.txt").read_text()
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


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
