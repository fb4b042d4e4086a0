"""The calendar: a value that says when work counts, and answers in elapsed business seconds."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal

from msp_kernel.business_time.errors import BadWindow, CalendarWithoutHours, OutOfRange
from msp_kernel.business_time.reading import WEEKDAYS, read_holidays, read_overrides, read_weekly, written_windows
from msp_kernel.business_time.timeline import DAY_SECONDS, EPOCH, Table, Timeline, Window, epoch_second
from msp_kernel.business_time.widening import ALWAYS, widened_overrides, widened_week
from msp_kernel.periods import Period
from msp_kernel.zones import instant_of, zone_of

Condition = Literal["regular", "after_hours", "weekend", "holiday"]
_SATURDAY = 5
_instant = datetime.fromtimestamp


@dataclass(frozen=True)
class Calendar:
    """When work counts: weekly windows, holidays and one-off overrides in one IANA zone. Immutable and shareable.

    ``weekly`` has seven entries from Monday on. Windows belong to the day they start on: a night shift runs on into a
    holiday, and none starts on one. Windows that overlap count once. A holiday that has an override has its windows.

    Raises:
        CalendarWithoutHours: no window in the week and none in an override.
        UnknownTimezone: the zone is not an IANA name.
    """

    timezone: str
    weekly: tuple[tuple[Window, ...], ...]
    holidays: frozenset[date] = frozenset()
    overrides: tuple[tuple[date, tuple[Window, ...]], ...] = ()
    _timeline: Timeline = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        zone = zone_of(self.timezone)
        if not any(self.weekly) and not any(windows for _, windows in self.overrides):
            message = "the calendar has no opening hours on any weekday"
            raise CalendarWithoutHours(message)
        replaced = {**dict.fromkeys(self.holidays, ()), **dict(self.overrides)}
        object.__setattr__(self, "_timeline", Timeline(zone, self.weekly, replaced))

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Calendar:
        """Return the calendar a JSON document describes; equal documents share one calendar.

        The form: ``{"timezone": "Europe/Berlin", "weekly": {"mon": [["09:00", "12:30"], ["13:30", "17:00"]],
        "fri": [["22:00", "06:00"]]}, "holidays": ["2026-12-25"], "overrides": {"2026-12-24": [["09:00", "12:00"]]}}``.
        An absent weekday is closed; ``24:00`` may end a window; a window whose end is not after its start runs into the
        next day; an override replaces the windows of its date.

        Raises:
            CalendarWithoutHours, UnknownTimezone, BadWindow, BadDay: what is wrong, and where.
        """
        try:
            text = json.dumps(document, sort_keys=True)
        except (TypeError, ValueError):
            message = "a calendar is a JSON object"
            raise BadWindow(message) from None
        return _from_text(text)

    def to_json(self) -> dict[str, Any]:
        """Return the document ``from_json`` takes."""
        return {
            "timezone": self.timezone,
            "weekly": {
                day: written_windows(windows) for day, windows in zip(WEEKDAYS, self.weekly, strict=True) if windows
            },
            "holidays": sorted(day.isoformat() for day in self.holidays),
            "overrides": {day.isoformat(): written_windows(windows) for day, windows in self.overrides},
        }

    def refuse_overlaps(self) -> None:
        """Let a calendar through none of whose windows overlaps another of its day; asked for when one is saved.

        Time that two windows share counts once, so a calendar with an overlap is sound; it is likely a slip of a pen.

        Raises:
            BadWindow: names the day and both windows.
        """
        days = [
            *zip(WEEKDAYS, self.weekly, strict=True),
            *((day.isoformat(), windows) for day, windows in self.overrides),
        ]
        for day, windows in days:
            for one, other in pairwise(windows):
                if other[0] < one[1]:
                    first, second = ("-".join(pair) for pair in written_windows((one, other)))
                    message = f"{day} has {first} and {second}, which overlap; write them as one window"
                    raise BadWindow(message)

    # ---- asking ---------------------------------------------------------------------------------------------------

    def add(self, start: datetime, seconds: int) -> datetime:
        """Return the first instant at which ``seconds`` of business time have elapsed since ``start``, in UTC.

        Raises:
            OutOfRange: ``seconds`` is negative, ``start`` has no zone, or the answer lies beyond the supported years.
        """
        # The reading of the clock is written out here and in ``between``: a call would cost as much as the bisect.
        try:
            elapsed = start - EPOCH
        except TypeError:
            raise OutOfRange(_no_zone(start)) from None
        at = elapsed.days * DAY_SECONDS + elapsed.seconds
        covered_from, _, starts, ends, before, closed = self._timeline.table
        if seconds < 0 or at < covered_from:
            covered_from, _, starts, ends, before, closed = self._checked(at, seconds)
        index = bisect_right(ends, at)
        try:
            closed_before = closed[index]
            opens = starts[index]
            due = (at if at > opens else opens) + seconds  # noqa: FURB136 - max() costs as much as the bisect
            if due > ends[index]:
                # It ends in the last window that has less open time before it.
                target = due - closed_before
                due = target + closed[bisect_left(before, target, index + 1) - 1]
        except IndexError:
            # The answer lies in years not known yet. Each time twice as many are learnt: this ends soon.
            self._timeline.beyond(at)
            return self.add(start, seconds)
        return _instant(due, UTC)

    def between(self, start: datetime, end: datetime) -> int:
        """Return the business seconds from ``start`` to ``end``; 0 for a reversed range.

        Raises:
            OutOfRange: an instant has no zone, or lies outside the supported years.
        """
        try:
            elapsed, elapsed_until = start - EPOCH, end - EPOCH
        except TypeError:
            raise OutOfRange(_no_zone(start, end)) from None
        first = elapsed.days * DAY_SECONDS + elapsed.seconds
        last = elapsed_until.days * DAY_SECONDS + elapsed_until.seconds
        if last <= first:
            return 0
        covered_from, covered_until, starts, ends, before, closed = self._timeline.table
        if first < covered_from or last >= covered_until:
            _, _, starts, ends, before, closed = self._timeline.covering(first, last)
        index = bisect_right(ends, first)
        until = bisect_right(ends, last, index)
        opened = first - closed[index] if first > starts[index] else before[index]
        return (last - closed[until] if last > starts[until] else before[until]) - opened

    def is_open(self, at: datetime) -> bool:
        """Return whether an instant lies inside a window."""
        second = epoch_second(at)
        _, _, starts, ends, _, _ = self._timeline.covering(second, second)
        return starts[bisect_right(ends, second)] <= second

    def next_open(self, at: datetime) -> datetime:
        """Return the first instant at or after ``at`` that lies inside a window.

        Raises:
            OutOfRange: there is none in the supported years.
        """
        return self.add(at, 0)

    def next_close(self, at: datetime) -> datetime | None:
        """Return the end of the window at ``at``, or of the next one; ``None`` when it stays open for good.

        Raises:
            OutOfRange: it is closed for good in the supported years.
        """
        second = epoch_second(self.next_open(at))
        while True:
            _, covered_until, _, ends, _, _ = self._timeline.covering(second, second)
            end = ends[bisect_right(ends, second)]
            if end < covered_until:
                return _instant(end, UTC)
            try:
                # The last window we know may go on in a year we do not know yet.
                self._timeline.beyond(second)
            except OutOfRange:
                return None

    def windows(self, start: datetime, end: datetime) -> list[Period]:
        """Return the open windows between two instants, clipped to them, in UTC, oldest first."""
        first, last = epoch_second(start), epoch_second(end)
        if last <= first:
            return []
        _, _, starts, ends, _, _ = self._timeline.covering(first, last)
        return [
            _period(max(starts[index], first), min(ends[index], last))
            for index in range(bisect_right(ends, first), bisect_left(starts, last))
        ]

    # ---- flags and rates --------------------------------------------------------------------------------------------

    def widened(self, *, after_hours: bool = False, weekends: bool = False, holidays: bool = False) -> Calendar:
        """Return the calendar as an SLA target's flags widen it; whatever counted before still counts.

        ``after_hours``: days that have hours count around the clock. ``weekends``: Saturday and Sunday count, in their
        own windows when the calendar has some for them, else in those of the other of the two, else like the widest
        weekday; around the clock when ``after_hours`` is set too. ``holidays``: holidays count like the weekday they
        fall on. All three are 24x7.
        """
        return _widened(self, after_hours, weekends, holidays)

    def condition_at(self, at: datetime) -> Condition:
        """Return the rate condition of an instant: inside a window regular, else holiday before weekend before after-hours.

        A weekend day on which the calendar has windows is a working day like any other.
        """
        if self.is_open(at):
            return "regular"
        day = at.astimezone(zone_of(self.timezone)).date()
        if day in self.holidays:
            return "holiday"
        if day.weekday() >= _SATURDAY and not self.weekly[day.weekday()]:
            return "weekend"
        return "after_hours"

    def split_by_condition(self, start: datetime, end: datetime) -> list[tuple[Period, Condition]]:
        """Cut a stretch of work at the calendar's edges, in UTC; the parts add up to the whole seconds, in order."""
        zone = zone_of(self.timezone)
        first, last = epoch_second(start), epoch_second(end)
        edges = {first, last}
        for window in self.windows(start, end):
            edges |= {epoch_second(window.starts_at), epoch_second(window.ends_at)}
        day = start.astimezone(zone).date() + timedelta(days=1)
        while (midnight := epoch_second(instant_of(day, time(), zone))) < last:
            edges.add(midnight)
            day += timedelta(days=1)
        cuts = sorted(edge for edge in edges if first <= edge <= last)
        parts: list[tuple[Period, Condition]] = []
        for begins, ends in pairwise(cuts):
            part = _period(begins, ends)
            condition = self.condition_at(part.starts_at)
            if parts and parts[-1][1] == condition:
                part = Period(parts.pop()[0].starts_at, part.ends_at)
            parts.append((part, condition))
        return parts

    # ---- far from what is known -------------------------------------------------------------------------------------

    def _checked(self, at: int, seconds: int) -> Table:
        if seconds < 0:
            message = f"{seconds} seconds cannot elapse"
            raise OutOfRange(message)
        return self._timeline.covering(at, at)


def _no_zone(*instants: datetime) -> str:
    return f"{' or '.join(str(at) for at in instants if at.tzinfo is None)} has no zone"


def _period(first: int, last: int) -> Period:
    return Period(_instant(first, UTC), _instant(last, UTC))


@lru_cache(maxsize=1024)
def _from_text(text: str) -> Calendar:
    document = json.loads(text)
    if not isinstance(document, dict):
        message = "a calendar is a JSON object"
        raise BadWindow(message)
    return Calendar(
        timezone=document.get("timezone", ""),
        weekly=read_weekly(document.get("weekly", {})),
        holidays=read_holidays(document.get("holidays", [])),
        overrides=read_overrides(document.get("overrides", {})),
    )


@lru_cache(maxsize=1024)
def _widened(calendar: Calendar, after_hours: bool, weekends: bool, holidays: bool) -> Calendar:
    if not (after_hours or weekends or holidays):
        return calendar
    if after_hours and weekends and holidays:
        return Calendar(timezone=calendar.timezone, weekly=(ALWAYS,) * 7)
    week = widened_week(calendar.weekly, after_hours=after_hours, weekends=weekends)
    return Calendar(
        timezone=calendar.timezone,
        weekly=week,
        holidays=frozenset() if holidays else calendar.holidays,
        overrides=widened_overrides(
            calendar.overrides,
            week=week,
            after_hours=after_hours,
            like_weekdays=calendar.holidays if holidays else frozenset(),
        ),
    )
