"""Queues, routing rules, agents and their workload as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction

Row = dict[str, Any]
_AGENT = "id, person_id, name, levels, skills, queues, weekly_minutes, is_active, takes_tickets, timezone, presence, presence_at"


async def routing_rules(tx: Transaction) -> Sequence[Row]:
    """Return the routing rules by position."""
    rows = await tx.fetch(
        "SELECT id::text AS id, position, job_types, levels, priorities, client_ids, words, tags, queue FROM routing_rules"
        " ORDER BY position"
    )
    return [dict(row) for row in rows]


async def queues(tx: Transaction) -> Sequence[Row]:
    """Return queues with their open tickets."""
    rows = await tx.fetch(
        "SELECT q.key, q.name, coalesce(t.n, 0) AS open_count FROM queues q LEFT JOIN"
        " (SELECT queue, count(*) AS n FROM tickets WHERE NOT is_over GROUP BY queue) AS t ON t.queue = q.key"
        " ORDER BY q.name"
    )
    return [dict(row) for row in rows]


async def agents(tx: Transaction) -> Sequence[Row]:
    """Return the agents by name."""
    return [dict(row) for row in await tx.fetch(f"SELECT {_AGENT} FROM agents ORDER BY name, id LIMIT 1000")]


async def one_agent(tx: Transaction, *, agent_id: UUID) -> Row | None:
    """Return one agent with shifts and the absences that are not over."""
    row = await tx.fetchrow(f"SELECT {_AGENT} FROM agents WHERE id = $1", agent_id)
    if row is None:
        return None
    shifts = await tx.fetch(
        "SELECT starts_minute, ends_minute FROM agent_shifts WHERE agent_id = $1 ORDER BY starts_minute", agent_id
    )
    absences = await tx.fetch(
        "SELECT id, starts_at, ends_at, reason FROM absences WHERE agent_id = $1 AND ends_at > $2 ORDER BY starts_at",
        agent_id,
        tx.now,
    )
    return {**dict(row), "shifts": [tuple(one) for one in shifts], "absences": [dict(one) for one in absences]}


async def absences(tx: Transaction) -> Sequence[Row]:
    """Return the absences of all agents that are not over, the next one first."""
    rows = await tx.fetch(
        "SELECT b.id, b.agent_id, a.name AS agent_name, b.starts_at, b.ends_at, b.reason"
        " FROM absences b JOIN agents a ON a.id = b.agent_id WHERE b.ends_at > $1 ORDER BY b.starts_at, b.id LIMIT 1000",
        tx.now,
    )
    return [dict(row) for row in rows]


async def workload(tx: Transaction) -> Sequence[Row]:
    """Return open work by agent: tickets by state of the most urgent clock, and the minutes logged in seven days."""
    rows = await tx.fetch(
        """
        SELECT a.id AS agent_id, a.name AS agent_name, a.weekly_minutes, a.presence,
               count(t.id) AS open,
               count(t.id) FILTER (WHERE t.clock_is_breached) AS breached,
               count(t.id) FILTER (WHERE NOT t.clock_is_breached AND t.due_at < $1::timestamptz + interval '1 hour') AS at_risk,
               count(t.id) FILTER (WHERE NOT t.clock_is_breached AND t.clock_status = 'paused') AS paused,
               count(t.id) FILTER (WHERE NOT t.clock_is_breached AND t.due_at < $1::timestamptz + interval '8 hours') AS due_soon,
               min(t.due_at) FILTER (WHERE t.due_at < 'infinity') AS next_due_at,
               (SELECT coalesce(sum(e.worked_minutes), 0)::bigint FROM time_entries e
                 WHERE e.agent_id = a.id AND e.status IN ('submitted', 'approved')
                   AND e.worked_from >= $1::timestamptz - interval '7 days') AS worked_minutes
          FROM agents a LEFT JOIN tickets t ON t.assignee_id = a.id AND NOT t.is_over
         WHERE a.is_active AND a.takes_tickets
         GROUP BY a.id ORDER BY open DESC, a.name, a.id
        """,
        tx.now,
    )
    return [{**dict(row), "on_track": row["open"] - row["breached"] - row["at_risk"] - row["paused"]} for row in rows]
