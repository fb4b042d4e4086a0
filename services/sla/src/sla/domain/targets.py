"""Which promise applies: the SLA part of a contract version, and the most specific of its rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import combinations
from typing import Literal, NamedTuple
from uuid import UUID

from msp_kernel.business_time import Calendar

Metric = Literal["first_response", "next_response", "resolution"]
Level = Literal["L1", "L2", "L3", "SA"]
Priority = Literal["critical", "high", "medium", "low"]
CreditKind = Literal["per_breach", "monthly_compliance"]
METRICS: tuple[Metric, ...] = ("first_response", "next_response", "resolution")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationStep:
    """One step of a chain: who is told, and what the ticket is moved to, at a percentage of the budget."""

    step: int
    metric: Metric
    at_percent: int
    to_level: Level | None = None
    to_queue: str | None = None
    to_priority: Priority | None = None
    notify: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRule:
    """What a broken promise, or a month below its compliance, earns the client: an amount, or a share of monthly items."""

    rule_id: str
    kind: CreditKind
    metric: Metric | None = None
    priority: str | None = None
    below_basis_points: int | None = None
    amount_minor: int | None = None
    basis_points: int | None = None
    cap: int | None = None
    """The most that the rule gives in a month, in the unit of what it gives."""

    @property
    def value(self) -> int:
        """Return what the rule gives once, in its unit."""
        return self.amount_minor or self.basis_points or 0

    def speaks_of(self, *, metric: str, priority: str) -> bool:
        """Return whether promises of this kind count."""
        return self.metric in (None, metric) and self.priority in (None, priority)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The SLA part of one contract version, as the contracts service said it. Never changes."""

    contract_id: UUID
    version: int
    client_id: UUID
    calendar: Calendar = field(repr=False)
    rules: tuple[Rule, ...]
    thresholds_percent: tuple[int, ...] = (50, 75, 90)
    escalation: tuple[EscalationStep, ...] = ()
    pausing_statuses: frozenset[str] = frozenset({"waiting_on_client"})
    first_response_pauses: bool = False
    quiet: Calendar | None = field(default=None, repr=False)
    """Hours in which the steps of the chain wait for their end; ``None``: never."""
    credits: tuple[CreditRule, ...] = ()
    _widened: dict[Flags, Calendar] = field(default_factory=dict, init=False, repr=False, compare=False)

    def hours(self, flags: Flags) -> Calendar:
        """Return the contract's calendar, widened by the flags of a target."""
        if flags not in self._widened:
            self._widened[flags] = self.calendar.widened(**flags._asdict()) if any(flags) else self.calendar
        return self._widened[flags]

    def differences(self, other: Terms) -> list[str]:
        """Return what another reading of the same version says otherwise, in the words of contract events."""
        words = {"rules": "targets", "quiet": "quiet_hours", "credits": "sla_credits"}
        compared = (one.name for one in fields(self) if one.compare)
        return sorted(words.get(name, name) for name in compared if getattr(self, name) != getattr(other, name))

    def pauses(self, metric: Metric, *, status: str) -> bool:
        """Return whether a clock of ``metric`` stands still while the ticket has ``status``."""
        return status in self.pausing_statuses and (metric != "first_response" or self.first_response_pauses)


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
