"""Coverage before and after the work, and the client's word on work beyond the bucket."""

from __future__ import annotations

from contracts.actions import approvals as actions
from contracts.domain.coverage import Work
from contracts.endpoints.clients import EVERYBODY
from contracts.reports import approvals as approval_reports, coverage as reports
from contracts.schemas.coverage import (
    CoverageQuestion,
    CoverageView,
    DecidedView,
    DecisionBody,
    DecisionView,
    WaitingView,
)
from contracts.schemas.ids import ClientId, TimeEntryId
from msp_kit.api import CallerNow, Tx, allows, guarded_router
from msp_kit.pagination import After, Limit, Page, page_of, position

coverage = guarded_router(prefix="/coverage", tags=["coverage"])
approvals = guarded_router(prefix="/approvals", tags=["coverage"])
ROUTERS = (coverage, approvals)

DECIDERS = ("approver", "admin")


@coverage.post("/preview", openapi_extra=EVERYBODY)
async def preview_coverage(body: CoverageQuestion, caller: CallerNow, tx: Tx) -> CoverageView:
    """Say what would become of work, before it starts."""
    work = Work(body.job_type, body.level, body.worked_from, body.worked_minutes)
    client_id = caller.client_id or body.client_id
    found = await reports.preview(tx, contract_id=body.contract_id, client_id=client_id, work=work)
    return CoverageView.model_validate(found)


@coverage.get("/{time_entry_id}", openapi_extra=EVERYBODY)
async def read_coverage(time_entry_id: TimeEntryId, tx: Tx) -> CoverageView:
    """Say what became of an entry that is logged, with every check."""
    return CoverageView.model_validate(await reports.of_entry(tx, time_entry_id))


@approvals.get("", openapi_extra=allows(staff=(), client=DECIDERS))
async def list_waiting(
    tx: Tx, client_id: ClientId | None = None, limit: Limit = 50, after: After = None
) -> Page[WaitingView]:
    """List time entries that wait for their client, oldest work first."""
    rows = await approval_reports.waiting_page(tx, client_id=client_id, after=position(after, of=2), limit=limit)
    page, following = page_of(rows, limit=limit, key=lambda row: (row["worked_from"], str(row["time_entry_id"])))
    return Page(items=[WaitingView.model_validate(row) for row in page], next=following)


@approvals.get("/decided", openapi_extra=allows(staff=(), client=DECIDERS))
async def list_decided(
    tx: Tx, client_id: ClientId | None = None, limit: Limit = 50, after: After = None
) -> Page[DecisionView]:
    """List what clients decided, newest first."""
    rows = await approval_reports.decided_page(tx, client_id=client_id, after=position(after, of=2), limit=limit)
    page, following = page_of(rows, limit=limit, key=lambda row: (row["decided_at"], str(row["id"])))
    return Page(items=[DecisionView.model_validate(row) for row in page], next=following)


@approvals.post("/{time_entry_id}", status_code=201, openapi_extra=allows(client=DECIDERS))
async def decide(time_entry_id: TimeEntryId, body: DecisionBody, caller: CallerNow, tx: Tx) -> DecidedView:
    """Agree to pay for work beyond the bucket, or decline; only the client can."""
    made = await actions.decide(tx, time_entry_id, by=caller, **body.model_dump())
    return DecidedView.model_validate(dict(made))
