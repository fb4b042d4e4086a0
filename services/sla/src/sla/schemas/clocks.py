"""Clocks in HTTP answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from msp_kit.api import Body, View
from sla.domain import stretches
from sla.domain.causes import Cause
from sla.domain.clock import BreachReason, Clock, Interval, Status, Verdict
from sla.domain.escalation import Step, StepKind
from sla.domain.tape import ClockReport, FiredStep
from sla.domain.targets import Metric
from sla.schemas.ids import ActorName, AgentId, ClientId, ClockId, ContractId, TicketId


class IntervalView(View):
    """A stretch of the tape. ``to`` is null while it lasts; ``seconds`` counted towards the budget."""

    from_: datetime = Field(serialization_alias="from")
    to: datetime | None
    seconds: int
    kind: str
    reason: str
    note: str
    actor: ActorName

    @staticmethod
    def of(clock: Clock, interval: Interval, *, now: datetime) -> IntervalView:
        """Shape an interval."""
        seconds = interval.seconds
        if interval.is_running and interval.ends_at is None:
            seconds = clock.promises[interval.promise].calendar.between(interval.starts_at, now)
        return IntervalView(
            from_=interval.starts_at,
            to=interval.ends_at,
            seconds=seconds,
            kind="running" if interval.is_running else "paused",
            reason=interval.reason,
            note=interval.note,
            actor=interval.actor,
        )


class StretchView(View):
    """A stretch of wall time: ``counted``, ``closed`` (outside hours), ``paused``, or still ``left``."""

    from_: datetime = Field(serialization_alias="from")
    to: datetime
    kind: stretches.Kind
    seconds: int

    @staticmethod
    def of(one: stretches.Stretch) -> StretchView:
        """Shape a stretch."""
        return StretchView(from_=one.starts_at, to=one.ends_at, kind=one.kind, seconds=one.seconds)


class FiredView(View):
    """A warning or breach that was told."""

    kind: str
    percent: int
    at: datetime
    fired_at: datetime
    voided_at: datetime | None
    voided_because: str | None

    @staticmethod
    def of(step: FiredStep) -> FiredView:
        """Shape a step that fired."""
        return FiredView(**_fired_fields(step))


class EscalationView(FiredView):
    """A step of the chain that was told."""

    step: int
    to_level: str | None
    to_queue: str | None
    to_priority: str | None
    notify: Sequence[str]

    @staticmethod
    def of(step: FiredStep) -> EscalationView:
        """Shape a step of the chain."""
        return EscalationView(
            **_fired_fields(step),
            step=step.step,
            to_level=step.to_level,
            to_queue=step.to_queue,
            to_priority=step.to_priority,
            notify=step.notify,
        )


class NextStepView(View):
    """What fires next, and when."""

    kind: StepKind
    percent: int
    step: int
    to_level: str | None
    at: datetime

    @staticmethod
    def of(at: datetime, step: Step) -> NextStepView:
        """Shape a step that has not fired yet."""
        return NextStepView(kind=step.kind, percent=step.percent, step=step.step, to_level=step.to_level, at=at)


class CauseView(View):
    """What a manager said of a breach; `set_by` is the id of a person."""

    cause: Cause
    comment: str
    set_by: ActorName
    set_at: datetime


class CauseBody(Body):
    """Why a promise was broken."""

    cause: Cause
    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)] = ""


class PromiseView(View):
    """A target that was in force, and since when."""

    since: datetime
    contract_version: int
    rule_id: str
    budget_minutes: int


class ClockHead(View):
    """The state of a clock as of the request."""

    clock_id: ClockId
    ticket_id: TicketId
    ticket_ref: str
    client_id: ClientId
    contract_id: ContractId
    revision: int
    metric: Metric
    cycle: int
    priority: str
    level: str
    job_type: str
    queue: str
    assignee_id: AgentId | None
    rule_id: str
    status: Status
    budget_minutes: int
    consumed_seconds: int
    remaining_seconds: int
    started_at: datetime
    due_at: datetime | None
    at_risk_at: datetime | None
    is_breached: bool
    breached_at: datetime | None
    breach_reason: BreachReason
    verdict: Verdict | None
    stopped_at: datetime | None
    acknowledged_at: datetime | None
    next_step: NextStepView | None

    @staticmethod
    def of(report: ClockReport) -> ClockHead:
        """Shape the state of a clock, without its tape."""
        return ClockHead(**head_fields(report))


class ClockView(ClockHead):
    """A clock with its tape: every interval, every threshold, everything that fired."""

    as_of: datetime
    timezone: str
    carried_seconds: int
    stop_reason: str
    thresholds_percent: Sequence[int]
    promises: Sequence[PromiseView]
    intervals: Sequence[IntervalView]
    stretches: Sequence[StretchView]
    pending: Sequence[NextStepView]
    fired: Sequence[FiredView]
    escalations: Sequence[EscalationView]
    breach_causes: Sequence[CauseView]
    """The last word last; client people get none."""

    @staticmethod
    def of(report: ClockReport) -> ClockView:
        """Shape a clock with its tape."""
        return ClockView(**head_fields(report), **_tape_fields(report))


class RuleView(View):
    """The rule of the contract that chose the target; null keys match anything."""

    rule_id: str
    priority: str | None
    level: str | None
    job_type: str | None
    budget_minutes: int | None


class ExplainView(ClockView):
    """A clock and its explanation in sentences."""

    text: Sequence[str]
    rule: RuleView | None

    @staticmethod
    def of(report: ClockReport) -> ExplainView:
        """Shape the explanation of a clock."""
        rule = report.rule
        return ExplainView(
            **head_fields(report),
            **_tape_fields(report),
            text=report.sentences,
            rule=None if rule is None else RuleView.model_validate(rule),
        )


def head_fields(report: ClockReport) -> dict[str, Any]:
    """Return the fields of a clock's state."""
    clock = report.clock
    consumed_seconds = clock.consumed_seconds(report.now)
    next_step = report.next_step
    return {
        "clock_id": clock.id,
        "ticket_id": clock.ticket_id,
        "ticket_ref": report.ticket_ref,
        "client_id": clock.client_id,
        "contract_id": clock.promise.contract_id,
        "revision": clock.revision,
        "metric": clock.metric,
        "cycle": clock.cycle,
        **clock.key._asdict(),
        "queue": clock.queue,
        "assignee_id": clock.assignee_id,
        "rule_id": clock.promise.rule_id,
        "status": clock.status,
        "budget_minutes": clock.promise.budget_minutes,
        "consumed_seconds": consumed_seconds,
        "remaining_seconds": clock.promise.budget_seconds - consumed_seconds,
        "started_at": clock.started_at,
        "due_at": clock.due_at,
        "at_risk_at": report.at_risk_at,
        "is_breached": clock.is_breached,
        "breached_at": clock.breached_at,
        "breach_reason": clock.breach_reason,
        "verdict": clock.verdict,
        "stopped_at": clock.stopped_at,
        "acknowledged_at": clock.acknowledged_at,
        "next_step": None if next_step is None else NextStepView.of(*next_step),
    }


def _tape_fields(report: ClockReport) -> dict[str, Any]:
    clock = report.clock
    return {
        "as_of": report.now,
        "timezone": report.terms.calendar.timezone,
        "carried_seconds": clock.carried_seconds,
        "stop_reason": clock.stop_reason,
        "thresholds_percent": sorted(report.terms.thresholds_percent),
        "promises": [PromiseView.model_validate(promise) for promise in clock.promises],
        "intervals": [IntervalView.of(clock, interval, now=report.now) for interval in clock.intervals],
        "stretches": [StretchView.of(one) for one in stretches.stretches(clock, now=report.now)],
        "pending": [NextStepView.of(at, step) for at, step in report.pending],
        "fired": [FiredView.of(step) for step in report.fired if step.kind != "escalate"],
        "escalations": [EscalationView.of(step) for step in report.fired if step.kind == "escalate"],
        "breach_causes": [CauseView.model_validate(one) for one in report.causes],
    }


def _fired_fields(step: FiredStep) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "percent": step.percent,
        "at": step.due_at,
        "fired_at": step.fired_at,
        "voided_at": step.voided_at,
        "voided_because": step.voided_because,
    }
