"""What the sla service says: clocks, warnings, breaches, escalations."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from msp_events.base import Event, Level
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
    notify: tuple[str, ...] = ()
