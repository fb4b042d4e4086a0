"""From domain values to events and rows: how the service words what happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msp_events import sla as events
from sla.domain import escalation
from sla.domain.clock import Clock
from sla.domain.life import Happening
from sla.domain.targets import Terms
from sla.store import Firing, TermsKey, TimedClock

_SAID: dict[str, type[events.ClockState]] = {
    "started": events.ClockStarted,
    "paused": events.ClockPaused,
    "resumed": events.ClockResumed,
    "retargeted": events.ClockRetargeted,
    "met": events.SlaMet,
    "missed": events.SlaMissed,
    "excluded": events.ClockExcluded,
    "breached": events.SlaBreached,
    "voided": events.SlaBreachVoided,
}


def terms_key(clock: Clock) -> TermsKey:
    """Return the contract version that made the promise in force."""
    return clock.promise.contract_id, clock.promise.contract_version


def timed(clock: Clock, terms: Mapping[TermsKey, Terms], *, not_before: datetime | None = None) -> TimedClock:
    """Return a clock with the instants derived from its terms."""
    mine = terms[terms_key(clock)]
    pending = escalation.pending(clock, escalation.steps_of(mine, clock.metric))
    next_step_at = pending[0][0] if pending else None
    if next_step_at is not None and not_before is not None:
        next_step_at = max(next_step_at, not_before)
    return TimedClock(clock=clock, next_step_at=next_step_at, at_risk_at=escalation.at_risk_at(clock, mine))


def event_of(happening: Happening, terms: Mapping[TermsKey, Terms]) -> events.ClockState:
    """Return what is said when something happened to a clock."""
    kind = _SAID[happening.kind]
    state = _state(happening.clock, happening.at, terms)
    if kind is events.ClockPaused:
        return events.ClockPaused(**state, reason=happening.reason)
    if kind is events.SlaBreachVoided:
        return events.SlaBreachVoided(**state, because=happening.reason)
    return kind(**state)


def fired_event(firing: Firing, terms: Mapping[TermsKey, Terms]) -> events.ClockState:
    """Return what is said when a step fired."""
    state = _state(firing.clock, firing.due_at, terms)
    step = firing.step
    if step.kind == "at_risk":
        return events.SlaAtRisk(**state, threshold_percent=step.percent)
    if step.kind == "breach":
        return events.SlaBreached(**state)
    return events.EscalationRequested(
        **state,
        step=step.step,
        to_level=step.to_level,
        to_queue=step.to_queue,
        to_priority=step.to_priority,
        notify=step.notify,
    )


def _state(clock: Clock, at: datetime, terms: Mapping[TermsKey, Terms]) -> dict[str, Any]:
    consumed_seconds = clock.consumed_seconds(at)
    return {
        "occurred_at": at,
        "clock_id": clock.id,
        "ticket_id": clock.ticket_id,
        "client_id": clock.client_id,
        "contract_id": clock.promise.contract_id,
        "revision": clock.revision,
        "metric": clock.metric,
        "cycle": clock.cycle,
        "rule_id": clock.promise.rule_id,
        "status": clock.status,
        "budget_minutes": clock.promise.budget_minutes,
        "consumed_seconds": consumed_seconds,
        "remaining_seconds": clock.promise.budget_seconds - consumed_seconds,
        "due_at": clock.due_at,
        "at_risk_at": escalation.at_risk_at(clock, terms[terms_key(clock)]),
        "is_breached": clock.is_breached,
        "breached_at": clock.breached_at,
        "breach_reason": clock.breach_reason,
        "verdict": clock.verdict,
        "stopped_at": clock.stopped_at,
    }
