"""Compliance in HTTP answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, PlainSerializer

from msp_kit.api import View
from msp_kit.ids import form_of
from sla.domain.causes import Cause
from sla.domain.compliance import Compliance, Outcome, Tally
from sla.domain.targets import Metric
from sla.reports import Decided
from sla.schemas.clocks import ClockHead, head_fields
from sla.schemas.ids import ActorName, AgentId, ClientId

Percent = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


class TallyView(View):
    """How promises ended: ``percent`` = met / (met + missed + open_overdue), null without data."""

    met: int
    missed: int
    open_overdue: int
    percent: Percent | None


class PriorityTally(TallyView):
    """The part of one priority."""

    priority: str


class MetricTally(TallyView):
    """The part of one metric."""

    metric: Metric


class LevelTally(TallyView):
    """The part of one support level."""

    level: str


class JobTypeTally(TallyView):
    """The part of one job type."""

    job_type: str


class QueueTally(TallyView):
    """The part of one queue."""

    queue: str


class AgentTally(TallyView):
    """The part of one agent; null: nobody had the ticket."""

    agent_id: AgentId | None


class WeekTally(TallyView):
    """The part of one week, named by its Monday."""

    week: date


class ClientTally(TallyView):
    """The part of one client, and how many of its clocks are at risk now."""

    client_id: ClientId
    at_risk: int


class ComplianceView(TallyView):
    """Compliance of a period ``[from, to)``, whole and in parts; each kind of parts adds up to the whole."""

    from_: date = Field(serialization_alias="from")
    to: date
    at_risk: int
    by_priority: Sequence[PriorityTally]
    by_metric: Sequence[MetricTally]
    by_level: Sequence[LevelTally]
    by_job_type: Sequence[JobTypeTally]
    by_queue: Sequence[QueueTally]
    by_agent: Sequence[AgentTally]
    by_week: Sequence[WeekTally]
    by_client: Sequence[ClientTally]
    heatmap: Sequence[Sequence[int]]

    @staticmethod
    def of(report: Compliance, *, is_for_client: bool) -> ComplianceView:
        """Shape compliance; client people do not see who of the MSP had their tickets."""
        parts = report.parts
        agents, queues = ((), ()) if is_for_client else (parts["agent"], parts["queue"])
        return ComplianceView(
            **tally_fields(report.whole),
            from_=report.starts_on,
            to=report.ends_on,
            at_risk=sum(report.at_risk.values()),
            by_priority=[PriorityTally(priority=one.name, **tally_fields(one.tally)) for one in parts["priority"]],
            by_metric=[MetricTally(metric=one.name, **tally_fields(one.tally)) for one in parts["metric"]],
            by_level=[LevelTally(level=one.name, **tally_fields(one.tally)) for one in parts["level"]],
            by_job_type=[JobTypeTally(job_type=one.name, **tally_fields(one.tally)) for one in parts["job_type"]],
            by_queue=[QueueTally(queue=one.name, **tally_fields(one.tally)) for one in queues],
            by_agent=[AgentTally(agent_id=one.name or None, **tally_fields(one.tally)) for one in agents],
            by_week=[WeekTally(week=one.name, **tally_fields(one.tally)) for one in report.by_week],
            by_client=[
                ClientTally(client_id=one.name, at_risk=report.at_risk.get(one.name, 0), **tally_fields(one.tally))
                for one in report.by_client
            ],
            heatmap=report.heatmap,
        )


class PartRow(TallyView):
    """A part of compliance as a line of a file: of what kind (``priority``), which one (``high``), and its numbers."""

    by: str
    value: str

    @staticmethod
    def all_of(view: ComplianceView) -> list[PartRow]:
        """Return the whole and every part as lines."""
        fields = set(TallyView.model_fields)
        rows = [PartRow(by="all", value="", **view.model_dump(include=fields))]
        for kind in type(view).model_fields:
            if not kind.startswith("by_"):
                continue
            for part in getattr(view, kind):
                ((field, value),) = part.model_dump(exclude=fields | {"at_risk"}).items()
                show = form_of(type(part).model_fields[field]) or str
                name = "" if value is None else show(value)
                rows.append(PartRow(by=kind.removeprefix("by_"), value=name, **part.model_dump(include=fields)))
        return rows


def tally_fields(tally: Tally) -> dict[str, Any]:
    """Return the fields of a tally."""
    return {
        "met": tally.met,
        "missed": tally.missed,
        "open_overdue": tally.open_overdue,
        "percent": tally.percent,
    }


class VerdictView(ClockHead):
    """A clock behind a number of compliance: how it counts, and when that was decided."""

    outcome: Outcome
    decided_at: datetime
    breach_cause: Cause | None
    breach_comment: str
    breach_cause_set_by: ActorName | None
    breach_cause_set_at: datetime | None

    @staticmethod
    def of_decided(decided: Decided) -> VerdictView:
        """Shape a clock that counts."""
        last = next(reversed(decided.report.causes), None)
        return VerdictView(
            **head_fields(decided.report),
            outcome=decided.outcome,
            decided_at=decided.decided_at,
            breach_cause=None if last is None else last.cause,
            breach_comment="" if last is None else last.comment,
            breach_cause_set_by=None if last is None else last.set_by,
            breach_cause_set_at=None if last is None else last.set_at,
        )
