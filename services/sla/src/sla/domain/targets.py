"""The SLA part of a contract version; which of its targets applies is a rule of the kernel, shared with contracts."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal
from uuid import UUID

from msp_kernel.business_time import Calendar
from msp_kernel.targets import METRICS, NO_FLAGS, Flags, Key, Metric, Rule, TiedRules, choose, refuse_ties, ties

__all__ = [
    "METRICS",
    "NO_FLAGS",
    "TARGET_MINUTES_MAX",
    "EscalationStep",
    "Flags",
    "Key",
    "Level",
    "Metric",
    "Rule",
    "Terms",
    "TiedRules",
    "choose",
    "refuse_ties",
    "ties",
]
Level = Literal["L1", "L2", "L3", "SA"]
Priority = Literal["critical", "high", "medium", "low"]
TARGET_MINUTES_MAX = 366 * 24 * 60
"""A year around the clock, as contracts refuse more: with the opening hours of an office that is four years away."""
CreditKind = Literal["per_breach", "monthly_compliance"]


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
