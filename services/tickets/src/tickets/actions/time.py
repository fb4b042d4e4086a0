"""Logging time and deciding about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msp_events.base import Event
from msp_events.tickets import TimeApproved, TimeLogged, TimeRejected, TimeVoided
from msp_kernel.ids import new_id
from msp_kernel.periods import day_of
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.outbox import record
from msp_kit.problems import Forbidden, NotFound
from tickets.domain.quick_time import parse
from tickets.domain.ticket import TicketClosed
from tickets.domain.time_entry import EntryDecided, OwnTime, PeriodLocked, TimeEntry, WorkedInTheFuture
from tickets.store import organisation, time as store, workplaces
from tickets.store.workplaces import Workplace

BULK_MAX = 1000
AHEAD = timedelta(minutes=15)
"""Work may end this much later than now: people round up, and clocks differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Work as somebody logs it; ``None`` takes the place's own, or the time that ends now.

    ``typed`` stands instead of minutes (and start) as people type it; its range lies on the day of ``worked_from``.
    """

    ticket_id: UUID | None = None
    task_id: UUID | None = None
    worked_minutes: int | None = None
    typed: str | None = None
    worked_from: datetime | None = None
    job_type: str | None = None
    level: str | None = None
    note: str = ""
    internal_note: str = ""
    agent_id: UUID | None = None
    corrects_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """A new entry, the ref of its place, and what its author should know."""

    entry: TimeEntry
    ref: str
    warnings: tuple[str, ...]


async def log_time(tx: Transaction, work: Work, *, by: Caller) -> Logged:
    """Log and submit time on a ticket or a task.

    Raises:
        NotFound: no such ticket, task or agent.
        TicketClosed: the place is closed.
        JobTypeOutsideContract, LevelOutsideContract: with what is allowed.
        TimeNotUnderstood, TooMuchTime: what was typed is no time.
        WorkedInTheFuture: the work ends later than now.
        PeriodLocked: the period is locked, and the caller is no manager.
        Forbidden: somebody else's time, and the caller is no manager.
    """
    entry, ref, warnings = await prepare(tx, work, by=by)
    await store.add_entry(tx, entry)
    await record(tx, said(TimeLogged, entry, at=tx.now))
    return Logged(entry, ref, warnings)


async def prepare(tx: Transaction, work: Work, *, by: Caller) -> tuple[TimeEntry, str, tuple[str, ...]]:
    """Return an entry that may be logged, the ref of its place, and warnings; nothing is saved yet.

    Raises:
        As ``log_time``.
    """
    place = await workplaces.workplace(tx, ticket_id=work.ticket_id, task_id=work.task_id, person_id=by.id)
    if place is None:
        raise NotFound
    if place.is_closed:
        raise TicketClosed(f"{place.ref} is closed; open it again to log time")
    agent_id, name, person_id, timezone = await _agent(tx, place, work, by=by)
    minutes, worked_from = _span(work, now=tx.now, timezone=timezone)
    if worked_from + timedelta(minutes=minutes) > tx.now + AHEAD:
        raise WorkedInTheFuture(f"the work would end at {worked_from + timedelta(minutes=minutes):%Y-%m-%d %H:%M %Z}")
    job_type, level = work.job_type or place.job_type, work.level or place.level
    place.terms.check(job_type=job_type, level=level)
    check_lock(worked_from, locked_before=place.locked_before, by=by)
    is_late = place.sealed_before is not None and worked_from < place.sealed_before
    overlaps = await workplaces.overlapping(
        tx, agent_id=agent_id, starts_at=worked_from, minutes=minutes, but=work.corrects_id
    )
    warnings = [f"overlaps {length} min logged from {start:%Y-%m-%d %H:%M} UTC" for start, length in overlaps]
    if is_late:
        warnings.append("its period is sealed: it goes to the next invoice as a late entry")
    entry = TimeEntry(
        id=new_id(),
        client_id=place.terms.client_id,
        contract_id=place.terms.contract_id,
        revision=1,
        ticket_id=place.ticket_id,
        task_id=place.task_id,
        agent_id=agent_id,
        agent_name=name,
        person_id=person_id,
        worked_from=worked_from,
        worked_minutes=minutes,
        job_type=job_type,
        level=level,
        note=work.note,
        status="submitted",
        corrects_id=work.corrects_id,
        internal_note=work.internal_note,
        is_late=is_late,
        ref=place.ref,
    )
    return entry, place.ref, tuple(warnings)


def check_lock(worked_from: datetime, *, locked_before: datetime | None, by: Caller) -> None:
    """Let managers into a locked period, nobody else.

    Raises:
        PeriodLocked: the work lies in a locked period.
    """
    if locked_before is not None and worked_from < locked_before and not by.has_role("manager", "admin"):
        raise PeriodLocked(f"work before {locked_before:%Y-%m-%d %H:%M} UTC is locked; ask a manager")


async def check_may_withdraw(tx: Transaction, entries: Sequence[TimeEntry], *, by: Caller) -> None:
    """Let managers withdraw entries of a client's locked period, nobody else.

    Raises:
        PeriodLocked: one of them lies in it.
    """
    for client_id in {one.client_id for one in entries}:
        found = await workplaces.bounds(tx, client_id=client_id)
        for one in entries:
            check_lock(one.worked_from, locked_before=found.locked_before, by=by)


async def _agent(tx: Transaction, place: Workplace, work: Work, *, by: Caller) -> tuple[UUID, str, UUID | None, str]:
    """Return whose time it is: id, name, person and zone; the caller's own unless a manager says otherwise."""
    if work.agent_id is not None and work.agent_id != place.agent_id:
        if not by.has_role("manager", "admin"):
            raise Forbidden("only a manager logs time for somebody else")
        name = await organisation.agent_name(tx, agent_id=work.agent_id)
        if name is None:
            raise NotFound
        return work.agent_id, name, None, "UTC"
    if place.agent_id is None or place.agent_name is None:
        agent_id, name = await organisation.agent_of_person(tx, person_id=by.id, name=by.name)
        return agent_id, name, by.id, "UTC"
    return place.agent_id, place.agent_name, by.id, place.timezone or "UTC"


def _span(work: Work, *, now: datetime, timezone: str) -> tuple[int, datetime]:
    if work.typed is None:
        assert work.worked_minutes is not None, "minutes are given, or typed"
        return work.worked_minutes, work.worked_from or now - timedelta(minutes=work.worked_minutes)
    quick = parse(work.typed)
    began = quick.worked_from(on=day_of(work.worked_from or now, timezone), timezone=timezone)
    return quick.minutes, began or work.worked_from or now - timedelta(minutes=quick.minutes)


async def approve(tx: Transaction, *, entry_id: UUID, by: Caller) -> TimeEntry:
    """Approve one entry.

    Raises:
        NotFound, OwnTime, EntryDecided.
    """
    entry = (await _one(tx, entry_id)).approved(by=by.id)
    return await _decided(tx, entry, TimeApproved)


async def reject(tx: Transaction, *, entry_id: UUID, by: Caller, reason: str) -> TimeEntry:
    """Reject one entry with a reason.

    Raises:
        NotFound, EntryDecided.
    """
    entry = (await _one(tx, entry_id)).rejected(by=str(by.id), reason=reason)
    return await _decided(tx, entry, TimeRejected)


async def void(tx: Transaction, *, entry_id: UUID, by: Caller, reason: str) -> TimeEntry:
    """Withdraw one entry: the agent their own, a manager any.

    Raises:
        NotFound, EntryDecided, EntrySealed.
        Forbidden: it is somebody else's, and the caller is no manager.
    """
    entry = await _one(tx, entry_id)
    if entry.person_id != by.id and not by.has_role("manager", "admin"):
        raise Forbidden("only a manager withdraws somebody else's time")
    await check_may_withdraw(tx, [entry], by=by)
    return await _decided(tx, entry.voided(by=str(by.id), reason=reason), TimeVoided)


async def correct(tx: Transaction, *, entry_id: UUID, work: Work, by: Caller, reason: str) -> Logged:
    """Log a new entry in the place of an old one, which is withdrawn; of a sealed one the new entry holds what is missing.

    Raises:
        NotFound, EntryDecided, EntrySealed, CorrectsNothing, PeriodLocked, and as ``log_time``.
        Forbidden: it is somebody else's, and the caller is no manager.
    """
    old = await _one(tx, entry_id)
    if old.person_id != by.id and not by.has_role("manager", "admin"):
        raise Forbidden("only a manager corrects somebody else's time")
    if old.sealed_in is None:
        # Of a sealed entry only what was missing is logged; any other is withdrawn, from wherever it lies.
        await check_may_withdraw(tx, [old], by=by)
    mine = replace(
        work,
        ticket_id=old.ticket_id,
        task_id=old.task_id,
        worked_minutes=None if work.typed else work.worked_minutes or old.worked_minutes,
        worked_from=work.worked_from or old.worked_from,
        job_type=work.job_type or old.job_type,
        level=work.level or old.level,
        note=work.note or old.note,
        internal_note=work.internal_note or old.internal_note,
        agent_id=None if old.person_id == by.id else old.agent_id,
        corrects_id=old.id,
    )
    entry, ref, warnings = await prepare(tx, mine, by=by)
    gone, entry = old.corrected_by(entry, by=str(by.id), reason=reason)
    events = [] if gone is None else [said(TimeVoided, gone, at=tx.now)]
    if gone is not None:
        await store.save_decisions(tx, [gone])
    await store.add_entry(tx, entry)
    await record(tx, *events, said(TimeLogged, entry, at=tx.now))
    return Logged(entry, ref, warnings)


async def approve_many(
    tx: Transaction,
    *,
    by: Caller,
    entry_ids: Sequence[UUID] = (),
    client_id: UUID | None = None,
    before: datetime | None = None,
) -> tuple[int, list[tuple[UUID, str]]]:
    """Approve entries by id, or up to ``BULK_MAX`` of a client worked before an instant.

    Returns how many were approved, and the refused ones with the reason.
    """
    if client_id is not None and before is not None:
        entries = await store.lock_submitted(tx, client_id=client_id, before=before, limit=BULK_MAX)
    else:
        entries = await store.lock_entries(tx, entry_ids=entry_ids)
    approved: list[TimeEntry] = []
    refused = [(entry_id, "there is no such entry") for entry_id in set(entry_ids) - {one.id for one in entries}]
    for entry in entries:
        try:
            approved.append(entry.approved(by=by.id))
        except (OwnTime, EntryDecided) as error:
            refused.append((entry.id, str(error)))
    await store.save_decisions(tx, approved)
    await record(tx, *(said(TimeApproved, entry, at=tx.now) for entry in approved))
    return len(approved), refused


async def refuse_by_contract(tx: Transaction, *, entry_id: UUID, reason: str) -> None:
    """Reject an entry no contract can take, visibly."""
    found = await store.lock_entries(tx, entry_ids=[entry_id])
    if found and found[0].status == "submitted":
        await _decided(tx, found[0].rejected(by="contracts", reason=reason), TimeRejected)


def said(kind: Any, entry: TimeEntry, *, at: datetime) -> Event:
    """Return the event that says an entry's state."""
    event: Event = kind(
        occurred_at=at,
        time_entry_id=entry.id,
        client_id=entry.client_id,
        contract_id=entry.contract_id,
        revision=entry.revision,
        ticket_id=entry.ticket_id,
        task_id=entry.task_id,
        ref=entry.ref,
        agent_id=entry.agent_id,
        agent_name=entry.agent_name,
        worked_from=entry.worked_from,
        worked_minutes=entry.worked_minutes,
        job_type=entry.job_type,
        level=entry.level,
        note=entry.note,
        status=entry.status,
        decided_by=entry.decided_by,
        decision_reason=entry.decision_reason,
        corrects_id=entry.corrects_id,
    )
    return event


async def _one(tx: Transaction, entry_id: UUID) -> TimeEntry:
    found = await store.lock_entries(tx, entry_ids=[entry_id])
    if not found:
        raise NotFound
    return found[0]


async def _decided(tx: Transaction, entry: TimeEntry, kind: Any) -> TimeEntry:
    await store.save_decisions(tx, [entry])
    await record(tx, said(kind, entry, at=tx.now))
    return entry
