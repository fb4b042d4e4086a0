"""Closed periods of clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import insert, select

from contracts.store.rows import Row, maybe_row
from contracts.tables import period_closes
from msp_kit.database import Transaction

_POSTED = "client_id = $1 AND NOT is_closed AND status = 'posted' AND worked_from < $2"


async def closed(tx: Transaction, period_close_id: UUID) -> Row | None:
    """Return a closed period, ``None`` when it is open, or was opened again."""
    statement = select(period_closes).where(period_closes.c.period_close_id == period_close_id)
    rows = await tx.execute(statement.where(period_closes.c.reopened_at.is_(None)))
    return maybe_row(rows)


async def latest(tx: Transaction, client_id: UUID) -> Row | None:
    """Return the last period of a client that is closed."""
    rows = await tx.execute(
        select(period_closes)
        .where(period_closes.c.client_id == client_id, period_closes.c.reopened_at.is_(None))
        .order_by(period_closes.c.ends_at.desc(), period_closes.c.closed_at.desc())
        .limit(1)
    )
    return maybe_row(rows)


async def client_timezone(tx: Transaction, client_id: UUID) -> str | None:
    """Return the zone in which a client's days are counted."""
    timezone: str | None = await tx.fetchval("SELECT timezone FROM clients WHERE client_id = $1", client_id)
    return timezone


async def books_of(tx: Transaction, client_id: UUID) -> list[UUID]:
    """Return the contracts of a client that have a book."""
    rows = await tx.fetch("SELECT contract_id FROM buckets WHERE client_id = $1", client_id)
    return [row["contract_id"] for row in rows]


async def posted_entries(tx: Transaction, client_id: UUID, *, before: datetime) -> list[tuple[UUID, int]]:
    """Return (time entry, worked minutes) of everything posted and not closed that was worked before an instant."""
    rows = await tx.fetch(f"SELECT time_entry_id, worked_minutes FROM hours WHERE {_POSTED}", client_id, before)
    return [(row["time_entry_id"], row["worked_minutes"]) for row in rows]


async def refused_refs(tx: Transaction, client_id: UUID, *, before: datetime, limit: int) -> list[UUID]:
    """Return approved entries that the contract refused: the usual reason why totals differ."""
    rows = await tx.fetch(
        "SELECT time_entry_id FROM hours WHERE client_id = $1 AND NOT is_closed AND status = 'refused'"
        " AND decision = 'approved' AND worked_from < $2 ORDER BY worked_from LIMIT $3",
        client_id,
        before,
        limit,
    )
    return [row["time_entry_id"] for row in rows]


async def close_entries(tx: Transaction, client_id: UUID, *, before: datetime, period_close_id: UUID) -> None:
    """Freeze what ``posted_entries`` returned."""
    await tx.driver.execute(
        f"UPDATE hours SET is_closed = true, period_close_id = $3 WHERE {_POSTED}", client_id, before, period_close_id
    )
    await tx.driver.execute(
        "UPDATE buckets SET closed_until = greatest(closed_until, $2) WHERE client_id = $1", client_id, before
    )


async def totals_by_contract(tx: Transaction, client_id: UUID, *, before: datetime) -> Sequence[asyncpg.Record]:
    """Return what each bucket of a client was given, lost and used up to an instant, closed entries only."""
    return await tx.fetch(
        """
        SELECT c.id AS contract_id,
               l.granted, l.carried_in, l.adjusted, l.expired, l.carried_out,
               coalesce(sum(h.bucket_minutes), 0) AS consumed,
               coalesce(sum(h.overage_minutes), 0) AS overage
          FROM contracts c
          LEFT JOIN hours h ON h.contract_id = c.id AND h.is_closed
          CROSS JOIN LATERAL (
              SELECT coalesce(sum(minutes - adjusted_minutes) FILTER (WHERE begun AND carried_from IS NULL), 0) AS granted,
                     coalesce(sum(minutes - adjusted_minutes) FILTER (WHERE begun AND carried_from IS NOT NULL), 0)
                         AS carried_in,
                     coalesce(sum(adjusted_minutes) FILTER (WHERE begun), 0) AS adjusted,
                     coalesce(sum(expired_minutes) FILTER (WHERE over), 0) AS expired,
                     coalesce(sum(carried_out_minutes) FILTER (WHERE over), 0) AS carried_out
                FROM (SELECT o.*, o.is_granted AND o.starts_at < $2 AS begun, o.is_lapsed AND o.ends_at <= $2 AS over
                        FROM lots o WHERE o.contract_id = c.id) AS o) AS l
         WHERE c.client_id = $1 AND c.kind <> 'time_and_materials' AND c.status <> 'draft'
         GROUP BY c.id, l.granted, l.carried_in, l.adjusted, l.expired, l.carried_out
         ORDER BY c.id
        """,
        client_id,
        before,
    )


async def next_closing(tx: Transaction, period_close_id: UUID) -> int:
    """Return 1, or the number of the next closing of a period that was opened again."""
    before: int = await tx.fetchval("SELECT count(*) FROM period_closes WHERE period_close_id = $1", period_close_id)
    return before + 1


async def insert_close(
    tx: Transaction,
    *,
    period_close_id: UUID,
    client_id: UUID,
    starts_on: date,
    ends_on: date,
    entry_count: int,
    worked_minutes: int,
    checksum: str,
    statements: Sequence[Mapping[str, Any]],
    ends_at: datetime,
) -> None:
    """Save that a period is closed, for the first time or anew."""
    await tx.execute(
        insert(period_closes).values(
            period_close_id=period_close_id,
            closing=await next_closing(tx, period_close_id),
            client_id=client_id,
            starts_on=starts_on,
            ends_on=ends_on,
            entry_count=entry_count,
            worked_minutes=worked_minutes,
            checksum=checksum,
            statements=list(statements),
            closed_at=tx.now,
            ends_at=ends_at,
        )
    )


async def reopen(tx: Transaction, row: Row, *, reason: str) -> None:
    """Note that a period is open again, thaw its entries, and the expiry of lots since the period before."""
    client_id = row["client_id"]
    await tx.driver.execute(
        "UPDATE period_closes SET reopened_at = $2, reopened_by = $3, reopen_reason = $4"
        " WHERE period_close_id = $1 AND reopened_at IS NULL",
        row["period_close_id"],
        tx.now,
        tx.scope.actor,
        reason,
    )
    previous = await latest(tx, client_id)
    until = None if previous is None else previous["ends_at"]
    await tx.driver.execute(
        "UPDATE hours SET is_closed = false, period_close_id = NULL WHERE period_close_id = $1", row["period_close_id"]
    )
    await tx.driver.execute("UPDATE buckets SET closed_until = $2 WHERE client_id = $1", client_id, until)
    await tx.driver.execute(
        "UPDATE lots SET is_closed = false WHERE client_id = $1 AND is_closed AND ($2::timestamptz IS NULL OR ends_at > $2)",
        client_id,
        until,
    )


async def invoice_of(tx: Transaction, client_id: UUID, *, starts_on: date, ends_on: date) -> str | None:
    """Return the number of an issued invoice that covers a day of a period, ``None`` when there is none."""
    number: str | None = await tx.fetchval(
        "SELECT coalesce(number, invoice_id::text) FROM invoiced_periods"
        " WHERE client_id = $1 AND starts_on < $3 AND ends_on > $2 ORDER BY ends_on DESC LIMIT 1",
        client_id,
        starts_on,
        ends_on,
    )
    return number


async def insert_invoice(
    tx: Transaction, *, invoice_id: UUID, client_id: UUID, starts_on: date, ends_on: date, number: str | None
) -> None:
    """Remember that a period was invoiced."""
    await tx.driver.execute(
        "INSERT INTO invoiced_periods (invoice_id, client_id, starts_on, ends_on, number) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING",
        invoice_id,
        client_id,
        starts_on,
        ends_on,
        number,
    )
