"""Time entries and sealed periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from tickets.domain.time_entry import TimeEntry

_COLUMNS = (
    "e.id, e.client_id, e.contract_id, e.revision, e.ticket_id, e.task_id, e.agent_id, e.agent_name, a.person_id,"
    " e.worked_from, e.worked_minutes, e.job_type, e.level, e.note, e.status, e.decided_by, e.decision_reason, e.sealed_in,"
    " e.corrects_id, e.internal_note, e.is_late,"
    " coalesce((SELECT t.ref FROM tickets t WHERE t.client_id = e.client_id AND t.id = e.ticket_id),"
    " (SELECT p.ref || ' ' || k.title FROM tasks k JOIN projects p ON p.client_id = k.client_id AND p.id = k.project_id"
    " WHERE k.client_id = e.client_id AND k.id = e.task_id), '') AS ref"
)
_FROM = "FROM time_entries e JOIN agents a ON a.id = e.agent_id"
_INSERT = """
    WITH entry AS (
        INSERT INTO time_entries (id, client_id, contract_id, revision, ticket_id, task_id, agent_id, agent_name,
                                  worked_from, worked_minutes, job_type, level, note, status, logged_at,
                                  corrects_id, internal_note, is_late)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $18, $19, $20)
    )
    INSERT INTO activities (client_id, ticket_id, at, actor_id, actor_name, kind, text)
    SELECT $2, $5, $15, $16, $8, 'time', $17 WHERE $5::uuid IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class SealedPeriod:
    """A period of a client that was sealed, with its control totals."""

    period_close_id: UUID
    client_id: UUID
    starts_on: date
    ends_on: date
    entry_count: int
    worked_minutes: int
    checksum: str


def _values(entry: TimeEntry, *, at: datetime, actor: str) -> tuple[Any, ...]:
    return (
        entry.id,
        entry.client_id,
        entry.contract_id,
        entry.revision,
        entry.ticket_id,
        entry.task_id,
        entry.agent_id,
        entry.agent_name,
        entry.worked_from,
        entry.worked_minutes,
        entry.job_type,
        entry.level,
        entry.note,
        entry.status,
        at,
        actor,
        f"logged {entry.worked_minutes} min, {entry.job_type}, {entry.level}",
        entry.corrects_id,
        entry.internal_note,
        entry.is_late,
    )


async def add_entry(tx: Transaction, entry: TimeEntry) -> None:
    """Save a new entry and the activity of its ticket."""
    await tx.driver.execute(_INSERT, *_values(entry, at=tx.now, actor=tx.scope.actor))


async def add_entries(tx: Transaction, entries: Sequence[TimeEntry]) -> None:
    """Save many new entries, each with the activity at the time of the work."""
    await tx.driver.executemany(_INSERT, [_values(one, at=one.worked_from, actor=tx.scope.actor) for one in entries])


async def lock_entries(tx: Transaction, *, entry_ids: Sequence[UUID]) -> list[TimeEntry]:
    """Return entries, locked, by id."""
    rows = await tx.fetch(f"SELECT {_COLUMNS} {_FROM} WHERE e.id = ANY($1) ORDER BY e.id FOR UPDATE OF e", entry_ids)
    return [TimeEntry(**row) for row in rows]


async def lock_submitted(tx: Transaction, *, client_id: UUID, before: datetime, limit: int) -> list[TimeEntry]:
    """Return the oldest entries that wait for approval, worked before an instant, locked, by id.

    It waits for those that are being written (what became of their hours comes in meanwhile): none is left out in silence.
    """
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} {_FROM} WHERE e.status = 'submitted' AND e.id IN (SELECT id FROM time_entries"
        " WHERE status = 'submitted' AND client_id = $1 AND worked_from < $2 ORDER BY worked_from, id LIMIT $3)"
        " ORDER BY e.id FOR UPDATE OF e",
        client_id,
        before,
        limit,
    )
    return [TimeEntry(**row) for row in rows]


async def lock_unsealed_of(tx: Transaction, *, client_id: UUID, ticket_id: UUID) -> list[TimeEntry]:
    """Return the live entries of a ticket that no period has, locked, by id."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} {_FROM} WHERE e.client_id = $1 AND e.ticket_id = $2 AND e.sealed_in IS NULL"
        " AND e.status IN ('submitted', 'approved') ORDER BY e.id FOR UPDATE OF e",
        client_id,
        ticket_id,
    )
    return [TimeEntry(**row) for row in rows]


async def save_places(tx: Transaction, entries: Sequence[TimeEntry]) -> None:
    """Save the ticket of entries that moved, with their revision."""
    await tx.driver.executemany(
        "UPDATE time_entries SET ticket_id = $3, revision = $4 WHERE client_id = $1 AND id = $2",
        [(one.client_id, one.id, one.ticket_id, one.revision) for one in entries],
    )


async def save_decisions(tx: Transaction, entries: Sequence[TimeEntry]) -> None:
    """Save status, decision and revision of entries."""
    await tx.driver.executemany(
        "UPDATE time_entries SET status = $3, decided_by = $4, decision_reason = $5, revision = $6"
        " WHERE client_id = $1 AND id = $2",
        [(e.client_id, e.id, e.status, e.decided_by, e.decision_reason, e.revision) for e in entries],
    )


async def sealed_period(tx: Transaction, *, period_close_id: UUID) -> SealedPeriod | None:
    """Return a sealed period."""
    row = await tx.fetchrow(
        "SELECT period_close_id, client_id, starts_on, ends_on, entry_count, worked_minutes, checksum"
        " FROM sealed_periods WHERE period_close_id = $1",
        period_close_id,
    )
    return None if row is None else SealedPeriod(**row)


async def submitted_before(tx: Transaction, *, client_id: UUID, before: datetime) -> int:
    """Return how many entries worked before an instant still wait for approval."""
    count: int = await tx.fetchval(
        "SELECT count(*) FROM time_entries WHERE client_id = $1 AND status = 'submitted' AND worked_from < $2",
        client_id,
        before,
    )
    return count


async def seal_entries(
    tx: Transaction, *, period_close_id: UUID, client_id: UUID, before: datetime
) -> list[tuple[str, int]]:
    """Freeze the approved entries worked before an instant that no period has; return their ids and minutes."""
    rows = await tx.fetch(
        "UPDATE time_entries SET sealed_in = $1"
        " WHERE client_id = $2 AND status = 'approved' AND sealed_in IS NULL AND worked_from < $3"
        " RETURNING id::text AS id, worked_minutes",
        period_close_id,
        client_id,
        before,
    )
    return [(row["id"], row["worked_minutes"]) for row in rows]


async def add_sealed_period(tx: Transaction, period: SealedPeriod) -> None:
    """Save the control totals of a sealed period."""
    await tx.driver.execute(
        "INSERT INTO sealed_periods (period_close_id, client_id, starts_on, ends_on, entry_count, worked_minutes,"
        " checksum, sealed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        period.period_close_id,
        period.client_id,
        period.starts_on,
        period.ends_on,
        period.entry_count,
        period.worked_minutes,
        period.checksum,
        tx.now,
    )


async def unseal(tx: Transaction, *, period_close_id: UUID) -> None:
    """Forget a sealed period and open its entries; the database lets go of them only without their period."""
    await tx.driver.execute("DELETE FROM sealed_periods WHERE period_close_id = $1", period_close_id)
    await tx.driver.execute("UPDATE time_entries SET sealed_in = NULL WHERE sealed_in = $1", period_close_id)
