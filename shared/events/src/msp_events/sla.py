"""What the sla service says: clocks, warnings, breaches, escalations, credits."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from msp_events.base import Event, Level, Priority, Shape
from msp_events.contracts import ClockMetric

ClockStatus = Literal["running", "paused", "stopped"]
Verdict = Literal["met", "missed", "excluded"]


class ClockState(Event):
    """Whole public state of one SLA clock."""

    owner: ClassVar[str] = "sla"
    stream: ClassVar[str] = "clock"
    subject_field: ClassVar[str] = "clock_id"

    clock_id: UUID
    ticket_id: UUID
    client_id: UUID
    contract_id: UUID
    revision: int
    metric: ClockMetric
    cycle: Annotated[int, Field(ge=1)] = 1
    rule_id: str
    status: ClockStatus
    budget_minutes: Annotated[int, Field(ge=0)]
    consumed_seconds: Annotated[int, Field(ge=0)]
    """Consumed at ``occurred_at``, in business seconds."""
    remaining_seconds: int
    due_at: AwareDatetime | None = None
    """While running: the instant the budget ends. Paused and stopped clocks have none."""
    at_risk_at: AwareDatetime | None = None
    """While running: the instant the first threshold at or above 75 % passes."""
    is_breached: bool = False
    breached_at: AwareDatetime | None = None
    breach_reason: Literal["", "time", "retarget"] = ""
    verdict: Verdict | None = None
    stopped_at: AwareDatetime | None = None


class ClockStarted(ClockState):
    """A clock started."""


class ClockPaused(ClockState):
    """A clock was paused, for a reason."""

    reason: str = ""


class ClockResumed(ClockState):
    """A paused clock runs again."""


class ClockRetargeted(ClockState):
    """Priority, level, job type or contract version changed: the consumed time was carried into the new budget."""


class SlaMet(ClockState):
    """The promise was kept."""


class SlaMissed(ClockState):
    """The clock stopped after its budget had ended."""


class ClockExcluded(ClockState):
    """The clock no longer counts (cancelled, merged, no target any more)."""


class SlaAtRisk(ClockState):
    """A threshold of the budget passed while the clock ran."""

    threshold_percent: int


class SlaBreached(ClockState):
    """Due passed while the clock ran."""


class SlaBreachVoided(ClockState):
    """A breach turned out to be unjustified by a later-arriving fact; it stays visible, and no longer counts."""

    because: str


class EscalationRequested(ClockState):
    """A step of the escalation chain is due."""

    step: int
    to_level: Level | None = None
    to_queue: str | None = None
    to_priority: Priority | None = None
    notify: tuple[str, ...] = ()


class CreditEvidence(Shape):
    """One broken promise behind a credit."""

    clock_id: UUID
    ticket_id: UUID
    ticket_ref: str
    metric: ClockMetric
    priority: Priority
    budget_minutes: Annotated[int, Field(ge=0)]
    breached_at: AwareDatetime
    breach_reason: Literal["", "time", "retarget"] = ""


class SlaCreditState(Event):
    """Whole public state of a credit that a contract's rule gives for a breach, or for a month below its compliance.

    Exactly one of ``amount_minor`` and ``basis_points`` (of what the contract's monthly items cost) is given.
    """

    owner: ClassVar[str] = "sla"
    stream: ClassVar[str] = "credit"
    subject_field: ClassVar[str] = "credit_id"

    credit_id: UUID
    """Made from contract, rule and breach or month: the same credit has the same id, always."""
    client_id: UUID
    contract_id: UUID
    contract_version: Annotated[int, Field(ge=1)]
    revision: int
    rule_id: str
    kind: Literal["per_breach", "monthly_compliance"]
    starts_on: date
    ends_on: date
    """The month, in the client's zone; exclusive."""
    status: Literal["earned", "withdrawn"]
    currency: str
    amount_minor: Annotated[int, Field(ge=0)] | None = None
    basis_points: Annotated[int, Field(ge=0)] | None = None
    is_capped: bool = False
    """The cap of the rule left less than the rule gives, or nothing."""
    clock_id: UUID | None = None
    """The breach of a credit per breach."""
    met_count: Annotated[int, Field(ge=0)] = 0
    missed_count: Annotated[int, Field(ge=0)] = 0
    compliance_basis_points: Annotated[int, Field(ge=0, le=10_000)] | None = None
    """Of monthly rules: what was reached, cut down."""
    evidence_count: Annotated[int, Field(ge=0)] = 0
    evidence: tuple[CreditEvidence, ...] = ()
    """The broken promises, oldest first, at most 200 of them."""


class SlaCreditEarned(SlaCreditState):
    """A broken promise, or a month of them, earned the client a credit: said once."""


class SlaCreditWithdrawn(SlaCreditState):
    """A credit turned out to be unjustified by facts that arrived after it was said."""

    because: str
