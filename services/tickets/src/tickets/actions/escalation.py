"""Moving a ticket up: to a higher level, another queue, a higher priority. What is billed never moves with it."""

from __future__ import annotations

from dataclasses import replace

from msp_events.sla import EscalationRequested
from msp_kit.database import Transaction
from msp_kit.outbox import record
from tickets.actions import assigning
from tickets.actions.journal import SYSTEM_ACTOR, Journal
from tickets.domain import routing
from tickets.domain.ticket import LEVELS, PRIORITIES, Ticket
from tickets.store import organisation, tickets as store


async def follow(tx: Transaction, event: EscalationRequested) -> None:
    """Do what a step of a contract's escalation chain asks, as far as the ticket is not there already."""
    ticket = await store.lock_ticket(tx, ticket_id=event.ticket_id)
    if ticket is None or ticket.is_over:
        return
    reason = f"step {event.step} of the escalation chain, {event.metric.replace('_', ' ')}"
    after = ticket
    if event.to_priority is not None and PRIORITIES.index(event.to_priority) < PRIORITIES.index(ticket.priority):
        after = replace(after, priority=event.to_priority)
    to_queue = event.to_queue
    if to_queue is not None and to_queue not in await organisation.queue_keys(tx):
        reason += f"; there is no queue {to_queue}"
        to_queue = None
    if event.to_level is not None and LEVELS.index(event.to_level) > LEVELS.index(ticket.handling_level):
        after = await moved_up(tx, after, to_level=event.to_level, to_queue=to_queue)
    elif to_queue is not None and to_queue != ticket.queue:
        after = replace(after, queue=to_queue)
    journal = Journal(ticket, actor=SYSTEM_ACTOR)
    if after != ticket:
        journal.change(after, at=tx.now, reason=reason)
    told = f"told: {', '.join(event.notify)}" if event.notify else "nobody is told"
    journal.note("escalation", f"escalation step {event.step}; {told}", at=tx.now, reason=reason)
    await journal.save(tx)
    await record(tx, *journal.events)


async def moved_up(tx: Transaction, ticket: Ticket, *, to_level: str, to_queue: str | None = None) -> Ticket:
    """Return a ticket that is handled at another level, in the queue that routing gives it there or a given one.

    The best agent of that level and queue gets it; where nobody can take it, it stays with who has it.
    """
    if to_queue is None:
        request = routing.Request(
            job_type=ticket.job_type,
            level=to_level,
            priority=ticket.priority,
            client_id=ticket.client_id,
            text=f"{ticket.title}\n{ticket.description}",
            tags=ticket.tags,
        )
        to_queue = routing.route(await organisation.routing_rules(tx), request).queue
    moved = replace(ticket, handling_level=to_level, queue=to_queue)
    choice = await assigning.chosen(tx, moved)
    if choice is None:
        return moved
    return replace(moved, assignee_id=choice.agent.id, assignee_name=choice.agent.name)
