"""Runs and invoices as they go in and out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from msp_kit.api import Body, View

Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2199, 12, 31))]


class StartRun(Body):
    """A period ``[starts_on, ends_on)``, for some clients or for all with a contract."""

    starts_on: Day
    ends_on: Day
    client_ids: list[UUID] | None = Field(default=None, max_length=2000)


class IssueDrafts(Body):
    """Which drafts to issue; all of the run when left out."""

    invoice_ids: list[UUID] | None = Field(default=None, max_length=2000)


class RunItemView(View):
    """One client in a run."""

    client_id: UUID
    client_name: str | None
    status: str
    detail: str
    attempt: int
    invoice_id: UUID | None
    number: str | None
    gross_minor: int | None
    currency: str | None


class RunView(View):
    """A billing run."""

    id: UUID
    status: str
    starts_on: date
    ends_on: date
    started_at: datetime
    items: list[RunItemView]
    counts: dict[str, int]


class InvoiceRow(View):
    """An invoice in a list."""

    id: UUID
    client_id: UUID
    client_name: str
    status: str
    number: str | None
    currency: str
    starts_on: date
    ends_on: date
    issued_at: datetime | None
    due_on: date | None
    net_minor: int
    tax_minor: int
    gross_minor: int
    worked_minutes: int


class InvoiceView(View):
    """An invoice with everything it says."""

    id: UUID
    client_id: UUID
    status: str
    number: str | None
    client: dict[str, Any]
    seller: dict[str, Any] | None = None
    currency: str
    starts_on: date
    ends_on: date
    issued_at: datetime | None
    due_on: date | None
    payment_days: int
    purchase_order: str | None
    net_minor: int
    tax_minor: int
    gross_minor: int
    taxes: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    statement: list[dict[str, Any]]
    entries: list[dict[str, Any]]
    worked_minutes: int
    content_sha256: str | None
    previous_sha256: str | None


class TotalsView(View):
    """Control totals of invoiced entries."""

    entry_count: int
    worked_minutes: int
    checksum: str
    gross_minor: dict[str, int]


class CurrencySummary(View):
    """What is issued and drafted in one currency."""

    currency: str
    issued_count: int
    issued_minor: int
    draft_count: int
    draft_minor: int


class SummaryView(View):
    """What is issued and drafted."""

    currencies: list[CurrencySummary]
