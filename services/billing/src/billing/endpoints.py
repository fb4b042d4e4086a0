"""Runs and invoices over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from billing import reports
from billing.actions import runs
from billing.documents.pdf import render
from billing.domain.invoice import TotalsDiffer
from billing.domain.pricing import PricesMissing, SameSpecificity
from billing.schemas import (
    InvoiceRow,
    InvoiceView,
    IssueDrafts,
    RunView,
    StartRun,
    SummaryView,
    TotalsView,
)
from msp_kit.api import Tx, allows, guarded_router
from msp_kit.pagination import After, Limit, Page
from msp_kit.problems import NotFound, Problem

router: APIRouter = guarded_router(tags=["billing"])
BILLERS = allows(staff=("manager", "finance", "admin"))
ISSUERS = allows(staff=("manager", "finance", "admin"), step_up=True)
READERS = allows(staff=("manager", "finance", "admin"), client=("billing", "approver", "admin"))
PROBLEMS: Mapping[type[Exception], Problem] = {
    runs.PeriodTooLong: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The period is not valid"),
    runs.NothingToIssue: Problem(HTTPStatus.CONFLICT, "There is nothing to issue"),
    TotalsDiffer: Problem(HTTPStatus.CONFLICT, "Tickets, ledger and billing do not agree"),
    PricesMissing: Problem(HTTPStatus.CONFLICT, "Prices are missing"),
    SameSpecificity: Problem(HTTPStatus.CONFLICT, "Two rates fit equally well"),
}


@router.post("/billing-runs", status_code=201, openapi_extra=BILLERS)
async def start_run(body: StartRun, tx: Tx) -> RunView:
    """Start the run of a period; starting it again returns the same run."""
    run_id = await runs.start_run(tx, starts_on=body.starts_on, ends_on=body.ends_on, client_ids=body.client_ids)
    return await one_run(run_id, tx)


@router.get("/billing-runs", openapi_extra=BILLERS)
async def list_runs(tx: Tx, limit: Limit = 50) -> Page[RunView]:
    """Return the runs, newest period first."""
    return Page[RunView](items=[RunView(**row) for row in await reports.list_runs(tx, limit=limit)])


@router.get("/billing-runs/{run_id}", openapi_extra=BILLERS)
async def one_run(run_id: UUID, tx: Tx) -> RunView:
    """Return a run with its clients."""
    row = await reports.one_run(tx, run_id=run_id)
    if row is None:
        raise NotFound
    return RunView.model_validate(row)


@router.post("/billing-runs/{run_id}/issue", openapi_extra=ISSUERS)
async def issue(run_id: UUID, body: IssueDrafts, tx: Tx) -> RunView:
    """Issue the drafts of a run: they cannot change any more."""
    await runs.issue_drafts(tx, run_id=run_id, invoice_ids=body.invoice_ids)
    return await one_run(run_id, tx)


@router.post("/billing-runs/{run_id}/retry", openapi_extra=BILLERS)
async def retry(run_id: UUID, tx: Tx) -> RunView:
    """Ask again for everything that is blocked."""
    await runs.retry_run(tx, run_id=run_id)
    return await one_run(run_id, tx)


@router.get("/billing-summary", openapi_extra=BILLERS)
async def summary(tx: Tx) -> SummaryView:
    """Return what is issued and drafted."""
    return SummaryView.model_validate({"currencies": await reports.summary(tx)})


@router.get("/invoices", openapi_extra=READERS)
async def list_invoices(
    tx: Tx,
    client_id: UUID | None = None,
    status: Annotated[str | None, Query(max_length=20)] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[InvoiceRow]:
    """Return a page of invoices, newest period first; a client's people see issued ones of their own."""
    rows, cursor = await reports.list_invoices(tx, client_id=client_id, status=status, limit=limit, after=after)
    return Page[InvoiceRow](items=[InvoiceRow(**row) for row in rows], next=cursor)


@router.get("/invoices/totals", openapi_extra=BILLERS)
async def totals(
    tx: Tx,
    client_id: UUID,
    from_on: Annotated[date, Query(alias="from", ge=date(2000, 1, 1))],
    to_on: Annotated[date, Query(alias="to", le=date(2199, 12, 31))],
) -> TotalsView:
    """Return the control totals of a client's invoiced entries."""
    return TotalsView(**await reports.totals(tx, client_id=client_id, from_on=from_on, to_on=to_on))


@router.get("/invoices/{invoice}", openapi_extra=READERS)
async def one_invoice(invoice: str, tx: Tx) -> InvoiceView:
    """Return an invoice by id or number."""
    return InvoiceView.model_validate(await _found(tx, invoice))


@router.get("/invoices/{invoice}/pdf", openapi_extra=READERS)
async def pdf(invoice: str, tx: Tx) -> Response:
    """Return the document of an invoice; a draft is marked as one, and only staff sees drafts."""
    row = await _found(tx, invoice)
    body = await reports.pdf_of(tx, invoice_id=row["id"])
    if body is None:
        body = await asyncio.to_thread(render, {**row, "number": None})
    name = row["number"] or "draft"
    headers = {"content-disposition": f'attachment; filename="{name}.pdf"'}
    return Response(body, media_type="application/pdf", headers=headers)


async def _found(tx: Tx, invoice: str) -> dict[str, Any]:
    try:
        invoice_id, number = UUID(invoice), None
    except ValueError:
        invoice_id, number = None, invoice[:60]
    row = await reports.one_invoice(tx, invoice_id=invoice_id, number=number)
    if row is None:
        raise NotFound
    return row
