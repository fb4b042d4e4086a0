"""People, sessions, sign-in failures, audit."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from portal_gateway.person import Person

_PERSON = "id, revision, kind, of_client_id, email, display_name, roles, password_hash, is_active"


def _person(row: Any) -> Person | None:
    return None if row is None else Person(**{**dict(row), "roles": tuple(row["roles"])})


def digest(text: str) -> bytes:
    """Return SHA-256 of a token or an address."""
    return hashlib.sha256(text.encode()).digest()


async def person_by_email(tx: Transaction, email: str) -> Person | None:
    """Return the person with an e-mail address."""
    return _person(await tx.fetchrow(f"SELECT {_PERSON} FROM people WHERE email = $1", email.lower()))


async def add_person(tx: Transaction, person: Person) -> bool:
    """Save a new person; ``False`` when the address is taken."""
    return bool(
        await tx.fetchval(
            f"INSERT INTO people ({_PERSON}, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
            " ON CONFLICT DO NOTHING RETURNING true",
            person.id,
            person.revision,
            person.kind,
            person.of_client_id,
            person.email,
            person.display_name,
            list(person.roles),
            person.password_hash,
            person.is_active,
            tx.now,
        )
    )


async def people(tx: Transaction, *, client_id: UUID | None, limit: int) -> Sequence[Person]:
    """Return the people of a client, or all with ``None``, by name."""
    rows = await tx.fetch(
        f"SELECT {_PERSON} FROM people WHERE $1::uuid IS NULL OR of_client_id = $1 ORDER BY display_name, id LIMIT $2",
        client_id,
        limit,
    )
    return [person for row in rows if (person := _person(row))]


async def add_session(
    tx: Transaction,
    *,
    token: str,
    person_id: UUID,
    csrf_token: str,
    expires_at: datetime,
    user_agent: str,
    address: str,
) -> None:
    """Save a session."""
    await tx.driver.execute(
        "INSERT INTO sessions (token_sha256, person_id, csrf_token, created_at, expires_at, user_agent, address)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        digest(token),
        person_id,
        csrf_token,
        tx.now,
        expires_at,
        user_agent[:300],
        address[:60],
    )


async def session(tx: Transaction, token_sha256: bytes) -> tuple[Person, str] | None:
    """Return who a live session belongs to, and its CSRF token."""
    row = await tx.fetchrow(
        "SELECT p.id, p.revision, p.kind, p.of_client_id, p.email, p.display_name, p.roles, p.password_hash, p.is_active,"
        " s.csrf_token FROM sessions s JOIN people p ON p.id = s.person_id"
        " WHERE s.token_sha256 = $1 AND s.expires_at > $2 AND p.is_active",
        token_sha256,
        tx.now,
    )
    if row is None:
        return None
    values = dict(row)
    csrf_token = values.pop("csrf_token")
    return Person(**{**values, "roles": tuple(values["roles"])}), csrf_token


async def end_session(tx: Transaction, token_sha256: bytes) -> None:
    """Forget a session."""
    await tx.driver.execute("DELETE FROM sessions WHERE token_sha256 = $1", token_sha256)


async def forget_old(tx: Transaction) -> None:
    """Forget sessions that ended and failures of yesterday."""
    await tx.driver.execute("DELETE FROM sessions WHERE expires_at < $1", tx.now)
    await tx.driver.execute("DELETE FROM sign_in_failures WHERE failed_at < $1", tx.now - timedelta(days=1))


async def failures(tx: Transaction, *, email: str, address: str, since: datetime) -> tuple[int, int]:
    """Return how often signing in failed since an instant, for an account and for an address."""
    row = await tx.fetchrow(
        "SELECT (SELECT count(*) FROM sign_in_failures WHERE email_sha256 = $1 AND failed_at > $3) AS by_email,"
        " (SELECT count(*) FROM sign_in_failures WHERE address = $2 AND failed_at > $3) AS by_address",
        digest(email.lower()),
        address,
        since,
    )
    assert row is not None
    return row["by_email"], row["by_address"]


async def add_failure(tx: Transaction, *, email: str, address: str) -> None:
    """Note a failed sign-in."""
    await tx.driver.execute(
        "INSERT INTO sign_in_failures (email_sha256, address, failed_at) VALUES ($1, $2, $3)",
        digest(email.lower()),
        address[:60],
        tx.now,
    )


async def add_audit(tx: Transaction, *, actor: str, action: str, what: str, outcome: str, request_id: str) -> None:
    """Note who did what."""
    await tx.driver.execute(
        "INSERT INTO audit (actor, action, object, outcome, request_id) VALUES ($1, $2, $3, $4, $5)",
        actor,
        action,
        what,
        outcome,
        request_id,
    )


async def save_client_name(tx: Transaction, *values: Any) -> None:
    """Save (client_id, revision, code, name, timezone) of a client; the newest revision wins."""
    await tx.driver.execute(
        "INSERT INTO client_names AS c (client_id, revision, code, name, timezone) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (client_id) DO UPDATE SET revision = excluded.revision, code = excluded.code, name = excluded.name,"
        " timezone = excluded.timezone WHERE c.revision < excluded.revision",
        *values,
    )


async def client_name(tx: Transaction, client_id: UUID) -> str | None:
    """Return the name of a client."""
    name: str | None = await tx.fetchval("SELECT name FROM client_names WHERE client_id = $1", client_id)
    return name
