"""What fires while a clock runs: warnings at percentages of the budget, the breach, and the steps of the chain.

A step is identified by its key. Each key fires once per clock (a clock is one cycle); after a voided breach, the breach
and what hangs on it may fire again, in the next episode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from msp_kernel.business_time import Calendar
from sla.domain.clock import Clock
from sla.domain.targets import Level, Metric, Priority, Terms

StepKind = Literal["at_risk", "breach", "escalate"]
BREACH = "breach"
NEVER_QUIET = "critical"
"""Tickets of this priority escalate at any hour."""
AT_RISK_PERCENT_MIN = 75
"""From this threshold on a clock counts as "at risk" on screens."""


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One thing that fires. Steps sort in the order in which they fire when they fall due together."""

    percent: int
    rank: int
    key: str
    kind: StepKind
    step: int = 0
    """Number in the escalation chain; 0 for warnings and the breach."""
    to_level: Level | None = field(default=None, compare=False)
    to_queue: str | None = field(default=None, compare=False)
    to_priority: Priority | None = field(default=None, compare=False)
    notify: tuple[str, ...] = field(default=(), compare=False)
    quiet: Calendar | None = field(default=None, compare=False, repr=False)
    """Hours in which the step waits for their end."""

    @property
    def hangs_on_breach(self) -> bool:
        """Return whether the step fires because of a breach."""
        return self.kind != "at_risk" and self.percent >= 100

    def falls_due(self, clock: Clock) -> datetime:
        """Return when the step of a running clock fires: at its percentage, or at the end of the quiet hours it falls in."""
        at = clock.instant_of(self.percent)
        assert at is not None, "a running clock has an instant for every percentage"
        if self.quiet is None or clock.key.priority == NEVER_QUIET or not self.quiet.is_open(at):
            return at
        # Contracts refuse quiet hours without an end; were there some, the step would not wait.
        return self.quiet.next_close(at) or at


def steps_of(terms: Terms, metric: Metric) -> tuple[Step, ...]:
    """Return every step of a metric's clocks under some terms, in firing order."""
    warnings = (Step(percent, 0, f"at_risk:{percent}", "at_risk") for percent in set(terms.thresholds_percent))
    chain = (
        Step(
            one.at_percent,
            2,
            f"escalate:{one.step}",
            "escalate",
            one.step,
            to_level=one.to_level,
            to_queue=one.to_queue,
            to_priority=one.to_priority,
            notify=one.notify,
            quiet=terms.quiet,
        )
        for one in terms.escalation
        if one.metric == metric
    )
    # A chain that numbers two steps alike fires the earlier one: a key fires once.
    by_key = {step.key: step for step in sorted((*warnings, Step(100, 1, BREACH, "breach"), *chain), reverse=True)}
    return tuple(sorted(by_key.values()))


def pending(clock: Clock, steps: Sequence[Step]) -> list[tuple[datetime, Step]]:
    """Return when the steps that may still fire fall due, soonest first; empty while the clock does not run."""
    if clock.status != "running":
        return []
    found = []
    for step in steps:
        if step.key in clock.fired or (step.kind == "escalate" and clock.acknowledged_at is not None):
            continue
        found.append((step.falls_due(clock), step))
    return sorted(found)


def due(clock: Clock, steps: Sequence[Step], *, now: datetime) -> list[tuple[datetime, Step]]:
    """Return the steps that have fallen due by ``now`` and have not fired."""
    return [(at, step) for at, step in pending(clock, steps) if at <= now]


def fired(clock: Clock, step: Step, *, now: datetime) -> Clock:
    """Return the clock after a step fired; the breach step records the breach."""
    clock = clock.breached(now) if step.kind == "breach" else clock
    return replace(clock, fired=clock.fired | {step.key}, revision=clock.revision + 1)


def rearmed(clock: Clock, steps: Sequence[Step]) -> Clock:
    """Return a clock whose breach was voided: the breach, and the steps that hang on it, may fire again."""
    return replace(clock, fired=clock.fired - {step.key for step in steps if step.hangs_on_breach})


def without_past(clock: Clock, steps: Sequence[Step]) -> Clock:
    """Return a clock that continues an earlier cycle: what had passed in that cycle does not fire again."""
    passed = {
        step.key
        for step in steps
        if clock.used_up_at(step.percent) <= clock.carried_seconds
        and (clock.is_breach_carried or not step.hangs_on_breach)
    }
    carried = {BREACH} if clock.is_breach_carried else set()
    return replace(clock, fired=clock.fired | passed | carried)


def at_risk_at(clock: Clock, terms: Terms) -> datetime | None:
    """Return when a running clock passes its first threshold at or above 75 %; ``None`` without such a threshold."""
    late = [percent for percent in terms.thresholds_percent if percent >= AT_RISK_PERCENT_MIN]
    return clock.instant_of(min(late)) if late else None
