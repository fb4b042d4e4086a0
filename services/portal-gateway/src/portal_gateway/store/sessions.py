"""Sessions, half sign-ins and failures. A session is looked up for every request: ending it ends it everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from portal_gateway.person import IDLE, Person, Session
from portal_gateway.store import digest
from portal_gateway.store.people import person as person_of

_SEEN_EVERY = timedelta(seconds=60)


async def add(
    tx: Transaction,
    *,
    token: str,
    person_id: UUID,
    csrf_token: str,
    expires_at: datetime,
    proofs: Sequence[str],
    user_agent: str,
    address: str,
) -> UUID:
    """Save a session, and return its id."""
    made: UUID = await tx.fetchval(
        "INSERT INTO sessions (token_sha256, person_id, csrf_token, created_at, seen_at, proved_at, proofs, expires_at,"
        " user_agent, address) VALUES ($1, $2, $3, $4, $4, $4, $5, $6, $7, $8) RETURNING id",
        digest(token),
        person_id,
        csrf_token,
        tx.now,
        list(proofs),
        expires_at,
        user_agent[:300],
        address[:60],
    )
    return made


async def found(tx: Transaction, token: str, *, is_used: bool = True) -> Session | None:
    """Return a live session, and note that it was used."""
    row = await tx.fetchrow(
        "SELECT p.id, p.revision, p.kind, p.of_client_id, p.email, p.display_name, p.roles, p.is_active,"
        " p.language, p.has_shortcuts, s.id AS session_id, s.csrf_token, s.proved_at, s.proofs, s.views_client_id, s.seen_at,"
        " coalesce(q.is_required, false) AND NOT EXISTS (SELECT FROM passkeys k WHERE k.person_id = p.id)"
        "   AND NOT EXISTS (SELECT FROM authenticator_apps a WHERE a.person_id = p.id AND a.confirmed_at IS NOT NULL)"
        "   AND NOT 'provider' = ANY (s.proofs) AS must_enrol"
        " FROM sessions s JOIN people p ON p.id = s.person_id"
        " LEFT JOIN second_factor_policies q ON q.audience = coalesce(p.of_client_id::text, 'staff')"
        " WHERE s.token_sha256 = $1 AND s.expires_at > $2 AND p.is_active"
        "   AND s.seen_at > $2 - CASE p.kind WHEN 'staff' THEN $3::interval ELSE $4::interval END",
        digest(token),
        tx.now,
        IDLE["staff"],
        IDLE["client"],
    )
    if row is None:
        return None
    values = dict(row)
    ours = {
        name: values.pop(name)
        for name in ("session_id", "csrf_token", "proved_at", "proofs", "views_client_id", "seen_at", "must_enrol")
    }
    if ours.pop("seen_at") < tx.now - _SEEN_EVERY and is_used:
        await tx.driver.execute("UPDATE sessions SET seen_at = $2 WHERE token_sha256 = $1", digest(token), tx.now)
    person = person_of(values)
    assert person is not None
    return Session(person=person, **{**ours, "proofs": tuple(ours["proofs"])})


async def of_person(tx: Transaction, person_id: UUID) -> Sequence[Any]:
    """Return the live sessions of a person, newest first."""
    return await tx.fetch(
        "SELECT id, created_at, seen_at, expires_at, user_agent, address, proofs FROM sessions"
        " WHERE person_id = $1 AND expires_at > $2 ORDER BY created_at DESC, id LIMIT 100",
        person_id,
        tx.now,
    )


async def end(tx: Transaction, token: str) -> None:
    """Forget a session."""
    await tx.driver.execute("DELETE FROM sessions WHERE token_sha256 = $1", digest(token))


async def end_one(tx: Transaction, *, person_id: UUID, session_id: UUID) -> bool:
    """Forget one session of a person; ``False`` when it is not theirs."""
    return bool(
        await tx.fetchval("DELETE FROM sessions WHERE id = $1 AND person_id = $2 RETURNING true", session_id, person_id)
    )


async def end_all(tx: Transaction, *, person_id: UUID, but: UUID | None = None) -> None:
    """Forget the sessions of a person, all or all but one, and what was on its way to become one."""
    await tx.driver.execute("DELETE FROM sessions WHERE person_id = $1 AND id IS DISTINCT FROM $2", person_id, but)
    await tx.driver.execute("DELETE FROM half_sign_ins WHERE person_id = $1", person_id)


async def prove(tx: Transaction, *, session_id: UUID, proof: str) -> None:
    """Note that the person of a session proved who they are just now."""
    await tx.driver.execute(
        "UPDATE sessions SET proved_at = $2, proofs = CASE WHEN $3 = ANY (proofs) THEN proofs ELSE proofs || $3 END"
        " WHERE id = $1",
        session_id,
        tx.now,
        proof,
    )


async def view_as(tx: Transaction, *, session_id: UUID, client_id: UUID | None) -> None:
    """Let a session look at a client's pages, or return to its own with ``None``."""
    await tx.driver.execute("UPDATE sessions SET views_client_id = $2 WHERE id = $1", session_id, client_id)


async def add_half(tx: Transaction, *, token: str, person_id: UUID, expires_at: datetime) -> None:
    """Save that a password was right and a second factor is still asked for."""
    await tx.driver.execute(
        "INSERT INTO half_sign_ins (token_sha256, person_id, expires_at) VALUES ($1, $2, $3)",
        digest(token),
        person_id,
        expires_at,
    )


async def half(tx: Transaction, token: str) -> Person | None:
    """Return whose password was right a moment ago."""
    return person_of(
        await tx.fetchrow(
            "SELECT p.id, p.revision, p.kind, p.of_client_id, p.email, p.display_name, p.roles, p.is_active"
            " FROM half_sign_ins h JOIN people p ON p.id = h.person_id"
            " WHERE h.token_sha256 = $1 AND h.expires_at > $2 AND p.is_active FOR UPDATE OF h",
            digest(token),
            tx.now,
        )
    )


async def end_half(tx: Transaction, token: str) -> None:
    """Forget a half sign-in."""
    await tx.driver.execute("DELETE FROM half_sign_ins WHERE token_sha256 = $1", digest(token))


async def failures(tx: Transaction, *, email: str, address: str, since: datetime) -> tuple[int, datetime | None, int]:
    """Return how often signing in to an account failed since an instant, when last, and how often from an address."""
    row = await tx.fetchrow(
        "SELECT (SELECT count(*) FROM sign_in_failures WHERE email_sha256 = $1 AND failed_at > $3) AS by_email,"
        " (SELECT max(failed_at) FROM sign_in_failures WHERE email_sha256 = $1 AND failed_at > $3) AS last_at,"
        " (SELECT count(*) FROM sign_in_failures WHERE address = $2 AND failed_at > $3) AS by_address",
        digest(email.lower()),
        address,
        since,
    )
    assert row is not None
    return row["by_email"], row["last_at"], row["by_address"]


async def add_failure(tx: Transaction, *, email: str, address: str) -> None:
    """Note a failed sign-in."""
    await tx.driver.execute(
        "INSERT INTO sign_in_failures (email_sha256, address, failed_at) VALUES ($1, $2, $3)",
        digest(email.lower()),
        address[:60],
        tx.now,
    )


async def forget_failures(tx: Transaction, *, email: str) -> None:
    """Forget the failures of an account, after its person signed in."""
    await tx.driver.execute("DELETE FROM sign_in_failures WHERE email_sha256 = $1", digest(email.lower()))


async def forget_old(tx: Transaction) -> None:
    """Forget what has ended: sessions, tickets, challenges, failures of yesterday, the feed of last month."""
    for table in ("sessions", "password_tickets", "half_sign_ins", "challenges", "provider_visits"):
        await tx.driver.execute(f"DELETE FROM {table} WHERE expires_at < $1", tx.now)
    await tx.driver.execute("DELETE FROM sign_in_failures WHERE failed_at < $1", tx.now - timedelta(days=1))
    await tx.driver.execute("DELETE FROM feed WHERE at < $1", tx.now - timedelta(days=31))
    await tx.driver.execute(
        "DELETE FROM mails WHERE due_at < $1 AND (outcome <> '' OR person_id IS NOT NULL)", tx.now - timedelta(days=31)
    )
