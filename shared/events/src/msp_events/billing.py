"""What the billing service says: period closes it asks for, invoices, payments."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from msp_events.base import Event


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
