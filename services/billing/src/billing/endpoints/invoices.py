"""Invoices, credit notes and their documents over HTTP."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from billing.actions import drafting, issuing
from billing.actions.profiles import logo_of, seller_of
from billing.documents import lines_csv
from billing.documents.pdf import render
from billing.endpoints.who import BILLERS, ISSUERS, READERS, DefaultSeller, EndDay, FirstDay
from billing.reports import explain, invoices as reports
from billing.schemas.ids import ClientId, InvoiceId, InvoiceName
from billing.schemas.invoices import (
    CreditNoteRow,
    ExplanationView,
    InvoiceRow,
    InvoiceView,
    IssueCreditNote,
    LinesLeftView,
    StaffExplanationView,
    StaffInvoiceView,
    SummaryView,
    TotalsView,
)
from msp_kit.api import CallerNow, Tx, guarded_router
from msp_kit.description import file_of
from msp_kit.pagination import After, Limit, Page
from msp_kit.pdf import PdfResponse
from msp_kit.problems import NotFound

router: APIRouter = guarded_router(tags=["invoices"])


@router.get("/billing-summary", openapi_extra=BILLERS)
async def summary(tx: Tx) -> SummaryView:
    """Return what is issued and drafted."""
    return SummaryView.model_validate({"currencies": await reports.summary(tx)})


@router.get("/invoices", openapi_extra=READERS)
async def list_invoices(
    tx: Tx,
    client_id: ClientId | None = None,
    kind: Annotated[str | None, Query(max_length=20)] = None,
    status: Annotated[str | None, Query(max_length=20)] = None,
    from_on: FirstDay = None,
    to_on: EndDay = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[InvoiceRow]:
    """Return a page of invoices, newest period first; a client's people see issued ones of their own."""
    rows, cursor = await reports.list_invoices(
        tx, client_id=client_id, kind=kind, status=status, from_on=from_on, to_on=to_on, limit=limit, after=after
    )
    return Page[InvoiceRow](items=[InvoiceRow(**row) for row in rows], next=cursor)


@router.get("/invoices/totals", openapi_extra=BILLERS)
async def totals(
    tx: Tx,
    client_id: ClientId,
    from_on: Annotated[date, Query(alias="from", ge=date(2000, 1, 1))],
    to_on: Annotated[date, Query(alias="to", le=date(2199, 12, 31))],
) -> TotalsView:
    """Return the control totals of a client's invoiced entries."""
    return TotalsView(**await reports.totals(tx, client_id=client_id, from_on=from_on, to_on=to_on))


@router.get("/invoices/{invoice}", openapi_extra=READERS)
async def one_invoice(invoice: InvoiceName, tx: Tx, caller: CallerNow) -> StaffInvoiceView | InvoiceView:
    """Return an invoice or credit note by id or number."""
    row = await _found(tx, invoice)
    return StaffInvoiceView.model_validate(row) if caller.kind == "staff" else InvoiceView.model_validate(row)


@router.get("/invoices/{invoice}/pdf", openapi_extra=READERS, **file_of("application/pdf"))
async def pdf(invoice: InvoiceName, tx: Tx, seller: DefaultSeller) -> Response:
    """Return the document of an invoice; a draft is marked as one, and only staff sees drafts."""
    row = await _found(tx, invoice)
    kept = await reports.document_of(tx, invoice_id=row["id"], kind="pdf")
    if kept is not None:
        headers = {"content-disposition": f'attachment; filename="{row["number"]}.pdf"'}
        return Response(kept, media_type="application/pdf", headers=headers)
    now = await seller_of(tx, seller)
    draft = {**row, "seller": now, "number": None}
    return PdfResponse(partial(render, draft, logo=await logo_of(tx, now)), name="draft")


@router.get("/invoices/{invoice}/xml", openapi_extra=READERS, **file_of("application/xml"))
async def xml(invoice: InvoiceName, tx: Tx, syntax: Annotated[str, Query(pattern="^(ubl|cii)$")] = "ubl") -> Response:
    """Return the e-invoice in the syntax UBL 2.1 or CII; a draft, or a currency EN 16931 cannot say, has none."""
    row = await _found(tx, invoice)
    body = await reports.document_of(tx, invoice_id=row["id"], kind=syntax)
    if body is None:
        raise NotFound
    headers = {"content-disposition": f'attachment; filename="{row["number"]}.xml"'}
    return Response(body, media_type="application/xml", headers=headers)


@router.get("/invoices/{invoice}/csv", openapi_extra=READERS, **file_of("text/csv"))
async def csv(invoice: InvoiceName, tx: Tx) -> Response:
    """Return the lines of an invoice with the time entries behind them as CSV."""
    row = await _found(tx, invoice)
    headers = {"content-disposition": f'attachment; filename="{row["number"] or "draft"}.csv"'}
    return Response(lines_csv.render(row), media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/invoices/{invoice_id}/redraft", openapi_extra=BILLERS)
async def redraft(invoice_id: InvoiceId, tx: Tx, seller: DefaultSeller) -> StaffInvoiceView:
    """Make a draft anew from the same work, with today's profile, terms, charges and credits."""
    await drafting.make_anew(tx, invoice_id=invoice_id, seller=await seller_of(tx, seller))
    return StaffInvoiceView.model_validate(await _found(tx, str(invoice_id)))


@router.post("/invoices/{invoice_id}/credit-notes", status_code=201, openapi_extra=ISSUERS)
async def issue_credit_note(invoice_id: InvoiceId, body: IssueCreditNote, tx: Tx) -> StaffInvoiceView:
    """Issue a credit note over lines of an invoice, or over what is left of it: it cannot change any more."""
    note_id = await issuing.credit(
        tx,
        invoice_id=invoice_id,
        wanted=None if body.lines is None else {line.n: line.net_minor for line in body.lines},
        reason=body.reason,
        returned=[(one.contract_id, one.bucket_minutes, one.time_entry_id) for one in body.return_hours],
    )
    return StaffInvoiceView.model_validate(await _found(tx, str(note_id)))


@router.get("/invoices/{invoice}/credit-notes", openapi_extra=READERS)
async def credit_notes(invoice: InvoiceName, tx: Tx) -> Page[CreditNoteRow]:
    """Return the credit notes of an invoice, oldest first."""
    row = await _found(tx, invoice)
    found = await reports.credit_notes_of(tx, invoice_id=row["id"])
    return Page[CreditNoteRow](items=[CreditNoteRow(**one) for one in found])


@router.get("/invoices/{invoice}/left", openapi_extra=BILLERS)
async def left(invoice: InvoiceName, tx: Tx) -> Page[LinesLeftView]:
    """Return the lines of an issued invoice with what is left to be credited."""
    row = await _found(tx, invoice)
    found = await reports.lines_left(tx, invoice_id=row["id"])
    return Page[LinesLeftView](items=[LinesLeftView(**one) for one in found])


@router.get("/invoices/{invoice}/lines/{n}/explain", openapi_extra=READERS)
async def explain_line(
    invoice: InvoiceName, n: int, tx: Tx, caller: CallerNow
) -> StaffExplanationView | ExplanationView:
    """Return why a line is what it is, down to its entries, rule and clause."""
    found = await explain.line(tx, content=await _found(tx, invoice), n=n, with_rule=caller.kind == "staff")
    if found is None:
        raise NotFound
    return StaffExplanationView(**found) if caller.kind == "staff" else ExplanationView(**found)


async def _found(tx: Tx, invoice: str) -> dict[str, Any]:
    try:
        invoice_id, number = UUID(invoice), None
    except ValueError:
        invoice_id, number = None, invoice[:60]
    row = await reports.one_invoice(tx, invoice_id=invoice_id, number=number)
    if row is None:
        raise NotFound
    return row
