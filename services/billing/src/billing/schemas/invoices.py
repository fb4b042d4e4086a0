"""Runs, invoices and credit notes as they go in and out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from billing.schemas.fields import Day, Text
from billing.schemas.ids import BillingRunId, ClientId, ContractId, Document, InvoiceId, TimeEntryId
from msp_kit.api import Body, View


class StartRun(Body):
    """A period ``[starts_on, ends_on)``, for some clients or for all with a contract."""

    starts_on: Day
    ends_on: Day
    client_ids: list[ClientId] | None = Field(default=None, max_length=2000)


class IssueDrafts(Body):
    """Which drafts to issue; all of the run when left out."""

    invoice_ids: list[InvoiceId] | None = Field(default=None, max_length=2000)


class FindingView(View):
    """Something to look at before issuing: what, where, and what would be accepted."""

    code: str
    blocks: bool
    where: str
    detail: str
    fix: str


class RunItemView(View):
    """One client in a run."""

    client_id: ClientId
    client_name: str | None
    status: str
    detail: str
    reason: str = ""
    """Why it is blocked, in a word: ``unapproved``, ``prices-missing``, ``totals-differ`` and others."""
    client_code: str | None = None
    contract_refs: list[str] | None = None
    """The contracts of a blocked client."""
    attempt: int
    invoice_id: InvoiceId | None
    number: str | None
    gross_minor: int | None
    currency: str | None
    invoice_count: int = 0
    """Invoices of the period, one for each currency; the others are found by client."""
    findings: list[FindingView] = []


class ProgressView(View):
    """How far the present step is."""

    step: str
    done: int
    of: int
    seconds_left: int | None


class RunView(View):
    """A billing run."""

    id: BillingRunId
    status: str
    starts_on: date
    ends_on: date
    started_at: datetime
    items: list[RunItemView]
    counts: dict[str, int]
    progress: ProgressView | None = None


class InvoiceRow(View):
    """An invoice in a list."""

    id: InvoiceId
    client_id: ClientId
    client_name: str
    kind: str
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
    open_minor: int | None = None
    """What is still to be paid of an issued invoice."""
    credited_minor: int = 0
    """What its credit notes took back."""


class InvoiceView(View):
    """An invoice or credit note with everything it says."""

    id: InvoiceId
    client_id: ClientId
    kind: str
    status: str
    number: str | None
    client: Document
    seller: dict[str, Any] | None = None
    currency: str
    language: str = "en"
    starts_on: date
    ends_on: date
    issued_at: datetime | None
    due_on: date | None
    payment_days: int
    purchase_order: str | None
    net_minor: int
    tax_minor: int
    gross_minor: int
    open_minor: int | None = None
    taxes: list[dict[str, Any]]
    lines: list[Document]
    statement: list[Document]
    entries: list[Document]
    worked_minutes: int
    corrects: Document | None = None
    corrects_id: InvoiceId | None = None
    reason: str | None = None
    returned_hours: list[Document] = []
    content_sha256: str | None
    previous_sha256: str | None


class StaffInvoiceView(InvoiceView):
    """What staff sees besides: what to look at before issuing."""

    findings: list[FindingView] = []


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


class PreviewView(View):
    """An invoice a client would get, as things stand; the entries behind its lines are listed on the draft."""

    client_id: ClientId
    client_name: str
    currency: str | None
    net_minor: int | None
    tax_minor: int | None
    gross_minor: int | None
    worked_minutes: int | None
    lines: list[Document]
    problem: str | None
    """What keeps the client from being billed."""

    @classmethod
    def rows(
        cls, *, client_id: UUID, client_name: str, contents: Sequence[dict[str, Any]], problem: str | None
    ) -> list[PreviewView]:
        """Return a row for each invoice, or one that says why there is none."""
        sums = ("currency", "net_minor", "tax_minor", "gross_minor", "worked_minutes", "lines")
        found = [{name: content[name] for name in sums} for content in contents]
        if not found:
            found = [{**dict.fromkeys(sums), "lines": []}]
        return [cls(client_id=client_id, client_name=client_name, problem=problem, **one) for one in found]


class ReviewView(View):
    """What to look at before a run is issued."""

    unapproved: list[Document]
    without_contract: list[Document]
    leaking: list[Document]
    blocked: list[Document]
    findings: list[Document]


class CreditLine(Body):
    """A line to be credited: by an amount with the sign of the line, or all that is left of it."""

    n: Annotated[int, Field(ge=1, le=100_000)]
    net_minor: Annotated[int, Field(ge=-(10**15), le=10**15)] | None = None


class ReturnHours(Body):
    """Bucket minutes to be given back to a contract."""

    contract_id: ContractId
    bucket_minutes: Annotated[int, Field(ge=1, le=10**9)]
    time_entry_id: TimeEntryId | None = None


class IssueCreditNote(Body):
    """What to credit: some lines, or what is left of the whole invoice when left out."""

    reason: Text
    lines: Annotated[list[CreditLine], Field(min_length=1, max_length=2000)] | None = None
    return_hours: Annotated[list[ReturnHours], Field(max_length=2000)] = []


class LinesLeftView(View):
    """A line with what is left to be credited."""

    n: int
    net_minor: int
    tax_minor: int
    left_net_minor: int
    left_tax_minor: int


class CreditNoteRow(View):
    """A credit note of an invoice."""

    id: InvoiceId
    number: str
    issued_at: datetime
    net_minor: int
    tax_minor: int
    gross_minor: int
    reason: str


class ExplanationView(View):
    """Why a line is what it is."""

    n: int
    invoice: str | None
    kind: str
    text: str
    currency: str
    arithmetic: str
    net_minor: int
    tax_minor: int | None
    tax_category: str
    tax_rate_basis_points: int
    clause: Document
    entries: list[Document]


class StaffExplanationView(ExplanationView):
    """What staff sees besides: the rule of the contract version."""

    rule: Document | None


class WhereaboutsView(View):
    """Where a time entry went, to the cent."""

    time_entry_id: TimeEntryId
    client_id: ClientId
    status: str
    worked_minutes: int
    places: dict[str, int]
    invoice_id: InvoiceId | None
    invoice_number: str | None
    invoice_status: str | None
    currency: str | None
    net_minor: int
    lines: list[Document]


class CoverageView(View):
    """Worked minutes by place; ``unaccounted_minutes`` is always zero."""

    client_id: ClientId
    entry_count: int
    worked_minutes: int
    places: dict[str, int]
    unaccounted_minutes: int


class HealthView(View):
    """Financial health of a client in one currency."""

    currency: str
    revenue_minor: int
    overage_minor: int
    worked_minutes: int
    billed_minutes: int
    effective_hourly_rate_minor: int | None
    realisation_basis_points: int | None
    cost_minor: int | None
    margin_minor: int | None
    days_sales_outstanding: int | None
    unbilled_minutes: int
    unbilled_net_minor: int | None


class ClientHealthView(View):
    """Financial health of a client, one row for each currency."""

    client_id: ClientId
    client_name: str
    currencies: list[HealthView]
