"""Bringing history in from another system: explicit instants, every rule of the house, importing twice changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo

from msp_events.base import Event
from msp_events.tickets import TimeLogged
from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from msp_kit.outbox import record
from tickets.actions.journal import Actor, Journal
from tickets.actions.time import said
from tickets.domain.routing import FALLBACK_QUEUE
from tickets.domain.scope import (
    AmbiguousContract,
    JobTypeOutsideContract,
    LevelOutsideContract,
    NoActiveContract,
    Terms,
    choose_contract,
)
from tickets.domain.ticket import Status, StatusNotReachable, Ticket
from tickets.domain.time_entry import TimeEntry
from tickets.store import importing, organisation, tickets as store, time as time_store
from tickets.store.tickets import Message

_SCOPE = (NoActiveContract, AmbiguousContract, JobTypeOutsideContract, LevelOutsideContract)


@dataclass(frozen=True, slots=True)
class HistoricUpdate:
    """One change in the other system. ``worked_minutes`` is 0 where nobody worked."""

    seq: int
    at: datetime
    status: str
    priority: str | None
    queue: str | None
    assignee: str | None
    agent: str | None
    worked_minutes: int
    is_agent_reply: bool


@dataclass(frozen=True, slots=True)
class HistoricTicket:
    """One ticket of the other system."""

    external_ref: str
    client_id: UUID
    contact_name: str
    title: str
    description: str
    job_type: str
    priority: str
    level: str
    queue: str | None
    assignee: str | None
    raised_at: datetime
    updates: tuple[HistoricUpdate, ...]


@dataclass(slots=True)
class Imported:
    """What an import did."""

    tickets_created: int = 0
    updates_accepted: int = 0
    already_known: int = 0
    refused: list[tuple[str, int | None, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Work:
    """What the transaction gathers, to save and say it at once."""

    events: list[Event] = field(default_factory=list)
    entries: list[TimeEntry] = field(default_factory=list)


async def import_tickets(tx: Transaction, *, source: str, tickets: Sequence[HistoricTicket], actor: Actor) -> Imported:
    """Import tickets with their updates; refused ones come back with a reason, all others are taken."""
    done, work = Imported(), _Work()
    names = {
        name for one in tickets for name in (one.assignee, *(n for u in one.updates for n in (u.assignee, u.agent)))
    }
    agents = await organisation.agents_named(tx, sorted(name for name in names if name))
    await _ensure_queues(tx, {q for one in tickets for q in (one.queue, *(u.queue for u in one.updates)) if q})
    known = await importing.known_tickets(tx, source=source, external_refs=[one.external_ref for one in tickets])
    places: dict[UUID, tuple[str | None, list[Terms]]] = {}
    # One lock order for all imports: by external ref.
    for one in sorted(tickets, key=lambda each: each.external_ref):
        if one.client_id not in places:
            places[one.client_id] = (
                await organisation.timezone_of(tx, client_id=one.client_id),
                await organisation.terms_of_client(tx, client_id=one.client_id),
            )
        timezone, contracts = places[one.client_id]
        if timezone is None:
            done.refused.append((one.external_ref, None, "there is no such client"))
            continue
        journal = await _open(tx, one, known, contracts, timezone, source, agents, actor, done)
        if journal is not None:
            await _play(tx, one, journal, source, agents, done, work)
    await time_store.add_entries(tx, work.entries)
    await record(tx, *work.events)
    return done


async def _ensure_queues(tx: Transaction, keys: set[str]) -> None:
    for key in sorted(keys - await organisation.queue_keys(tx)):
        await organisation.add_queue(tx, key=key, name=key.replace("-", " ").capitalize())


async def _open(
    tx: Transaction,
    one: HistoricTicket,
    known: dict[str, UUID],
    contracts: Sequence[Terms],
    timezone: str,
    source: str,
    agents: dict[str, UUID],
    actor: Actor,
    done: Imported,
) -> Journal | None:
    """Return the journal of the ticket, new or known; ``None`` when it is refused or being imported by somebody else."""
    if one.external_ref in known:
        ticket = await store.lock_ticket(tx, ticket_id=known[one.external_ref])
        assert ticket is not None, "an imported ticket is there"
        done.already_known += 1
        return Journal(ticket, actor=actor)
    on = one.raised_at.astimezone(ZoneInfo(timezone)).date()
    try:
        terms = choose_contract(contracts, on=on, job_type=one.job_type, level=one.level, wanted=None)
    except _SCOPE as refused:
        done.refused.append((one.external_ref, None, str(refused)))
        return None
    ticket_id = new_id()
    is_mine = await importing.claim_ticket(
        tx, client_id=one.client_id, source=source, external_ref=one.external_ref, ticket_id=ticket_id
    )
    ref = await store.next_ref(tx, client_id=one.client_id) if is_mine else None
    if ref is None:
        done.already_known += 1
        return None
    ticket = Ticket(
        id=ticket_id,
        client_id=one.client_id,
        ref=ref,
        revision=1,
        contract_id=terms.contract_id,
        contract_version=terms.version,
        contact_id=None,
        contact_name=one.contact_name,
        title=one.title,
        description=one.description,
        job_type=one.job_type,
        priority=one.priority,
        level=one.level,
        handling_level=one.level,
        status="new",
        queue=one.queue or FALLBACK_QUEUE,
        assignee_id=agents.get(one.assignee or ""),
        assignee_name=one.assignee,
        raised_at=one.raised_at,
        is_imported=True,
    )
    journal = Journal(ticket, actor=actor, is_new=True)
    journal.raised(at=one.raised_at)
    done.tickets_created += 1
    return journal


async def _play(
    tx: Transaction,
    one: HistoricTicket,
    journal: Journal,
    source: str,
    agents: dict[str, UUID],
    done: Imported,
    work: _Work,
) -> None:
    """Apply the updates nobody has imported yet, in order of their number."""
    client_id = journal.ticket.client_id
    known = set() if journal.is_new else await importing.known_updates(tx, source=source, external_ref=one.external_ref)
    taken: list[int] = []
    at = one.raised_at
    for update in sorted(one.updates, key=lambda each: each.seq):
        # Instants go forward: a row that is older than the one before it happened right after that one.
        is_clamped, at = update.at < at, max(update.at, at)
        if update.seq in known:
            done.already_known += 1
            continue
        if update.seq in taken:
            done.refused.append((one.external_ref, update.seq, "there are two updates with this number"))
            continue
        try:
            _apply(journal, update, at=at, agents=agents, source=source)
        except StatusNotReachable as refused:
            done.refused.append((one.external_ref, update.seq, str(refused)))
            continue
        if is_clamped:
            journal.note(
                "import",
                f"update {update.seq} was dated {update.at:%Y-%m-%d %H:%M}, earlier than the one before",
                at=at,
            )
        if update.worked_minutes:
            entry = _entry(journal.ticket, update, at=at, agents=agents)
            work.entries.append(entry)
            work.events.append(said(TimeLogged, entry, at=at))
        taken.append(update.seq)
    done.updates_accepted += len(taken)
    if taken:
        await importing.add_updates(tx, client_id=client_id, source=source, external_ref=one.external_ref, seqs=taken)
    if journal.is_new or journal.events or journal.activities:
        await journal.save(tx, updated_at=at)
        work.events += journal.events


def _apply(journal: Journal, update: HistoricUpdate, *, at: datetime, agents: dict[str, UUID], source: str) -> None:
    before = journal.ticket
    after = replace(
        before,
        priority=update.priority or before.priority,
        queue=update.queue or before.queue,
        assignee_id=agents[update.assignee] if update.assignee else before.assignee_id,
        assignee_name=update.assignee or before.assignee_name,
    )
    is_first_answer = update.is_agent_reply and before.first_responded_at is None
    # "New" although work began, or with an answer, is a ticket that is worked on: there is no way back to unseen.
    is_seen = before.status != "new" or is_first_answer
    status = cast("Status", "open" if update.status == "new" and is_seen else update.status)
    if is_first_answer:
        after = after.answered_by_agent(at=at)
        message = Message(
            id=new_id(),
            client_id=before.client_id,
            ticket_id=before.id,
            posted_at=at,
            author_kind="agent",
            author_id=str(agents.get(update.agent or "", "")),
            author_name=update.agent or "Agent",
            is_public=True,
            is_automatic=False,
            is_first_response=True,
            body=f"First answer, imported from {source}.",
        )
        journal.post(message, after if status == after.status else after.with_status(status, at=at))
        return
    journal.change(after if status == after.status else after.with_status(status, at=at), at=at, reason="imported")


def _entry(ticket: Ticket, update: HistoricUpdate, *, at: datetime, agents: dict[str, UUID]) -> TimeEntry:
    name = update.agent or ticket.assignee_name or "Agent"
    return TimeEntry(
        id=new_id(),
        client_id=ticket.client_id,
        contract_id=ticket.contract_id,
        revision=1,
        ticket_id=ticket.id,
        task_id=None,
        ref=ticket.ref,
        agent_id=agents.get(name) or cast("UUID", ticket.assignee_id),
        agent_name=name,
        person_id=None,
        worked_from=max(ticket.raised_at, at - timedelta(minutes=update.worked_minutes)),
        worked_minutes=update.worked_minutes,
        job_type=ticket.job_type,
        level=ticket.level,
        note=f"Update {update.seq} of {ticket.ref}",
        status="submitted",
    )
