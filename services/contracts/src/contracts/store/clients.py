"""Clients, their contacts, and the catalogue all contracts share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from contracts.store.rows import Row, all_rows, maybe_row, one_row
from contracts.tables import calendars, clients, contacts, job_types, rate_cards
from msp_kit.database import Transaction


async def insert_client(tx: Transaction, row: Mapping[str, Any]) -> Row | None:
    """Save a new client and return it; ``None`` when its code is taken."""
    statement = insert_or_not(clients).values(**row).on_conflict_do_nothing(index_elements=["code"])
    found = await tx.execute(statement.returning(clients))
    return maybe_row(found)


async def client(tx: Transaction, client_id: UUID, *, is_locked: bool = False) -> Row | None:
    """Return a client, ``None`` when there is none (or none that may be seen)."""
    statement = select(clients).where(clients.c.client_id == client_id)
    found = await tx.execute(statement.with_for_update() if is_locked else statement)
    return maybe_row(found)


async def update_client(tx: Transaction, client_id: UUID, changes: Mapping[str, Any]) -> Row:
    """Change a client and return it; its revision grows."""
    found = await tx.execute(
        update(clients)
        .where(clients.c.client_id == client_id)
        .values(revision=clients.c.revision + 1, **changes)
        .returning(clients)
    )
    return one_row(found)


async def insert_contact(tx: Transaction, row: Mapping[str, Any]) -> Row:
    """Save a new contact and return it."""
    found = await tx.execute(insert(contacts).values(**row).returning(contacts))
    return one_row(found)


async def contact(tx: Transaction, contact_id: UUID) -> Row | None:
    """Return a contact, ``None`` when there is none."""
    return maybe_row(await tx.execute(select(contacts).where(contacts.c.id == contact_id)))


async def update_contact(tx: Transaction, contact_id: UUID, changes: Mapping[str, Any]) -> Row | None:
    """Change a contact and return it; ``None`` when there is none."""
    statement = update(contacts).where(contacts.c.id == contact_id).values(**changes).returning(contacts)
    return maybe_row(await tx.execute(statement))


async def insert_calendar(tx: Transaction, row: Mapping[str, Any]) -> Row:
    """Save a new calendar and return it."""
    found = await tx.execute(insert(calendars).values(**row).returning(calendars))
    return one_row(found)


async def calendar(tx: Transaction, calendar_id: UUID, *, is_locked: bool = False) -> Row | None:
    """Return a calendar, ``None`` when there is none."""
    statement = select(calendars).where(calendars.c.id == calendar_id)
    return maybe_row(await tx.execute(statement.with_for_update() if is_locked else statement))


async def update_calendar(tx: Transaction, calendar_id: UUID, changes: Mapping[str, Any]) -> Row:
    """Change a calendar and return it; its revision grows."""
    statement = update(calendars).where(calendars.c.id == calendar_id)
    found = await tx.execute(statement.values(revision=calendars.c.revision + 1, **changes).returning(calendars))
    return one_row(found)


async def insert_job_type(tx: Transaction, row: Mapping[str, Any]) -> Row | None:
    """Save a new job type and return it; ``None`` when its code is taken."""
    statement = insert_or_not(job_types).values(**row).on_conflict_do_nothing(index_elements=["code"])
    found = await tx.execute(statement.returning(job_types))
    return maybe_row(found)


async def job_type(tx: Transaction, job_type_id: UUID) -> Row | None:
    """Lock a job type and return it, ``None`` when there is none."""
    statement = select(job_types).where(job_types.c.id == job_type_id).with_for_update()
    return maybe_row(await tx.execute(statement))


async def update_job_type(tx: Transaction, job_type_id: UUID, changes: Mapping[str, Any]) -> Row:
    """Change a job type and return it; its revision grows."""
    statement = update(job_types).where(job_types.c.id == job_type_id)
    found = await tx.execute(statement.values(revision=job_types.c.revision + 1, **changes).returning(job_types))
    return one_row(found)


async def job_types_of(tx: Transaction, codes: Sequence[str]) -> dict[str, Row]:
    """Return the job types of some codes; unknown codes are left out."""
    found = await tx.execute(select(job_types).where(job_types.c.code.in_(list(codes))))
    return {row["code"]: row for row in all_rows(found)}


async def insert_rate_card(tx: Transaction, row: Mapping[str, Any]) -> Row:
    """Save a new version of a rate card and return it."""
    found = await tx.execute(insert(rate_cards).values(**row).returning(rate_cards))
    return one_row(found)


async def rate_card(tx: Transaction, rate_card_id: UUID, *, version: int | None = None) -> Row | None:
    """Return a version of a rate card, the newest unless one is named; ``None`` when there is none."""
    statement = select(rate_cards).where(rate_cards.c.id == rate_card_id)
    if version is not None:
        statement = statement.where(rate_cards.c.version == version)
    return maybe_row(await tx.execute(statement.order_by(rate_cards.c.version.desc()).limit(1)))
