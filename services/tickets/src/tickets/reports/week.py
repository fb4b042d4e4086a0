"""A week of one agent, the running timer, and locked periods."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msp_kernel.periods import midnight
from msp_kit.database import Transaction

Row = dict[str, Any]
_PLACE = """
    LEFT JOIN tickets t ON t.client_id = e.client_id AND t.id = e.ticket_id
    LEFT JOIN tasks k ON k.client_id = e.client_id AND k.id = e.task_id
    LEFT JOIN projects p ON p.client_id = k.client_id AND p.id = k.project_id
"""


async def week(tx: Transaction, *, agent_id: UUID | None, person_id: UUID, on: date | None) -> Row | None:
    """Return the week of a day (today in the agent's zone) of an agent, or of a person's own; ``None`` for nobody.

    A minute counts on the day its entry began.
    """
    agent = await tx.fetchrow(
        "SELECT id, name, timezone, weekly_minutes FROM agents WHERE CASE WHEN $1::uuid IS NULL THEN person_id = $2 ELSE id = $1 END",
        agent_id,
        person_id,
    )
    if agent is None:
        return None
    zone = ZoneInfo(agent["timezone"])
    day = on or tx.now.astimezone(zone).date()
    monday = day - timedelta(days=day.weekday())
    days = [monday + timedelta(days=number) for number in range(7)]
    entries = await tx.fetch(
        f"""
        SELECT e.ticket_id, e.task_id, e.worked_from, e.worked_minutes, e.status, c.name AS client_name,
               coalesce(t.ref, p.ref, '') AS ref, coalesce(t.title, k.title, '') AS title
          FROM time_entries e JOIN clients c ON c.client_id = e.client_id {_PLACE}
         WHERE e.agent_id = $1 AND e.worked_from >= $2 AND e.worked_from < $3 AND e.status <> 'voided'
         ORDER BY e.worked_from, e.id
        """,
        agent["id"],
        midnight(monday, agent["timezone"]),
        midnight(monday + timedelta(days=7), agent["timezone"]),
    )
    live = [row for row in entries if row["status"] != "rejected"]
    rows = _by_place(live, days=days, zone=zone)
    day_minutes = [sum(row["minutes"][number] for row in rows) for number in range(7)]
    minutes_of = {
        status: sum(row["worked_minutes"] for row in live if row["status"] == status)
        for status in ("submitted", "approved")
    }
    return {
        "agent_id": agent["id"],
        "agent_name": agent["name"],
        "timezone": agent["timezone"],
        "starts_on": monday,
        "days": days,
        "rows": rows,
        "day_minutes": day_minutes,
        "total_minutes": sum(day_minutes),
        "weekly_minutes": agent["weekly_minutes"],
        "submitted_minutes": minutes_of["submitted"],
        "approved_minutes": minutes_of["approved"],
        "rejected": len(entries) - len(live),
        "overlaps": _overlaps(live),
    }


def _by_place(entries: Sequence[Any], *, days: Sequence[date], zone: ZoneInfo) -> list[Row]:
    rows: dict[tuple[UUID | None, UUID | None], Row] = {}
    for entry in entries:
        row = rows.setdefault(
            (entry["ticket_id"], entry["task_id"]),
            {
                **{name: entry[name] for name in ("ticket_id", "task_id", "ref", "title", "client_name")},
                "minutes": [0] * len(days),
                "total_minutes": 0,
            },
        )
        row["minutes"][(entry["worked_from"].astimezone(zone).date() - days[0]).days] += entry["worked_minutes"]
        row["total_minutes"] += entry["worked_minutes"]
    return sorted(rows.values(), key=lambda row: (row["client_name"], row["ref"], row["title"]))


def _overlaps(entries: Sequence[Any]) -> int:
    found, busy_until = 0, None
    for entry in entries:
        starts: datetime = entry["worked_from"]
        ends = starts + timedelta(minutes=entry["worked_minutes"])
        found += busy_until is not None and starts < busy_until
        busy_until = ends if busy_until is None else max(busy_until, ends)
    return found


async def timer(tx: Transaction, *, person_id: UUID) -> Row | None:
    """Return a person's running timer."""
    row = await tx.fetchrow(
        f"""
        SELECT e.ticket_id, e.task_id, e.client_id, e.started_at, e.note,
               coalesce(t.ref, p.ref, '') AS ref, coalesce(t.title, k.title, '') AS title
          FROM timers e JOIN agents a ON a.id = e.agent_id {_PLACE}
         WHERE a.person_id = $1
        """,
        person_id,
    )
    if row is None:
        return None
    return {**dict(row), "running_seconds": (tx.now - row["started_at"]) // timedelta(seconds=1)}


async def locks(tx: Transaction) -> Sequence[Row]:
    """Return the clients whose time is locked, by name."""
    rows = await tx.fetch(
        "SELECT l.client_id, c.name AS client_name, l.locked_before, l.locked_by, l.locked_at, l.reason"
        " FROM period_locks l JOIN clients c USING (client_id) ORDER BY c.name"
    )
    return [dict(row) for row in rows]


async def lock_changes(tx: Transaction, *, limit: int) -> Sequence[Row]:
    """Return what was locked and opened again lately, newest first."""
    rows = await tx.fetch(
        "SELECT l.client_id, c.name AS client_name, l.locked_before, l.changed_by, l.changed_at, l.reason"
        " FROM period_lock_changes l JOIN clients c USING (client_id) ORDER BY l.id DESC LIMIT $1",
        limit,
    )
    return [dict(row) for row in rows]
