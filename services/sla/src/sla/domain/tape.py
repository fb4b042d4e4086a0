"""A clock as people look at it: with its terms, what fired and what fires next, at one instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sla.domain import escalation, explain
from sla.domain.causes import BreachCause
from sla.domain.clock import Clock
from sla.domain.escalation import Step
from sla.domain.targets import Rule, Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class FiredStep:
    """A step that fired, and whether it was voided since."""

    clock_id: UUID
    kind: str
    percent: int
    step: int
    to_level: str | None
    to_queue: str | None
    to_priority: str | None
    notify: Sequence[str]
    due_at: datetime
    fired_at: datetime
    voided_at: datetime | None
    voided_because: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReport:
    """A clock with its terms, what fired and what fires next, as of ``now``."""

    clock: Clock
    terms: Terms
    now: datetime
    fired: Sequence[FiredStep] = ()
    causes: Sequence[BreachCause] = ()
    """What managers said of the breach, the last word last."""
    ticket_ref: str

    def for_client(self) -> ClockReport:
        """Return the report as client people see it: no notes, no names of agents, no escalation chain, no causes."""
        intervals = tuple(replace(interval, note="", actor="") for interval in self.clock.intervals)
        return replace(
            self,
            clock=replace(
                self.clock,
                intervals=intervals,
                queue="",
                assignee_id=None,
                acknowledged_at=None,
                acknowledged_by=None,
            ),
            terms=replace(self.terms, escalation=()),
            fired=[step for step in self.fired if step.kind != "escalate"],
            causes=(),
        )

    @property
    def next_step(self) -> tuple[datetime, Step] | None:
        """Return what fires next, and when; ``None`` while nothing is pending."""
        return next(iter(self.pending), None)

    @property
    def pending(self) -> list[tuple[datetime, Step]]:
        """Return everything that still fires unless something happens first, soonest first."""
        return escalation.pending(self.clock, escalation.steps_of(self.terms, self.clock.metric))

    @property
    def rule(self) -> Rule | None:
        """Return the rule that chose the target."""
        return explain.applied_rule(self.clock, self.terms)

    @property
    def at_risk_at(self) -> datetime | None:
        """Return when the clock passes its first threshold at or above 75 %."""
        return escalation.at_risk_at(self.clock, self.terms)

    @property
    def sentences(self) -> list[str]:
        """Return the explanation."""
        return explain.sentences(self.clock, self.terms, now=self.now, causes=self.causes)
