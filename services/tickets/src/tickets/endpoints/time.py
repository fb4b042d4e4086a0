"""Time entries over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from msp_kit.api import CallerNow, Tx, allows, guarded_router
from msp_kit.pagination import After, Limit, Page
from msp_kit.problems import NotFound
from tickets.actions import time as verbs
from tickets.reports import time as lists
from tickets.schemas.time import (
    ApprovedView,
    ApproveMany,
    Decide,
    Instant,
    LoggedView,
    LogTime,
    Refused,
    Reject,
    TimeEntryView,
    TotalsView,
    WaitingView,
)

router: APIRouter = guarded_router(prefix="/time-entries", tags=["time"])
STAFF = allows(staff=())
APPROVERS = allows(staff=("manager", "admin"))
TOTALS = allows(staff=("manager", "finance", "admin"))


@router.post("", status_code=201, openapi_extra=STAFF)
async def log_time(body: LogTime, caller: CallerNow, tx: Tx) -> LoggedView:
    """Log and submit time on a ticket."""
    entry, ref = await verbs.log_time(tx, body.to_work(), by=caller)
    return LoggedView(ticket_ref=ref, **{n: getattr(entry, n) for n in LoggedView.model_fields if n != "ticket_ref"})


@router.get("", openapi_extra=STAFF)
async def list_entries(
    tx: Tx,
    status: Annotated[str | None, Query(max_length=20)] = None,
    client_id: UUID | None = None,
    agent_id: UUID | None = None,
    ticket_id: UUID | None = None,
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
        from_at=from_at,
        to_at=to_at,
        limit=limit,
        after=after,
    )
    return Page[TimeEntryView](items=[TimeEntryView.model_validate(row) for row in rows], next=cursor)


@router.get("/totals", openapi_extra=TOTALS)
async def totals(
    tx: Tx,
    client_id: UUID,
    from_on: Annotated[date, Query(alias="from", ge=date(2000, 1, 1))],
    to_on: Annotated[date, Query(alias="to", le=date(2199, 12, 31))],
) -> TotalsView:
    """Return the control totals of a client's live entries."""
    return TotalsView(**await lists.totals(tx, client_id=client_id, from_on=from_on, to_on=to_on))


@router.get("/waiting", openapi_extra=APPROVERS)
async def waiting(tx: Tx) -> list[WaitingView]:
    """Return what waits for approval, by client."""
    return [WaitingView(**row) for row in await lists.waiting_by_client(tx)]


@router.post("/approve", openapi_extra=APPROVERS)
async def approve_many(body: ApproveMany, caller: CallerNow, tx: Tx) -> ApprovedView:
    """Approve many entries; those that cannot be come back with the reason."""
    approved, refused = await verbs.approve_many(
        tx, by=caller, entry_ids=body.ids, client_id=body.client_id, before=body.before
    )
    return ApprovedView(approved=approved, refused=[Refused(id=one, reason=why) for one, why in refused])


@router.get("/{entry_id}", openapi_extra=STAFF)
async def one_entry(entry_id: UUID, tx: Tx) -> TimeEntryView:
    """Return one time entry."""
    row = await lists.one_entry(tx, entry_id=entry_id)
    if row is None:
        raise NotFound
    return TimeEntryView.model_validate(row)


@router.post("/{entry_id}/approve", openapi_extra=APPROVERS)
async def approve(entry_id: UUID, caller: CallerNow, tx: Tx) -> TimeEntryView:
    """Approve one entry; nobody approves their own."""
    await verbs.approve(tx, entry_id=entry_id, by=caller)
    return await one_entry(entry_id, tx)


@router.post("/{entry_id}/reject", openapi_extra=APPROVERS)
async def reject(entry_id: UUID, body: Reject, caller: CallerNow, tx: Tx) -> TimeEntryView:
    """Reject one entry with a reason."""
    await verbs.reject(tx, entry_id=entry_id, by=caller, reason=body.reason)
    return await one_entry(entry_id, tx)


@router.post("/{entry_id}/void", openapi_extra=STAFF)
async def void(entry_id: UUID, body: Decide, caller: CallerNow, tx: Tx) -> TimeEntryView:
    """Withdraw one entry."""
    await verbs.void(tx, entry_id=entry_id, by=caller, reason=body.reason)
    return await one_entry(entry_id, tx)
