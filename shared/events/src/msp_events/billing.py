"""What the billing service says: period closes it asks for, invoices, payments."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from msp_events.base import Event, Minutes, Shape


class BillingEvent(Event):
    """Said by billing."""

    owner: ClassVar[str] = "billing"


class PeriodCloseRequested(BillingEvent):
    """A billing run asks tickets to seal, and contracts to close, one client's period ``[starts_on, ends_on)``."""

    stream: ClassVar[str] = "run"
    subject_field: ClassVar[str] = "period_close_id"

    period_close_id: UUID
    """One per client and period, however often a run is started."""
    run_id: UUID
    client_id: UUID
    starts_on: date
    ends_on: date
    timezone: str
    """Zone in which the days of the period are counted."""
    attempt: int = 1
    """A repeated request asks again for an answer that was refused or differed."""
    lists_unapproved: bool = False
    """Seal although unapproved entries exist; they go to the next period."""


class BillingRunState(BillingEvent):
    """How many clients of a billing run stand where. ``ends_on`` is the day after its last one."""

    stream: ClassVar[str] = "billing_run"
    subject_field: ClassVar[str] = "run_id"

    run_id: UUID
    starts_on: date
    ends_on: date
    drafted_count: int
    blocked_count: int
    issued_count: int
    nothing_count: int
    """Clients with nothing to bill."""


class BillingRunReady(BillingRunState):
    """Nothing of the run moves by itself any more: its drafts and what is blocked wait for somebody."""


class BillingRunFinished(BillingRunState):
    """Every client of the run has its invoice, or nothing to bill."""


class InvoiceState(BillingEvent):
    """Whole public state of an invoice."""

    stream: ClassVar[str] = "invoice"
    subject_field: ClassVar[str] = "invoice_id"

    invoice_id: UUID
    client_id: UUID
    revision: int
    status: Literal["draft", "issued"]
    number: str | None = None
    currency: str
    starts_on: date
    ends_on: date
    net_minor: int
    tax_minor: int
    gross_minor: int
    due_on: date | None = None
    worked_minutes: int
    content_sha256: str | None = None


class InvoiceDrafted(InvoiceState):
    """A draft invoice was made or made anew."""


class InvoiceIssued(InvoiceState):
    """An invoice was issued: it cannot change any more."""


class ReturnedHours(Shape):
    """Bucket minutes a credit note gives back to a contract, for its ledger to post."""

    contract_id: UUID
    bucket_minutes: Minutes
    time_entry_id: UUID | None = None
    """The entry they were taken for; ``None`` when it is a gesture."""


class CreditNoteIssued(BillingEvent):
    """A part of an issued invoice, or all of it, was given back. Amounts are below zero, like the note's."""

    stream: ClassVar[str] = "credit_note"
    subject_field: ClassVar[str] = "credit_note_id"

    credit_note_id: UUID
    client_id: UUID
    invoice_id: UUID
    number: str
    invoice_number: str
    currency: str
    net_minor: int
    tax_minor: int
    gross_minor: int
    reason: str
    returned_hours: tuple[ReturnedHours, ...] = ()
    content_sha256: str


class PaymentRecorded(BillingEvent):
    """Money of a client arrived."""

    stream: ClassVar[str] = "payment"
    subject_field: ClassVar[str] = "payment_id"

    payment_id: UUID
    client_id: UUID
    currency: str
    amount_minor: int
    received_on: date
    method: str


class InvoiceBalance(BillingEvent):
    """What is still owed on an issued invoice."""

    stream: ClassVar[str] = "receivable"
    subject_field: ClassVar[str] = "invoice_id"

    invoice_id: UUID
    client_id: UUID
    number: str
    currency: str
    gross_minor: int
    open_minor: int
    due_on: date


class InvoiceBalanceChanged(InvoiceBalance):
    """A payment, a refund, a credit note or a write-off changed what is owed."""


class InvoiceSentAgain(InvoiceBalance):
    """The client is to be told of an issued invoice once more: somebody of the house wants it so."""


class InvoiceReminderDue(InvoiceBalance):
    """An invoice is overdue long enough for the next step of reminders: once per invoice and step."""

    step: int
    days_overdue: int
