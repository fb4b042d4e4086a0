"""Watchers, links, ratings, priority tables."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from msp_kit.database import Transaction
from tickets.domain.ticket import Ticket


async def watch(tx: Transaction, ticket: Ticket, *, person_id: UUID, name: str, is_staff: bool) -> bool:
    """Note that somebody watches a ticket; return whether that is new."""
    return bool(
        await tx.fetchval(
            "INSERT INTO watchers (client_id, ticket_id, person_id, name, is_staff, since) VALUES ($1, $2, $3, $4, $5, $6)"
            " ON CONFLICT DO NOTHING RETURNING true",
            ticket.client_id,
            ticket.id,
            person_id,
            name,
            is_staff,
            tx.now,
        )
    )


async def unwatch(tx: Transaction, ticket: Ticket, *, person_id: UUID) -> None:
    """Note that somebody does not watch a ticket any more."""
    await tx.driver.execute(
        "DELETE FROM watchers WHERE client_id = $1 AND ticket_id = $2 AND person_id = $3",
        ticket.client_id,
        ticket.id,
        person_id,
    )


async def move_watchers(tx: Transaction, *, client_id: UUID, from_id: UUID, to_id: UUID) -> None:
    """Let who watches one ticket watch another one of the client, too."""
    await tx.driver.execute(
        "INSERT INTO watchers (client_id, ticket_id, person_id, name, is_staff, since)"
        " SELECT client_id, $3, person_id, name, is_staff, since FROM watchers WHERE client_id = $1 AND ticket_id = $2"
        " ON CONFLICT DO NOTHING",
        client_id,
        from_id,
        to_id,
    )


async def link(tx: Transaction, ticket: Ticket, *, other_id: UUID, kind: str, by: str) -> bool:
    """Link a ticket to another one of its client; return whether that is new."""
    return bool(
        await tx.fetchval(
            "INSERT INTO ticket_links (client_id, ticket_id, other_id, kind, linked_by, linked_at)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING true",
            ticket.client_id,
            ticket.id,
            other_id,
            kind,
            by,
            tx.now,
        )
    )


async def unlink(tx: Transaction, ticket: Ticket, *, other_id: UUID, kind: str) -> bool:
    """Take a link away; return whether it was there."""
    return bool(
        await tx.fetchval(
            "DELETE FROM ticket_links WHERE client_id = $1 AND ticket_id = $2 AND other_id = $3 AND kind = $4 RETURNING true",
            ticket.client_id,
            ticket.id,
            other_id,
            kind,
        )
    )


async def add_rating(tx: Transaction, ticket: Ticket, *, score: int, comment: str, by_name: str) -> None:
    """Keep what the client thinks of a resolution."""
    await tx.driver.execute(
        "INSERT INTO ratings (client_id, ticket_id, cycle, score, comment, by_name, rated_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        ticket.client_id,
        ticket.id,
        ticket.cycle,
        score,
        comment,
        by_name,
        tx.now,
    )


async def priority_table(tx: Transaction, *, client_id: UUID) -> dict[tuple[str, str], str]:
    """Return what a client's own priority table says; what is not in it follows the default."""
    rows = await tx.fetch("SELECT impact, urgency, priority FROM priority_tables WHERE client_id = $1", client_id)
    return {(row["impact"], row["urgency"]): row["priority"] for row in rows}


async def save_priority_table(tx: Transaction, *, client_id: UUID, table: Mapping[tuple[str, str], str]) -> None:
    """Replace a client's own priority table."""
    await tx.driver.execute("DELETE FROM priority_tables WHERE client_id = $1", client_id)
    await tx.driver.executemany(
        "INSERT INTO priority_tables (client_id, impact, urgency, priority) VALUES ($1, $2, $3, $4)",
        [(client_id, impact, urgency, priority) for (impact, urgency), priority in sorted(table.items())],
    )
