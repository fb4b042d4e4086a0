"""Compliance = met / (met + missed). An open clock whose budget has ended counts as missed now; no data is ``None``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal
from uuid import UUID

from sla.domain.clock import Clock

Outcome = Literal["met", "missed", "open_overdue"]
DIMENSIONS = ("priority", "metric", "level", "job_type", "queue", "agent")
"""What compliance is taken apart by, besides clients, weeks and hours."""
_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Tally:
    """How promises ended. ``open_overdue`` clocks still run or pause, past their due instant."""

    met: int = 0
    missed: int = 0
    open_overdue: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.met + other.met, self.missed + other.missed, self.open_overdue + other.open_overdue)

    @property
    def percent(self) -> Decimal | None:
        """Return compliance in percent with one decimal, ``None`` without data.

        Rounded half up, but 100.0 only when nothing was missed, and 0.0 only when nothing was met.
        """
        broken = self.missed + self.open_overdue
        if not self.met + broken:
            return None
        rounded = (Decimal(100 * self.met) / (self.met + broken)).quantize(_TENTH, ROUND_HALF_UP)
        lowest = _TENTH if self.met else Decimal("0.0")
        highest = 100 - _TENTH if broken else Decimal("100.0")
        return min(max(rounded, lowest), highest)


@dataclass(frozen=True, slots=True)
class Part:
    """The tally of one part of the whole. ``name`` is a priority, a queue, a Monday, a client, an agent (``""``: nobody)."""

    name: Any
    tally: Tally

    @property
    def percent(self) -> Decimal | None:
        """Return compliance of the part in percent."""
        return self.tally.percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance:
    """How promises were kept in ``[starts_on, ends_on)``, days of each client's own zone."""

    starts_on: date
    ends_on: date
    whole: Tally
    parts: Mapping[str, Sequence[Part]]
    """By the name of the dimension."""
    by_week: Sequence[Part]
    by_client: Sequence[Part]
    at_risk: Mapping[UUID, int] = field(default_factory=dict)
    heatmap: Sequence[Sequence[int]]
    """Breaches by weekday (Monday first) and hour of the client's day."""


def outcome(clock: Clock, *, now: datetime) -> Outcome | None:
    """Return how a clock counts at ``now``; ``None`` when it does not (open in time, excluded, miss counted before)."""
    if clock.is_breach_carried or clock.verdict == "excluded":
        return None
    if clock.verdict is not None:
        return clock.verdict
    return "open_overdue" if clock.breached(now).is_breached else None


def counted_at(clock: Clock, *, now: datetime) -> datetime | None:
    """Return the instant that decides the period a clock counts in: of its breach, or of the stop that kept it."""
    return clock.breached(now).breached_at or clock.stopped_at


def tally(outcomes: Iterable[Outcome | None]) -> Tally:
    """Count outcomes; ``None`` does not count."""
    met = missed = open_overdue = 0
    for one in outcomes:
        met += one == "met"
        missed += one == "missed"
        open_overdue += one == "open_overdue"
    return Tally(met, missed, open_overdue)
