"""Who watches a ticket, what it is linked to, and what the client thinks of the work."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.outbox import record
from msp_kit.problems import NotFound
from tickets.actions.journal import Journal
from tickets.actions.raising import actor_of
from tickets.actions.tickets import locked
from tickets.domain.priority import Table
from tickets.domain.ticket import AcrossClients, MergedIntoItself, Ticket
from tickets.store import labels as store, organisation, tickets as ticket_store

_WORDS = {
    "relates_to": "relates to",
    "duplicates": "is a duplicate of",
    "blocks": "blocks",
    "caused_by": "is caused by",
    "split_from": "was split from",
}


async def watch(tx: Transaction, *, ticket_id: UUID, by: Caller, is_wanted: bool) -> None:
    """Let the caller watch a ticket, or not any more.

    Raises:
        NotFound: no such ticket for this caller.
    """
    ticket = await locked(tx, ticket_id, follows_merge=True)
    if is_wanted:
        await store.watch(tx, ticket, person_id=by.id, name=by.name, is_staff=by.kind == "staff")
    else:
        await store.unwatch(tx, ticket, person_id=by.id)


async def link(tx: Transaction, *, ticket_id: UUID, other_id: UUID, kind: str, by: Caller) -> None:
    """Link a ticket to another one of the same client; a duplicate is closed without a verdict.

    Raises:
        NotFound: one of them does not exist for the caller.
        AcrossClients, MergedIntoItself.
    """
    found = await ticket_store.lock_tickets(tx, ticket_ids=[ticket_id, other_id])
    if ticket_id not in found or other_id not in found:
        raise NotFound
    ticket, other = found[ticket_id], found[other_id]
    if ticket.id == other.id:
        raise MergedIntoItself(f"{ticket.ref} cannot be linked to itself")
    if ticket.client_id != other.client_id:
        raise AcrossClients(f"{ticket.ref} and {other.ref} belong to two clients")
    if not await store.link(tx, ticket, other_id=other.id, kind=kind, by=by.name):
        return
    journal, theirs = Journal(ticket, actor=actor_of(by)), Journal(other, actor=actor_of(by))
    sentence = f"{ticket.ref} {_WORDS[kind]} {other.ref}"
    journal.note("link", sentence, at=tx.now)
    theirs.note("link", sentence, at=tx.now)
    if kind == "duplicates" and not ticket.is_over:
        gone = replace(ticket, status="closed", resolved_at=None, closed_at=tx.now)
        journal.change(gone, at=tx.now, reason=f"duplicate of {other.ref}")
        await store.move_watchers(tx, client_id=ticket.client_id, from_id=ticket.id, to_id=other.id)
    await journal.save(tx)
    await theirs.save(tx)
    await record(tx, *journal.events)


async def unlink(tx: Transaction, *, ticket_id: UUID, other_id: UUID, kind: str, by: Caller) -> None:
    """Take a link away.

    Raises:
        NotFound: no such ticket or link.
    """
    ticket = await locked(tx, ticket_id)
    if not await store.unlink(tx, ticket, other_id=other_id, kind=kind):
        raise NotFound
    journal = Journal(ticket, actor=actor_of(by))
    journal.note("link", f"no longer {_WORDS[kind]} another ticket", at=tx.now)
    await journal.save(tx)


async def rate(tx: Transaction, *, ticket_id: UUID, by: Caller, score: int, comment: str) -> Ticket:
    """Keep what the client thinks of the work, once per resolution.

    Raises:
        NotFound: no such ticket for this caller.
        NotRatedYet: the work is not done, or was rated before.
    """
    ticket = await locked(tx, ticket_id)
    journal = Journal(ticket, actor=actor_of(by))
    journal.change(ticket.rated(score), at=tx.now, text=f"rated {score} of 5", reason=comment)
    await store.add_rating(tx, ticket, score=score, comment=comment, by_name=by.name)
    await journal.save(tx)
    await record(tx, *journal.events)
    return journal.ticket


async def set_priority_table(tx: Transaction, *, client_id: UUID, table: Table) -> None:
    """Replace a client's own priority table; what it leaves out follows the default.

    Raises:
        NotFound: no such client.
    """
    if await organisation.timezone_of(tx, client_id=client_id) is None:
        raise NotFound
    await store.save_priority_table(tx, client_id=client_id, table=table)
