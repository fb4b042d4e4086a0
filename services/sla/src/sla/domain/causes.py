"""Why a promise was broken, as a manager judges it. What was said stays; the last word counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sla.domain.clock import Clock

Cause = Literal["capacity", "waiting-on-vendor", "wrong-priority", "process", "client", "other"]


class ClockNotBreached(Exception):
    """Only a breach has a cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachCause:
    """What somebody said of a breach, and when."""

    clock_id: UUID
    number: int
    cause: Cause
    comment: str
    set_by: str
    set_at: datetime


def refuse_unbroken(clock: Clock, *, now: datetime) -> None:
    """Let a clock through whose promise was broken.

    Raises:
        ClockNotBreached: its budget has not ended.
    """
    if not clock.breached(now).is_breached:
        raise ClockNotBreached("the clock kept its promise so far; a cause is said of a breach")
