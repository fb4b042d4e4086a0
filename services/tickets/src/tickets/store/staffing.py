"""Agents with their shifts, absences and presence, and the open work they have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from tickets.domain.assignment import Candidate, OpenWork, Slack, effort
from tickets.domain.shift import Shift, is_on_shift

_SLACK = (
    "CASE WHEN due_at < $1::timestamptz THEN 'none' WHEN due_at < $1::timestamptz + interval '1 hour' THEN 'hour'"
    " WHEN due_at < $1::timestamptz + interval '4 hours' THEN 'half_day' ELSE 'more' END"
)


async def candidates(tx: Transaction) -> list[Candidate]:
    """Return the agents that take tickets, each with whether they are on duty now."""
    rows = await tx.fetch(
        "SELECT a.id, a.name, a.levels, a.skills, a.queues, a.weekly_minutes, a.timezone, a.presence,"
        " EXISTS (SELECT FROM absences b WHERE b.agent_id = a.id AND b.starts_at <= $1 AND $1 < b.ends_at) AS is_absent"
        " FROM agents a WHERE a.is_active AND a.takes_tickets ORDER BY a.id",
        tx.now,
    )
    shifts = await shifts_of(tx, agent_ids=[row["id"] for row in rows])
    return [
        Candidate(
            row["id"],
            row["name"],
            tuple(row["levels"]),
            tuple(row["skills"]),
            tuple(row["queues"]),
            row["weekly_minutes"],
            is_on_duty=not row["is_absent"]
            and row["presence"] not in ("away", "offline")
            and is_on_shift(shifts.get(row["id"], []), tx.now, row["timezone"]),
        )
        for row in rows
    ]


async def open_efforts(tx: Transaction) -> dict[UUID, int]:
    """Return the expected effort of the open work of each agent."""
    rows = await tx.fetch(
        f"SELECT assignee_id, priority, {_SLACK} AS slack, count(*) AS n FROM tickets"
        " WHERE NOT is_over AND assignee_id IS NOT NULL GROUP BY 1, 2, 3",
        tx.now,
    )
    efforts: dict[UUID, int] = {}
    for row in rows:
        slack: Slack = row["slack"]
        efforts[row["assignee_id"]] = (
            efforts.get(row["assignee_id"], 0) + effort(row["priority"], slack=slack) * row["n"]
        )
    return efforts


async def open_work(tx: Transaction) -> list[OpenWork]:
    """Return open tickets nobody waits for somebody else on, the least urgent first: those are handed over easily."""
    rows = await tx.fetch(
        f"SELECT id, ref, assignee_id, priority, {_SLACK} AS slack, job_type, handling_level, queue FROM tickets"
        " WHERE NOT is_over AND status IN ('new', 'open') AND assignee_id IS NOT NULL ORDER BY due_at DESC, id LIMIT 2000",
        tx.now,
    )
    return [
        OpenWork(
            ticket_id=row["id"],
            ref=row["ref"],
            agent_id=row["assignee_id"],
            efforts=effort(row["priority"], slack=row["slack"]),
            job_type=row["job_type"],
            level=row["handling_level"],
            queue=row["queue"],
        )
        for row in rows
    ]


async def known_clients(tx: Transaction, *, client_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, int]]:
    """Return, by client, how many of its tickets each agent was given in the last ninety days."""
    rows = await tx.fetch(
        "SELECT client_id, agent_id, count(*) AS n FROM assignments WHERE client_id = ANY($1)"
        " AND at > $2::timestamptz - interval '90 days' GROUP BY 1, 2",
        client_ids,
        tx.now,
    )
    known: dict[UUID, dict[UUID, int]] = {}
    for row in rows:
        known.setdefault(row["client_id"], {})[row["agent_id"]] = row["n"]
    return known


async def shifts_of(tx: Transaction, *, agent_ids: Sequence[UUID]) -> dict[UUID, list[Shift]]:
    """Return the shifts of agents, in order."""
    rows = await tx.fetch(
        "SELECT agent_id, starts_minute, ends_minute FROM agent_shifts WHERE agent_id = ANY($1)"
        " ORDER BY agent_id, starts_minute",
        agent_ids,
    )
    found: dict[UUID, list[Shift]] = {}
    for row in rows:
        found.setdefault(row["agent_id"], []).append(Shift(row["starts_minute"], row["ends_minute"]))
    return found


async def save_shifts(tx: Transaction, *, agent_id: UUID, timezone: str, shifts: Sequence[Shift]) -> bool:
    """Replace the shifts of an agent and their zone; ``False`` for an unknown agent."""
    if not await tx.fetchval("UPDATE agents SET timezone = $2 WHERE id = $1 RETURNING true", agent_id, timezone):
        return False
    await tx.driver.execute("DELETE FROM agent_shifts WHERE agent_id = $1", agent_id)
    await tx.driver.executemany(
        "INSERT INTO agent_shifts (agent_id, starts_minute, ends_minute) VALUES ($1, $2, $3)",
        [(agent_id, one.starts_minute, one.ends_minute) for one in shifts],
    )
    return True


async def add_absence(
    tx: Transaction, *, absence_id: UUID, agent_id: UUID, starts_at: datetime, ends_at: datetime, reason: str
) -> bool:
    """Save an absence; ``False`` for an unknown agent."""
    return bool(
        await tx.fetchval(
            "INSERT INTO absences (id, agent_id, starts_at, ends_at, reason)"
            " SELECT $1, id, $3, $4, $5 FROM agents WHERE id = $2 RETURNING true",
            absence_id,
            agent_id,
            starts_at,
            ends_at,
            reason,
        )
    )


async def delete_absence(tx: Transaction, *, absence_id: UUID) -> bool:
    """Delete an absence; return whether it was there."""
    return bool(await tx.fetchval("DELETE FROM absences WHERE id = $1 RETURNING true", absence_id))


async def save_presence(tx: Transaction, *, person_id: UUID, presence: str) -> bool:
    """Save whether a person can be given work now; ``False`` when they are no agent."""
    return bool(
        await tx.fetchval(
            "UPDATE agents SET presence = $2, presence_at = $3 WHERE person_id = $1 RETURNING true",
            person_id,
            presence,
            tx.now,
        )
    )


async def change_agent(tx: Transaction, *, agent_id: UUID, changes: dict[str, Any]) -> bool:
    """Save the given fields of an agent; ``False`` for an unknown one."""
    names = sorted(changes)
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, start=2))
    return bool(
        await tx.fetchval(
            f"UPDATE agents SET {sets} WHERE id = $1 RETURNING true", agent_id, *(changes[name] for name in names)
        )
    )
