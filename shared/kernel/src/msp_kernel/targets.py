"""Which promise applies: targets of a contract version, the most specific of them, and when a fresh one falls due.

The service that keeps the promises and the one that writes the contracts choose by this one rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Literal, NamedTuple

from msp_kernel.business_time import Calendar

Metric = Literal["first_response", "next_response", "resolution"]
METRICS: tuple[Metric, ...] = ("first_response", "next_response", "resolution")
SECONDS = 60


class TiedRules(ValueError):
    """Two rules match the same tickets and neither is more specific."""


class Key(NamedTuple):
    """What a target depends on. ``level`` is the commercial support level."""

    priority: str
    level: str
    job_type: str


class Flags(NamedTuple):
    """How a target widens the windows of its calendar."""

    after_hours: bool = False
    weekends: bool = False
    holidays: bool = False


NO_FLAGS = Flags()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One target of a contract version. ``None`` in a key matches anything; ``budget_minutes`` ``None``: no target."""

    rule_id: str
    metric: Metric
    priority: str | None = None
    level: str | None = None
    job_type: str | None = None
    budget_minutes: int | None = None
    flags: Flags = NO_FLAGS

    def matches(self, key: Key) -> bool:
        """Return whether the rule speaks of tickets with this key."""
        return all(own is None or own == asked for own, asked in zip(self.pattern, key, strict=True))

    @property
    def pattern(self) -> tuple[str | None, str | None, str | None]:
        """Return priority, level and job type, in this order."""
        return self.priority, self.level, self.job_type

    @property
    def specificity(self) -> int:
        """Return how many keys the rule names, 0 to 3."""
        return sum(own is not None for own in self.pattern)

    def due_at(self, calendar: Calendar, *, started_at: datetime) -> datetime | None:
        """Return when a clock that starts now and never pauses falls due, in UTC; ``None`` without a target."""
        if self.budget_minutes is None:
            return None
        return calendar.widened(**self.flags._asdict()).add(started_at, self.budget_minutes * SECONDS)


def choose(rules: Sequence[Rule], *, metric: Metric, key: Key) -> Rule | None:
    """Return the most specific rule for a ticket; ``None`` when no rule speaks of it.

    A rule that says "no target" is returned like any other. Rules that name equally many keys of different kinds are
    ordered priority, level, job type; contracts with truly tied rules are refused when they are saved (``ties``).
    """
    return max(
        (rule for rule in rules if rule.metric == metric and rule.matches(key)),
        key=lambda rule: (rule.specificity, *(own is not None for own in rule.pattern), rule.rule_id),
        default=None,
    )


def ties(rules: Sequence[Rule]) -> list[tuple[Rule, Rule]]:
    """Return the pairs of rules that are equally specific and can match one and the same ticket."""
    return [
        (one, other)
        for one, other in combinations(rules, 2)
        if one.metric == other.metric
        and one.specificity == other.specificity
        and all(a is None or b is None or a == b for a, b in zip(one.pattern, other.pattern, strict=True))
    ]


def refuse_ties(rules: Sequence[Rule]) -> None:
    """Let rules through of which always one is the most specific.

    Raises:
        TiedRules: names the rules that compete.
    """
    if found := ties(rules):
        pairs = "; ".join(f"{one.rule_id} and {other.rule_id} ({one.metric})" for one, other in found)
        raise TiedRules(f"equally specific rules match the same tickets: {pairs}")
