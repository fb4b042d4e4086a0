"""The same change on many tickets: each is changed, or says why it was not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from msp_events.base import Event
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.outbox import record
from msp_kit.problems import NotFound
from tickets.actions.journal import Journal
from tickets.actions.raising import actor_of
from tickets.actions.tickets import with_changes
from tickets.domain.scope import JobTypeOutsideContract, LevelOutsideContract, Terms
from tickets.domain.ticket import Status, StatusNotReachable, Ticket, TicketClosed
from tickets.store import organisation, tickets as store

TICKETS_MAX = 200
_REFUSALS = (StatusNotReachable, TicketClosed, JobTypeOutsideContract, LevelOutsideContract)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What shall change on each; what is ``None`` stays. ``fields`` are plain fields of a ticket."""

    fields: dict[str, Any]
    status: Status | None = None
    assignee_id: UUID | None = None
    queue: str | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row."""

    id: UUID
    ref: str | None
    is_done: bool
    revision: int | None = None
    refusal: Exception | None = None


async def edit(tx: Transaction, *, ticket_ids: Sequence[UUID], wanted: Edit, by: Caller) -> list[Outcome]:
    """Change many tickets; return what became of each, in the order asked for.

    Raises:
        NotFound: no such agent or queue.
    """
    agent = None if wanted.assignee_id is None else await organisation.agent_name(tx, agent_id=wanted.assignee_id)
    if (wanted.assignee_id and agent is None) or (
        wanted.queue and wanted.queue not in await organisation.queue_keys(tx)
    ):
        raise NotFound
    found = await store.lock_tickets(tx, ticket_ids=ticket_ids)
    contracts = (
        {ticket.contract_id for ticket in found.values()} if {"job_type", "level"} & wanted.fields.keys() else ()
    )
    terms = await organisation.terms_of_contracts(tx, contract_ids=contracts) if contracts else {}
    outcomes: list[Outcome] = []
    events: list[Event] = []
    for ticket_id in dict.fromkeys(ticket_ids):
        ticket = found.get(ticket_id)
        if ticket is None:
            outcomes.append(Outcome(ticket_id, None, is_done=False, refusal=NotFound("there is no such ticket")))
            continue
        try:
            after = await _after(tx, ticket, wanted, agent, terms.get(ticket.contract_id))
        except _REFUSALS as refusal:
            outcomes.append(Outcome(ticket.id, ticket.ref, is_done=False, revision=ticket.revision, refusal=refusal))
            continue
        journal = Journal(ticket, actor=actor_of(by))
        journal.change(after, at=tx.now, reason=wanted.reason or "changed with others")
        await journal.save(tx)
        events += journal.events
        outcomes.append(Outcome(ticket.id, ticket.ref, is_done=True, revision=journal.ticket.revision))
    await record(tx, *events)
    return outcomes


async def _after(tx: Transaction, ticket: Ticket, wanted: Edit, agent: str | None, terms: Terms | None) -> Ticket:
    if ticket.merged_into_id is not None:
        raise TicketClosed(f"{ticket.ref} was merged into another ticket")
    after, _ = await with_changes(tx, ticket, wanted.fields, terms=terms)
    tags = ({*after.tags} - {*wanted.remove_tags}) | {*wanted.add_tags}
    after = replace(after, queue=wanted.queue or after.queue, tags=tuple(sorted(tags)))
    if wanted.assignee_id is not None:
        after = replace(after, assignee_id=wanted.assignee_id, assignee_name=agent)
    if wanted.status is not None and wanted.status != ticket.status:
        after = after.with_status(wanted.status, at=tx.now)
    return after
