"""Answering and moving tickets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.outbox import record
from msp_kit.problems import Conflict, NotFound
from tickets.actions.escalation import moved_up
from tickets.actions.journal import SYSTEM_ACTOR, Journal
from tickets.actions.raising import actor_of
from tickets.domain.priority import priority_of
from tickets.domain.scope import Terms
from tickets.domain.ticket import LEVELS, NotForClients, Status, Ticket, TicketClosed, check_client_may_set
from tickets.store import labels, organisation, threads, tickets as store
from tickets.store.tickets import Message

GRACE = timedelta(days=5)
"""How long a resolved ticket waits for the client before it is closed."""
BATCH = 50


async def post_message(
    tx: Transaction, *, ticket_id: UUID, by: Caller, body: str, is_public: bool, set_status: Status | None
) -> Message:
    """Add a message or an internal note, and move the ticket as the message asks.

    What is written to a merged ticket stands in the thread of the one that took it over.

    Raises:
        NotFound: no such ticket for this caller.
        NotForClients, StatusNotReachable: the wanted status is not theirs to set, or does not follow.
    """
    ticket = await locked(tx, ticket_id, follows_merge=True)
    actor = actor_of(by)
    if by.kind == "client":
        if set_status is not None:
            check_client_may_set(set_status, current=ticket.status)
        if not is_public:
            raise NotForClients("internal notes are for the desk; your messages are always public")
        after = ticket.answered_by_client(at=tx.now)
    else:
        after = ticket.answered_by_agent(at=tx.now) if is_public else ticket
    is_first = is_public and ticket.first_responded_at is None and after.first_responded_at is not None
    if set_status is not None and set_status != after.status:
        after = after.with_status(set_status, at=tx.now)
    message = Message(
        id=new_id(),
        client_id=ticket.client_id,
        ticket_id=ticket.id,
        posted_at=tx.now,
        author_kind=actor.kind,
        author_id=actor.id,
        author_name=actor.name,
        is_public=is_public,
        is_automatic=False,
        is_first_response=is_first,
        body=body,
    )
    journal = Journal(ticket, actor=actor)
    journal.post(message, after)
    await journal.save(tx)
    await record(tx, *journal.events)
    return message


async def set_status(
    tx: Transaction, *, ticket_id: UUID, by: Caller, status: Status, reason: str, if_revision: int | None = None
) -> Ticket:
    """Move a ticket to another status.

    Raises:
        NotFound, NotForClients, StatusNotReachable, Conflict.
    """
    ticket = await locked(tx, ticket_id, if_revision=if_revision)
    if by.kind == "client":
        check_client_may_set(status, current=ticket.status)
    return await changed(tx, ticket, ticket.with_status(status, at=tx.now), by=by, reason=reason)


async def assign(
    tx: Transaction,
    *,
    ticket_id: UUID,
    by: Caller,
    assignee_id: UUID | None,
    queue: str | None,
    reason: str = "",
    if_revision: int | None = None,
) -> Ticket:
    """Give a ticket to an agent, to nobody, or to another queue.

    Raises:
        NotFound: no such ticket, agent or queue.
        Conflict: somebody changed it since ``if_revision``.
    """
    ticket = await locked(tx, ticket_id, if_revision=if_revision)
    after = await _assigned(tx, ticket, assignee_id=assignee_id, queue=queue)
    return await changed(tx, ticket, after, by=by, reason=reason)


async def take(tx: Transaction, *, ticket_id: UUID, by: Caller) -> Ticket:
    """Assign a ticket to the caller.

    Raises:
        NotFound: no such ticket.
    """
    ticket = await locked(tx, ticket_id)
    agent_id, name = await organisation.agent_of_person(tx, person_id=by.id, name=by.name)
    return await changed(tx, ticket, replace(ticket, assignee_id=agent_id, assignee_name=name), by=by, reason="taken")


async def hand_over(tx: Transaction, *, ticket_id: UUID, by: Caller, to_id: UUID, note: str) -> Ticket:
    """Give a ticket to a colleague with what they need to know, as an internal note.

    Raises:
        NotFound: no such ticket or agent.
    """
    ticket = await locked(tx, ticket_id)
    after = await _assigned(tx, ticket, assignee_id=to_id, queue=None)
    actor = actor_of(by)
    journal = Journal(ticket, actor=actor)
    journal.change(after, at=tx.now, reason=f"handed over: {note}")
    message = Message(
        id=new_id(),
        client_id=ticket.client_id,
        ticket_id=ticket.id,
        posted_at=tx.now,
        author_kind=actor.kind,
        author_id=actor.id,
        author_name=actor.name,
        is_public=False,
        is_automatic=False,
        is_first_response=False,
        body=note,
    )
    journal.post(message, journal.ticket)
    await journal.save(tx)
    await record(tx, *journal.events)
    return journal.ticket


async def change(
    tx: Transaction, *, ticket_id: UUID, by: Caller, changes: dict[str, Any], reason: str, if_revision: int | None
) -> Ticket:
    """Change title, priority, impact, urgency, level, job type, handling level or tags.

    Raises:
        NotFound: no such ticket.
        Conflict: somebody changed it since ``if_revision``; says what and who.
        JobTypeOutsideContract, LevelOutsideContract: with what is allowed.
    """
    ticket = await locked(tx, ticket_id, if_revision=if_revision)
    after, why = await with_changes(tx, ticket, changes)
    return await changed(tx, ticket, after, by=by, reason=reason or why)


async def with_changes(
    tx: Transaction, ticket: Ticket, changes: dict[str, Any], *, terms: Terms | None = None
) -> tuple[Ticket, str]:
    """Return a ticket with changes that its contract allows, and what the priority table had to say.

    ``terms`` are those of its contract, when they are known already.

    Raises:
        JobTypeOutsideContract, LevelOutsideContract: with what is allowed.
    """
    after, why = replace(ticket, **changes), ""
    if {"impact", "urgency"} & changes.keys() and after.impact and after.urgency:
        table = await labels.priority_table(tx, client_id=ticket.client_id)
        chosen = changes.get("priority")
        priority, why = priority_of(table, impact=after.impact, urgency=after.urgency, chosen=chosen)
        after = replace(after, priority=priority)
    if {"job_type", "level"} & changes.keys():
        terms = terms or await organisation.terms_of_contract(tx, contract_id=ticket.contract_id)
        assert terms is not None, "a ticket has a contract"
        terms.check(job_type=after.job_type, level=after.level)
    return after, why


async def escalate(tx: Transaction, *, ticket_id: UUID, by: Caller, reason: str) -> Ticket:
    """Move the handling of a ticket one level up and find an agent there; what is billed does not change.

    Raises:
        NotFound: no such ticket.
    """
    ticket = await locked(tx, ticket_id)
    index = LEVELS.index(ticket.handling_level)
    to_level = LEVELS[min(index + 1, len(LEVELS) - 1)]
    after = await moved_up(tx, ticket, to_level=to_level)
    return await changed(tx, ticket, after, by=by, reason=reason or "escalated by hand")


async def close_resolved(tx: Transaction) -> bool:
    """Close what was resolved and not answered within the grace period; return whether there may be more."""
    due = await store.lock_resolved_before(tx, before=tx.now - GRACE, limit=BATCH)
    events = []
    for ticket in due:
        journal = Journal(ticket, actor=SYSTEM_ACTOR)
        journal.change(
            ticket.with_status("closed", at=tx.now), at=tx.now, reason="not answered within the grace period"
        )
        await journal.save(tx)
        events += journal.events
    await record(tx, *events)
    return len(due) == BATCH


async def _assigned(tx: Transaction, ticket: Ticket, *, assignee_id: UUID | None, queue: str | None) -> Ticket:
    name = None if assignee_id is None else await organisation.agent_name(tx, agent_id=assignee_id)
    if (assignee_id is not None and name is None) or (queue and queue not in await organisation.queue_keys(tx)):
        raise NotFound
    return replace(ticket, assignee_id=assignee_id, assignee_name=name, queue=queue or ticket.queue)


async def locked(
    tx: Transaction, ticket_id: UUID, *, if_revision: int | None = None, follows_merge: bool = False
) -> Ticket:
    """Return a ticket, locked; with ``follows_merge`` the one that took it over.

    Raises:
        NotFound: no such ticket for this caller.
        TicketClosed: it was merged into another one.
        Conflict: it is not at ``if_revision`` any more; says what changed, and who changed it.
    """
    ticket = await store.lock_ticket(tx, ticket_id=ticket_id)
    while follows_merge and ticket is not None and ticket.merged_into_id is not None:
        ticket = await store.lock_ticket(tx, ticket_id=ticket.merged_into_id)
    if ticket is None:
        raise NotFound
    if ticket.merged_into_id is not None:
        raise TicketClosed(f"{ticket.ref} was merged into another ticket; go on there")
    await check_unchanged(tx, ticket, if_revision=if_revision)
    return ticket


async def check_unchanged(tx: Transaction, ticket: Ticket, *, if_revision: int | None) -> None:
    """Check that a ticket is as the caller read it.

    Raises:
        Conflict: it is not; says what changed, and who changed it.
    """
    if if_revision is None or if_revision == ticket.revision:
        return
    changes = await threads.changes_since(tx, ticket, revision=if_revision)
    told = "; ".join(f"{one.text} (by {one.actor_name}, {one.at:%Y-%m-%d %H:%M} UTC)" for one in changes)
    raise Conflict(
        f"{ticket.ref} is at revision {ticket.revision}, you read {if_revision}. Since then: {told or 'messages'}",
        errors=[
            {"pointer": f"/{name}", "detail": f"{one.text}, by {one.actor_name}", "code": "changed-meanwhile"}
            for one in changes
            for name in one.changed
        ],
    )


async def changed(tx: Transaction, before: Ticket, after: Ticket, *, by: Caller, reason: str = "") -> Ticket:
    """Save and say a change of one ticket."""
    journal = Journal(before, actor=actor_of(by))
    journal.change(after, at=tx.now, reason=reason)
    await journal.save(tx)
    await record(tx, *journal.events)
    return journal.ticket
