"""Billing runs and their items: the memory of the saga."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from msp_kernel.ids import new_id
from msp_kit.database import Transaction

_COLUMNS = (
    "i.client_id, i.run_id, i.period_close_id, i.status, i.detail, i.attempt, i.changed_at, i.sealed, i.closed,"
    " i.invoice_id, r.starts_on, r.ends_on"
)
_FROM = "FROM billing_run_items i JOIN billing_runs r ON r.id = i.run_id"


@dataclass(frozen=True, slots=True)
class Run:
    """A run with how many of its clients stand where; ``said`` is the last word about it."""

    id: UUID
    starts_on: date
    ends_on: date
    said: str
    moving: int
    drafted: int
    blocked: int
    issued: int
    nothing: int


@dataclass(frozen=True, slots=True)
class RunItem:
    """One client in a run. ``sealed`` and ``closed`` are the answers of tickets and contracts, once there."""

    client_id: UUID
    run_id: UUID
    period_close_id: UUID
    status: str
    detail: str
    attempt: int
    changed_at: datetime
    sealed: dict[str, Any] | None
    closed: dict[str, Any] | None
    invoice_id: UUID | None
    starts_on: date
    ends_on: date


async def run_of_period(tx: Transaction, *, starts_on: date, ends_on: date) -> UUID:
    """Return the run of a period, made when it is not there; two starts at once give the same run."""
    await tx.driver.execute(
        "INSERT INTO billing_runs (id, starts_on, ends_on, started_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        new_id(),
        starts_on,
        ends_on,
        tx.now,
    )
    run_id: UUID = await tx.fetchval(
        "SELECT id FROM billing_runs WHERE starts_on = $1 AND ends_on = $2", starts_on, ends_on
    )
    return run_id


async def overlapping(
    tx: Transaction, *, client_ids: Sequence[UUID], starts_on: date, ends_on: date
) -> list[tuple[str, date, date]]:
    """Return name and period of clients whose period overlaps another one of theirs, billed or being billed.

    Nobody else starts a run until the transaction ends.
    """
    await tx.driver.execute("SELECT pg_advisory_xact_lock(hashtext('billing_runs'))")
    rows = await tx.fetch(
        "SELECT c.name, r.starts_on, r.ends_on FROM billing_run_items i JOIN billing_runs r ON r.id = i.run_id"
        " JOIN clients c USING (client_id) WHERE i.client_id = ANY($1) AND r.starts_on < $3 AND r.ends_on > $2"
        " AND (r.starts_on, r.ends_on) <> ($2, $3) ORDER BY c.name, r.starts_on LIMIT 5",
        client_ids,
        starts_on,
        ends_on,
    )
    return [(row["name"], row["starts_on"], row["ends_on"]) for row in rows]


async def add_items(tx: Transaction, *, run_id: UUID, items: Sequence[tuple[UUID, UUID]]) -> list[UUID]:
    """Add clients with their period close ids; return the clients that were not in the run yet."""
    rows = await tx.fetch(
        "INSERT INTO billing_run_items (client_id, run_id, period_close_id, status, changed_at)"
        " SELECT c, $1, p, 'requested', $4 FROM unnest($2::uuid[], $3::uuid[]) AS n (c, p)"
        " ON CONFLICT DO NOTHING RETURNING client_id",
        run_id,
        [client for client, _ in items],
        [close for _, close in items],
        tx.now,
    )
    return [row["client_id"] for row in rows]


async def lock_item(tx: Transaction, *, period_close_id: UUID) -> RunItem | None:
    """Return an item by its period close, locked."""
    row = await tx.fetchrow(f"SELECT {_COLUMNS} {_FROM} WHERE i.period_close_id = $1 FOR UPDATE OF i", period_close_id)
    return None if row is None else RunItem(**row)


async def lock_next(tx: Transaction, *, status: str, changed_before: datetime) -> RunItem | None:
    """Return the item that has been longest in a status, locked; another worker's items are passed over."""
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} {_FROM} WHERE i.status = $1 AND i.changed_at <= $2"
        " ORDER BY i.changed_at, i.client_id LIMIT 1 FOR UPDATE OF i SKIP LOCKED",
        status,
        changed_before,
    )
    return None if row is None else RunItem(**row)


async def lock_items(tx: Transaction, *, run_id: UUID, status: str) -> list[RunItem]:
    """Return the items of a run in a status, locked, by client."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} {_FROM} WHERE i.run_id = $1 AND i.status = $2 ORDER BY i.client_id FOR UPDATE OF i",
        run_id,
        status,
    )
    return [RunItem(**row) for row in rows]


async def move(tx: Transaction, item: RunItem, *, to: str, detail: str = "", reason: str = "", **changed: Any) -> None:
    """Save a step of an item, and why it is blocked in a sentence and a word; ``sealed``, ``closed``, ``invoice_id`` and ``attempt`` may change with it."""
    values = {name: changed.get(name, getattr(item, name)) for name in ("sealed", "closed", "invoice_id", "attempt")}
    as_text = {
        name: None if values[name] is None else orjson.dumps(values[name]).decode() for name in ("sealed", "closed")
    }
    await tx.driver.execute(
        "UPDATE billing_run_items SET status = $2, detail = $3, attempt = $4, sealed = $5, closed = $6, invoice_id = $7,"
        " reason = $8, drafted_at = CASE WHEN $2 = 'drafted' THEN clock_timestamp() ELSE drafted_at END,"
        " issued_at = CASE WHEN $2 = 'issued' THEN clock_timestamp() ELSE issued_at END,"
        " changed_at = clock_timestamp() WHERE period_close_id = $1",
        item.period_close_id,
        to,
        detail[:1000],
        values["attempt"],
        as_text["sealed"],
        as_text["closed"],
        values["invoice_id"],
        reason,
    )


async def touch(tx: Transaction, item: RunItem) -> None:
    """Put an item at the end of the line."""
    await tx.driver.execute(
        "UPDATE billing_run_items SET changed_at = clock_timestamp() WHERE period_close_id = $1", item.period_close_id
    )


async def unsettled(tx: Transaction) -> list[Run]:
    """Return the runs that may have come to something since the last word about them, locked."""
    rows = await tx.fetch(
        "SELECT r.id, r.starts_on, r.ends_on, r.said, i.* FROM billing_runs r CROSS JOIN LATERAL ("
        " SELECT count(*) FILTER (WHERE status IN ('requested', 'sealed', 'closed', 'issuing')) AS moving,"
        " count(*) FILTER (WHERE status = 'drafted') AS drafted, count(*) FILTER (WHERE status = 'blocked') AS blocked,"
        " count(*) FILTER (WHERE status = 'issued') AS issued, count(*) FILTER (WHERE status = 'nothing') AS nothing"
        " FROM billing_run_items i WHERE i.run_id = r.id) i"
        " WHERE r.said <> 'finished' ORDER BY r.id FOR UPDATE OF r SKIP LOCKED",
    )
    return [Run(**row) for row in rows]


async def said(tx: Transaction, run_id: UUID, word: str) -> None:
    """Keep the last word about a run; without one it is looked at again."""
    await tx.driver.execute("UPDATE billing_runs SET said = $2 WHERE id = $1 AND said <> $2", run_id, word)
