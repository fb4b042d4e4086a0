"""A clock in one row of wall time: what counted, what lay outside hours, what was paused, and what is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from msp_kernel.business_time import Calendar
from msp_kernel.periods import Period
from sla.domain.clock import Clock, Interval

Kind = Literal["counted", "closed", "paused", "left"]
WINDOWS_MAX = 60
"""An interval with more windows than this is one stretch: nobody could tell them apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of wall time; ``seconds`` counted in it, or will."""

    starts_at: datetime
    ends_at: datetime
    kind: Kind
    seconds: int = 0


def stretches(clock: Clock, *, now: datetime) -> list[Stretch]:
    """Return the stretches of a clock from its start without gaps, oldest first; those still to come are ``left``."""
    found: list[Stretch] = []
    for interval in clock.intervals:
        found.extend(_of_interval(interval, clock.promises[interval.promise].calendar, now))
    due_at = clock.due_at
    if due_at is not None and due_at > now:
        found.extend(_by_window(clock.promise.calendar, max(now, clock.intervals[-1].starts_at), due_at, kind="left"))
    return found


def _of_interval(interval: Interval, calendar: Calendar, now: datetime) -> Iterator[Stretch]:
    ends_at = now if interval.ends_at is None else interval.ends_at
    if ends_at <= interval.starts_at:
        return
    if interval.is_running:
        yield from _by_window(calendar, interval.starts_at, ends_at, kind="counted")
    else:
        yield Stretch(starts_at=interval.starts_at, ends_at=ends_at, kind="paused")


def _by_window(calendar: Calendar, starts_at: datetime, ends_at: datetime, *, kind: Kind) -> Iterator[Stretch]:
    windows = calendar.windows(starts_at, ends_at)
    if len(windows) > WINDOWS_MAX:
        seconds = calendar.between(starts_at, ends_at)
        yield Stretch(starts_at=starts_at, ends_at=ends_at, kind=kind, seconds=seconds)
        return
    at = starts_at
    for window in windows:
        if window.starts_at > at:
            yield Stretch(starts_at=at, ends_at=window.starts_at, kind="closed")
        yield Stretch(starts_at=window.starts_at, ends_at=window.ends_at, kind=kind, seconds=_seconds(window))
        at = window.ends_at
    if at < ends_at:
        yield Stretch(starts_at=at, ends_at=ends_at, kind="closed")


def _seconds(window: Period) -> int:
    return int((window.ends_at - window.starts_at).total_seconds())
