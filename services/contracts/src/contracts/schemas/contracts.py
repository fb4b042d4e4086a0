"""Bodies and answers about contracts, their terms and lots."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from contracts.schemas.clients import Windows
from contracts.schemas.fields import Currency, Day, LotMinutes, Minor, Name, ShortText, Word
from contracts.schemas.ids import CalendarId, ClientId, ContractId, LotId, RateCardId
from msp_events.base import Level, RateCondition
from msp_events.contracts import (
    BillingTerms,
    ContractKind,
    EscalationStepTerms,
    FixedItemTerms,
    RoundingTerms,
    SlaCreditTerms,
    TargetTerms,
)
from msp_kit.api import Body, View

RuleId = Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,80}$")]
Percent = Annotated[int, Field(ge=1, le=1000)]


class TargetBody(TargetTerms, Body):
    """One SLA target; without a ``rule_id`` it gets one from its keys."""

    rule_id: RuleId | None = None  # type: ignore[assignment]
    job_type: Word | None = None


class EscalationStepBody(EscalationStepTerms, Body):
    """One step of the escalation chain."""

    to_queue: Word | None = None
    notify: Annotated[tuple[Annotated[str, StringConstraints(max_length=40)], ...], Field(max_length=10)] = ("manager",)


class SlaCreditBody(SlaCreditTerms, Body):
    """What a broken promise earns the client; without a ``rule_id`` it gets one."""

    rule_id: RuleId | None = None  # type: ignore[assignment]

    @model_validator(mode="after")
    def _gives_one_thing_for_one_reason(self) -> Self:
        if (self.amount_minor is None) == (self.basis_points is None):
            message = "a credit is either an amount (amount_minor) or a share of the monthly items (basis_points)"
            raise ValueError(message)
        if (self.kind == "monthly_compliance") != (self.below_basis_points is not None):
            message = "below_basis_points belongs to a rule of monthly_compliance, and only there"
            raise ValueError(message)
        if self.cap is not None and self.cap < (self.amount_minor or self.basis_points or 0):
            message = "the cap is less than what the rule gives once"
            raise ValueError(message)
        return self


class RoundingBody(RoundingTerms, Body):
    """How worked minutes become billed minutes."""


class WeightBody(Body):
    """Bucket minutes per billed minute, in percent; the largest that matches counts."""

    level: Level | None = None
    job_type: Word | None = None
    condition: RateCondition | None = None
    percent: Annotated[int, Field(ge=1, le=100_000, strict=True)]


class FixedItemBody(FixedItemTerms, Body):
    """A recurring or one-off item."""

    item_id: RuleId | None = None  # type: ignore[assignment]
    text: Name
    unit_minor: Annotated[int, Field(ge=-(10**12), le=10**12, strict=True)]
    starts_on: Day


class BillingBody(BillingTerms, Body):
    """How the contract is invoiced."""

    purchase_order: ShortText | None = None


class RolloverBody(Body):
    """What becomes of the rest of a period's hours."""

    percent: Annotated[int, Field(ge=1, le=100, strict=True)]
    cap_minutes: LotMinutes | None = None
    months: Annotated[int, Field(ge=1, le=36, strict=True)] | None = None
    """How long carried hours are valid; ``null`` does not expire."""
    burns: Literal["first", "last"] = "first"


class BucketBody(Body):
    """The first lot of a bucket, or the monthly lot of a retainer (minutes and price each month)."""

    minutes: LotMinutes
    price_minor: Minor = 0
    priority: Annotated[int, Field(ge=-100, le=100, strict=True)] = 0
    """Smaller burns first; then the lot that expires first."""
    valid_from: Day
    expires_on: Day | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.expires_on is not None and self.expires_on <= self.valid_from:
            message = "a lot expires after the day it is valid from"
            raise ValueError(message)
        return self


class NewLot(BucketBody):
    """A top-up."""


class _Terms(Body):
    job_types: Annotated[list[Word], Field(max_length=100)] | None = None
    levels: Annotated[list[Level], Field(max_length=4)] | None = None
    calendar_id: CalendarId | None = None
    targets: Annotated[list[TargetBody], Field(max_length=300)] | None = None
    thresholds_percent: Annotated[list[Percent], Field(max_length=10)] | None = None
    escalation: Annotated[list[EscalationStepBody], Field(max_length=20)] | None = None
    pausing_statuses: list[Literal["waiting_on_client", "waiting_on_vendor", "scheduled"]] | None = None
    first_response_pauses: bool | None = None
    quiet_hours: dict[str, Windows] | None = None
    sla_credits: Annotated[list[SlaCreditBody], Field(max_length=20)] | None = None
    rounding: RoundingBody | None = None
    weights: Annotated[list[WeightBody], Field(max_length=100)] | None = None
    exhaustion_policy: Literal["overage", "next_lot", "needs_approval", "reject"] | None = None
    non_billable_job_types: Annotated[list[Word], Field(max_length=100)] | None = None
    multiplier_applies_to_overage: bool | None = None
    fixed_items: Annotated[list[FixedItemBody], Field(max_length=100)] | None = None
    billing: BillingBody | None = None
    rollover: RolloverBody | None = None
    bucket_thresholds_percent: Annotated[list[Annotated[int, Field(ge=1, le=100)]], Field(max_length=10)] | None = None


Priority = Annotated[int, Field(ge=1, le=1000, strict=True)]
"""Among the contracts of a client; the smallest that covers some work takes it."""


class NewContract(_Terms):
    """A draft of a contract. ``id`` may be given by an import that must be repeatable."""

    id: ContractId | None = None
    client_id: ClientId
    ref: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9-]{1,19}$")] | None = None
    name: Name
    kind: ContractKind
    starts_on: Day
    ends_on: Day | None = None
    currency: Currency
    calendar_id: CalendarId
    rate_card_id: RateCardId
    priority: Priority | None = None
    bucket: BucketBody | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.ends_on is not None and self.ends_on <= self.starts_on:
            message = "a contract ends after the day it starts"
            raise ValueError(message)
        return self


class DraftChanges(_Terms):
    """What changes about a draft; absent fields stay."""

    name: Name | None = None
    ends_on: Day | None = None
    priority: Priority | None = None
    rate_card_id: RateCardId | None = None


class Amendment(_Terms):
    """What a new version changes, from which day on; absent terms stay.

    Type, currency and rate card are frozen: they may be named as they are. A newer version of the rate card may be
    adopted.
    """

    effective_from: Day
    effective_to: Day | None = None
    """Exclusive. A version holds until the next one begins; an end that leaves days without terms is refused."""
    after_version: Annotated[int, Field(ge=1, strict=True)] | None = None
    """The newest version when it was decided; refused when there is a newer one by now."""
    name: Name | None = None
    priority: Priority | None = None
    grant_minutes: LotMinutes | None = None
    """What a retainer grants each month, from the first month that begins under this version."""
    grant_price_minor: Minor | None = None
    rate_card_version: Annotated[int, Field(ge=1, strict=True)] | None = None
    kind: ContractKind | None = None
    currency: Currency | None = None
    rate_card_id: RateCardId | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.effective_to is not None and self.effective_to <= self.effective_from:
            message = "a version ends after the day it begins"
            raise ValueError(message)
        return self


class End(Body):
    """The first day on which the contract is over."""

    ends_on: Day


class LotView(View):
    """One funding of a bucket."""

    id: LotId
    sequence: int
    origin: str
    minutes: int
    left_minutes: int
    expired_minutes: int
    carried_out_minutes: int
    adjusted_minutes: int
    carried_from: LotId | None
    price_minor: int
    priority: int
    valid_from: date
    expires_on: date | None
    is_granted: bool


class FindingView(View):
    """One thing the linter says. A refusal keeps the terms from coming into force."""

    rule: str
    severity: Literal["refusal", "warning"]
    text: str
    names: list[str]


class ClientContractView(View):
    """A contract as its client sees it, as of its newest version, and its lots."""

    contract_id: ContractId
    id: ContractId
    client_id: ClientId
    ref: str
    name: str
    kind: ContractKind
    status: Literal["draft", "active", "ended"]
    version: int
    effective_from: date
    starts_on: date
    ends_on: date | None
    currency: str
    job_types: list[str]
    levels: list[str]
    calendar: dict[str, Any]
    targets: list[dict[str, Any]]
    pausing_statuses: list[str]
    first_response_pauses: bool
    quiet_hours: dict[str, Any] = {}
    sla_credits: list[dict[str, Any]] = []
    rounding: dict[str, Any]
    weights: list[dict[str, Any]]
    exhaustion_policy: str
    non_billable_job_types: list[str]
    rates: list[dict[str, Any]]
    overage_rates: list[dict[str, Any]]
    multiplier_applies_to_overage: bool
    fixed_items: list[dict[str, Any]]
    billing: dict[str, Any]
    grant_minutes: int
    rollover: dict[str, Any] | None
    bucket_thresholds_percent: list[int]
    bucket: list[LotView]


class ContractView(ClientContractView):
    """A contract as staff sees it: with what is nobody else's business."""

    revision: int
    calendar_id: CalendarId
    priority: int
    thresholds_percent: list[int]
    escalation: list[dict[str, Any]]
    rate_card_id: RateCardId
    rate_card_version: int
    lint: list[FindingView] = []
    """What the linter says, after a change."""
