"""Billing runs over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from billing.actions import runs
from billing.endpoints.who import BILLERS, ISSUERS, DefaultSeller
from billing.reports import runs as reports
from billing.schemas.ids import BillingRunId, ClientId
from billing.schemas.invoices import IssueDrafts, PreviewView, ReviewView, RunView, StartRun
from msp_kit.api import Tx, guarded_router
from msp_kit.pagination import After, Limit, Page
from msp_kit.problems import NotFound

router: APIRouter = guarded_router(tags=["billing runs"])
Day = Annotated[date, Query(ge=date(2000, 1, 1), le=date(2199, 12, 31))]


@router.post("/billing-runs", status_code=201, openapi_extra=BILLERS)
async def start_run(body: StartRun, tx: Tx) -> RunView:
    """Start the run of a period; starting it again returns the same run."""
    run_id = await runs.start_run(tx, starts_on=body.starts_on, ends_on=body.ends_on, client_ids=body.client_ids)
    return await one_run(run_id, tx)


@router.get("/billing-runs", openapi_extra=BILLERS)
async def list_runs(tx: Tx, limit: Limit = 50, after: After = None) -> Page[RunView]:
    """Return a page of runs, newest period first."""
    found, cursor = await reports.list_runs(tx, limit=limit, after=after)
    return Page[RunView](items=[RunView(**row) for row in found], next=cursor)


@router.get("/billing-runs/preview", openapi_extra=BILLERS)
async def preview(
    tx: Tx,
    starts_on: Day,
    ends_on: Day,
    client_id: ClientId | None = None,
    after: ClientId | None = None,
    limit: Limit = 50,
) -> Page[PreviewView]:
    """Return the invoices clients would get for a period as things stand; nothing is changed, asked or said."""
    wanted = None if client_id is None else [client_id]
    clients = await reports.clients_of_period(
        tx, starts_on=starts_on, ends_on=ends_on, client_ids=wanted, after=after, limit=limit
    )
    rows = []
    for one, name in clients:
        made, problem = await runs.preview(tx, client_id=one, starts_on=starts_on, ends_on=ends_on)
        rows += PreviewView.rows(client_id=one, client_name=name, contents=[m.frame for m in made], problem=problem)
    return Page[PreviewView](items=rows, next=str(clients[-1][0]) if len(clients) == limit else None)


@router.get("/billing-runs/{run_id}", openapi_extra=BILLERS)
async def one_run(run_id: BillingRunId, tx: Tx) -> RunView:
    """Return a run with its clients."""
    row = await reports.one_run(tx, run_id=run_id)
    if row is None:
        raise NotFound
    return RunView.model_validate(row)


@router.post("/billing-runs/{run_id}/issue", openapi_extra=ISSUERS)
async def issue(run_id: BillingRunId, body: IssueDrafts, tx: Tx, seller: DefaultSeller) -> RunView:
    """Issue the drafts of a run: they cannot change any more."""
    await runs.issue_drafts(tx, run_id=run_id, invoice_ids=body.invoice_ids, default_seller=seller)
    return await one_run(run_id, tx)


@router.post("/billing-runs/{run_id}/retry", openapi_extra=BILLERS)
async def retry(run_id: BillingRunId, tx: Tx) -> RunView:
    """Ask again for everything that is blocked."""
    await runs.retry_run(tx, run_id=run_id)
    return await one_run(run_id, tx)


@router.get("/billing-runs/{run_id}/review", openapi_extra=BILLERS)
async def review(run_id: BillingRunId, tx: Tx) -> ReviewView:
    """Return what to look at before the run is issued: unapproved time, missing prices, odd totals, leaks."""
    found = await reports.review(tx, run_id=run_id)
    if found is None:
        raise NotFound
    return ReviewView(**found)
