"""Merging, splitting, and moving a ticket to the client it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from msp_events.base import Event
from msp_events.tickets import TimeApproved, TimeLogged, TimeVoided
from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.outbox import record
from msp_kit.problems import Conflict, NotFound
from tickets.actions import raising
from tickets.actions.journal import Journal
from tickets.actions.raising import Wish, actor_of
from tickets.actions.tickets import check_unchanged, locked
from tickets.actions.time import check_lock, check_may_withdraw, said
from tickets.domain.ticket import Ticket, TicketClosed
from tickets.domain.time_entry import TimeEntry
from tickets.store import labels, organisation, threads, tickets as store, time as time_store, workplaces
from tickets.store.tickets import Message

_GONE_TITLE = "Raised by mistake: this belongs to another client"


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge moved."""

    survivor: Ticket
    messages: int
    entries: int


@dataclass(frozen=True, slots=True)
class Moved:
    """The new ticket at the right client, and what became of the time."""

    ticket: Ticket
    entries_logged_anew: int
    entries_left_behind: int


async def merge(
    tx: Transaction, *, ticket_id: UUID, into_id: UUID, by: Caller, reason: str, if_revision: int | None
) -> Merged:
    """Merge a ticket into an older one of the same client: messages, files, watchers and unsealed time move over.

    Raises:
        NotFound: one of them does not exist for the caller.
        AcrossClients, MergedIntoItself, MergeIntoYounger, TicketClosed, Conflict.
    """
    found = await store.lock_tickets(tx, ticket_ids=[ticket_id, into_id])
    if ticket_id not in found or into_id not in found:
        raise NotFound
    source, target = found[ticket_id], found[into_id]
    await check_unchanged(tx, source, if_revision=if_revision)
    gone, kept = source.merged_into(target, at=tx.now)
    actor = actor_of(by)
    closing, growing = Journal(source, actor=actor), Journal(target, actor=actor)
    closing.change(gone, at=tx.now, reason=reason, text=f"merged into {target.ref}")
    growing.change(kept, at=tx.now, reason=reason)
    messages = await threads.move_messages(tx, source=source, target=target)
    await store.add_messages(tx, [_opening(source, target)])
    entries = await time_store.lock_unsealed_of(tx, ticket_id=source.id, client_id=source.client_id)
    moved = [replace(one, ticket_id=target.id, ref=target.ref, revision=one.revision + 1) for one in entries]
    await time_store.save_places(tx, moved)
    await _move_timers(tx, source, target)
    await labels.move_watchers(tx, client_id=source.client_id, from_id=source.id, to_id=target.id)
    minutes = sum(one.worked_minutes for one in moved)
    growing.note(
        "merge",
        f"took over {source.ref}: {messages} messages, {len(moved)} time entries with {minutes} min",
        at=tx.now,
        reason=reason,
    )
    await closing.save(tx)
    await growing.save(tx)
    await record(tx, *closing.events, *growing.events, *(_told_again(tx, one) for one in moved))
    return Merged(growing.ticket, messages, len(moved))


async def split(
    tx: Transaction,
    *,
    ticket_id: UUID,
    by: Caller,
    title: str,
    description: str,
    message_ids: Sequence[UUID],
    job_type: str | None,
    level: str | None,
    priority: str | None,
) -> Ticket:
    """Make a second ticket of a part of a thread; the chosen messages move over with their files, time stays.

    Raises:
        NotFound: no such ticket, or a message is not in its thread.
        JobTypeOutsideContract, LevelOutsideContract, NoActiveContract.
    """
    source = await locked(tx, ticket_id)
    if await threads.messages_there(tx, source, message_ids=message_ids) != set(message_ids):
        raise NotFound
    wish = Wish(
        client_id=source.client_id,
        contract_id=source.contract_id,
        contact_id=source.contact_id,
        contact_name=source.contact_name,
        title=title,
        description=description,
        job_type=job_type or source.job_type,
        level=level or source.level,
        priority=priority or source.priority,
        tags=source.tags,
        source="split",
    )
    actor = actor_of(by)
    journal = await raising.begin(tx, wish, by=actor)
    journal.note("split", f"split from {source.ref}", at=tx.now)
    await journal.save(tx, awaits_assignment=True)
    await threads.move_messages(tx, source=source, target=journal.ticket, message_ids=message_ids)
    await labels.link(tx, journal.ticket, other_id=source.id, kind="split_from", by=actor.name)
    history = Journal(source, actor=actor)
    history.note("split", f"{journal.ticket.ref} was split off with {len(message_ids)} messages", at=tx.now)
    await history.save(tx)
    await record(tx, *journal.events)
    return journal.ticket


async def move_to_client(
    tx: Transaction, *, ticket_id: UUID, by: Caller, client_id: UUID, contract_id: UUID | None, reason: str
) -> Moved:
    """Raise a ticket anew at the client it belongs to, and close this one without a verdict.

    The thread moves over as internal notes. Submitted time is withdrawn and logged anew, so that the other contract rates
    it; approved time stays where it was posted (ADR 0031).

    Raises:
        NotFound: no such ticket or client.
        Conflict: the ticket is that client's already.
        TicketClosed: it is closed.
        NoActiveContract, JobTypeOutsideContract, LevelOutsideContract, AmbiguousContract: at the other client.
        PeriodLocked: submitted time lies in a locked period of either client, and the caller is no manager.
    """
    source = await locked(tx, ticket_id)
    if source.client_id == client_id:
        raise Conflict(f"{source.ref} is this client's already")
    if source.status == "closed":
        raise TicketClosed(f"{source.ref} is closed; open it again before it moves")
    if await organisation.timezone_of(tx, client_id=client_id) is None:
        raise NotFound
    actor = actor_of(by)
    wish = Wish(
        client_id=client_id,
        contract_id=contract_id,
        title=source.title,
        description=source.description,
        job_type=source.job_type,
        level=source.level,
        priority=source.priority,
        tags=source.tags,
        source="move",
        raised_at=source.raised_at,
    )
    arriving = await raising.begin(tx, wish, by=actor)
    target = arriving.ticket
    arriving.note("move", f"came from another client ({source.ref})", at=tx.now, reason=reason)
    await arriving.save(tx, awaits_assignment=True)
    await threads.move_messages(tx, source=source, target=target)
    events, anew, left = await _log_anew(tx, source, target, by=by, reason=reason)
    leaving = Journal(source, actor=actor)
    gone = replace(
        source, title=_GONE_TITLE, description="", status="closed", resolved_at=None, closed_at=tx.now, tags=()
    )
    leaving.change(gone, at=tx.now, reason=reason, text=f"moved to another client as {target.ref}: {source.title}")
    await leaving.save(tx)
    await record(tx, *leaving.events, *arriving.events, *events)
    return Moved(target, anew, left)


async def _log_anew(
    tx: Transaction, source: Ticket, target: Ticket, *, by: Caller, reason: str
) -> tuple[list[Event], int, int]:
    """Withdraw submitted time of one ticket and log it on another; return events, entries logged anew, and left behind."""
    entries = await time_store.lock_unsealed_of(tx, ticket_id=source.id, client_id=source.client_id)
    open_entries = [one for one in entries if one.status == "submitted"]
    terms = await organisation.terms_of_contract(tx, contract_id=target.contract_id)
    assert terms is not None, "a ticket has a contract"
    bounds = await workplaces.bounds(tx, client_id=target.client_id)
    await check_may_withdraw(tx, open_entries, by=by)
    because = f"{source.ref} moved to another client as {target.ref}. {reason}".strip()
    withdrawn, anew = [], []
    for one in open_entries:
        terms.check(job_type=one.job_type, level=one.level)
        check_lock(one.worked_from, locked_before=bounds.locked_before, by=by)
        withdrawn.append(one.voided(by=str(by.id), reason=because[:500]))
        anew.append(
            replace(
                one,
                id=new_id(),
                client_id=target.client_id,
                contract_id=target.contract_id,
                ticket_id=target.id,
                ref=target.ref,
                revision=1,
                corrects_id=one.id,
                is_late=bounds.sealed_before is not None and one.worked_from < bounds.sealed_before,
            )
        )
    await time_store.save_decisions(tx, withdrawn)
    await time_store.add_entries(tx, anew)
    await _move_timers(tx, source, target)
    events = [said(TimeVoided, one, at=tx.now) for one in withdrawn]
    events += [said(TimeLogged, one, at=tx.now) for one in anew]
    return events, len(anew), len(entries) - len(open_entries)


async def _move_timers(tx: Transaction, source: Ticket, target: Ticket) -> None:
    await workplaces.move_timers(
        tx, from_client=source.client_id, from_id=source.id, to_client=target.client_id, to_id=target.id
    )


def _opening(source: Ticket, target: Ticket) -> Message:
    """Return what a merged ticket was raised with, as a message of the survivor's thread. No answer, so nobody is told."""
    return Message(
        id=new_id(),
        client_id=target.client_id,
        ticket_id=target.id,
        posted_at=source.raised_at,
        author_kind="system",
        author_id="system",
        author_name=source.contact_name or "Effigate",
        is_public=True,
        is_automatic=True,
        is_first_response=False,
        body=f"{source.ref}: {source.title}\n\n{source.description}"[:20_000],
    )


def _told_again(tx: Transaction, entry: TimeEntry) -> Event:
    return said(TimeApproved if entry.status == "approved" else TimeLogged, entry, at=tx.now)
