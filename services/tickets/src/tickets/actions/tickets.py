"""Raising, answering and moving tickets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.outbox import record
from msp_kit.problems import Conflict, NotFound
from tickets.actions.escalation import moved_up
from tickets.actions.journal import SYSTEM_ACTOR, Actor, Journal
from tickets.domain import assignment, routing
from tickets.domain.scope import choose_contract
from tickets.domain.ticket import LEVELS, NotForClients, Status, Ticket, check_client_may_set
from tickets.store import organisation, tickets as store
from tickets.store.tickets import Message

GRACE = timedelta(days=5)
"""How long a resolved ticket waits for the client before it is closed."""
BATCH = 50


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to raise."""

    client_id: UUID
    contract_id: UUID | None
    contact_id: UUID | None
    contact_name: str
    title: str
    description: str
    job_type: str
    priority: str
    level: str


def actor_of(caller: Caller) -> Actor:
    """Return the caller as somebody who changes tickets."""
    return Actor(id=str(caller.id), name=caller.name, kind="client" if caller.kind == "client" else "agent")


async def raise_ticket(tx: Transaction, wish: Wish, *, by: Caller) -> Ticket:
    """Raise a ticket on the contract that covers it, routed to a queue; an agent is found right after.

    Raises:
        NoActiveContract, JobTypeOutsideContract, LevelOutsideContract, AmbiguousContract: the contracts do not allow it.
    """
    timezone = await organisation.timezone_of(tx, client_id=wish.client_id)
    contracts = await organisation.terms_of_client(tx, client_id=wish.client_id)
    on = tx.now.astimezone(ZoneInfo(timezone or "UTC")).date()
    terms = choose_contract(contracts, on=on, job_type=wish.job_type, level=wish.level, wanted=wish.contract_id)
    ref = await store.next_ref(tx, client_id=wish.client_id)
    if ref is None:
        raise NotFound
    rules = await organisation.routing_rules(tx)
    route = routing.route(rules, job_type=wish.job_type, level=wish.level, priority=wish.priority)
    ticket = Ticket(
        id=new_id(),
        client_id=wish.client_id,
        ref=ref,
        revision=1,
        contract_id=terms.contract_id,
        contract_version=terms.version,
        contact_id=wish.contact_id,
        contact_name=wish.contact_name,
        title=wish.title,
        description=wish.description,
        job_type=wish.job_type,
        priority=wish.priority,
        level=wish.level,
        handling_level=wish.level,
        status="new",
        queue=route.queue,
        assignee_id=None,
        assignee_name=None,
        raised_at=tx.now,
    )
    journal = Journal(ticket, actor=actor_of(by), is_new=True)
    journal.raised(at=tx.now)
    journal.note(
        "routing", f"routed to {route.queue}", at=tx.now, reason=route.reason, rule_id=route.rule_id, by=SYSTEM_ACTOR
    )
    await journal.save(tx, awaits_assignment=True)
    await record(tx, *journal.events)
    return journal.ticket


async def assign_waiting(tx: Transaction) -> bool:
    """Give new tickets to the able agents with the lowest expected load; return whether there may be more."""
    waiting = await store.lock_awaiting_assignment(tx, limit=BATCH)
    if not waiting:
        return False
    candidates = await organisation.candidates(tx)
    efforts = await organisation.open_efforts(tx)
    events = []
    for ticket in waiting:
        choice = assignment.choose(
            candidates, efforts, job_type=ticket.job_type, level=ticket.handling_level, queue=ticket.queue
        )
        if choice is None or ticket.is_over or ticket.assignee_id is not None:
            continue
        agent = choice.agent
        efforts[agent.id] = efforts.get(agent.id, 0) + assignment.effort(ticket.priority, is_due_soon=False)
        runners_up = [{"agent_id": str(one), "load_percent": load} for one, load in choice.runners_up]
        journal = Journal(ticket, actor=SYSTEM_ACTOR)
        journal.change(
            replace(ticket, assignee_id=agent.id, assignee_name=agent.name),
            at=tx.now,
            reason=f"lowest expected load, {choice.load_percent} %",
            text=f"assigned to {agent.name}",
        )
        await store.add_assignment(tx, ticket, choice, runners_up=orjson.dumps(runners_up).decode())
        await journal.save(tx)
        events += journal.events
    await store.clear_awaiting(tx, ticket_ids=[ticket.id for ticket in waiting])
    await record(tx, *events)
    return len(waiting) == BATCH


async def post_message(
    tx: Transaction, *, ticket_id: UUID, by: Caller, body: str, is_public: bool, set_status: Status | None
) -> Message:
    """Add a message or an internal note, and move the ticket as the message asks.

    Raises:
        NotFound: no such ticket for this caller.
        NotForClients, StatusNotReachable: the wanted status is not theirs to set, or does not follow.
    """
    ticket = await _locked(tx, ticket_id)
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


async def set_status(tx: Transaction, *, ticket_id: UUID, by: Caller, status: Status, reason: str) -> Ticket:
    """Move a ticket to another status.

    Raises:
        NotFound, NotForClients, StatusNotReachable.
    """
    ticket = await _locked(tx, ticket_id)
    if by.kind == "client":
        check_client_may_set(status, current=ticket.status)
    return await _changed(tx, ticket, ticket.with_status(status, at=tx.now), by=by, reason=reason)


async def assign(
    tx: Transaction, *, ticket_id: UUID, by: Caller, assignee_id: UUID | None, queue: str | None
) -> Ticket:
    """Give a ticket to an agent, to nobody, or to another queue.

    Raises:
        NotFound: no such ticket, agent or queue.
    """
    ticket = await _locked(tx, ticket_id)
    name = None if assignee_id is None else await organisation.agent_name(tx, agent_id=assignee_id)
    if (assignee_id is not None and name is None) or (queue and queue not in await organisation.queue_keys(tx)):
        raise NotFound
    after = replace(ticket, assignee_id=assignee_id, assignee_name=name, queue=queue or ticket.queue)
    return await _changed(tx, ticket, after, by=by)


async def take(tx: Transaction, *, ticket_id: UUID, by: Caller) -> Ticket:
    """Assign a ticket to the caller.

    Raises:
        NotFound: no such ticket.
    """
    ticket = await _locked(tx, ticket_id)
    agent_id, name = await organisation.agent_of_person(tx, person_id=by.id, name=by.name)
    return await _changed(tx, ticket, replace(ticket, assignee_id=agent_id, assignee_name=name), by=by)


async def change(
    tx: Transaction, *, ticket_id: UUID, by: Caller, changes: dict[str, Any], if_revision: int | None
) -> Ticket:
    """Change priority, level, job type, handling level or title.

    Raises:
        NotFound: no such ticket.
        Conflict: somebody changed it since ``if_revision``.
        JobTypeOutsideContract, LevelOutsideContract: with what is allowed.
    """
    ticket = await _locked(tx, ticket_id)
    if if_revision is not None and if_revision != ticket.revision:
        raise Conflict(f"the ticket is at revision {ticket.revision}, your change was made at {if_revision}")
    after = replace(ticket, **changes)
    terms = await organisation.terms_of_contract(tx, contract_id=ticket.contract_id)
    assert terms is not None, "a ticket has a contract"
    terms.check(job_type=after.job_type, level=after.level)
    return await _changed(tx, ticket, after, by=by)


async def escalate(tx: Transaction, *, ticket_id: UUID, by: Caller, reason: str) -> Ticket:
    """Move the handling of a ticket one level up and find an agent there; what is billed does not change.

    Raises:
        NotFound: no such ticket.
    """
    ticket = await _locked(tx, ticket_id)
    index = LEVELS.index(ticket.handling_level)
    to_level = LEVELS[min(index + 1, len(LEVELS) - 1)]
    after = await moved_up(tx, ticket, to_level=to_level)
    return await _changed(tx, ticket, after, by=by, reason=reason or "escalated by hand")


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


async def _locked(tx: Transaction, ticket_id: UUID) -> Ticket:
    ticket = await store.lock_ticket(tx, ticket_id=ticket_id)
    if ticket is None:
        raise NotFound
    return ticket


async def _changed(tx: Transaction, before: Ticket, after: Ticket, *, by: Caller, reason: str = "") -> Ticket:
    journal = Journal(before, actor=actor_of(by))
    journal.change(after, at=tx.now, reason=reason)
    await journal.save(tx)
    await record(tx, *journal.events)
    return journal.ticket
