"""Money over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response

from billing.actions import bank, online, payments, profiles
from billing.endpoints.who import APPROVERS, BILLERS, ISSUERS, PICTURE, READERS, EndDay, FirstDay, Provider, logo_answer
from billing.reports import invoices, receivables as reports
from billing.schemas.ids import BankLineId, ClientId, InvoiceId, InvoiceLinkId, PaymentId, WriteOffId
from billing.schemas.payments import (
    AccountView,
    AgeingView,
    Allocate,
    AssignLine,
    BankLineView,
    HostedView,
    IgnoreLine,
    ImportedView,
    ImportStatement,
    LeftOverView,
    LinkView,
    MakeLink,
    NewLinkView,
    NewWriteOffView,
    NoticedView,
    OpenInvoiceView,
    OpenToken,
    PageView,
    PaymentView,
    ProposeWriteOff,
    RecordPayment,
    Refund,
    Release,
    ReminderView,
    TakeBack,
    TakeNotice,
    WholeBankLineView,
    WholePaymentView,
    WriteOffView,
)
from msp_kit.api import Tx, guarded_router
from msp_kit.description import file_of
from msp_kit.pagination import After, Limit, Page
from msp_kit.problems import NotFound

router: APIRouter = guarded_router(tags=["payments"])


@router.post("/payments", status_code=201, openapi_extra=BILLERS)
async def record_payment(body: RecordPayment, tx: Tx) -> WholePaymentView:
    """Record a payment and give it to invoices."""
    money = payments.Money(
        **{
            name: getattr(body, name)
            for name in ("amount_minor", "currency", "received_on", "method", "reference", "external_id")
        }
    )
    shares = [(one.invoice_id, one.amount_minor) for one in body.shares]
    return await one_payment(
        await payments.record_payment(tx, client_id=body.client_id, money=money, shares=shares), tx
    )


@router.get("/payments", openapi_extra=READERS)
async def list_payments(
    tx: Tx,
    client_id: ClientId | None = None,
    from_on: FirstDay = None,
    to_on: EndDay = None,
    has_left: Annotated[bool, Query(description="Only payments with money that is on no invoice")] = False,
    limit: Limit = 50,
    after: After = None,
) -> Page[PaymentView]:
    """Return a page of payments with what is left of them, newest first."""
    wanted = reports.Wanted(client_id=client_id, from_on=from_on, to_on=to_on, has_left=has_left)
    found, cursor = await reports.list_payments(tx, wanted=wanted, limit=limit, after=after)
    return Page[PaymentView](items=[PaymentView(**one) for one in found], next=cursor)


@router.get("/payments/left-over", openapi_extra=BILLERS)
async def left_over(tx: Tx) -> Page[LeftOverView]:
    """Return what is left of all payments together, by currency."""
    return Page[LeftOverView](items=[LeftOverView(**one) for one in await reports.left_over(tx)])


@router.get("/payments/{payment_id}", openapi_extra=READERS)
async def one_payment(payment_id: PaymentId, tx: Tx) -> WholePaymentView:
    """Return a payment with where it went."""
    found = await reports.one_payment(tx, payment_id=payment_id)
    if found is None:
        raise NotFound
    return WholePaymentView.model_validate(found)


@router.post("/payments/{payment_id}/allocations", openapi_extra=BILLERS)
async def allocate(payment_id: PaymentId, body: Allocate, tx: Tx) -> WholePaymentView:
    """Give what is left of a payment to invoices of its client."""
    shares = [(one.invoice_id, one.amount_minor) for one in body.shares]
    await payments.allocate(tx, payment_id=payment_id, shares=shares)
    return await one_payment(payment_id, tx)


@router.post("/payments/{payment_id}/release", openapi_extra=BILLERS)
async def release(payment_id: PaymentId, body: Release, tx: Tx) -> WholePaymentView:
    """Take money of a payment back from an invoice."""
    await payments.release(
        tx, payment_id=payment_id, invoice_id=body.invoice_id, amount_minor=body.amount_minor, reason=body.reason
    )
    return await one_payment(payment_id, tx)


@router.post("/payments/{payment_id}/refunds", status_code=201, openapi_extra=ISSUERS)
async def refund(payment_id: PaymentId, body: Refund, tx: Tx) -> WholePaymentView:
    """Record that money left of a payment was given back."""
    await payments.refund(
        tx, payment_id=payment_id, amount_minor=body.amount_minor, refunded_on=body.refunded_on, reason=body.reason
    )
    return await one_payment(payment_id, tx)


@router.post("/write-offs", status_code=201, openapi_extra=ISSUERS)
async def propose_write_off(body: ProposeWriteOff, tx: Tx) -> NewWriteOffView:
    """Propose not to ask for an amount any more."""
    found = await payments.propose_write_off(
        tx, invoice_id=body.invoice_id, amount_minor=body.amount_minor, reason=body.reason
    )
    return NewWriteOffView(id=found)


@router.get("/write-offs", openapi_extra=BILLERS)
async def write_offs(tx: Tx, limit: Limit = 50, after: After = None) -> Page[WriteOffView]:
    """Return a page of write-offs, those that wait for a second person first."""
    found, cursor = await reports.write_offs(tx, limit=limit, after=after)
    return Page[WriteOffView](items=[WriteOffView(**one) for one in found], next=cursor)


@router.post("/write-offs/{write_off_id}/approve", status_code=204, openapi_extra=APPROVERS)
async def approve_write_off(write_off_id: WriteOffId, tx: Tx) -> None:
    """Approve a write-off that somebody else proposed."""
    await payments.approve_write_off(tx, write_off_id=write_off_id)


@router.post("/bank-statements", status_code=201, openapi_extra=BILLERS)
async def import_statement(body: ImportStatement, tx: Tx) -> ImportedView:
    """Import a bank statement; lines known from before change nothing."""
    return ImportedView.model_validate(await bank.import_statement(tx, body=body.body, name=body.name))


@router.get("/bank-lines", openapi_extra=BILLERS)
async def bank_lines(
    tx: Tx,
    status: Annotated[str | None, Query(pattern="^(matched|unmatched|ignored)$")] = None,
    client_id: ClientId | None = None,
    from_on: FirstDay = None,
    to_on: EndDay = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[BankLineView]:
    """Return a page of lines of bank statements, newest first."""
    wanted = reports.Wanted(client_id=client_id, from_on=from_on, to_on=to_on, status=status)
    found, cursor = await reports.bank_lines(tx, wanted=wanted, limit=limit, after=after)
    return Page[BankLineView](items=[BankLineView(**one) for one in found], next=cursor)


@router.post("/bank-lines/{line_id}/assign", status_code=201, openapi_extra=BILLERS)
async def assign_line(line_id: BankLineId, body: AssignLine, tx: Tx) -> WholePaymentView:
    """Say whose money a bank line is, and what it is for."""
    shares = [(one.invoice_id, one.amount_minor) for one in body.shares]
    return await one_payment(await bank.assign_line(tx, line_id=line_id, client_id=body.client_id, shares=shares), tx)


@router.post("/bank-lines/{line_id}/ignore", status_code=204, openapi_extra=BILLERS)
async def ignore_line(line_id: BankLineId, body: IgnoreLine, tx: Tx) -> None:
    """Say that a bank line is no payment of a client."""
    await bank.ignore_line(tx, line_id=line_id, note=body.note)


@router.get("/bank-lines/{line_id}", openapi_extra=BILLERS)
async def one_bank_line(line_id: BankLineId, tx: Tx) -> WholeBankLineView:
    """Return a line of a bank statement with the open invoices it may be for."""
    found = await reports.one_bank_line(tx, line_id=line_id)
    if found is None:
        raise NotFound
    return WholeBankLineView.model_validate(found)


@router.post("/bank-lines/{line_id}/take-back", status_code=204, openapi_extra=BILLERS)
async def take_line_back(line_id: BankLineId, body: TakeBack, tx: Tx) -> None:
    """Let a bank line wait for a decision again; what was paid with it is open again."""
    await bank.take_back(tx, line_id=line_id, reason=body.reason)


@router.get("/reminders", openapi_extra=BILLERS)
async def reminders(
    tx: Tx, client_id: ClientId | None = None, limit: Limit = 50, after: After = None
) -> Page[ReminderView]:
    """Return a page of the reminders that fell due, newest first."""
    found, cursor = await reports.reminders(tx, client_id=client_id, limit=limit, after=after)
    return Page[ReminderView](items=[ReminderView(**one) for one in found], next=cursor)


@router.get("/receivables", openapi_extra=READERS)
async def open_invoices(
    tx: Tx, client_id: ClientId | None = None, limit: Limit = 100, after: After = None
) -> Page[OpenInvoiceView]:
    """Return a page of the invoices on which something is owed, the oldest due first."""
    found, cursor = await reports.open_invoices(tx, client_id=client_id, on=tx.now.date(), limit=limit, after=after)
    return Page[OpenInvoiceView](items=[OpenInvoiceView(**one) for one in found], next=cursor)


@router.get("/receivables/ageing", openapi_extra=BILLERS)
async def ageing(tx: Tx, limit: Limit = 200, after: After = None) -> Page[AgeingView]:
    """Return a page of what clients owe by age and currency; who owes most comes first."""
    found, cursor = await reports.ageing(tx, on=tx.now.date(), limit=limit, after=after)
    return Page[AgeingView](items=[AgeingView(**one) for one in found], next=cursor)


@router.get("/receivables/statement", openapi_extra=READERS)
async def statement(
    tx: Tx,
    client_id: ClientId,
    currency: Annotated[str, Query(min_length=3, max_length=3)],
    from_on: Annotated[date, Query(alias="from", ge=date(2000, 1, 1))],
    to_on: Annotated[date, Query(alias="to", le=date(2199, 12, 31))],
) -> AccountView:
    """Return the account of a client: opening balance, movements, closing balance."""
    found = await reports.statement(tx, client_id=client_id, currency=currency, from_on=from_on, to_on=to_on)
    return AccountView.model_validate(found)


@router.post("/invoices/{invoice_id}/send-again", status_code=204, openapi_extra=BILLERS)
async def send_again(invoice_id: InvoiceId, tx: Tx) -> None:
    """Have the client told of an issued invoice once more, in the inbox and by mail as its people want it."""
    await payments.send_again(tx, invoice_id=invoice_id)


@router.post("/invoices/{invoice_id}/links", status_code=201, openapi_extra=BILLERS)
async def make_link(invoice_id: InvoiceId, body: MakeLink, tx: Tx) -> NewLinkView:
    """Make a link to an invoice for somebody without an account; its token is shown this once."""
    link_id, token = await online.make_link(tx, invoice_id=invoice_id, days=body.days)
    return NewLinkView(id=link_id, token=token)


@router.get("/invoices/{invoice_id}/links", openapi_extra=BILLERS)
async def links(invoice_id: InvoiceId, tx: Tx) -> Page[LinkView]:
    """Return the links to an invoice, without their tokens."""
    return Page[LinkView](items=[LinkView(**one) for one in await reports.links_of(tx, invoice_id=invoice_id)])


@router.post("/invoice-links/{link_id}/revoke", status_code=204, openapi_extra=BILLERS)
async def revoke_link(link_id: InvoiceLinkId, tx: Tx) -> None:
    """End a link."""
    await online.revoke_link(tx, link_id=link_id)


@router.post("/hosted-invoices", openapi_extra=BILLERS)
async def hosted(body: OpenToken, tx: Tx) -> HostedView:
    """Return what somebody with a link sees; the gateway asks for them, the token is the key."""
    return HostedView.model_validate(
        await invoices.hosted(tx, invoice_id=await online.invoice_of_link(tx, token=body.token))
    )


@router.post("/hosted-invoices/logo", openapi_extra=BILLERS, **PICTURE)
async def hosted_logo(body: OpenToken, tx: Tx) -> Response:
    """Return the logo of the document behind a link."""
    row = await invoices.one_invoice(tx, invoice_id=await online.invoice_of_link(tx, token=body.token), number=None)
    assert row is not None, "a link leads to an invoice"
    return logo_answer(await profiles.logo_of(tx, row["seller"]))


@router.post("/hosted-invoices/pdf", openapi_extra=BILLERS, **file_of("application/pdf"))
async def hosted_pdf(body: OpenToken, tx: Tx) -> Response:
    """Return the document behind a link."""
    invoice_id = await online.invoice_of_link(tx, token=body.token)
    found = await invoices.document_of(tx, invoice_id=invoice_id, kind="pdf")
    assert found is not None, "an issued invoice has its document"
    return Response(found, media_type="application/pdf")


@router.post("/invoices/{invoice_id}/checkout", openapi_extra=READERS)
async def checkout(invoice_id: InvoiceId, tx: Tx, provider: Provider) -> PageView:
    """Return the page where what is open on an invoice is paid online."""
    return PageView(url=await online.checkout(tx, invoice_id=invoice_id, provider=provider))


@router.post("/payment-notices", openapi_extra=BILLERS)
async def take_notice(body: TakeNotice, tx: Tx, provider: Provider) -> NoticedView:
    """Take a notice of the payment provider; the gateway hands it on, its signature is what counts."""
    found = await online.take_notice(tx, body=body.body, signature=body.signature, provider=provider)
    return NoticedView(id=found)
