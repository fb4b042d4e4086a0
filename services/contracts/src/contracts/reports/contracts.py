"""Lists and pages about clients, the catalogue and contracts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Table, and_, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from contracts.reports.cursors import text_and_id
from contracts.store import contracts as store, lots as lot_store
from contracts.store.rows import Row, all_rows, maybe_row
from contracts.store.states import contract_state
from contracts.tables import calendars, clients, contacts, contracts, job_types, rate_cards
from msp_kit.database import Transaction
from msp_kit.problems import NotFound


async def clients_page(tx: Transaction, *, code: str | None, after: Sequence[Any] | None, limit: int) -> list[Row]:
    """Return clients by name, ``limit + 1`` at most; of one code when it is given."""
    statement = select(clients) if code is None else select(clients).where(clients.c.code == code)
    return await _page(tx, statement, clients, ("name", "client_id"), after, limit)


async def client(tx: Transaction, client_id: UUID) -> Row:
    """Return one client.

    Raises:
        NotFound: there is none, or it is not the caller's.
    """
    found = await tx.execute(select(clients).where(clients.c.client_id == client_id))
    row = maybe_row(found)
    if row is None:
        raise NotFound
    return row


async def contacts_page(
    tx: Transaction, *, client_id: UUID | None, after: Sequence[Any] | None, limit: int
) -> list[Row]:
    """Return contacts by name, of one client or all that may be seen."""
    statement = select(contacts)
    if client_id is not None:
        statement = statement.where(contacts.c.client_id == client_id)
    return await _page(tx, statement, contacts, ("name", "id"), after, limit)


async def calendars_page(tx: Transaction, *, after: Sequence[Any] | None, limit: int) -> list[Row]:
    """Return calendars by name."""
    return await _page(tx, select(calendars), calendars, ("name", "id"), after, limit)


async def calendar(tx: Transaction, calendar_id: UUID) -> Row:
    """Return one calendar.

    Raises:
        NotFound: there is none.
    """
    row = maybe_row(await tx.execute(select(calendars).where(calendars.c.id == calendar_id)))
    if row is None:
        raise NotFound
    return row


async def job_types_page(tx: Transaction, *, after: Sequence[Any] | None, limit: int) -> list[Row]:
    """Return job types by code."""
    return await _page(tx, select(job_types), job_types, ("code", "id"), after, limit)


async def rate_cards_page(tx: Transaction, *, after: Sequence[Any] | None, limit: int) -> list[Row]:
    """Return the newest version of every rate card, by name."""
    newest = select(rate_cards).ext(distinct_on(rate_cards.c.id)).order_by(rate_cards.c.id, rate_cards.c.version.desc())
    shown = newest.subquery("newest")
    return await _page(tx, select(shown), shown, ("name", "id"), after, limit)  # type: ignore[arg-type]


async def rate_card_versions(tx: Transaction, rate_card_id: UUID) -> list[Row]:
    """Return every version of a rate card, oldest first.

    Raises:
        NotFound: there is no such card.
    """
    found = await tx.execute(
        select(rate_cards).where(rate_cards.c.id == rate_card_id).order_by(rate_cards.c.version).limit(1000)
    )
    rows = all_rows(found)
    if not rows:
        raise NotFound
    return rows


async def contracts_page(
    tx: Transaction,
    *,
    client_id: UUID | None,
    status: str | None,
    ref: str | None,
    after: Sequence[Any] | None,
    limit: int,
) -> list[Row]:
    """Return the heads of contracts by ref."""
    statement = select(contracts)
    if ref is not None:
        statement = statement.where(contracts.c.ref == ref)
    if client_id is not None:
        statement = statement.where(contracts.c.client_id == client_id)
    if status is not None:
        statement = statement.where(contracts.c.status == status)
    return await _page(tx, statement, contracts, ("ref", "id"), after, limit)


async def contract_views(tx: Transaction, heads: Sequence[Row]) -> list[dict[str, Any]]:
    """Return contracts with their newest terms and their lots."""
    ids = [head["id"] for head in heads]
    versions = await store.versions(tx, ids)
    lots = await lot_store.of_contracts(tx, ids)
    views = []
    for head in heads:
        newest = versions[head["id"]][-1]
        views.append(
            {
                **contract_state(head, newest, lots[head["id"]]),
                "id": head["id"],
                "priority": head["priority"],
                "calendar_id": newest["terms"]["calendar_id"],
                "grant_minutes": newest["terms"]["grant_minutes"],
                "rollover": newest["terms"].get("rollover"),
                "bucket_thresholds_percent": newest["terms"].get("bucket_thresholds_percent", [75, 90, 100]),
                "bucket": [dict(lot) for lot in lots[head["id"]]],
            }
        )
    return views


async def contract_view(tx: Transaction, contract_id: UUID) -> dict[str, Any]:
    """Return one contract.

    Raises:
        NotFound: there is none, or it is not the caller's.
    """
    head = await store.head(tx, contract_id)
    if head is None:
        raise NotFound
    return (await contract_views(tx, [head]))[0]


async def current_contracts(tx: Transaction, client_id: UUID) -> list[dict[str, Any]]:
    """Return a client's contracts that are in force today, oldest first."""
    today = tx.now.date()
    rows = await tx.execute(
        select(contracts)
        .where(contracts.c.client_id == client_id, contracts.c.status == "active", contracts.c.starts_on <= today)
        .where(or_(contracts.c.ends_on.is_(None), contracts.c.ends_on > today))
        .order_by(contracts.c.starts_on, contracts.c.ref)
        .limit(50)
    )
    return await contract_views(tx, all_rows(rows))


async def _page(
    tx: Transaction,
    statement: Select[Any],
    table: Table,
    keys: tuple[str, str],
    after: Sequence[Any] | None,
    limit: int,
) -> list[Row]:
    first, second = (table.c[key] for key in keys)
    if after is not None:
        text, last = text_and_id(after)
        statement = statement.where(or_(first > text, and_(first == text, second > last)))
    rows = await tx.execute(statement.order_by(first, second).limit(limit + 1))
    return all_rows(rows)
