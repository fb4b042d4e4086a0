"""Time that somebody should look at, and the reminders that were given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msp_kernel.ids import new_id
from msp_kit.database import Transaction


@dataclass(frozen=True, slots=True)
class OpenTime:
    """Time of an agent that nobody can approve: a timer runs, or entries were rejected and not corrected."""

    agent_id: UUID
    person_id: UUID
    running_since: datetime | None
    rejected_minutes: int


async def is_given(tx: Transaction, about: str) -> bool:
    """Return whether a reminder was given for an occasion."""
    return bool(await tx.fetchval("SELECT EXISTS (SELECT FROM worklog_reminders WHERE about = $1)", about))


async def give(tx: Transaction, about: str) -> UUID | None:
    """Note a reminder and return its id; ``None`` when another worker was faster."""
    reminder_id: UUID | None = await tx.fetchval(
        "INSERT INTO worklog_reminders (id, about, said_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id",
        new_id(),
        about,
        tx.now,
    )
    return reminder_id


async def forget(tx: Transaction, *, before: datetime) -> None:
    """Forget reminders of long ago."""
    await tx.driver.execute("DELETE FROM worklog_reminders WHERE said_at < $1", before)


async def waiting_time(tx: Transaction) -> tuple[int, int]:
    """Return how many submitted entries wait, and their minutes."""
    row = await tx.fetchrow(
        "SELECT count(*) AS entries, coalesce(sum(worked_minutes), 0) AS minutes FROM time_entries WHERE status = 'submitted'"
    )
    assert row is not None, "an aggregate has a row"
    return row["entries"], row["minutes"]


async def open_time(tx: Transaction, *, since: datetime, before: datetime, month: str) -> OpenTime | None:
    """Return the next agent with open time of a month who was not reminded of it, locked."""
    row = await tx.fetchrow(
        "SELECT a.id AS agent_id, a.person_id, t.started_at AS running_since, coalesce(r.minutes, 0)::int AS rejected_minutes"
        " FROM agents a LEFT JOIN timers t ON t.agent_id = a.id LEFT JOIN ("
        " SELECT e.agent_id, sum(e.worked_minutes) AS minutes FROM time_entries e WHERE e.status = 'rejected'"
        " AND e.worked_from >= $1 AND e.worked_from < $2"
        " AND NOT EXISTS (SELECT FROM time_entries c WHERE c.corrects_id = e.id AND c.status <> 'voided')"
        " GROUP BY e.agent_id) r ON r.agent_id = a.id"
        " WHERE a.person_id IS NOT NULL AND (t.agent_id IS NOT NULL OR r.agent_id IS NOT NULL)"
        " AND NOT EXISTS (SELECT FROM worklog_reminders w WHERE w.about = a.id || ' ' || $3)"
        " ORDER BY a.id LIMIT 1 FOR UPDATE OF a SKIP LOCKED",
        since,
        before,
        month,
    )
    return None if row is None else OpenTime(**row)
