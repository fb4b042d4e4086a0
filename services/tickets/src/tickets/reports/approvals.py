"""Time that waits for approval, what is odd or out of scope first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from msp_kernel.business_time import Calendar
from msp_kit.database import Transaction
from tickets.domain.oddness import Oddity, Waiting, odd_first, oddities
from tickets.reports.time import Row, select_entries, shaped
from tickets.tables import time_entries

LOOKED_AT_MAX = 500
_AROUND = """
    WITH waiting AS (
        SELECT client_id, id, contract_id, ticket_id, task_id, agent_id, worked_from, worked_minutes, job_type, level
          FROM time_entries WHERE id = ANY($1)
    ), usual AS (
        SELECT coalesce(ticket_id, task_id) AS place_id, count(*) AS usual_count,
               percentile_disc(0.5) WITHIN GROUP (ORDER BY worked_minutes) AS usual_minutes
          FROM (
            SELECT o.ticket_id, o.task_id, o.worked_minutes, o.status
              FROM (SELECT DISTINCT client_id, ticket_id FROM waiting) AS w JOIN time_entries o USING (client_id, ticket_id)
            UNION ALL
            SELECT o.ticket_id, o.task_id, o.worked_minutes, o.status
              FROM (SELECT DISTINCT client_id, task_id FROM waiting) AS w JOIN time_entries o USING (client_id, task_id)
          ) AS entries
         WHERE status IN ('submitted', 'approved') GROUP BY 1
    )
    SELECT e.id, u.usual_count, u.usual_minutes, c.calendar::text AS calendar,
           e.job_type = ANY(c.job_types) AND e.level = ANY(c.levels) AS is_in_scope,
           (SELECT count(*) FROM time_entries o
             WHERE o.agent_id = e.agent_id AND o.id <> e.id AND o.status IN ('submitted', 'approved')
               AND o.worked_from < e.worked_from + make_interval(mins => e.worked_minutes)
               AND o.worked_from > e.worked_from - interval '1 day'
               AND o.worked_from + make_interval(mins => o.worked_minutes) > e.worked_from) AS overlaps
      FROM waiting e JOIN contracts c USING (client_id, contract_id)
      JOIN usual u ON u.place_id = coalesce(e.ticket_id, e.task_id)
"""


async def to_approve(tx: Transaction, *, client_id: UUID | None, limit: int) -> tuple[list[Row], int, int]:
    """Return entries that wait (of one client, or of all), how many of them are odd, and how many wait in all.

    The oldest 500 are looked at; the odd ones of them come first, each with ``oddities``, the others oldest first.
    """
    query = select_entries().where(time_entries.c.status == "submitted")
    if client_id is not None:
        query = query.where(time_entries.c.client_id == client_id)
    query = query.order_by(time_entries.c.worked_from, time_entries.c.id).limit(LOOKED_AT_MAX)
    entries = [shaped(row) for row in await tx.execute(query)]
    found = await _oddities(tx, entries)
    rows: list[Row] = [
        {
            **entry,
            "oddities": [{"code": one.code, "figure": one.figure, "detail": one.detail} for one in found[entry["id"]]],
        }
        for entry in entries
    ]
    total: int = await tx.fetchval(
        "SELECT count(*) FROM time_entries WHERE status = 'submitted' AND ($1::uuid IS NULL OR client_id = $1)",
        client_id,
    )
    ranked = odd_first(rows, of=lambda row: found[row["id"]])
    return ranked[:limit], sum(1 for row in rows if row["oddities"]), total


async def _oddities(tx: Transaction, entries: Sequence[Row]) -> dict[UUID, tuple[Oddity, ...]]:
    around = {row["id"]: row for row in await tx.fetch(_AROUND, [entry["id"] for entry in entries])}
    return {entry["id"]: oddities(_waiting(entry, around[entry["id"]])) for entry in entries}


def _waiting(entry: Row, around: Any) -> Waiting:
    return Waiting(
        **{name: entry[name] for name in ("worked_from", "worked_minutes", "logged_at", "is_late")},
        **{name: around[name] for name in ("overlaps", "is_in_scope", "usual_minutes", "usual_count")},
        overage_minutes=None if entry["hours"] is None else entry["hours"]["overage_minutes"],
        calendar=None if around["calendar"] is None else _calendar(around["calendar"]),
    )


@lru_cache(maxsize=1024)
def _calendar(text: str) -> Calendar:
    return Calendar.from_json(orjson.loads(text))
