"""People, and the tickets with which they choose a password."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from portal_gateway.person import Person
from portal_gateway.store import digest

_PUBLIC = "id, revision, kind, of_client_id, email, display_name, roles, is_active"
_PERSON = f"{_PUBLIC}, language, has_shortcuts, password_hash"


def person(row: Any) -> Person | None:
    """Return the person of a row."""
    return None if row is None else Person(**{"password_hash": None, **dict(row), "roles": tuple(row["roles"])})


async def by_email(tx: Transaction, email: str) -> Person | None:
    """Return the person with an e-mail address."""
    return person(await tx.fetchrow(f"SELECT {_PERSON} FROM people WHERE email = $1", email.lower()))


async def by_id(tx: Transaction, person_id: UUID) -> Person | None:
    """Return a person, and keep others from changing them until commit."""
    return person(await tx.fetchrow(f"SELECT {_PERSON} FROM people WHERE id = $1 FOR UPDATE", person_id))


async def add(tx: Transaction, new: Person) -> bool:
    """Save a new person; ``False`` when the address is taken."""
    return bool(
        await tx.fetchval(
            "INSERT INTO people (id, revision, kind, of_client_id, email, display_name, roles, password_hash, is_active,"
            " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (email) DO NOTHING RETURNING true",
            new.id,
            new.revision,
            new.kind,
            new.of_client_id,
            new.email,
            new.display_name,
            list(new.roles),
            new.password_hash,
            new.is_active,
            tx.now,
        )
    )


async def save(tx: Transaction, changed: Person) -> None:
    """Save name, roles, state and password of a person."""
    await tx.driver.execute(
        "UPDATE people SET revision = $2, display_name = $3, roles = $4, is_active = $5, password_hash = $6 WHERE id = $1",
        changed.id,
        changed.revision,
        changed.display_name,
        list(changed.roles),
        changed.is_active,
        changed.password_hash,
    )


async def save_preferences(tx: Transaction, person_id: UUID, *, language: str | None, has_shortcuts: bool) -> None:
    """Save how a person likes the pages."""
    await tx.driver.execute(
        "UPDATE people SET language = $2, has_shortcuts = $3 WHERE id = $1", person_id, language, has_shortcuts
    )


async def listed(tx: Transaction, *, client_id: UUID | None, after: list[Any] | None, limit: int) -> Sequence[Person]:
    """Return people by name, of one client or all with ``None``, without what they sign in with."""
    name, person_id = (after[0], UUID(str(after[1]))) if after else (None, None)
    rows = await tx.fetch(
        f"SELECT {_PUBLIC} FROM people WHERE ($1::uuid IS NULL OR of_client_id = $1)"
        " AND ($2::text IS NULL OR (display_name, id) > ($2, $3::uuid)) ORDER BY display_name, id LIMIT $4",
        client_id,
        name,
        person_id,
        limit + 1,
    )
    return [found for row in rows if (found := person(row))]


async def with_words(tx: Transaction, words: Sequence[str], *, limit: int) -> Sequence[Any]:
    """Return people whose name or address has all the words, by name; a client's caller finds their own."""
    return await tx.fetch(
        "SELECT p.id, p.kind, p.of_client_id, p.display_name, p.email, p.roles FROM people p WHERE p.is_active"
        " AND NOT EXISTS (SELECT FROM unnest($1::text[]) AS word"
        "   WHERE position(lower(word) IN lower(p.display_name || ' ' || p.email)) = 0)"
        " ORDER BY p.display_name, p.id LIMIT $2",
        list(words),
        limit,
    )


async def administrators(tx: Transaction, *, kind: str, client_id: UUID | None) -> int:
    """Return how many people of a side can administer it."""
    found: int = await tx.fetchval(
        "SELECT count(*) FROM people WHERE kind = $1 AND of_client_id IS NOT DISTINCT FROM $2 AND is_active"
        " AND 'admin' = ANY (roles)",
        kind,
        client_id,
    )
    return found


async def add_ticket(tx: Transaction, *, token: str, person_id: UUID, purpose: str, expires_at: datetime) -> None:
    """Save a ticket to choose a password; the earlier ones of the person are no longer good."""
    await tx.driver.execute("DELETE FROM password_tickets WHERE person_id = $1", person_id)
    await tx.driver.execute(
        "INSERT INTO password_tickets (token_sha256, person_id, purpose, expires_at) VALUES ($1, $2, $3, $4)",
        digest(token),
        person_id,
        purpose,
        expires_at,
    )


async def add_reset_ask(tx: Transaction, email: str) -> None:
    """Save that somebody asked for another password, once while nobody has looked."""
    await tx.driver.execute(
        "INSERT INTO reset_asks (email, at) VALUES (lower($1), $2) ON CONFLICT DO NOTHING", email, tx.now
    )


async def take_reset_ask(tx: Transaction) -> str | None:
    """Take one address away for which another password was asked, oldest first."""
    email: str | None = await tx.fetchval(
        "DELETE FROM reset_asks WHERE email = (SELECT email FROM reset_asks ORDER BY at, email LIMIT 1) RETURNING email"
    )
    return email


async def take_ticket(tx: Transaction, token: str) -> UUID | None:
    """Take a ticket away, and return whose it was while it was good."""
    owner: UUID | None = await tx.fetchval(
        "DELETE FROM password_tickets WHERE token_sha256 = $1 AND expires_at > $2 RETURNING person_id",
        digest(token),
        tx.now,
    )
    return owner


async def by_identity(tx: Transaction, *, issuer: str, subject: str) -> Person | None:
    """Return the person an issuer knows by its own key."""
    return person(
        await tx.fetchrow(
            f"SELECT {_PERSON} FROM people WHERE id ="
            " (SELECT person_id FROM identities WHERE issuer = $1 AND subject = $2) FOR UPDATE",
            issuer,
            subject,
        )
    )


async def add_identity(tx: Transaction, *, issuer: str, subject: str, person_id: UUID) -> None:
    """Save what an issuer calls a person."""
    await tx.driver.execute(
        "INSERT INTO identities (issuer, subject, person_id) VALUES ($1, $2, $3)", issuer, subject, person_id
    )
