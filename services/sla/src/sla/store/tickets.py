"""Tickets with all their clocks, locked together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msp_kit.database import Transaction
from sla.domain.clock import Clock
from sla.domain.life import Ticket
from sla.store.clocks import lock_clocks_of_tickets
from sla.store.text import json_text

_SAVE_TICKETS = """
    INSERT INTO tickets (ticket_id, client_id, ref, status, cycle, is_answered, queue, assignee_id, raised_at,
                         is_imported, heard_at)
    SELECT ticket_id, client_id, ref, status, cycle, is_answered, queue, assignee_id, raised_at, is_imported, $2
      FROM jsonb_populate_recordset(NULL::tickets, $1::jsonb)
    ON CONFLICT (ticket_id) DO UPDATE
       SET ref = excluded.ref, status = excluded.status, cycle = excluded.cycle, is_answered = excluded.is_answered,
           queue = excluded.queue, assignee_id = excluded.assignee_id, heard_at = excluded.heard_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRow:
    """What is kept of a ticket besides its clocks."""

    ticket: Ticket
    ref: str
    queue: str
    assignee_id: UUID | None
    raised_at: datetime
    is_imported: bool


async def lock_tickets(tx: Transaction, ticket_ids: Iterable[UUID]) -> dict[UUID, Ticket]:
    """Return the known ones of these tickets with all their clocks, locked until commit."""
    ids = sorted(set(ticket_ids))
    rows = await tx.fetch(
        "SELECT ticket_id, client_id, status, cycle, is_answered FROM tickets"
        " WHERE ticket_id = ANY($1) ORDER BY ticket_id FOR UPDATE",
        ids,
    )
    if not rows:
        return {}
    clocks: dict[UUID, list[Clock]] = defaultdict(list)
    for clock in await lock_clocks_of_tickets(tx, ids):
        clocks[clock.ticket_id].append(clock)
    return {
        row["ticket_id"]: Ticket(
            id=row["ticket_id"],
            client_id=row["client_id"],
            status=row["status"],
            cycle=row["cycle"],
            is_answered=row["is_answered"],
            clocks=tuple(sorted(clocks[row["ticket_id"]], key=lambda clock: (clock.cycle, clock.round, clock.metric))),
        )
        for row in rows
    }


async def save_tickets(tx: Transaction, rows: Sequence[TicketRow]) -> None:
    """Save tickets without their clocks."""
    documents = [
        {
            "ticket_id": row.ticket.id,
            "client_id": row.ticket.client_id,
            "ref": row.ref,
            "status": row.ticket.status,
            "cycle": row.ticket.cycle,
            "is_answered": row.ticket.is_answered,
            "queue": row.queue,
            "assignee_id": row.assignee_id,
            "raised_at": row.raised_at,
            "is_imported": row.is_imported,
        }
        for row in sorted(rows, key=lambda row: row.ticket.id)
    ]
    await tx.driver.execute(_SAVE_TICKETS, json_text(documents), tx.now)


async def refs_of(tx: Transaction, wanted: Iterable[tuple[UUID, UUID]]) -> dict[UUID, str]:
    """Return the references of known tickets, each asked for with the client whose it must be."""
    pairs = sorted(set(wanted))
    if not pairs:
        return {}
    rows = await tx.fetch(
        "SELECT ticket_id, ref FROM tickets JOIN unnest($1::uuid[], $2::uuid[]) AS w (ticket_id, client_id)"
        " USING (ticket_id, client_id)",
        [ticket_id for ticket_id, _ in pairs],
        [client_id for _, client_id in pairs],
    )
    return {row["ticket_id"]: row["ref"] for row in rows}
