"""Signing in and out, and making people."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import argon2

from msp_events.contracts import ClientState
from msp_events.portal import PersonJoined
from msp_kernel.ids import new_id
from msp_kit import telemetry
from msp_kit.database import Transaction
from msp_kit.outbox import record
from portal_gateway import store
from portal_gateway.person import Person

STAFF_ROLES = ("agent", "dispatcher", "manager", "finance", "admin")
CLIENT_ROLES = ("requester", "approver", "billing", "admin")
PASSWORD_CHARACTERS_MIN, PASSWORD_CHARACTERS_MAX = 12, 128
SESSION_LIFE = {"staff": timedelta(hours=8), "client": timedelta(hours=24)}
FAILURE_WINDOW = timedelta(minutes=15)
FAILURES_MAX_BY_EMAIL, FAILURES_MAX_BY_ADDRESS = 10, 100
# The library's own defaults take ten times as long: on two cores that is a way to stop everybody from signing in.
_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_nobody = _hasher.hash(secrets.token_urlsafe(16))
_hashing = asyncio.Semaphore(2)


class SignInRefused(Exception):
    """E-mail and password do not belong together."""


class TooManyAttempts(Exception):
    """Signing in failed too often; wait before trying again."""


class EmailTaken(Exception):
    """There is a person with this e-mail address."""


class BadPassword(Exception):
    """The password is too short, too long, or is the e-mail address."""


class UnknownRole(Exception):
    """The role does not exist for this kind of person."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: the token is shown once and kept nowhere."""

    token: str
    csrf_token: str
    person: Person


async def sign_in(tx: Transaction, *, email: str, password: str, user_agent: str, address: str) -> SignedIn | None:
    """Start a session, or note the failure and return ``None``: the same answer and the same work for every cause.

    Raises:
        TooManyAttempts: for this account or address, in the last quarter of an hour.
    """
    by_email, by_address = await store.failures(tx, email=email, address=address, since=tx.now - FAILURE_WINDOW)
    if by_email >= FAILURES_MAX_BY_EMAIL or by_address >= FAILURES_MAX_BY_ADDRESS:
        raise TooManyAttempts("signing in failed too often; try again in a quarter of an hour")
    person = await store.person_by_email(tx, email)
    is_right = await _matches(person.password_hash if person and person.password_hash else _nobody, password)
    if person is None or not person.is_active or person.password_hash is None or not is_right:
        await store.add_failure(tx, email=email, address=address)
        return None
    signed_in = SignedIn(token=secrets.token_urlsafe(32), csrf_token=secrets.token_urlsafe(24), person=person)
    await store.add_session(
        tx,
        token=signed_in.token,
        person_id=person.id,
        csrf_token=signed_in.csrf_token,
        expires_at=tx.now + SESSION_LIFE[person.kind],
        user_agent=user_agent,
        address=address,
    )
    await _note(tx, str(person.id), "sign-in", str(person.id))
    return signed_in


async def sign_out(tx: Transaction, *, token: str) -> None:
    """End a session."""
    await store.end_session(tx, store.digest(token))


async def add_person(
    tx: Transaction,
    *,
    kind: str,
    client_id: UUID | None,
    email: str,
    display_name: str,
    roles: tuple[str, ...],
    password: str,
    actor: str,
) -> Person:
    """Make a person who can sign in.

    Raises:
        UnknownRole, BadPassword, EmailTaken.
    """
    known = STAFF_ROLES if kind == "staff" else CLIENT_ROLES
    unknown = sorted(set(roles) - set(known))
    if unknown or not roles:
        raise UnknownRole(f"{', '.join(unknown) or 'no role'}: {kind} people have the roles {', '.join(known)}")
    if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX or password.lower() == email.lower():
        raise BadPassword(f"a password has {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters")
    person = Person(
        id=new_id(),
        revision=1,
        kind=kind,
        of_client_id=client_id,
        email=email.lower(),
        display_name=display_name,
        roles=tuple(sorted(set(roles))),
        password_hash=await _hashed(password),
        is_active=True,
    )
    if not await store.add_person(tx, person):
        raise EmailTaken(f"{email} belongs to somebody already")
    await _note(tx, actor, "person-added", str(person.id))
    await record(
        tx,
        PersonJoined(
            occurred_at=tx.now,
            person_id=person.id,
            revision=person.revision,
            kind="client" if kind == "client" else "staff",
            client_id=client_id,
            display_name=display_name,
            roles=person.roles,
        ),
    )
    return person


async def people(tx: Transaction, *, client_id: UUID | None, limit: int) -> Sequence[Person]:
    """Return the people of a client, or all with ``None``, by name."""
    return await store.people(tx, client_id=client_id, limit=limit)


async def keep_client_name(tx: Transaction, client: ClientState) -> None:
    """Keep what a client is called; an older word than the kept one changes nothing."""
    await store.save_client_name(tx, client.client_id, client.revision, client.code, client.name, client.timezone)


async def forget_old(tx: Transaction) -> bool:
    """Forget ended sessions and old failures."""
    await store.forget_old(tx)
    return False


async def _note(tx: Transaction, actor: str, action: str, what: str) -> None:
    await store.add_audit(
        tx, actor=actor, action=action, what=what, outcome="ok", request_id=telemetry.request_id.get()
    )


async def _matches(password_hash: str, password: str) -> bool:
    def check() -> bool:
        try:
            return _hasher.verify(password_hash, password)
        except argon2.exceptions.VerificationError:
            return False

    async with _hashing:
        return await asyncio.to_thread(check)


async def _hashed(password: str) -> str:
    async with _hashing:
        return await asyncio.to_thread(_hasher.hash, password)
