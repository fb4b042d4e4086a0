"""What follows from a clock's promises and intervals: proves stored clocks, and replays them under other promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sla.domain.clock import BreachReason, Clock, Promise, Verdict


class Derived(NamedTuple):
    """What follows from promises and intervals: the seconds of each interval, the breach and the verdict."""

    seconds: tuple[int, ...]
    breached_at: datetime | None
    breach_reason: BreachReason
    verdict: Verdict | None


def derived(
    clock: Clock,
    *,
    promises: Sequence[Promise],
    carried_seconds: int,
    carried_breach: tuple[datetime | None, BreachReason],
    verdict: Verdict | None,
) -> Derived:
    """Return what follows from a clock's intervals under some promises, after what earlier cycles carry into it.

    ``verdict`` is what a stopped clock has if it is not broken; ``excluded`` is a decision and stays.
    """
    seconds: list[int] = []
    consumed = carried_seconds
    breached_at, reason = carried_breach
    entered, consumed_before = -1, consumed
    for interval in clock.intervals:
        promise = promises[interval.promise]
        budget_seconds = promise.budget_minutes * 60
        if interval.promise > entered:
            entered, consumed_before = interval.promise, consumed
            if breached_at is None and consumed > budget_seconds:
                breached_at, reason = promise.since, "retarget"
        if not interval.is_running:
            seconds.append(0)
            continue
        calendar, starts_at, ends_at = promise.calendar, interval.starts_at, interval.ends_at
        used = 0 if ends_at is None else calendar.between(starts_at, ends_at)
        # What ended before its budget did needs no due instant.
        if breached_at is None and (ends_at is None or consumed + used >= budget_seconds):
            due_at = calendar.add(starts_at, max(budget_seconds - consumed, 0))
            if due_at < ends_at if ends_at is not None else due_at == clock.breached_at:
                was_empty = interval.promise > 0 and consumed_before >= budget_seconds
                breached_at, reason = due_at, "retarget" if was_empty else "time"
        seconds.append(used)
        consumed += used
    if clock.status == "stopped":
        verdict = "missed" if breached_at is not None else ("met" if verdict == "missed" else verdict)
    return Derived(tuple(seconds), breached_at, reason, verdict)


def recomputed(clock: Clock) -> Clock:
    """Return the clock with everything that can be derived from its promises and intervals derived afresh.

    Stored clocks must equal this, apart from a breach that is due but has not been fired yet.
    """
    found = derived(
        clock,
        promises=clock.promises,
        carried_seconds=clock.carried_seconds,
        carried_breach=(clock.breached_at, clock.breach_reason) if clock.is_breach_carried else (None, ""),
        verdict=clock.verdict,
    )
    intervals = tuple(
        interval if interval.seconds == seconds else replace(interval, seconds=seconds)
        for interval, seconds in zip(clock.intervals, found.seconds, strict=True)
    )
    return replace(
        clock,
        intervals=intervals,
        breached_at=found.breached_at,
        breach_reason=found.breach_reason,
        verdict=found.verdict,
    )
