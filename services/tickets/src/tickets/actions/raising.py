"""Raising a ticket, wherever the wish comes from: portal, desk, alert, task, split, another client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.outbox import record
from msp_kit.problems import NotFound
from tickets.actions.journal import SYSTEM_ACTOR, Actor, Journal
from tickets.domain import routing
from tickets.domain.priority import priority_of
from tickets.domain.scope import choose_contract
from tickets.domain.ticket import Ticket
from tickets.store import labels, organisation, tickets as store


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to raise. ``raised_at`` is ``None`` for now; a priority overrules impact and urgency."""

    client_id: UUID
    contract_id: UUID | None = None
    contact_id: UUID | None = None
    contact_name: str = ""
    title: str
    description: str = ""
    job_type: str
    priority: str | None = None
    impact: str | None = None
    urgency: str | None = None
    level: str
    tags: tuple[str, ...] = ()
    source: str = "desk"
    queue: str | None = None
    raised_at: datetime | None = None


def actor_of(caller: Caller) -> Actor:
    """Return the caller as somebody who changes tickets."""
    return Actor(id=str(caller.id), name=caller.name, kind="client" if caller.kind == "client" else "agent")


async def raise_ticket(tx: Transaction, wish: Wish, *, by: Caller) -> Ticket:
    """Raise a ticket on the contract that covers it, routed to a queue; an agent is found right after.

    Raises:
        NoActiveContract, JobTypeOutsideContract, LevelOutsideContract, AmbiguousContract: the contracts do not allow it.
        PriorityUnknown: neither a priority nor impact and urgency.
    """
    journal = await begin(tx, wish, by=actor_of(by))
    await journal.save(tx, awaits_assignment=True)
    await record(tx, *journal.events)
    return journal.ticket


async def begin(tx: Transaction, wish: Wish, *, by: Actor) -> Journal:
    """Return the journal of a new ticket, not saved yet.

    Raises:
        NotFound: no such client or queue.
        NoActiveContract, JobTypeOutsideContract, LevelOutsideContract, AmbiguousContract, PriorityUnknown.
    """
    at = wish.raised_at or tx.now
    timezone = await organisation.timezone_of(tx, client_id=wish.client_id)
    contracts = await organisation.terms_of_client(tx, client_id=wish.client_id)
    on = at.astimezone(ZoneInfo(timezone or "UTC")).date()
    terms = choose_contract(contracts, on=on, job_type=wish.job_type, level=wish.level, wanted=wish.contract_id)
    table = await labels.priority_table(tx, client_id=wish.client_id) if wish.impact and wish.urgency else {}
    priority, why = priority_of(table, impact=wish.impact, urgency=wish.urgency, chosen=wish.priority)
    ref = await store.next_ref(tx, client_id=wish.client_id)
    if ref is None:
        raise NotFound
    if wish.queue is not None:
        route = routing.Route(queue=wish.queue, rule_id=None, reason="the queue was chosen")
    else:
        request = routing.Request(
            job_type=wish.job_type,
            level=wish.level,
            priority=priority,
            client_id=wish.client_id,
            text=f"{wish.title}\n{wish.description}",
            tags=wish.tags,
        )
        route = routing.route(await organisation.routing_rules(tx), request)
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
        priority=priority,
        level=wish.level,
        handling_level=wish.level,
        status="new",
        queue=route.queue,
        assignee_id=None,
        assignee_name=None,
        raised_at=at,
        tags=wish.tags,
        source=wish.source,
        impact=wish.impact,
        urgency=wish.urgency,
    )
    journal = Journal(ticket, actor=by, is_new=True)
    journal.raised(at=at, reason=f"priority {priority}: {why}")
    journal.note(
        "routing", f"routed to {route.queue}", at=tx.now, reason=route.reason, rule_id=route.rule_id, by=SYSTEM_ACTOR
    )
    return journal
