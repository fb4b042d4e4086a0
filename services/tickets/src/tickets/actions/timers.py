"""One running timer per agent: started on a ticket or a task, stopped into a time entry."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.problems import Conflict, NotFound
from tickets.actions.time import Logged, Work, log_time
from tickets.domain.quick_time import TooMuchTime
from tickets.domain.ticket import TicketClosed
from tickets.domain.time_entry import WORKED_MINUTES_MAX
from tickets.store import organisation, workplaces as store
from tickets.store.workplaces import Timer


async def start(tx: Transaction, *, ticket_id: UUID | None, task_id: UUID | None, note: str, by: Caller) -> None:
    """Start the caller's timer.

    Raises:
        NotFound: no such ticket or task.
        TicketClosed: it is closed.
        Conflict: a timer of theirs is running.
    """
    place = await store.workplace(tx, ticket_id=ticket_id, task_id=task_id, person_id=by.id)
    if place is None:
        raise NotFound
    if place.is_closed:
        raise TicketClosed(f"{place.ref} is closed; open it again to log time")
    agent_id, _ = await organisation.agent_of_person(tx, person_id=by.id, name=by.name)
    timer = Timer(agent_id, place.terms.client_id, place.ticket_id, place.task_id, tx.now, note)
    if not await store.start_timer(tx, timer):
        raise Conflict("your timer is running already; stop it first")


async def stop(tx: Transaction, *, by: Caller, note: str | None, worked_minutes: int | None) -> Logged:
    """Stop the caller's timer and log what it shows, in whole minutes begun, or ``worked_minutes`` instead.

    Raises:
        NotFound: no timer is running.
        TooMuchTime: it ran for more than a day; say how much of it was work.
        As ``log_time``.
    """
    timer = await store.take_timer(tx, person_id=by.id)
    if timer is None:
        raise NotFound
    shown = max(1, -((timer.started_at - tx.now) // timedelta(minutes=1)))
    if worked_minutes is None and shown > WORKED_MINUTES_MAX:
        raise TooMuchTime(f"the timer shows {shown} minutes; say how many of them were work in worked_minutes")
    work = Work(
        ticket_id=timer.ticket_id,
        task_id=timer.task_id,
        worked_minutes=worked_minutes or shown,
        worked_from=timer.started_at,
        note=timer.note if note is None else note,
    )
    return await log_time(tx, work, by=by)


async def discard(tx: Transaction, *, by: Caller) -> None:
    """Stop the caller's timer and forget it.

    Raises:
        NotFound: no timer is running.
    """
    if await store.take_timer(tx, person_id=by.id) is None:
        raise NotFound
