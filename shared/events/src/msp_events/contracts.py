"""What the contracts service says: clients, their terms, and what became of every logged minute."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from msp_events.base import Event, Level, Minutes, Priority, RateCondition, Shape, Span

ContractKind = Literal["bucket", "time_and_materials", "retainer"]
ClockMetric = Literal["first_response", "next_response", "resolution"]


class ContractsEvent(Event):
    """Said by contracts."""

    owner: ClassVar[str] = "contracts"


# ---- clients -----------------------------------------------------------------------------------------------------


class Address(Shape):
    """Where an invoice goes."""

    lines: tuple[str, ...] = ()
    city: str = ""
    postcode: str = ""
    country: str = "GB"
    """ISO 3166-1 alpha-2."""


class ClientState(ContractsEvent):
    """Whole public state of a client company."""

    stream: ClassVar[str] = "client"
    subject_field: ClassVar[str] = "client_id"

    client_id: UUID
    revision: int
    code: str
    """Two to five capital letters, unique: the prefix of the client's ticket refs (``HLO-1482``)."""
    name: str
    timezone: str
    currency: str
    """ISO 4217."""
    billing_address: Address = Address()
    tax_id: str | None = None
    purchase_order: str | None = None
    is_active: bool = True


class ClientRegistered(ClientState):
    """A client company was registered."""


class ClientUpdated(ClientState):
    """Something about a client company changed."""


class JobTypeState(ContractsEvent):
    """Whole public state of a job type category of the catalogue."""

    stream: ClassVar[str] = "job_type"
    subject_field: ClassVar[str] = "job_type_id"

    job_type_id: UUID
    revision: int
    code: str
    """Stable, lower case, unique: the word used in every other event (``network``)."""
    name: str
    is_billable: bool = True


class JobTypeDefined(JobTypeState):
    """A job type category was added to the catalogue or changed."""


# ---- contracts ---------------------------------------------------------------------------------------------------


class TargetTerms(Shape):
    """One SLA target. ``None`` in a key matches anything; the most specific rule wins."""

    rule_id: str
    metric: ClockMetric
    priority: Priority | None = None
    level: Level | None = None
    job_type: str | None = None
    budget_minutes: Annotated[int, Field(gt=0, le=10**7)] | None = None
    """``None`` says explicitly: no target."""
    after_hours: bool = False
    weekends: bool = False
    holidays: bool = False


class EscalationStepTerms(Shape):
    """One step of the escalation chain of a resolution or response clock."""

    step: Annotated[int, Field(ge=1, le=20)]
    metric: ClockMetric = "resolution"
    at_percent: Annotated[int, Field(ge=1, le=1000)] = 100
    """Percent of the budget; 100 is the breach."""
    to_level: Level | None = None
    """The handling level the ticket moves to; ``None`` only notifies."""
    to_queue: str | None = None
    """The queue the ticket moves to; ``None``: the one that routing gives the level it moves to."""
    to_priority: Priority | None = None
    """The priority the ticket is raised to; a ticket that has it, or a higher one, keeps its own."""
    notify: tuple[str, ...] = ("manager",)


class SlaCreditTerms(Shape):
    """What a broken promise earns the client: exactly one of ``amount_minor`` and ``basis_points``.

    Rules stand alone and add up: "5 % below 95, 10 % below 90" are two rules of 5 %, below 95 and below 90.
    """

    rule_id: str
    kind: Literal["per_breach", "monthly_compliance"]
    metric: ClockMetric | None = None
    """``None`` counts promises of every kind."""
    priority: Priority | None = None
    below_basis_points: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Of monthly rules: earned when compliance of the month is below this; 9500 is 95 %."""
    amount_minor: Annotated[int, Field(ge=1, le=10**9)] | None = None
    basis_points: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Of what the contract's monthly items cost."""
    cap: Annotated[int, Field(ge=1, le=10**9)] | None = None
    """The most that this rule gives in a month, in the unit of what it gives; ``None``: no limit."""


class RoundingTerms(Shape):
    """How worked minutes become billed minutes."""

    increment_minutes: Annotated[int, Field(ge=1, le=1440)] = 1
    minimum_minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    direction: Literal["up", "nearest"] = "up"
    level: Literal["entry", "ticket_day"] = "entry"


class WeightTerms(Shape):
    """Bucket minutes per billed minute, in percent (150 = 1.5); the largest matching weight counts."""

    level: Level | None = None
    job_type: str | None = None
    condition: RateCondition | None = None
    percent: Annotated[int, Field(ge=0, le=100_000)]


class RateTerms(Shape):
    """Price of an hour. ``None`` in a key matches anything; the most specific rate wins."""

    rule_id: str
    job_type: str | None = None
    level: Level | None = None
    condition: RateCondition | None = None
    rate_minor: Annotated[int, Field(ge=0, le=10**9)]
    """Minor units of the contract's currency per hour."""


class FixedItemTerms(Shape):
    """A recurring or one-off item of the contract (retainer fee, bucket purchase, subscription)."""

    item_id: str
    text: str
    quantity: Annotated[int, Field(ge=1, le=10**6)] = 1
    unit_minor: int
    frequency: Literal["once", "monthly"] = "monthly"
    starts_on: date


class BillingTerms(Shape):
    """How a contract is invoiced."""

    tax_category: Literal["S", "Z", "E", "AE", "O"] = "S"
    """EN 16931: standard, zero, exempt, reverse charge, outside scope."""
    tax_rate_basis_points: Annotated[int, Field(ge=0, le=10_000)] = 2000
    payment_days: Annotated[int, Field(ge=0, le=365)] = 30
    purchase_order: str | None = None
    bills_unapproved: Literal["blocked", "listed"] = "blocked"


class ContractState(ContractsEvent):
    """Whole terms of one contract version; ``revision`` grows with every change of the contract."""

    stream: ClassVar[str] = "contract"
    subject_field: ClassVar[str] = "contract_id"

    contract_id: UUID
    client_id: UUID
    revision: int
    ref: str
    name: str
    kind: ContractKind
    status: Literal["draft", "active", "ended"]
    version: Annotated[int, Field(ge=1)]
    effective_from: date
    """First day of this version, in the calendar's zone."""
    starts_on: date
    ends_on: date | None = None
    """Exclusive; ``None`` runs on."""
    currency: str
    job_types: tuple[str, ...]
    levels: tuple[Level, ...]
    calendar: dict[str, Any]
    """The form ``msp_kernel.business_time.Calendar.from_json`` takes."""
    targets: tuple[TargetTerms, ...] = ()
    thresholds_percent: tuple[int, ...] = (50, 75, 90)
    escalation: tuple[EscalationStepTerms, ...] = ()
    pausing_statuses: tuple[str, ...] = ("waiting_on_client",)
    first_response_pauses: bool = False
    quiet_hours: dict[str, Any] = {}
    """Weekly windows (``{"mon": [["22:00", "07:00"]]}``, in the calendar's zone) in which escalation steps wait for
    their end; critical tickets escalate at any hour."""
    sla_credits: tuple[SlaCreditTerms, ...] = ()
    rounding: RoundingTerms = RoundingTerms()
    weights: tuple[WeightTerms, ...] = ()
    exhaustion_policy: Literal["overage", "next_lot", "needs_approval", "reject"] = "overage"
    non_billable_job_types: tuple[str, ...] = ()
    rate_card_id: UUID
    rate_card_version: int
    rates: tuple[RateTerms, ...]
    overage_rates: tuple[RateTerms, ...] = ()
    """Empty: overage is priced by ``rates``."""
    multiplier_applies_to_overage: bool = False
    fixed_items: tuple[FixedItemTerms, ...] = ()
    billing: BillingTerms = BillingTerms()


class ContractActivated(ContractState):
    """A contract came into force; type, currency and rate card are frozen from here on."""


class ContractAmended(ContractState):
    """A new version of an active contract takes effect on ``effective_from``."""


class ContractEnded(ContractState):
    """A contract ended on ``ends_on``."""


# ---- hours -------------------------------------------------------------------------------------------------------


class HoursState(ContractsEvent):
    """What became of one time entry on its contract: the stamp of the one resolver of coverage."""

    stream: ClassVar[str] = "hours"
    subject_field: ClassVar[str] = "time_entry_id"

    time_entry_id: UUID
    client_id: UUID
    contract_id: UUID
    revision: int
    """Grows with every allocation of this entry; a late arrival may change the split of an earlier one."""
    entry_revision: int
    """Revision of the time entry this answers."""
    contract_version: int
    rate_card_version: int
    status: Literal["held", "posted", "released"]
    worked_from: AwareDatetime
    worked_minutes: Minutes
    billed_minutes: Minutes
    bucket_minutes: Minutes = 0
    overage_minutes: Minutes = 0
    excluded_minutes: Minutes = 0
    job_type: str
    level: Level
    agent_id: UUID
    agent_name: str = ""
    """Who worked, as the invoice names them; empty in events from before the name was carried."""
    ticket_id: UUID | None = None
    task_id: UUID | None = None
    note: str = ""
    spans: tuple[Span, ...] = ()
    is_late: bool = False
    """Worked in a period that was closed before the entry arrived."""


class HoursHeld(HoursState):
    """Logged minutes were put on hold: the live balance fell."""


class HoursPosted(HoursState):
    """Approved minutes were posted: they can be invoiced."""


class HoursReleased(HoursState):
    """The hold or posting was given back (rejection, voiding)."""


class TimeRefused(ContractsEvent):
    """A time entry cannot be taken by any contract; nothing was held."""

    stream: ClassVar[str] = "hours"
    subject_field: ClassVar[str] = "time_entry_id"

    time_entry_id: UUID
    client_id: UUID
    contract_id: UUID | None = None
    entry_revision: int
    reason: str
    """Slug of the broken rule, e.g. ``job-type-outside-contract``."""
    detail: str


# ---- bucket ------------------------------------------------------------------------------------------------------


class BucketState(ContractsEvent):
    """Whole balance of a contract's bucket, in bucket minutes."""

    stream: ClassVar[str] = "bucket"
    subject_field: ClassVar[str] = "contract_id"

    contract_id: UUID
    client_id: UUID
    revision: int
    granted_minutes: Minutes
    available_minutes: int
    held_minutes: Minutes
    consumed_minutes: Minutes
    overage_minutes: Minutes
    expired_minutes: Minutes = 0
    carried_in_minutes: Minutes = 0
    carried_out_minutes: Minutes = 0
    adjusted_minutes: int = 0
    lot_ends_on: date | None = None


class BucketBalanceChanged(BucketState):
    """The balance of a bucket changed."""


class BucketThresholdCrossed(BucketState):
    """Use of a bucket, holds included, passed a threshold: once per lot, threshold and episode."""

    threshold_percent: Annotated[int, Field(ge=1, le=1000)]


class BucketExhausted(BucketState):
    """Nothing is left in the bucket: further work is overage, or follows the contract's policy."""


class PeriodClosed(ContractsEvent):
    """The ledger of a client for a billing period is closed, with control totals that matched those of tickets."""

    stream: ClassVar[str] = "period"
    subject_field: ClassVar[str] = "period_close_id"

    period_close_id: UUID
    client_id: UUID
    starts_on: date
    ends_on: date
    outcome: Literal["closed", "differs"]
    entry_count: Annotated[int, Field(ge=0)]
    worked_minutes: Minutes
    checksum: str
    detail: str = ""
    """When ``outcome`` is ``differs``: what differs, and by how much."""
    contracts: tuple[BucketStatement, ...] = ()


class BucketStatement(Shape):
    """Consumption of one contract's bucket in a period: the appendix of the invoice."""

    contract_id: UUID
    opening_minutes: int
    granted_minutes: Minutes
    consumed_minutes: Minutes
    expired_minutes: Minutes
    closing_minutes: int
    overage_minutes: Minutes


PeriodClosed.model_rebuild()
