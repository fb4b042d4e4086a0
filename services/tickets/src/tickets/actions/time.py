"""Logging time, deciding about it, and sealing a period for billing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msp_events.base import Event
from msp_events.billing import PeriodCloseRequested
from msp_events.tickets import PeriodSealRefused, TimeApproved, TimeLogged, TimeRejected, TimeVoided, WorklogSealed
from msp_kernel.ids import new_id
from msp_kernel.periods import midnight
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.outbox import record
from msp_kit.problems import Forbidden, NotFound
from tickets.domain.ticket import TicketClosed
from tickets.domain.time_entry import EntryDecided, OwnTime, TimeEntry, checksum
from tickets.store import organisation, time as store
from tickets.store.time import SealedPeriod

BULK_MAX = 1000
FUTURE_MAX = timedelta(hours=24)


class WorkedInTheFuture(Exception):
    """Work is logged when it is done."""


@dataclass(frozen=True, slots=True)
class Work:
    """Work as somebody logs it; ``None`` takes the ticket's own, or the time that ends now."""

    ticket_id: UUID
    worked_minutes: int
    worked_from: datetime | None
    job_type: str | None
    level: str | None
    note: str
    agent_id: UUID | None


async def log_time(tx: Transaction, work: Work, *, by: Caller) -> tuple[TimeEntry, str]:
    """Log and submit time on a ticket; return the entry and the ticket's ref.

    Raises:
        NotFound: no such ticket or agent.
        TicketClosed: the ticket is closed.
        JobTypeOutsideContract, LevelOutsideContract: with what is allowed.
        WorkedInTheFuture: the work begins later than now.
        Forbidden: somebody else's time, and the caller is no manager.
    """
    place = await store.workplace(tx, ticket_id=work.ticket_id, person_id=by.id)
    if place is None:
        raise NotFound
    if place.status == "closed":
        raise TicketClosed(f"ticket {place.ref} is closed; open it again to log time")
    worked_from = work.worked_from or tx.now - timedelta(minutes=work.worked_minutes)
    if worked_from > tx.now + FUTURE_MAX:
        raise WorkedInTheFuture(f"worked_from {worked_from:%Y-%m-%d %H:%M} lies ahead")
    job_type, level = work.job_type or place.job_type, work.level or place.level
    place.terms.check(job_type=job_type, level=level)
    agent_id, name = place.agent_id, place.agent_name
    person_id: UUID | None = by.id
    if work.agent_id is not None and work.agent_id != agent_id:
        if not by.has_role("manager", "admin"):
            raise Forbidden("only a manager logs time for somebody else")
        agent_id, person_id = work.agent_id, None
        name = await organisation.agent_name(tx, agent_id=work.agent_id)
        if name is None:
            raise NotFound
    if agent_id is None or name is None:
        agent_id, name = await organisation.agent_of_person(tx, person_id=by.id, name=by.name)
    entry = TimeEntry(
        id=new_id(),
        client_id=place.terms.client_id,
        contract_id=place.terms.contract_id,
        revision=1,
        ticket_id=place.ticket_id,
        task_id=None,
        agent_id=agent_id,
        agent_name=name,
        person_id=person_id,
        worked_from=worked_from,
        worked_minutes=work.worked_minutes,
        job_type=job_type,
        level=level,
        note=work.note,
        status="submitted",
    )
    await store.add_entry(tx, entry)
    await record(tx, said(TimeLogged, entry, at=tx.now))
    return entry, place.ref


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
    return await _decided(tx, entry.voided(by=str(by.id), reason=reason), TimeVoided)


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


async def seal_period(tx: Transaction, request: PeriodCloseRequested) -> None:
    """Freeze a client's approved time up to the end of a period and say its control totals; once, answered again."""
    sealed = await store.sealed_period(tx, period_close_id=request.period_close_id)
    ends_at = midnight(request.ends_on, request.timezone)
    period: dict[str, Any] = {
        "period_close_id": request.period_close_id,
        "client_id": request.client_id,
        "starts_on": request.starts_on,
        "ends_on": request.ends_on,
    }
    waiting = await store.submitted_before(tx, client_id=request.client_id, before=ends_at)
    if sealed is None and waiting and not request.lists_unapproved:
        detail = f"{waiting} unapproved time entries before {request.ends_on}"
        await record(tx, PeriodSealRefused(occurred_at=tx.now, **period, unapproved_count=waiting, detail=detail))
        return
    if sealed is None:
        entries = await store.seal_entries(
            tx, period_close_id=request.period_close_id, client_id=request.client_id, before=ends_at
        )
        sealed = SealedPeriod(
            **period,
            entry_count=len(entries),
            worked_minutes=sum(minutes for _, minutes in entries),
            checksum=checksum(entries),
        )
        await store.add_sealed_period(tx, sealed)
    await record(
        tx,
        WorklogSealed(
            occurred_at=tx.now,
            **period,
            entry_count=sealed.entry_count,
            worked_minutes=sealed.worked_minutes,
            checksum=sealed.checksum,
            unapproved_count=waiting,
        ),
    )


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
