"""Answers about balances and hours."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from contracts.schemas.ids import AgentId, ClientId, ContractId, LotId, PeriodCloseId, TaskId, TicketId, TimeEntryId
from msp_events.base import Span
from msp_kit.api import View


class BalanceLotView(View):
    """A lot of a balance, first payer first."""

    id: LotId
    minutes: int
    left_minutes: int
    valid_from: date
    expires_on: date | None
    origin: str
    priority: int


class BalanceView(View):
    """The live balance of a contract. Minutes on hold have left ``available_minutes`` already."""

    contract_id: ContractId
    client_id: ClientId
    ref: str
    name: str
    kind: str
    granted_minutes: int
    available_minutes: int
    held_minutes: int
    consumed_minutes: int
    overage_minutes: int
    expired_minutes: int
    carried_in_minutes: int
    carried_out_minutes: int
    adjusted_minutes: int
    excluded_minutes: int
    time_and_materials_minutes: int
    revision: int
    as_of: datetime
    lots: list[BalanceLotView]


class BalanceAsKnownView(View):
    """What each account held of everything that counted by ``at``, as it was recorded by ``known_at``."""

    contract_id: ContractId
    at: datetime
    known_at: datetime
    last_seq: int
    """The last posting that was known."""
    granted_minutes: int
    available_minutes: int
    held_minutes: int
    consumed_minutes: int
    worked_minutes: int
    overage_minutes: int
    time_and_materials_minutes: int
    excluded_minutes: int
    expired_minutes: int
    carried_in_minutes: int
    carried_out_minutes: int
    adjusted_minutes: int


class BalancesView(View):
    """Balances of all contracts with a bucket, soonest empty first."""

    items: list[BalanceView]


class StatementLineView(View):
    """One line: minutes that came or went, and the balance after it."""

    at: datetime
    kind: str
    text: str
    minutes: int
    overage_minutes: int
    balance_minutes: int
    time_entry_id: TimeEntryId | None
    ticket_id: TicketId | None
    task_id: TaskId | None
    ref: str
    """Of the ticket or task; empty for lots, and for work that was told without."""
    agent_name: str
    job_type: str | None
    level: str | None
    is_late: bool
    is_correction: bool
    """About a period that was closed before it was recorded."""
    posting_seqs: list[int]
    """Numbers of the ledger's postings it sums up."""


class StatementView(View):
    """The lines of a period by worked instant."""

    contract_id: ContractId
    ref: str
    contract_name: str
    client_name: str
    timezone: str
    """In which days begin."""
    starts_at: datetime
    ends_at: datetime
    is_closed: bool
    """It does not change any more: corrections stand in the next one."""
    opening_minutes: int
    closing_minutes: int
    items: list[StatementLineView]


class BurnDayView(View):
    """What was available at the end of a day."""

    on: date
    available_minutes: int


class BurnView(View):
    """How a bucket was used up, day by day."""

    contract_id: ContractId
    capacity_minutes: int
    days: list[BurnDayView]


class LegView(View):
    """A live posting of an entry, by its number in the ledger."""

    seq: int
    minutes: int


class HoursView(View):
    """What became of one time entry."""

    time_entry_id: TimeEntryId
    client_id: ClientId
    contract_id: ContractId
    revision: int
    entry_revision: int
    contract_version: int
    rate_card_version: int
    status: Literal["held", "posted", "released", "refused"]
    worked_from: datetime
    worked_minutes: int
    billed_minutes: int
    bucket_minutes: int
    overage_minutes: int
    time_and_materials_minutes: int
    excluded_minutes: int
    job_type: str
    level: str
    agent_id: AgentId
    agent_name: str
    ticket_id: TicketId | None
    task_id: TaskId | None
    note: str
    spans: list[Span]
    legs: list[LegView]
    is_late: bool
    is_closed: bool
    period_close_id: PeriodCloseId | None
    refusal: str | None
    refusal_detail: str | None


class MonthOfHoursView(View):
    """What was worked in a month, on hold or posted; what was refused or released does not count."""

    on: date
    """Its first day."""
    worked_minutes: int
    bucket_minutes: int
    """What the buckets gave for it, rounded and weighed as the contracts say."""
    overage_minutes: int
    """Beyond the buckets."""
    time_and_materials_minutes: int


class HoursByMonthView(View):
    """Every month of the period, the earliest first, whether anything was worked or not."""

    client_id: ClientId
    timezone: str
    """In which months begin."""
    months: list[MonthOfHoursView]


class ControlView(View):
    """Control totals over time entries."""

    entry_count: int
    worked_minutes: int
    checksum: str


class HoursTotalsView(ControlView):
    """Control totals of what is held or posted; minutes are worked minutes, except overage (billed)."""

    held_minutes: int
    posted_minutes: int
    refused_minutes: int
    overage_minutes: int
    by_status: dict[str, ControlView]
