"""The SLA part of a contract version; which of its targets applies is a rule of the kernel, shared with contracts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from msp_kernel.business_time import Calendar
from msp_kernel.targets import METRICS, NO_FLAGS, Flags, Key, Metric, Rule, TiedRules, choose, refuse_ties, ties

__all__ = [
    "METRICS",
    "NO_FLAGS",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationStep:
    """One step of a chain: who is told, and the handling level to move to, at a percentage of the budget."""

    step: int
    metric: Metric
    at_percent: int
    to_level: Level | None = None
    notify: tuple[str, ...] = ()


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
    _widened: dict[Flags, Calendar] = field(default_factory=dict, init=False, repr=False, compare=False)

    def hours(self, flags: Flags) -> Calendar:
        """Return the contract's calendar, widened by the flags of a target."""
        if flags not in self._widened:
            self._widened[flags] = self.calendar.widened(**flags._asdict()) if any(flags) else self.calendar
        return self._widened[flags]

    def pauses(self, metric: Metric, *, status: str) -> bool:
        """Return whether a clock of ``metric`` stands still while the ticket has ``status``."""
        return status in self.pausing_statuses and (metric != "first_response" or self.first_response_pauses)
