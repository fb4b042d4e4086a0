"""Payments and receivables as they go in and out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from billing.schemas.fields import Currency, Day, Maybe, Minor, Text, Word
from billing.schemas.ids import (
    ActorName,
    BankLineId,
    ClientId,
    InvoiceId,
    InvoiceLinkId,
    PaymentId,
    RefundId,
    WriteOffId,
)
from msp_kit.api import Body, View


class Share(Body):
    """Money for one invoice."""

    invoice_id: InvoiceId
    amount_minor: Minor


Shares = Annotated[list[Share], Field(max_length=500)]


class RecordPayment(Body):
    """A payment, and the invoices it is for; what is over stays with the payment as credit of the client."""

    client_id: ClientId
    amount_minor: Minor
    currency: Currency
    received_on: Day
    method: Word
    reference: Maybe = ""
    external_id: Word | None = None
    shares: Shares = []


class Allocate(Body):
    """Invoices to give what is left of a payment to."""

    shares: Annotated[list[Share], Field(min_length=1, max_length=500)]


class Release(Body):
    """Money to take back from an invoice."""

    invoice_id: InvoiceId
    amount_minor: Minor
    reason: Text


class Refund(Body):
    """Money given back of a payment."""

    amount_minor: Minor
    refunded_on: Day
    reason: Text


class ProposeWriteOff(Body):
    """An amount nobody will ask for any more; it counts when a second person approves."""

    invoice_id: InvoiceId
    amount_minor: Minor
    reason: Text


class ImportStatement(Body):
    """A bank statement: CAMT.053, or CSV with the columns booked_on, amount, currency, counterparty, reference."""

    name: Word
    body: Annotated[str, Field(min_length=1, max_length=1_000_000)]


class AssignLine(Body):
    """Whose money a bank line is, and what it is for."""

    client_id: ClientId
    shares: Shares = []


class IgnoreLine(Body):
    """Why a bank line is no payment of a client."""

    note: Text


class TakeBack(Body):
    """Why a bank line was decided wrongly."""

    reason: Text


class MakeLink(Body):
    """How long a link to an invoice lives."""

    days: Annotated[int, Field(ge=1, le=90)] = 30


class OpenToken(Body):
    """The token of a link."""

    token: Annotated[str, Field(min_length=20, max_length=100)]


class TakeNotice(Body):
    """A notice of a payment provider, as it was sent, with its signature."""

    body: Annotated[str, Field(min_length=2, max_length=20_000)]
    signature: Annotated[str, Field(min_length=10, max_length=200)]


class PageView(View):
    """Where an invoice is paid online."""

    url: str


class PaymentView(View):
    """A payment with what is left of it."""

    id: PaymentId
    client_id: ClientId
    client_name: str
    amount_minor: int
    currency: str
    received_on: date
    method: str
    reference: str
    left_minor: int


class AllocationView(View):
    """Money of a payment that went to an invoice, or was taken back from it."""

    invoice_id: InvoiceId
    number: str
    amount_minor: int
    reason: str
    made_at: datetime


class RefundView(View):
    """Money given back (``refund``), or withdrawn because it never was the client's (``withdrawn``)."""

    id: RefundId
    kind: str
    amount_minor: int
    refunded_on: date
    reason: str


class WholePaymentView(PaymentView):
    """A payment with where it went."""

    allocations: list[AllocationView]
    refunds: list[RefundView]


class ImportedView(View):
    """What became of the lines of a statement."""

    imported: int
    known_before: int
    matched: int
    unmatched: int
    outgoing: int


class BankLineView(View):
    """A line of a bank statement."""

    id: BankLineId
    booked_on: date
    amount_minor: int
    currency: str
    counterparty: str
    reference: str
    statement: str
    status: str
    note: str
    payment_id: PaymentId | None
    client_id: ClientId | None
    client_name: str | None


class SuggestedView(View):
    """An open invoice a bank line may be for."""

    id: InvoiceId
    client_id: ClientId
    client_name: str
    number: str
    open_minor: int
    due_on: date


class WholeBankLineView(BankLineView):
    """A line of a bank statement; while it waits, with what it may be for, the likeliest first."""

    suggested: list[SuggestedView]


class ReminderView(View):
    """A reminder that fell due, with what was open then and is open now."""

    client_id: ClientId
    client_name: str
    invoice_id: InvoiceId
    number: str
    currency: str
    due_on: date
    step: int
    reminded_at: datetime
    open_then_minor: int
    open_minor: int


class LeftOverView(View):
    """What is left of payments in a currency, on no invoice."""

    currency: str
    payment_count: int
    left_minor: int


class WriteOffView(View):
    """A write-off, proposed or approved."""

    id: WriteOffId
    client_id: ClientId
    invoice_id: InvoiceId
    number: str
    currency: str
    amount_minor: int
    reason: str
    proposed_at: datetime
    proposed_by: ActorName
    approved_at: datetime | None
    approved_by: ActorName | None


class OpenInvoiceView(View):
    """An invoice on which something is owed."""

    id: InvoiceId
    client_id: ClientId
    client_name: str
    number: str
    currency: str
    issued_at: datetime
    due_on: date
    gross_minor: int
    open_minor: int
    reminder_step: int
    reminded_at: datetime | None
    days_overdue: int
    age: str
    next_step: int | None
    next_on: date | None


class AgeingView(View):
    """What a client owes by age."""

    client_id: ClientId
    client_name: str
    currency: str
    not_due: int
    days_1_30: int
    days_31_60: int
    days_61_90: int
    days_over_90: int
    open_minor: int
    credit_minor: int


class MovementView(View):
    """A line of a statement of account."""

    on_day: date
    what: str
    reference: str
    amount_minor: int
    balance_minor: int


class AccountView(View):
    """A statement of account."""

    client_id: ClientId
    currency: str
    opening_minor: int
    movements: list[MovementView]
    closing_minor: int


class LinkView(View):
    """A link to an invoice, without its token."""

    id: InvoiceLinkId
    expires_at: datetime
    revoked_at: datetime | None
    made_at: datetime


class NewLinkView(View):
    """A new link; its token is shown this once."""

    id: InvoiceLinkId
    token: str


class HostedLine(View):
    """A line of an invoice, without the time behind it."""

    text: str
    quantity: int | None
    quantity_minutes: int | None
    unit_minor: int
    net_minor: int


class HostedTax(View):
    """The tax of one category and rate."""

    category: str
    rate_basis_points: int
    net_minor: int
    tax_minor: int
    reason: str | None


class HostedView(View):
    """What somebody with a link sees of an invoice: what is paid for, how much, and how to pay; not who worked when."""

    number: str
    kind: str
    status: str
    client_name: str
    seller: str
    seller_lines: list[str]
    has_logo: bool
    currency: str
    starts_on: date
    ends_on: date
    issued_on: date
    due_on: date
    payment_days: int
    purchase_order: str | None
    lines: list[HostedLine]
    taxes: list[HostedTax]
    net_minor: int
    tax_minor: int
    gross_minor: int
    credited_minor: int
    open_minor: int
    iban: str | None
    bic: str | None


class NewWriteOffView(View):
    """A write-off that was proposed."""

    id: WriteOffId


class NoticedView(View):
    """The payment a notice was about."""

    id: PaymentId
