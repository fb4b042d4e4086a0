"""Lists and control totals of time entries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from msp_kernel.periods import midnight
from msp_kit.database import Transaction
from msp_kit.pagination import page_of, position
from msp_kit.problems import BadCursor
from tickets.domain.time_entry import checksum
from tickets.tables import clients, projects, tasks, tickets, time_entries

Row = dict[str, Any]
_ENTRY = (
    "id",
    "ticket_id",
    "task_id",
    "client_id",
    "contract_id",
    "agent_id",
    "agent_name",
    "worked_from",
    "worked_minutes",
    "job_type",
    "level",
    "note",
    "status",
    "revision",
    "decision_reason",
    "logged_at",
    "corrects_id",
    "is_late",
    "internal_note",
    "decided_by",
)
_HOURS = ("hours_status", "billed_minutes", "bucket_minutes", "overage_minutes")


def select_entries() -> sa.Select[Any]:
    """Return the query of time entries with what they are about, for ``where``, order and limit to be added."""
    columns = [time_entries.c[name] for name in (*_ENTRY, *_HOURS)]
    joined = (
        time_entries.outerjoin(
            tickets, sa.and_(tickets.c.client_id == time_entries.c.client_id, tickets.c.id == time_entries.c.ticket_id)
        )
        .outerjoin(tasks, sa.and_(tasks.c.client_id == time_entries.c.client_id, tasks.c.id == time_entries.c.task_id))
        .outerjoin(projects, sa.and_(projects.c.client_id == tasks.c.client_id, projects.c.id == tasks.c.project_id))
        .outerjoin(clients, clients.c.client_id == time_entries.c.client_id)
    )
    shown = [
        sa.func.coalesce(tickets.c.ref, projects.c.ref).label("ticket_ref"),
        sa.func.coalesce(tickets.c.title, tasks.c.title).label("ticket_title"),
        clients.c.name.label("client_name"),
    ]
    return sa.select(*columns, *shown, time_entries.c.sealed_in.is_not(None).label("is_sealed")).select_from(joined)


def shaped(row: Any) -> Row:
    """Return a row of ``select_entries`` as it is shown."""
    made = {name: getattr(row, name) for name in _ENTRY}
    made |= {name: getattr(row, name) for name in ("ticket_ref", "ticket_title", "client_name", "is_sealed")}
    hours = {name.removeprefix("hours_"): getattr(row, name) for name in _HOURS}
    made["hours"] = hours if row.hours_status is not None else None
    return made


async def list_entries(
    tx: Transaction,
    *,
    status: str | None = None,
    client_id: UUID | None = None,
    agent_id: UUID | None = None,
    ticket_id: UUID | None = None,
    task_id: UUID | None = None,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    limit: int,
    after: str | None = None,
) -> tuple[Sequence[Row], str | None]:
    """Return a page of time entries, newest work first.

    Raises:
        BadCursor: ``after`` is not a cursor of this list.
    """
    query = select_entries()
    wanted = {
        "status": status,
        "client_id": client_id,
        "agent_id": agent_id,
        "ticket_id": ticket_id,
        "task_id": task_id,
    }
    for name, value in wanted.items():
        if value is not None:
            query = query.where(time_entries.c[name] == value)
    if from_at is not None:
        query = query.where(time_entries.c.worked_from >= from_at)
    if to_at is not None:
        query = query.where(time_entries.c.worked_from < to_at)
    found = position(after, of=2)
    if found is not None:
        try:
            here = (datetime.fromisoformat(found[0]), UUID(found[1]))
        except (ValueError, TypeError, AttributeError) as error:
            raise BadCursor("take the cursor from `next` of the previous page") from error
        query = query.where(
            sa.tuple_(time_entries.c.worked_from, time_entries.c.id) < sa.tuple_(*map(sa.literal, here))
        )
    query = query.order_by(time_entries.c.worked_from.desc(), time_entries.c.id.desc()).limit(limit + 1)
    rows = (await tx.execute(query)).all()
    page, next_cursor = page_of(rows, limit=limit, key=lambda row: (row.worked_from.isoformat(), str(row.id)))
    return [shaped(row) for row in page], next_cursor


async def entries_of_tickets(tx: Transaction, *, client_id: UUID, ticket_ids: Sequence[UUID]) -> Sequence[Row]:
    """Return the time on tickets of one client, newest work first."""
    query = select_entries().where(time_entries.c.client_id == client_id, time_entries.c.ticket_id.in_(ticket_ids))
    rows = await tx.execute(query.order_by(time_entries.c.worked_from.desc(), time_entries.c.id.desc()).limit(500))
    return [shaped(row) for row in rows]


async def one_entry(tx: Transaction, *, entry_id: UUID) -> Row | None:
    """Return one time entry."""
    row = (await tx.execute(select_entries().where(time_entries.c.id == entry_id))).one_or_none()
    return None if row is None else shaped(row)


async def totals(tx: Transaction, *, client_id: UUID, from_on: date, to_on: date) -> Row:
    """Return the control totals of a client's submitted and approved entries worked in ``[from_on, to_on)``."""
    zone = await tx.fetchval("SELECT timezone FROM clients WHERE client_id = $1", client_id) or "UTC"
    rows = await tx.fetch(
        "SELECT id::text AS id, worked_minutes, status FROM time_entries"
        " WHERE client_id = $1 AND worked_from >= $2 AND worked_from < $3",
        client_id,
        midnight(from_on, zone),
        midnight(to_on, zone),
    )
    live = [(row["id"], row["worked_minutes"]) for row in rows if row["status"] in ("submitted", "approved")]
    by_status: dict[str, int] = {}
    for row in rows:
        by_status[row["status"]] = by_status.get(row["status"], 0) + 1
    return {
        "entry_count": len(live),
        "worked_minutes": sum(minutes for _, minutes in live),
        "checksum": checksum(live),
        "by_status": by_status,
    }


async def waiting_by_client(tx: Transaction) -> Sequence[Row]:
    """Return how many entries and minutes of each client wait for approval."""
    rows = await tx.fetch(
        "SELECT e.client_id, c.name AS client_name, count(*) AS entry_count, sum(e.worked_minutes)::bigint AS worked_minutes"
        " FROM time_entries e JOIN clients c USING (client_id) WHERE e.status = 'submitted'"
        " GROUP BY e.client_id, c.name ORDER BY c.name"
    )
    return [dict(row) for row in rows]
