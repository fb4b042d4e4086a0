"""Business time: elapsed time inside the windows of a calendar.

A calendar is precomputed as sorted windows in epoch seconds with cumulative lengths, so that ``add`` and ``between`` are a
bisect and never a walk. It is extended by whole years when asked about instants it has not seen yet.

Rules (DOMAIN "Calendars and business time"): windows are ``[start, end)``; ``add(start, n)`` is the first instant at which
``n`` seconds have elapsed (16:30 + 30 min in 09:00-17:00 is 17:00 that day); a start outside hours counts from the next
opening, and ``add(start, 0)`` is that opening; ``between`` of a reversed range is 0. Precision is the second.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msp_kernel.periods import Period

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
YEAR_MIN, YEAR_MAX = 1970, 2199
DAY_SECONDS = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)

Condition = Literal["regular", "after_hours", "weekend", "holiday"]
Window = tuple[int, int]
"""Seconds of a local day: start in ``[0, 86400)``, end in ``(start, start + 86400]``; past 86400 is the next day."""


class CalendarWithoutHours(ValueError):
    """A calendar needs at least one window in its week."""


class UnknownTimezone(ValueError):
    """The zone is not in the IANA time zone database."""


class BadWindow(ValueError):
    """A window is not a pair of ``HH:MM`` texts."""


class BadDay(ValueError):
    """A holiday or an override is not an ISO date, or not in the supported years."""


class OutOfRange(ValueError):
    """The instant lies outside the years a calendar can answer for, or has no zone."""


@dataclass(frozen=True, slots=True)
class _Timeline:
    """Open windows in epoch seconds for the years ``[first_year, last_year]``, and the open seconds before each."""

    first_year: int
    last_year: int
    starts: list[int]
    ends: list[int]
    before: list[int]


@dataclass(frozen=True)
class Calendar:
    """When work counts: weekly windows, holidays and one-off overrides in one IANA zone. Immutable and shareable."""

    timezone: str
    weekly: tuple[tuple[Window, ...], ...]
    holidays: frozenset[date] = frozenset()
    overrides: tuple[tuple[date, tuple[Window, ...]], ...] = ()
    _lines: list[_Timeline] = field(default_factory=list, init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        _zone(self.timezone)
        if not any(self.weekly):
            raise CalendarWithoutHours("the calendar has no opening hours on any weekday")

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
        return _shared(json.dumps(document, sort_keys=True))

    def to_json(self) -> dict[str, Any]:
        """Return the document ``from_json`` takes."""
        return {
            "timezone": self.timezone,
            "weekly": {
                day: [_window_text(window) for window in windows]
                for day, windows in zip(WEEKDAYS, self.weekly, strict=True)
                if windows
            },
            "holidays": sorted(day.isoformat() for day in self.holidays),
            "overrides": {day.isoformat(): [_window_text(w) for w in windows] for day, windows in self.overrides},
        }

    # ---- asking ---------------------------------------------------------------------------------------------------

    def add(self, start: datetime, seconds: int) -> datetime:
        """Return the first instant at which ``seconds`` of business time have elapsed since ``start``, in UTC.

        Raises:
            OutOfRange: the answer lies beyond the supported years.
        """
        at = _epoch_seconds(start)
        line = self._covering(at, at)
        while True:
            index = bisect_right(line.ends, at)
            if index < len(line.starts):
                opened = line.before[index] + max(0, at - line.starts[index])
                target = opened + seconds
                # The window in which the target second ends: the last one that begins before it (at it, for 0).
                last = max(index, bisect_left(line.before, target) - 1)
                begin = line.starts[last] + target - line.before[last]
                if begin <= line.ends[last]:
                    return _EPOCH + timedelta(seconds=begin)
            line = self._extended(line)

    def between(self, start: datetime, end: datetime) -> int:
        """Return the business seconds from ``start`` to ``end``; 0 for a reversed range."""
        first, last = _epoch_seconds(start), _epoch_seconds(end)
        if last <= first:
            return 0
        line = self._covering(first, last)
        return _opened(line, last) - _opened(line, first)

    def is_open(self, at: datetime) -> bool:
        """Return whether an instant lies inside a window."""
        second = _epoch_seconds(at)
        line = self._covering(second, second)
        index = bisect_right(line.starts, second) - 1
        return index >= 0 and second < line.ends[index]

    def next_open(self, at: datetime) -> datetime:
        """Return the first instant at or after ``at`` that lies inside a window."""
        return self.add(at, 0)

    def next_close(self, at: datetime) -> datetime | None:
        """Return the end of the window at ``at``, or of the next one; ``None`` when it stays open for years."""
        second = _epoch_seconds(self.next_open(at))
        line = self._covering(second, second + 3 * 366 * DAY_SECONDS)
        index = bisect_right(line.starts, second) - 1
        is_last = index == len(line.ends) - 1
        return None if is_last else _EPOCH + timedelta(seconds=line.ends[index])

    def windows(self, start: datetime, end: datetime) -> list[Period]:
        """Return the open windows between two instants, clipped to them, oldest first."""
        first, last = _epoch_seconds(start), _epoch_seconds(end)
        if last <= first:
            return []
        line = self._covering(first, last)
        found: list[Period] = []
        for index in range(bisect_right(line.ends, first), bisect_left(line.starts, last)):
            opens, closes = max(line.starts[index], first), min(line.ends[index], last)
            found.append(Period(_EPOCH + timedelta(seconds=opens), _EPOCH + timedelta(seconds=closes)))
        return found

    def widened(self, *, after_hours: bool = False, weekends: bool = False, holidays: bool = False) -> Calendar:
        """Return the calendar as an SLA target's flags widen it.

        ``after_hours``: days that have hours count around the clock. ``weekends``: Saturday and Sunday count, in their
        own windows when the calendar has some for them, like the widest weekday when it has none, around the clock when
        ``after_hours`` is set too. ``holidays``: holidays count like the weekday they fall on. All three are 24x7.
        """
        return _widened(self, after_hours, weekends, holidays)

    def condition_at(self, at: datetime) -> Condition:
        """Return the rate condition of an instant: holiday before weekend before after-hours; inside a window regular.

        A weekend day on which the calendar has windows is a working day like any other.
        """
        if self.is_open(at):
            return "regular"
        day = datetime.fromtimestamp(_epoch_seconds(at), UTC).astimezone(_zone(self.timezone)).date()
        if day in self.holidays:
            return "holiday"
        if day.weekday() >= 5 and not self.weekly[day.weekday()]:
            return "weekend"
        return "after_hours"

    def split_by_condition(self, start: datetime, end: datetime) -> list[tuple[Period, Condition]]:
        """Cut a stretch of work at the calendar's edges; the parts add up to the whole, in order."""
        zone = _zone(self.timezone)
        edges = {start, end}
        for window in self.windows(start, end):
            edges |= {window.starts_at, window.ends_at}
        day = start.astimezone(zone).date() + timedelta(days=1)
        while (edge := datetime.combine(day, time(), zone).astimezone(UTC)) < end:
            edges.add(edge)
            day += timedelta(days=1)
        cuts = sorted(edge for edge in edges if start <= edge <= end)
        parts: list[tuple[Period, Condition]] = []
        for begins, ends in zip(cuts, cuts[1:], strict=False):
            condition = self.condition_at(begins)
            if parts and parts[-1][1] == condition:
                parts[-1] = (Period(parts[-1][0].starts_at, ends), condition)
            else:
                parts.append((Period(begins, ends), condition))
        return parts

    # ---- the precomputed timeline ---------------------------------------------------------------------------------

    def _covering(self, first: int, last: int) -> _Timeline:
        """Return a timeline that covers the years of two epoch seconds."""
        if self._lines and _within(self._lines[0], first, last):
            return self._lines[0]
        from_year, to_year = _year(first), _year(last)
        if self._lines:
            line = self._lines[0]
            from_year, to_year = min(from_year, line.first_year), max(to_year, line.last_year)
        return self._built(from_year, to_year)

    def _extended(self, line: _Timeline) -> _Timeline:
        years = line.last_year - line.first_year + 1
        if line.last_year >= YEAR_MAX:
            raise OutOfRange(f"the answer lies beyond the year {YEAR_MAX}")
        return self._built(line.first_year, min(YEAR_MAX, line.last_year + years))

    def _built(self, from_year: int, to_year: int) -> _Timeline:
        if from_year < YEAR_MIN or to_year > YEAR_MAX:
            raise OutOfRange(f"calendars answer for the years {YEAR_MIN} to {YEAR_MAX}")
        merged = _merged(self._local_windows(from_year, to_year))
        before, total = [], 0
        for opens, closes in merged:
            before.append(total)
            total += closes - opens
        line = _Timeline(
            from_year, to_year, [opens for opens, _ in merged], [closes for _, closes in merged], before
        )
        self._lines[:] = [line]
        return line

    def _local_windows(self, from_year: int, to_year: int) -> list[tuple[int, int]]:
        zone, replaced = _zone(self.timezone), dict(self.overrides)
        # A day on either side, because windows cross midnight and zones differ from UTC.
        day, last = date(from_year, 1, 1) - timedelta(days=2), date(to_year + 1, 1, 1) + timedelta(days=2)
        found: list[tuple[int, int]] = []
        while day < last:
            windows = replaced.get(day)
            if windows is None:
                windows = () if day in self.holidays else self.weekly[day.weekday()]
            for opens, closes in windows:
                begins, ends = _local_second(day, opens, zone), _local_second(day, closes, zone)
                if ends > begins:
                    found.append((begins, ends))
            day += timedelta(days=1)
        return found


def _within(line: _Timeline, first: int, last: int) -> bool:
    return _year_start(line.first_year) <= first and last < _year_start(line.last_year + 1)


@lru_cache(maxsize=512)
def _year_start(year: int) -> int:
    return (datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // _SECOND


def _year(second: int) -> int:
    try:
        return (_EPOCH + timedelta(seconds=second)).year
    except OverflowError:
        raise OutOfRange(f"calendars answer for the years {YEAR_MIN} to {YEAR_MAX}") from None


def _epoch_seconds(at: datetime) -> int:
    """Return whole epoch seconds, rounded down."""
    try:
        elapsed = at - _EPOCH
    except TypeError:
        raise OutOfRange(f"{at} has no zone") from None
    return elapsed.days * DAY_SECONDS + elapsed.seconds


def _opened(line: _Timeline, second: int) -> int:
    """Return the open seconds of a timeline before an instant."""
    index = bisect_right(line.starts, second) - 1
    if index < 0:
        return 0
    return line.before[index] + min(second, line.ends[index]) - line.starts[index]


def _local_second(day: date, second: int, zone: ZoneInfo) -> int:
    """Return the epoch second of a local time of day; past 86400 is the next day.

    A local time in a DST gap shifts forward by the gap, an ambiguous one means the first (``fold=0`` does both).
    """
    if second >= DAY_SECONDS:
        day, second = day + timedelta(days=1), second - DAY_SECONDS
    local = datetime.combine(day, time(second // 3600, second % 3600 // 60, second % 60), zone)
    return _epoch_seconds(local.astimezone(UTC))


def _merged(windows: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for opens, closes in sorted(windows):
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(closes, merged[-1][1]))
        else:
            merged.append((opens, closes))
    return merged


@lru_cache(maxsize=128)
def _widened(calendar: Calendar, after_hours: bool, weekends: bool, holidays: bool) -> Calendar:  # noqa: FBT001 - private, cached by position
    around_the_clock: tuple[Window, ...] = ((0, DAY_SECONDS),)
    week = list(calendar.weekly)
    if weekends:
        widest = max(calendar.weekly[:5], key=lambda day: sum(end - start for start, end in day))
        for day in (5, 6):
            week[day] = around_the_clock if after_hours else (week[day] or widest or around_the_clock)
    if after_hours:
        week = [around_the_clock if windows else () for windows in week]
    if after_hours and weekends and holidays:
        return Calendar(timezone=calendar.timezone, weekly=(around_the_clock,) * 7)
    overrides = calendar.overrides
    if after_hours:
        overrides = tuple((day, around_the_clock if windows else ()) for day, windows in overrides)
    return Calendar(
        timezone=calendar.timezone,
        weekly=tuple(week),
        holidays=frozenset() if holidays else calendar.holidays,
        overrides=overrides,
    )


# ---- reading ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _shared(text: str) -> Calendar:
    document = json.loads(text)
    weekly = document.get("weekly", {})
    if not isinstance(weekly, dict) or not set(weekly) <= set(WEEKDAYS):
        raise BadWindow(f"weekly has the weekdays {', '.join(WEEKDAYS)}")
    return Calendar(
        timezone=document.get("timezone", ""),
        weekly=tuple(_windows(weekly.get(day, []), place=f"weekly/{day}") for day in WEEKDAYS),
        holidays=frozenset(_day(text, place="holidays") for text in document.get("holidays", [])),
        overrides=tuple(
            sorted(
                (_day(text, place="overrides"), _windows(windows, place=f"overrides/{text}"))
                for text, windows in document.get("overrides", {}).items()
            )
        ),
    )


def _windows(pairs: Any, *, place: str) -> tuple[Window, ...]:
    if not isinstance(pairs, list):
        raise BadWindow(f"{place} is a list of pairs like [\"09:00\", \"17:00\"]")
    windows: list[Window] = []
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise BadWindow(f"{place} has {pair!r}; a window is a pair like [\"09:00\", \"17:00\"]")
        opens, closes = (_second_of_day(text, place=place) for text in pair)
        if opens == DAY_SECONDS:
            raise BadWindow(f"{place} starts at 24:00; write 00:00 of the next day")
        windows.append((opens, closes if closes > opens else closes + DAY_SECONDS))
    return tuple(sorted(windows))


def _second_of_day(text: Any, *, place: str) -> int:
    if isinstance(text, str) and len(text) == 5 and text[2] == ":" and (text[:2] + text[3:]).isdecimal():
        hours, minutes = int(text[:2]), int(text[3:])
        if minutes < 60 and (hours < 24 or (hours == 24 and minutes == 0)):
            return hours * 3600 + minutes * 60
    raise BadWindow(f"{place} has {text!r}; a time is HH:MM from 00:00 to 24:00")


def _window_text(window: Window) -> list[str]:
    opens, closes = window
    closes = closes if closes <= DAY_SECONDS else closes - DAY_SECONDS
    return [f"{second // 3600:02}:{second % 3600 // 60:02}" for second in (opens, closes)]


def _day(text: Any, *, place: str) -> date:
    try:
        day = date.fromisoformat(text)
    except (ValueError, TypeError):
        raise BadDay(f"{place} has {text!r}; a day is YYYY-MM-DD") from None
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise BadDay(f"{place} has {text!r}; years run from {YEAR_MIN} to {YEAR_MAX}")
    return day


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        raise UnknownTimezone(f"{name!r} is not an IANA time zone, such as Europe/London") from None
