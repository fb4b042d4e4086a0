"""Finding agents: for new tickets, for escalations, and when the work lies unevenly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson

from msp_events.base import Event
from msp_kit.database import Transaction
from msp_kit.outbox import record
from tickets.actions.journal import SYSTEM_ACTOR, Journal
from tickets.domain import assignment
from tickets.domain.assignment import Choice, Suggestion
from tickets.domain.ticket import Ticket
from tickets.store import staffing, tickets as store

BATCH = 50


async def assign_waiting(tx: Transaction) -> bool:
    """Give new tickets to the able agents with the lowest expected load; return whether there may be more."""
    waiting = await store.lock_awaiting_assignment(tx, limit=BATCH)
    if not waiting:
        return False
    candidates = await staffing.candidates(tx)
    efforts = await staffing.open_efforts(tx)
    known = await staffing.known_clients(tx, client_ids=sorted({ticket.client_id for ticket in waiting}))
    events: list[Event] = []
    for ticket in waiting:
        if ticket.is_over or ticket.assignee_id is not None:
            continue
        choice = assignment.choose(
            candidates,
            efforts,
            job_type=ticket.job_type,
            level=ticket.handling_level,
            queue=ticket.queue,
            known=known.get(ticket.client_id),
        )
        if choice is None:
            continue
        efforts[choice.agent.id] = efforts.get(choice.agent.id, 0) + assignment.effort(ticket.priority, slack="more")
        events += await _given(tx, ticket, choice)
    await store.clear_awaiting(tx, ticket_ids=[ticket.id for ticket in waiting])
    await record(tx, *events)
    return len(waiting) == BATCH


async def chosen(tx: Transaction, ticket: Ticket) -> Choice | None:
    """Return who would take a ticket now, at its handling level and in its queue."""
    known = await staffing.known_clients(tx, client_ids=[ticket.client_id])
    return assignment.choose(
        await staffing.candidates(tx),
        await staffing.open_efforts(tx),
        job_type=ticket.job_type,
        level=ticket.handling_level,
        queue=ticket.queue,
        known=known.get(ticket.client_id),
    )


async def suggestions(tx: Transaction) -> list[Suggestion]:
    """Return hand-overs that would even out the work."""
    return assignment.rebalance(await staffing.candidates(tx), await staffing.open_work(tx))


async def loads(tx: Transaction) -> dict[UUID, dict[str, Any]]:
    """Return, by agent, the load of their open work and whether they are on duty."""
    efforts = await staffing.open_efforts(tx)
    return {
        one.id: {"load_percent": one.load_percent(efforts.get(one.id, 0)), "is_on_duty": one.is_on_duty}
        for one in await staffing.candidates(tx)
    }


async def _given(tx: Transaction, ticket: Ticket, choice: Choice) -> list[Event]:
    agent = choice.agent
    runners_up = [{"agent_id": str(one), "load_percent": load} for one, load in choice.runners_up]
    journal = Journal(ticket, actor=SYSTEM_ACTOR)
    journal.change(
        replace(ticket, assignee_id=agent.id, assignee_name=agent.name),
        at=tx.now,
        reason=choice.reason,
        text=f"assigned to {agent.name}",
    )
    await store.add_assignment(tx, ticket, choice, runners_up=orjson.dumps(runners_up).decode())
    await journal.save(tx)
    return journal.events
