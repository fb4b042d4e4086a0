"""What became of time entries, one by one and in total, and what would become of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from contracts.domain.ledger import checksum
from contracts.reports.cursors import instant_and_id
from contracts.store.book_rows import hours_from
from contracts.store.states import span
from msp_kernel.periods import midnight, whole_months
from msp_kit.database import Transaction
from msp_kit.problems import NotFound

_BY_MONTH = """
SELECT m.starts_on AS on, h.*
  FROM unnest($2::date[], $3::timestamptz[], $4::timestamptz[]) AS m (starts_on, starts_at, ends_at)
 CROSS JOIN LATERAL (
    SELECT coalesce(sum(worked_minutes), 0)::bigint AS worked_minutes,
           coalesce(sum(bucket_minutes), 0)::bigint AS bucket_minutes,
           coalesce(sum(overage_minutes), 0)::bigint AS overage_minutes,
           coalesce(sum(time_and_materials_minutes), 0)::bigint AS time_and_materials_minutes
      FROM hours
     WHERE client_id = $1 AND worked_from >= m.starts_at AND worked_from < m.ends_at AND status IN ('held', 'posted')
 ) AS h
 ORDER BY m.starts_on
"""


async def hours(tx: Transaction, time_entry_id: UUID) -> dict[str, Any]:
    """Return what became of one entry.

    Raises:
        NotFound: it is not known here, or not the caller's.
    """
    row = await tx.fetchrow("SELECT * FROM hours WHERE time_entry_id = $1", time_entry_id)
    if row is None:
        raise NotFound
    return _view(row)


async def hours_page(
    tx: Transaction,
    *,
    contract_id: UUID | None,
    starts_at: datetime | None,
    ends_at: datetime | None,
    after: Sequence[Any] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Return hours by worked instant, ``limit + 1`` at most."""
    position = (None, None) if after is None else instant_and_id(after)
    rows = await tx.fetch(
        "SELECT * FROM hours WHERE ($1::uuid IS NULL OR contract_id = $1)"
        " AND ($2::timestamptz IS NULL OR worked_from >= $2) AND ($3::timestamptz IS NULL OR worked_from < $3)"
        " AND ($4::timestamptz IS NULL OR (worked_from, time_entry_id) > ($4, $5::uuid))"
        " ORDER BY worked_from, time_entry_id LIMIT $6",
        contract_id,
        starts_at,
        ends_at,
        *position,
        limit + 1,
    )
    return [_view(row) for row in rows]


async def totals(
    tx: Transaction, *, client_id: UUID | None, starts_on: date | None, ends_on: date | None
) -> dict[str, Any]:
    """Return the control totals of hours that are held or posted, to be compared with those of tickets.

    Days are counted in the client's zone, in UTC when no client is named.
    """
    timezone = "UTC"
    if client_id is not None:
        found = await tx.fetchval("SELECT timezone FROM clients WHERE client_id = $1", client_id)
        if found is None:
            raise NotFound
        timezone = found
    rows = await tx.fetch(
        "SELECT time_entry_id, status, worked_minutes, overage_minutes FROM hours"
        " WHERE status <> 'released' AND ($1::uuid IS NULL OR client_id = $1)"
        " AND ($2::timestamptz IS NULL OR worked_from >= $2) AND ($3::timestamptz IS NULL OR worked_from < $3)",
        client_id,
        None if starts_on is None else midnight(starts_on, timezone),
        None if ends_on is None else midnight(ends_on, timezone),
    )
    by_status: dict[str, Any] = {}
    for status in ("held", "posted", "refused"):
        of_status = [(row["time_entry_id"], row["worked_minutes"]) for row in rows if row["status"] == status]
        by_status[status] = _control(of_status)
    active = [row for row in rows if row["status"] != "refused"]
    return {
        **_control([(row["time_entry_id"], row["worked_minutes"]) for row in active]),
        "held_minutes": by_status["held"]["worked_minutes"],
        "posted_minutes": by_status["posted"]["worked_minutes"],
        "refused_minutes": by_status["refused"]["worked_minutes"],
        "overage_minutes": sum(row["overage_minutes"] for row in active),
        "by_status": by_status,
    }


async def by_month(tx: Transaction, *, client_id: UUID, starts_on: date, ends_on: date) -> dict[str, Any]:
    """Return what was worked for a client in each month, over all of its contracts, the earliest month first.

    Raises:
        NotWholeMonths: see there.
        NotFound: there is no such client, or it is not the caller's.
    """
    months = whole_months(starts_on, ends_on)
    timezone = await tx.fetchval("SELECT timezone FROM clients WHERE client_id = $1", client_id)
    if timezone is None:
        raise NotFound
    spans = [one.in_zone(timezone) for one in months]
    rows = await tx.fetch(
        _BY_MONTH,
        client_id,
        [one.starts_on for one in months],
        [one.starts_at for one in spans],
        [one.ends_at for one in spans],
    )
    return {"client_id": client_id, "timezone": timezone, "months": [dict(row) for row in rows]}


def _control(entries: Sequence[tuple[UUID, int]]) -> dict[str, Any]:
    return {
        "entry_count": len(entries),
        "worked_minutes": sum(minutes for _, minutes in entries),
        "checksum": checksum(entries),
    }


def _view(row: Mapping[str, Any]) -> dict[str, Any]:
    found = hours_from(row)
    return {
        **row,
        "spans": [span(part).model_dump() for part in found.split.parts],
        "legs": [{"seq": one[0], "minutes": one[4]} for one in row["legs"]],
    }
