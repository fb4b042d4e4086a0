"""What a ticket would be promised if it were raised now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from sla.domain.targets import Key, Metric, Priority, Terms, choose

METRICS: tuple[Metric, ...] = ("first_response", "resolution")


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """One promise of a ticket that nobody has raised yet. Its time counts from ``begins_at`` on."""

    priority: str
    metric: Metric
    rule_id: str
    budget_minutes: int
    begins_at: datetime
    due_at: datetime


def foreseen(terms: Terms, *, level: str, job_type: str, at: datetime) -> list[Foreseen]:
    """Return the promises for each priority, the most urgent first; none where the terms give no target."""
    found = []
    for priority in get_args(Priority):
        for metric in METRICS:
            rule = choose(terms.rules, metric=metric, key=Key(priority, level, job_type))
            if rule is None or rule.budget_minutes is None:
                continue
            calendar = terms.hours(rule.flags)
            due_at = rule.due_at(terms.calendar, started_at=at)
            assert due_at is not None, "a rule with a budget falls due"
            found.append(
                Foreseen(
                    priority=priority,
                    metric=metric,
                    rule_id=rule.rule_id,
                    budget_minutes=rule.budget_minutes,
                    begins_at=calendar.next_open(at),
                    due_at=due_at,
                )
            )
    return found
