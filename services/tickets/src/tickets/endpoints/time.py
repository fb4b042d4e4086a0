"""Time entries over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from msp_kit.api import CallerNow, Tx, allows, guarded_router
from msp_kit.pagination import After, Limit, Page
from msp_kit.problems import NotFound
from tickets.actions import sealing, time as verbs, timers
from tickets.actions.time import Logged
from tickets.domain.quick_time import parse, shown
from tickets.reports import approvals as waiting_time, time as lists, week as weeks
from tickets.schemas.ids import AgentId, ClientId, TaskId, TicketId, TimeEntryId
from tickets.schemas.time import (
    ApprovedView,
    ApproveMany,
    Correct,
    Decide,
    Instant,
    LockChangeView,
    LockPeriod,
    LockView,
    LoggedView,
    LogTime,
    Refused,
    Reject,
    StartTimer,
    StopTimer,
    TimeEntryView,
    TimerView,
    ToApproveView,
    TotalsView,
    UnderstoodView,
    WaitingEntryView,
    WaitingView,
    WeekView,
)

router: APIRouter = guarded_router(prefix="/time-entries", tags=["time"])
STAFF = allows(staff=())
APPROVERS = allows(staff=("manager", "admin"))
Day = Annotated[date | None, Query(ge=date(2000, 1, 1), le=date(2199, 12, 31))]
TOTALS = allows(staff=("manager", "finance", "admin"))


@router.post("", status_code=201, openapi_extra=STAFF)
async def log_time(body: LogTime, caller: CallerNow, tx: Tx) -> LoggedView:
    """Log and submit time on a ticket or a task."""
    return _logged(await verbs.log_time(tx, body.to_work(), by=caller))


@router.get("/understood", openapi_extra=STAFF)
async def understood(text: Annotated[str, Query(min_length=1, max_length=40)]) -> UnderstoodView:
    """Return time as people type it, as it would be taken."""
    quick = parse(text)
    begins = None if quick.begins is None else f"{quick.begins:%H:%M}"
    return UnderstoodView(minutes=quick.minutes, begins=begins, shown=shown(quick.minutes))


@router.get("/week", openapi_extra=STAFF)
async def week(caller: CallerNow, tx: Tx, agent_id: AgentId | None = None, on: Day = None) -> WeekView:
    """Return a week of an agent (your own without ``agent_id``), in their zone."""
    row = await weeks.week(tx, agent_id=agent_id, person_id=caller.id, on=on)
    if row is None:
        raise NotFound
    return WeekView(**row)


@router.get("/timer", openapi_extra=STAFF)
async def timer(caller: CallerNow, tx: Tx) -> TimerView | None:
    """Return your running timer, or null."""
    row = await weeks.timer(tx, person_id=caller.id)
    return None if row is None else TimerView(**row)


@router.post("/timer", status_code=201, openapi_extra=STAFF)
async def start_timer(body: StartTimer, caller: CallerNow, tx: Tx) -> TimerView | None:
    """Start your timer."""
    await timers.start(tx, ticket_id=body.ticket_id, task_id=body.task_id, note=body.note, by=caller)
    return await timer(caller, tx)


@router.post("/timer/stop", status_code=201, openapi_extra=STAFF)
async def stop_timer(body: StopTimer, caller: CallerNow, tx: Tx) -> LoggedView:
    """Stop your timer and log what it shows."""
    return _logged(await timers.stop(tx, by=caller, note=body.note, worked_minutes=body.worked_minutes))


@router.delete("/timer", status_code=204, openapi_extra=STAFF)
async def discard_timer(caller: CallerNow, tx: Tx) -> None:
    """Stop your timer and forget it."""
    await timers.discard(tx, by=caller)


@router.get("/locks", openapi_extra=STAFF)
async def locks(tx: Tx) -> list[LockView]:
    """Return the clients whose time is locked."""
    return [LockView(**row) for row in await weeks.locks(tx)]


@router.get("/locks/changes", openapi_extra=STAFF)
async def lock_changes(tx: Tx, limit: Limit = 50) -> list[LockChangeView]:
    """Return what was locked and opened again lately, newest first, with who did it and why."""
    return [LockChangeView(**row) for row in await weeks.lock_changes(tx, limit=limit)]


@router.put("/locks/{client_id}", status_code=204, openapi_extra=APPROVERS)
async def lock_period(client_id: ClientId, body: LockPeriod, caller: CallerNow, tx: Tx) -> None:
    """Lock what was worked before a day for everybody but managers."""
    await sealing.lock_period(tx, client_id=client_id, locked_before=body.locked_before, reason=body.reason, by=caller)


@router.get("", openapi_extra=STAFF)
async def list_entries(
    tx: Tx,
    status: Annotated[str | None, Query(max_length=20)] = None,
    client_id: ClientId | None = None,
    agent_id: AgentId | None = None,
    ticket_id: TicketId | None = None,
    task_id: TaskId | None = None,
    from_at: Annotated[Instant | None, Query(alias="from")] = None,
    to_at: Annotated[Instant | None, Query(alias="to")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[TimeEntryView]:
    """Return a page of time entries, newest work first."""
    rows, cursor = await lists.list_entries(
        tx,
        status=status,
        client_id=client_id,
        agent_id=agent_id,
        ticket_id=ticket_id,
        task_id=task_id,
        from_at=from_at,
        to_at=to_at,
        limit=limit,
        after=after,
    )
    return Page[TimeEntryView](items=[TimeEntryView.model_validate(row) for row in rows], next=cursor)


@router.get("/totals", openapi_extra=TOTALS)
async def totals(
    tx: Tx,
    client_id: ClientId,
    from_on: Annotated[date, Query(alias="from", ge=date(2000, 1, 1))],
    to_on: Annotated[date, Query(alias="to", le=date(2199, 12, 31))],
) -> TotalsView:
    """Return the control totals of a client's live entries."""
    return TotalsView(**await lists.totals(tx, client_id=client_id, from_on=from_on, to_on=to_on))


@router.get("/waiting", openapi_extra=APPROVERS)
async def waiting(tx: Tx) -> list[WaitingView]:
    """Return what waits for approval, by client."""
    return [WaitingView(**row) for row in await lists.waiting_by_client(tx)]


@router.get("/to-approve", openapi_extra=APPROVERS)
async def to_approve(tx: Tx, client_id: ClientId | None = None, limit: Limit = 50) -> ToApproveView:
    """Return the entries that wait for approval, odd and out-of-scope ones first, each with what is odd about it."""
    rows, odd, total = await waiting_time.to_approve(tx, client_id=client_id, limit=limit)
    items = [WaitingEntryView.model_validate(row) for row in rows]
    return ToApproveView(items=items, odd_count=odd, total_count=total)


@router.post("/approve", openapi_extra=APPROVERS)
async def approve_many(body: ApproveMany, caller: CallerNow, tx: Tx) -> ApprovedView:
    """Approve many entries; those that cannot be come back with the reason."""
    approved, refused = await verbs.approve_many(
        tx, by=caller, entry_ids=body.ids, client_id=body.client_id, before=body.before
    )
    return ApprovedView(approved=approved, refused=[Refused(id=one, reason=why) for one, why in refused])


@router.get("/{entry_id}", openapi_extra=STAFF)
async def one_entry(entry_id: TimeEntryId, tx: Tx) -> TimeEntryView:
    """Return one time entry."""
    row = await lists.one_entry(tx, entry_id=entry_id)
    if row is None:
        raise NotFound
    return TimeEntryView.model_validate(row)


@router.post("/{entry_id}/approve", openapi_extra=APPROVERS)
async def approve(entry_id: TimeEntryId, caller: CallerNow, tx: Tx) -> TimeEntryView:
    """Approve one entry; nobody approves their own."""
    await verbs.approve(tx, entry_id=entry_id, by=caller)
    return await one_entry(entry_id, tx)


@router.post("/{entry_id}/reject", openapi_extra=APPROVERS)
async def reject(entry_id: TimeEntryId, body: Reject, caller: CallerNow, tx: Tx) -> TimeEntryView:
    """Reject one entry with a reason."""
    await verbs.reject(tx, entry_id=entry_id, by=caller, reason=body.reason)
    return await one_entry(entry_id, tx)


@router.post("/{entry_id}/void", openapi_extra=STAFF)
async def void(entry_id: TimeEntryId, body: Decide, caller: CallerNow, tx: Tx) -> TimeEntryView:
    """Withdraw one entry."""
    await verbs.void(tx, entry_id=entry_id, by=caller, reason=body.reason)
    return await one_entry(entry_id, tx)


@router.post("/{entry_id}/correct", status_code=201, openapi_extra=STAFF)
async def correct(entry_id: TimeEntryId, body: Correct, caller: CallerNow, tx: Tx) -> LoggedView:
    """Log a new entry in the place of one that was wrong."""
    done = await verbs.correct(tx, entry_id=entry_id, work=body.to_work(), by=caller, reason=body.reason)
    return _logged(done)


def _logged(done: Logged) -> LoggedView:
    names = set(LoggedView.model_fields) - {"ticket_ref", "warnings"}
    values = {name: getattr(done.entry, name) for name in names}
    return LoggedView(ticket_ref=done.ref, warnings=list(done.warnings), **values)
