"""The books of contracts: locked, loaded and saved by the batch, in a handful of statements however long it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from contracts.domain.allocation import Position
from contracts.domain.book import Book
from contracts.domain.contract import Contract
from contracts.domain.entry import Change, Hours
from contracts.domain.ledger import Balances, Posting
from contracts.domain.proof import Told
from contracts.domain.ticket_day import TicketDay, ticket_days
from contracts.store import contracts
from contracts.store.book_rows import (
    ACCOUNTS,
    bucket_row,
    hours_from,
    hours_row,
    lot_of,
    lot_row,
    posting_from,
    posting_row,
    told_from,
)
from msp_kernel.periods import midnight
from msp_kit.database import Transaction

_BUCKETS = "SELECT * FROM buckets WHERE contract_id = ANY($1) ORDER BY contract_id"
# In a statement of its own, after the lock: lots that are sure to be the newest, and an instant that no posting that
# was recorded before has passed. What is known at an instant can therefore be told from the postings alone.
_LOTS = """
    SELECT t.locked_at, l.* FROM (SELECT clock_timestamp() AS locked_at) AS t
      LEFT JOIN lots l ON l.contract_id = ANY($1) AND l.is_granted
"""
_HOURS_COLUMNS = (
    ("time_entry_id", "uuid"),
    ("client_id", "uuid"),
    ("contract_id", "uuid"),
    ("revision", "int"),
    ("entry_revision", "int"),
    ("contract_version", "int"),
    ("rate_card_version", "int"),
    ("status", "text"),
    ("decision", "text"),
    ("policy", "text"),
    ("worked_from", "timestamptz"),
    ("worked_minutes", "int"),
    ("billed_minutes", "bigint"),
    ("bucket_minutes", "bigint"),
    ("overage_minutes", "bigint"),
    ("time_and_materials_minutes", "bigint"),
    ("excluded_minutes", "bigint"),
    ("job_type", "text"),
    ("level", "text"),
    ("agent_id", "uuid"),
    ("agent_name", "text"),
    ("ticket_id", "uuid"),
    ("task_id", "uuid"),
    ("note", "text"),
    ("ref", "text"),
    ("spans", "jsonb"),
    ("legs", "jsonb"),
    ("is_late", "boolean"),
    ("is_closed", "boolean"),
    ("period_close_id", "uuid"),
    ("refusal", "text"),
    ("refusal_detail", "text"),
    ("asked_minutes", "bigint"),
    ("consented_minutes", "bigint"),
    ("is_declined", "boolean"),
)
_POSTING_COLUMNS = (
    ("contract_id", "uuid"),
    ("seq", "bigint"),
    ("client_id", "uuid"),
    ("kind", "text"),
    ("from_account", "text"),
    ("to_account", "text"),
    ("minutes", "bigint"),
    ("lot_id", "uuid"),
    ("corrects_seq", "bigint"),
    ("time_entry_id", "uuid"),
    ("source", "text"),
    ("source_n", "int"),
    ("effective_at", "timestamptz"),
    ("recorded_at", "timestamptz"),
    ("actor", "text"),
    ("reason", "text"),
    ("hash", "bytea"),
)
_BUCKET_COLUMNS = (
    ("contract_id", "uuid"),
    ("last_seq", "bigint"),
    ("last_hash", "bytea"),
    *((account, "bigint") for account in ACCOUNTS),
    ("last_worked_from", "timestamptz"),
    ("last_entry_id", "uuid"),
    ("is_exhausted", "boolean"),
    ("is_shortfall_said", "boolean"),
)
_LOT_COLUMNS = (
    ("id", "uuid"),
    ("minutes", "bigint"),
    ("left_minutes", "bigint"),
    ("adjusted_minutes", "bigint"),
    ("expired_minutes", "bigint"),
    ("expiry_seq", "bigint"),
    ("carried_out_minutes", "bigint"),
    ("carry_out_seq", "bigint"),
    ("carry_in_seq", "bigint"),
    ("is_lapsed", "boolean"),
    ("is_closed", "boolean"),
    ("is_granted", "boolean"),
    ("alerted_percent", "int"),
)

_ROWS_AT_ONCE = 2000


def _unnest(columns: Sequence[tuple[str, str]], *, after: int) -> str:
    # An array of jsonb has no codec: each travels as text. What is read comes parsed.
    kinds = ["text" if kind == "jsonb" else kind for _, kind in columns]
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(kinds, start=after + 1))
    return f"unnest({arrays}) AS n ({', '.join(name for name, _ in columns)})"


def _chosen(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"n.{name}::jsonb" if kind == "jsonb" else f"n.{name}" for name, kind in columns)


def _assigned(columns: Sequence[tuple[str, str]], *, of: str) -> str:
    return ", ".join(f"{name} = {of}.{name}" for name, _ in columns)


def _save() -> str:
    """Return the one statement that saves books: each round trip costs more than what it carries."""
    p, h, b = len(_POSTING_COLUMNS), len(_HOURS_COLUMNS), len(_BUCKET_COLUMNS)
    return f"""
    WITH posted AS (
        INSERT INTO postings ({", ".join(name for name, _ in _POSTING_COLUMNS)})
        SELECT {_chosen(_POSTING_COLUMNS)} FROM {_unnest(_POSTING_COLUMNS, after=0)}
    ), remembered AS (
        INSERT INTO hours ({", ".join(name for name, _ in _HOURS_COLUMNS)})
        SELECT {_chosen(_HOURS_COLUMNS)} FROM {_unnest(_HOURS_COLUMNS, after=p)}
        ON CONFLICT (time_entry_id) DO UPDATE SET {_assigned(_HOURS_COLUMNS[3:], of="excluded")}
    ), balanced AS (
        UPDATE buckets b SET revision = b.revision + 1, {_assigned(_BUCKET_COLUMNS[1:], of="n")}
          FROM {_unnest(_BUCKET_COLUMNS, after=p + h)} WHERE b.contract_id = n.contract_id
    )
    UPDATE lots l SET {_assigned(_LOT_COLUMNS[1:], of="n")}
      FROM {_unnest(_LOT_COLUMNS, after=p + h + b)} WHERE l.id = n.id
    """


_SAVE = _save()
_TAIL = """
    SELECT * FROM hours
     WHERE contract_id = $1 AND client_id = $2 AND (worked_from, time_entry_id) >= ($3, $4) AND NOT is_closed
       AND spans <> '[]'::jsonb AND status <> 'released'
     ORDER BY worked_from, time_entry_id
"""


async def open_books(tx: Transaction, contract_ids: Collection[UUID]) -> dict[UUID, Book]:
    """Lock and load the books of active contracts, in one order for all transactions; unknown ones are left out."""
    return await _books(tx, await tx.fetch(f"{_BUCKETS} FOR UPDATE", list(contract_ids)))


async def read_book(tx: Transaction, contract_id: UUID) -> Book:
    """Return the book of an active contract to look at; nothing is locked."""
    return (await _books(tx, await tx.fetch(_BUCKETS, [contract_id])))[contract_id]


async def _books(tx: Transaction, locked: Sequence[asyncpg.Record]) -> dict[UUID, Book]:
    if not locked:
        return {}
    found = await contracts.parsed(tx, {row["contract_id"]: row["contract_revision"] for row in locked})
    books: dict[UUID, Book] = {}
    for row in locked:
        position = None if row["last_entry_id"] is None else (row["last_worked_from"], row["last_entry_id"])
        book = Book(
            contract=found[row["contract_id"]],
            balances=Balances(*(row[account] for account in ACCOUNTS)),
            lots={},
            now=tx.now,
            actor=tx.scope.actor,
            last_seq=row["last_seq"],
            last_hash=row["last_hash"],
            last_position=position,
            closed_until=row["closed_until"],
            revision=row["revision"],
            is_exhausted=row["is_exhausted"],
            is_shortfall_said=row["is_shortfall_said"],
        )
        books[row["contract_id"]] = book
    for row in await tx.fetch(_LOTS, list(books)):
        if row["id"] is not None:
            books[row["contract_id"]].lots[row["id"]] = lot_of(row)
        for book in books.values():
            book.now = row["locked_at"]
    return books


async def hours_of(tx: Transaction, time_entry_ids: Collection[UUID]) -> dict[UUID, asyncpg.Record]:
    """Return the stored hours of time entries."""
    rows = await tx.fetch("SELECT * FROM hours WHERE time_entry_id = ANY($1)", list(time_entry_ids))
    return {row["time_entry_id"]: row for row in rows}


async def contracts_with_source(tx: Transaction, contract_ids: Collection[UUID], source: str) -> set[UUID]:
    """Return which contracts have postings of a source already; call it under their lock."""
    rows = await tx.fetch(
        "SELECT DISTINCT contract_id FROM postings WHERE contract_id = ANY($1) AND source = $2",
        list(contract_ids),
        source,
    )
    return {row["contract_id"] for row in rows}


async def tail(tx: Transaction, contract: Contract, position: Position) -> list[Hours]:
    """Return the entries of the open period from a position on that have a place in the allocation."""
    rows = await tx.fetch(_TAIL, contract.id, contract.client_id, *position)
    return [hours_from(row) for row in rows]


async def neighbours(tx: Transaction, contract: Contract, days: Collection[TicketDay]) -> list[Hours]:
    """Return the active entries of some tickets around some days."""
    whole_days = [on for _, on in days]
    rows = await tx.fetch(
        "SELECT * FROM hours WHERE contract_id = $1 AND client_id = $2 AND worked_from >= $4 AND worked_from < $5"
        " AND coalesce(ticket_id, task_id, time_entry_id) = ANY($3) AND spans <> '[]'::jsonb AND status <> 'released'",
        contract.id,
        contract.client_id,
        [ticket_id for ticket_id, _ in days],
        # A day either side: local days are not those of UTC.
        midnight(min(whole_days) - timedelta(days=1), "UTC"),
        midnight(max(whole_days) + timedelta(days=2), "UTC"),
    )
    return [hours_from(row) for row in rows]


async def beside(tx: Transaction, contract: Contract, entries: Iterable[Hours]) -> list[Hours]:
    """Return the active entries that are rounded together with some others, closed ones too."""
    days = ticket_days(contract, [Change(one.entry) for one in entries])
    return await neighbours(tx, contract, days) if days else []


async def open_from(
    tx: Transaction, contract: Contract, at: datetime, *, before: datetime | None = None
) -> list[Hours]:
    """Return the entries of the open period worked at or after an instant, refused ones too."""
    rows = await tx.fetch(
        "SELECT * FROM hours WHERE contract_id = $1 AND client_id = $2 AND worked_from >= $3"
        " AND ($4::timestamptz IS NULL OR worked_from < $4)"
        " AND NOT is_closed AND status <> 'released' ORDER BY worked_from, time_entry_id",
        contract.id,
        contract.client_id,
        at,
        before,
    )
    return [hours_from(row) for row in rows]


async def payable_from(tx: Transaction, contract: Contract, at: datetime) -> list[Hours]:
    """Return the active open entries that a lot which begins at an instant may pay for; ``next_lot`` draws early."""
    draws_early = any(terms.policy == "next_lot" for terms in contract.versions)
    since = min(at, contract.starts_at) if draws_early else at
    return [one for one in await open_from(tx, contract, since) if one.is_active]


async def save(tx: Transaction, books: Iterable[Book]) -> None:
    """Save what changed in some books, in one statement."""
    written = [book for book in books if book.postings or book.changed or book.changed_lots or book.is_restated]
    if not written:
        return
    arguments = (
        *_arrays(_POSTING_COLUMNS, [posting_row(posting) for book in written for posting in book.postings]),
        *_arrays(_HOURS_COLUMNS, [hours_row(book, one) for book in written for one in book.changed.values()]),
        *_arrays(_BUCKET_COLUMNS, [bucket_row(book) for book in written]),
        *_arrays(_LOT_COLUMNS, [lot_row(book.lots[key]) for book in written for key in book.changed_lots]),
    )
    await tx.driver.execute(_SAVE, *arguments)
    for book in written:
        book.revision += 1
        book.postings.clear()
        book.changed.clear()
        book.changed_lots.clear()
        book.is_restated = False


def _arrays(columns: Sequence[tuple[str, str]], rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in columns]


async def insert_bucket(tx: Transaction, *, contract_id: UUID, client_id: UUID, contract_revision: int) -> None:
    """Open the book of a contract that is being activated."""
    await tx.driver.execute(
        "INSERT INTO buckets (contract_id, client_id, contract_revision) VALUES ($1, $2, $3)",
        contract_id,
        client_id,
        contract_revision,
    )


async def set_contract_revision(tx: Transaction, contract_id: UUID, revision: int) -> None:
    """Note which revision of the contract its book follows; call it under the book's lock."""
    await tx.driver.execute("UPDATE buckets SET contract_revision = $2 WHERE contract_id = $1", contract_id, revision)


async def postings_of(tx: Transaction, contract_id: UUID) -> AsyncIterator[Iterable[Posting]]:
    """Yield the postings of a contract from the first, many at once."""
    cursor = await tx.driver.cursor("SELECT * FROM postings WHERE contract_id = $1 ORDER BY seq", contract_id)
    while rows := await cursor.fetch(_ROWS_AT_ONCE):
        yield map(posting_from, rows)


async def told_in_order(tx: Transaction, book: Book) -> AsyncIterator[Iterable[Told]]:
    """Yield what can be proved of the hours of a contract, in the order of allocation, many at once."""
    lots: dict[str | None, UUID | None] = {str(lot_id): lot_id for lot_id in book.lots}
    cursor = await tx.driver.cursor(
        "SELECT time_entry_id, status, policy, worked_from, worked_minutes, period_close_id IS NULL, spans, legs"
        " FROM hours WHERE contract_id = $1 AND client_id = $2 ORDER BY worked_from, time_entry_id",
        book.contract.id,
        book.contract.client_id,
    )
    while rows := await cursor.fetch(_ROWS_AT_ONCE):
        yield told_from(rows, lots)


async def minutes_taken(tx: Transaction, contract_id: UUID) -> dict[tuple[UUID, bool], int]:
    """Return the minutes that entries took from each lot, those of open entries (``True``) and of closed ones."""
    rows = await tx.fetch(
        """
        SELECT (leg ->> 5)::uuid AS lot_id, NOT h.is_closed AS is_open, sum((leg ->> 4)::bigint)::bigint AS minutes
          FROM hours h CROSS JOIN LATERAL jsonb_array_elements(h.legs) AS leg
         WHERE h.contract_id = $1 AND leg ->> 3 = 'held'
         GROUP BY 1, 2
        """,
        contract_id,
    )
    return {(row["lot_id"], row["is_open"]): row["minutes"] for row in rows}


async def not_forecast(tx: Transaction, *, limit: int) -> list[UUID]:
    """Return active buckets that were not asked today how long they last, and lock them."""
    rows = await tx.fetch(
        "SELECT b.contract_id FROM buckets b JOIN contracts c ON c.id = b.contract_id"
        " WHERE c.status = 'active' AND c.kind <> 'time_and_materials' AND (b.forecast_on IS NULL OR b.forecast_on < $1)"
        " ORDER BY b.contract_id LIMIT $2 FOR UPDATE OF b SKIP LOCKED",
        tx.now.date(),
        limit,
    )
    return [row["contract_id"] for row in rows]


async def note_forecast(tx: Transaction, contract_id: UUID) -> None:
    """Note that a bucket was asked today."""
    await tx.driver.execute("UPDATE buckets SET forecast_on = $2 WHERE contract_id = $1", contract_id, tx.now.date())
