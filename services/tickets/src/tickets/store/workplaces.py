"""What has to be known to log time on a ticket or a task, running timers, and period locks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from msp_kit.database import Transaction
from tickets.domain.scope import Terms
from tickets.store.organisation import TERMS, terms_of

# Both instants are midnights of the client's zone; nothing worked before them is free.
_PERIODS = (
    "(SELECT max(s.ends_on)::timestamp AT TIME ZONE cl.timezone FROM sealed_periods s WHERE s.client_id = cl.client_id)"
    " AS sealed_before,"
    " (SELECT l.locked_before::timestamp AT TIME ZONE cl.timezone FROM period_locks l WHERE l.client_id = cl.client_id)"
    " AS locked_before"
)
_TERMS = ", ".join(f"c.{name}" for name in TERMS)
_AGENT = "a.id AS agent_id, a.name AS agent_name, a.timezone"
_ON_TICKET = f"""
    SELECT t.id AS ticket_id, NULL::uuid AS task_id, t.ref AS place_ref, t.status = 'closed' AS is_closed,
           t.merged_into_id IS NOT NULL AS is_merged, t.job_type, t.level, {_TERMS}, {_AGENT}, {_PERIODS}
      FROM tickets t JOIN contracts c ON c.client_id = t.client_id AND c.contract_id = t.contract_id
      JOIN clients cl ON cl.client_id = t.client_id LEFT JOIN agents a ON a.person_id = $2
     WHERE t.id = $1
"""
_ON_TASK = f"""
    SELECT NULL::uuid AS ticket_id, k.id AS task_id, p.ref || ' ' || k.title AS place_ref,
           (p.status = 'closed' OR k.status = 'cancelled') AS is_closed, false AS is_merged, k.job_type, k.level,
           {_TERMS}, {_AGENT}, {_PERIODS}
      FROM tasks k JOIN projects p ON p.client_id = k.client_id AND p.id = k.project_id
      JOIN contracts c ON c.client_id = p.client_id AND c.contract_id = p.contract_id
      JOIN clients cl ON cl.client_id = p.client_id LEFT JOIN agents a ON a.person_id = $2
     WHERE k.id = $1
"""


@dataclass(frozen=True, slots=True)
class Workplace:
    """A ticket or task with its contract's terms, the caller's agent record, and what of its time is sealed or locked."""

    ticket_id: UUID | None
    task_id: UUID | None
    ref: str
    is_closed: bool
    job_type: str
    level: str
    terms: Terms
    agent_id: UUID | None
    agent_name: str | None
    timezone: str | None
    sealed_before: datetime | None
    locked_before: datetime | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Before which instants a client's time is sealed and locked; ``None`` for neither."""

    sealed_before: datetime | None
    locked_before: datetime | None


@dataclass(frozen=True, slots=True)
class Timer:
    """A running timer of an agent."""

    agent_id: UUID
    client_id: UUID
    ticket_id: UUID | None
    task_id: UUID | None
    started_at: datetime
    note: str


async def workplace(
    tx: Transaction, *, ticket_id: UUID | None, task_id: UUID | None, person_id: UUID
) -> Workplace | None:
    """Return everything about the place of work in one query; ``None`` for an unknown ticket or task."""
    sql, place_id = (_ON_TICKET, ticket_id) if ticket_id is not None else (_ON_TASK, task_id)
    row = await tx.fetchrow(sql, place_id, person_id)
    if row is None:
        return None
    return Workplace(
        ticket_id=row["ticket_id"],
        task_id=row["task_id"],
        ref=row["place_ref"],
        is_closed=row["is_closed"] or row["is_merged"],
        job_type=row["job_type"],
        level=row["level"],
        terms=terms_of(row),
        agent_id=row["agent_id"],
        agent_name=row["agent_name"],
        timezone=row["timezone"],
        sealed_before=row["sealed_before"],
        locked_before=row["locked_before"],
    )


async def overlapping(
    tx: Transaction, *, agent_id: UUID, starts_at: datetime, minutes: int, but: UUID | None
) -> list[tuple[datetime, int]]:
    """Return start and minutes of an agent's live entries that share a minute with a span, oldest first."""
    rows = await tx.fetch(
        "SELECT worked_from, worked_minutes FROM time_entries WHERE agent_id = $1 AND status IN ('submitted', 'approved')"
        " AND worked_from < $2::timestamptz + make_interval(mins => $3) AND worked_from > $2::timestamptz - interval '1 day'"
        " AND worked_from + make_interval(mins => worked_minutes) > $2 AND id IS DISTINCT FROM $4"
        " ORDER BY worked_from LIMIT 5",
        agent_id,
        starts_at,
        minutes,
        but,
    )
    return [(row["worked_from"], row["worked_minutes"]) for row in rows]


async def bounds(tx: Transaction, *, client_id: UUID) -> Bounds:
    """Return before which instants a client's time is sealed and locked."""
    row = await tx.fetchrow(f"SELECT {_PERIODS} FROM clients cl WHERE cl.client_id = $1", client_id)
    return Bounds(None, None) if row is None else Bounds(**row)


async def save_lock(tx: Transaction, *, client_id: UUID, locked_before: date | None, by: str, reason: str) -> None:
    """Save or take away the lock of a client's time, and who did it and why."""
    await tx.driver.execute(
        "INSERT INTO period_lock_changes (client_id, changed_at, changed_by, locked_before, reason)"
        " VALUES ($1, $2, $3, $4, $5)",
        client_id,
        tx.now,
        by,
        locked_before,
        reason,
    )
    if locked_before is None:
        await tx.driver.execute("DELETE FROM period_locks WHERE client_id = $1", client_id)
        return
    await tx.driver.execute(
        "INSERT INTO period_locks (client_id, locked_before, locked_by, locked_at, reason) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (client_id) DO UPDATE SET locked_before = $2, locked_by = $3, locked_at = $4, reason = $5",
        client_id,
        locked_before,
        by,
        tx.now,
        reason,
    )


# ---- timers -------------------------------------------------------------------------------------------------------

_TIMER = "agent_id, client_id, ticket_id, task_id, started_at, note"


async def start_timer(tx: Transaction, timer: Timer) -> bool:
    """Save a running timer; ``False`` when the agent has one already."""
    return bool(
        await tx.fetchval(
            f"INSERT INTO timers ({_TIMER}) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING true",
            timer.agent_id,
            timer.client_id,
            timer.ticket_id,
            timer.task_id,
            timer.started_at,
            timer.note,
        )
    )


async def take_timer(tx: Transaction, *, person_id: UUID) -> Timer | None:
    """Take away a person's running timer and return it."""
    row = await tx.fetchrow(
        f"DELETE FROM timers USING agents WHERE agents.id = agent_id AND agents.person_id = $1 RETURNING {_TIMER}",
        person_id,
    )
    return None if row is None else Timer(**row)


async def move_timers(tx: Transaction, *, from_client: UUID, from_id: UUID, to_client: UUID, to_id: UUID) -> None:
    """Let the timers that run on a ticket run on the one that took its place."""
    await tx.driver.execute(
        "UPDATE timers SET client_id = $3, ticket_id = $4 WHERE client_id = $1 AND ticket_id = $2",
        from_client,
        from_id,
        to_client,
        to_id,
    )
