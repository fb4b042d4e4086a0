"""The clock: a budget of business seconds, the intervals that used it, and a due instant that is always derived.

``due = calendar.add(resumed_at, budget - consumed)``. Every method returns a new clock; instants come in as arguments
and are cut to the second. A fact older than the last one counts from the last one: within a ticket, time never runs
backwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID, uuid5

from msp_kernel.business_time import Calendar
from sla.domain.targets import NO_FLAGS, Flags, Key, Metric

Status = Literal["running", "paused", "stopped"]
Verdict = Literal["met", "missed", "excluded"]
BreachReason = Literal["", "time", "retarget"]


class ClockStopped(Exception):
    """A clock that has its verdict does not change any more."""


class ClockNotRunning(Exception):
    """Only a running clock can be paused."""


class ClockNotPaused(Exception):
    """Only a paused clock can be resumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The target in force since an instant: its rule, the contract version that made it, its budget and its hours."""

    since: datetime
    contract_id: UUID
    contract_version: int
    rule_id: str
    budget_minutes: int
    flags: Flags = NO_FLAGS
    calendar: Calendar = field(compare=False, repr=False)

    @property
    def budget_seconds(self) -> int:
        """Return the budget in business seconds."""
        return self.budget_minutes * 60

    def is_same_target(self, other: Promise) -> bool:
        """Return whether the two promise the same, whenever they were made."""
        return replace(self, since=other.since) == other


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A stretch during which a clock ran or was paused. ``ends_at`` is ``None`` while it lasts.

    ``seconds`` are the business seconds it used, by the calendar of promise number ``promise``; 0 while open or paused.
    """

    starts_at: datetime
    ends_at: datetime | None = None
    is_running: bool
    seconds: int = 0
    promise: int
    reason: str = ""
    note: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One promise to one ticket, from its start to its verdict. Another cycle is another clock."""

    id: UUID
    ticket_id: UUID
    client_id: UUID
    metric: Metric
    cycle: int = 1
    round: int = 1
    key: Key
    queue: str = ""
    assignee_id: UUID | None = None
    """Who has the ticket, and where: as long as the clock is open, and then as it was when it stopped."""
    promises: tuple[Promise, ...]
    intervals: tuple[Interval, ...]
    carried_seconds: int = 0
    """What earlier cycles used of the budget."""
    status: Status = "running"
    breached_at: datetime | None = None
    breach_reason: BreachReason = ""
    is_breach_carried: bool = False
    """The breach was recorded, and counted, in an earlier cycle."""
    verdict: Verdict | None = None
    stopped_at: datetime | None = None
    stop_reason: str = ""
    fired: frozenset[str] = frozenset()
    """Keys of the steps that have fired in this cycle, or had passed before it."""
    void_count: int = 0
    """How many breaches turned out to be unjustified."""
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    revision: int = 0

    # ---- derived ----------------------------------------------------------------------------------------------------

    @property
    def promise(self) -> Promise:
        """Return the promise in force."""
        return self.promises[-1]

    @property
    def is_breached(self) -> bool:
        """Return whether the budget ended while the clock ran, or a retarget made it too small."""
        return self.breached_at is not None

    @property
    def started_at(self) -> datetime:
        """Return when this cycle began."""
        return self.intervals[0].starts_at

    @property
    def running_since(self) -> datetime | None:
        """Return the start of the running interval; ``None`` while paused or stopped."""
        return self.intervals[-1].starts_at if self.status == "running" else None

    @property
    def settled_seconds(self) -> int:
        """Return what closed intervals and earlier cycles consumed."""
        return self.carried_seconds + sum(interval.seconds for interval in self.intervals)

    def consumed_seconds(self, at: datetime) -> int:
        """Return the business seconds used of the budget up to ``at``."""
        since = self.running_since
        return self.settled_seconds + (0 if since is None else self.promise.calendar.between(since, at))

    def remaining_seconds(self, at: datetime) -> int:
        """Return the business seconds left of the budget at ``at``; negative when it is overdrawn."""
        return self.promise.budget_seconds - self.consumed_seconds(at)

    def instant_of(self, percent: int) -> datetime | None:
        """Return when a running clock will have used ``percent`` of its budget; ``None`` while it does not run.

        What was passed before the clock resumed is answered with the instant it resumed.
        """
        since = self.running_since
        if since is None:
            return None
        missing = self.used_up_at(percent) - self.settled_seconds
        return since if missing < 0 else self.promise.calendar.add(since, missing)

    def used_up_at(self, percent: int) -> int:
        """Return how many consumed seconds make ``percent`` of the budget, rounded up."""
        return -(-self.promise.budget_seconds * percent // 100)

    @property
    def due_at(self) -> datetime | None:
        """Return when the budget ends, or ended; ``None`` while the clock does not run."""
        has_ended = self.breached_at is not None and self.settled_seconds >= self.promise.budget_seconds
        return self.breached_at if has_ended and self.status == "running" else self.instant_of(100)

    # ---- what happens to a clock ------------------------------------------------------------------------------------

    def settled(self, at: datetime) -> Clock:
        """Return the clock as a fact of ``at`` finds it.

        A due instant that has passed before ``at`` is a breach at that instant. A breach that had been recorded for a
        later instant than the fact turns out to be unjustified, and is taken back.
        """
        at = self._not_before(at)
        due_at = self.due_at
        if due_at is None or self.is_breach_carried:
            return self
        if self.breached_at is not None:
            is_unjustified = self.breach_reason == "time" and self.breached_at >= at
            return self._unbreached() if is_unjustified else self
        return self._breached(due_at) if due_at < at else self

    def breached(self, at: datetime) -> Clock:
        """Return the clock with the breach that fell due at or before ``at``, were no later fact to be known."""
        due_at = self.due_at
        if self.breached_at is not None or due_at is None or due_at > at:
            return self
        return self._breached(due_at)

    def paused(self, at: datetime, *, reason: str, actor: str = "", note: str = "") -> Clock:
        """Charge the time since the clock last ran, and hold it.

        Raises:
            ClockNotRunning: the clock is paused or stopped.
        """
        if self.status != "running":
            raise ClockNotRunning(f"clock {self.id} is {self.status}")
        at = self._not_before(at)
        clock = replace(_closed(self.settled(at), at), status="paused")
        return _opened(clock, at, is_running=False, reason=reason, actor=actor, note=note)

    def resumed(self, at: datetime, *, reason: str = "", actor: str = "", note: str = "") -> Clock:
        """Let a paused clock run again.

        Raises:
            ClockNotPaused: the clock runs or is stopped.
        """
        if self.status != "paused":
            raise ClockNotPaused(f"clock {self.id} is {self.status}")
        at = self._not_before(at)
        clock = replace(_closed(self, at), status="running")
        return _opened(clock, at, is_running=True, reason=reason, actor=actor, note=note)

    def retargeted(self, promise: Promise, *, key: Key, reason: str = "", actor: str = "") -> Clock:
        """Carry the consumed time into another promise, in force from ``promise.since``.

        A budget that is smaller than what was consumed is a breach at that instant, with reason ``retarget``.

        Raises:
            ClockStopped: the clock has its verdict.
        """
        if self.status == "stopped":
            raise ClockStopped(f"clock {self.id} has its verdict")
        at = self._not_before(promise.since)
        clock = self.settled(at)
        held = clock.intervals[-1]
        clock = replace(_closed(clock, at), key=key, promises=(*clock.promises, replace(promise, since=at)))
        if held.is_running:
            clock = _opened(clock, at, is_running=True, reason=reason, actor=actor, note="")
        else:
            # Still the same pause, now under another promise.
            clock = _opened(clock, at, is_running=False, reason=held.reason, actor=held.actor, note=held.note)
        if clock.breached_at is None and clock.settled_seconds > clock.promise.budget_seconds:
            clock = replace(clock, breached_at=at, breach_reason="retarget")
        return clock

    def stopped(self, at: datetime, *, reason: str = "") -> Clock:
        """Close the clock with its verdict: met when it was not breached; a paused clock closes its pause first.

        Raises:
            ClockStopped: the clock has its verdict already.
        """
        if self.status == "stopped":
            raise ClockStopped(f"clock {self.id} has its verdict")
        at = self._not_before(at)
        clock = _closed(self.settled(at), at)
        verdict: Verdict = "missed" if clock.is_breached else "met"
        return replace(clock, status="stopped", verdict=verdict, stopped_at=at, stop_reason=reason)

    def excluded(self, at: datetime, *, reason: str) -> Clock:
        """Close a clock that no longer counts; one that was breached before keeps its miss.

        Raises:
            ClockStopped: the clock has its verdict already.
        """
        clock = self.stopped(at, reason=reason)
        return clock if clock.verdict == "missed" else replace(clock, verdict="excluded")

    def acknowledged(self, at: datetime, *, actor: str) -> Clock:
        """Stop the escalation chain; the first acknowledgement counts.

        Raises:
            ClockStopped: nothing can escalate any more.
        """
        if self.status == "stopped":
            raise ClockStopped(f"clock {self.id} has its verdict")
        return self if self.acknowledged_at is not None else replace(self, acknowledged_at=at, acknowledged_by=actor)

    # ---- parts ----------------------------------------------------------------------------------------------------

    def _not_before(self, at: datetime) -> datetime:
        return max(whole_second(at), self.intervals[-1].starts_at)

    def _breached(self, due_at: datetime) -> Clock:
        was_empty = len(self.promises) > 1 and self._seconds_before_promise() >= self.promise.budget_seconds
        return replace(self, breached_at=due_at, breach_reason="retarget" if was_empty else "time")

    def _seconds_before_promise(self) -> int:
        current = len(self.promises) - 1
        return self.carried_seconds + sum(one.seconds for one in self.intervals if one.promise < current)

    def _unbreached(self) -> Clock:
        return replace(self, breached_at=None, breach_reason="", void_count=self.void_count + 1)


def started(
    *,
    ticket_id: UUID,
    client_id: UUID,
    metric: Metric,
    promise: Promise,
    key: Key,
    cycle: int = 1,
    round_number: int = 1,
    actor: str = "",
    reason: str = "",
    continues: Clock | None = None,
) -> Clock:
    """Return a new running clock, from ``promise.since`` on.

    ``continues`` is the stopped clock whose budget goes on: what it consumed is carried over, and so is its breach.
    A new budget that is smaller than what was consumed is a breach at once, with reason ``retarget``.
    """
    at = whole_second(promise.since)
    opened = Interval(starts_at=at, is_running=True, promise=0, actor=actor, reason=reason)
    clock = Clock(
        id=clock_id(ticket_id, metric=metric, cycle=cycle, round_number=round_number),
        ticket_id=ticket_id,
        client_id=client_id,
        metric=metric,
        cycle=cycle,
        round=round_number,
        key=key,
        promises=(replace(promise, since=at),),
        intervals=(opened,),
    )
    if continues is None:
        return clock
    clock = replace(clock, carried_seconds=continues.settled_seconds)
    if continues.breached_at is not None:
        return replace(
            clock,
            breached_at=continues.breached_at,
            breach_reason=continues.breach_reason,
            is_breach_carried=True,
        )
    if clock.carried_seconds > promise.budget_seconds:
        return replace(clock, breached_at=at, breach_reason="retarget")
    return clock


def _closed(clock: Clock, at: datetime) -> Clock:
    *earlier, last = clock.intervals
    seconds = clock.promises[last.promise].calendar.between(last.starts_at, at) if last.is_running else 0
    return replace(clock, intervals=(*earlier, replace(last, ends_at=at, seconds=seconds)))


def _opened(clock: Clock, at: datetime, *, is_running: bool, reason: str, actor: str, note: str) -> Clock:
    promise = len(clock.promises) - 1
    opened = Interval(starts_at=at, is_running=is_running, promise=promise, reason=reason, actor=actor, note=note)
    return replace(clock, intervals=(*clock.intervals, opened))


def clock_id(ticket_id: UUID, *, metric: Metric, cycle: int, round_number: int) -> UUID:
    """Return the id of a clock: always the same for the same promise, so a rebuilt database has the same clocks."""
    return uuid5(ticket_id, f"{metric}:{cycle}:{round_number}")


def whole_second(at: datetime) -> datetime:
    """Cut an instant to the second, the precision of business time."""
    return at.replace(microsecond=0) if at.microsecond else at


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
