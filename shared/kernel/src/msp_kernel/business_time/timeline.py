"""The open windows of a calendar as sorted epoch seconds, with running totals: what ``add`` and ``between`` bisect.

A timeline knows whole years, and learns more when it is asked about them. It knows nothing of flags, rates and JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msp_kernel.business_time.errors import OutOfRange
from msp_kernel.zones import instant_of

YEAR_MIN, YEAR_MAX = 1970, 2199
DAY_SECONDS = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Window = tuple[int, int]
"""Seconds of a local day: start in ``[0, 86400)``, end in ``(start, start + 86400]``; past 86400 is the next day."""

Table = tuple[int, int, list[int], list[int], list[int], list[int]]
"""``(covered_from, covered_until, starts, ends, before, closed)``, exact from ``covered_from`` up to ``covered_until``.

``starts`` and ``ends`` are the windows, then an empty one at ``covered_until``, so that every covered instant has a window
that ends after it. ``before[i]`` is the open time before window ``i`` (the last entry is the total), ``closed[i]`` the rest
of the time before it: ``starts[i] == before[i] + closed[i]``. ``closed`` has no entry for the empty window: asking
for it means that the answer lies beyond what is covered. All in seconds since 1970.
"""

_WINDOW_DAYS_MAX = 4
"""How far the instants of a day's windows can lie from that day in UTC: zones, midnight, and days a zone skipped."""


class Timeline:
    """The windows of one calendar. Only ever grows, and each growth is one new table: threads may share it."""

    __slots__ = ("_replaced", "_weekly", "_zone", "table")

    def __init__(
        self, zone: ZoneInfo, weekly: Sequence[Sequence[Window]], replaced: Mapping[date, Sequence[Window]]
    ) -> None:
        """Start with no years, or with all of them when the calendar never closes.

        ``weekly`` has seven entries from Monday on; ``replaced`` has the days whose windows are others than their weekday's.
        """
        self._zone, self._weekly, self._replaced = zone, weekly, replaced
        self.table: Table = (0, 0, [0], [0], [0], [])
        if all(_is_whole_day(windows) for windows in (*weekly, *replaced.values())):
            covered = year_start(YEAR_MIN), year_start(YEAR_MAX + 1)
            self.table = _tabulated([covered], *covered)

    def covering(self, first: int, last: int) -> Table:
        """Return a table that covers two epoch seconds and everything between them.

        Raises:
            OutOfRange: a year is not supported.
        """
        covered_from, covered_until, *_ = self.table
        if not covered_from <= first <= last < covered_until:
            from_year, to_year = year_of(first), year_of(last)
            if covered_from == covered_until:
                # Most answers lie in the year of the question or in the next one.
                self._learn(from_year, min(to_year + 1, YEAR_MAX))
            elif first < covered_from:
                self._learn(from_year, year_of(covered_from) - 1)
            if self.table[1] <= last:
                self._learn(year_of(self.table[1] - 1) + 1, to_year)
        return self.table

    def beyond(self, at: int) -> Table:
        """Return a table that covers an epoch second, and twice as many years as before if it was covered already.

        Raises:
            OutOfRange: there are no more supported years.
        """
        covered_from, covered_until, *_ = self.table
        if not covered_from <= at < covered_until:
            return self.covering(at, at)
        next_year = year_of(covered_until - 1) + 1
        if next_year > YEAR_MAX:
            message = f"the answer lies beyond the year {YEAR_MAX}"
            raise OutOfRange(message)
        self._learn(next_year, min(YEAR_MAX, 2 * next_year - year_of(covered_from) - 1))
        return self.table

    def _learn(self, from_year: int, to_year: int) -> None:
        covered_from, covered_until, starts, ends, _, _ = self.table
        begin, finish = year_start(from_year), year_start(to_year + 1)
        known = zip(starts[:-1], ends[:-1], strict=True)
        found = ((max(start, begin), min(end, finish)) for start, end in self._between_years(from_year, to_year))
        if covered_from < covered_until:
            begin, finish = min(begin, covered_from), max(finish, covered_until)
        self.table = _tabulated(merged([*known, *found]), begin, finish)

    def _between_years(self, from_year: int, to_year: int) -> Iterator[tuple[int, int]]:
        margin = timedelta(days=_WINDOW_DAYS_MAX)
        day, last = date(from_year, 1, 1) - margin, date(to_year, 12, 31) + margin
        while day <= last:
            windows = self._replaced.get(day)
            for start, end in self._weekly[day.weekday()] if windows is None else windows:
                yield self._second(day, start), self._second(day, end)
            day += timedelta(days=1)

    def _second(self, day: date, second: int) -> int:
        if second >= DAY_SECONDS:
            day, second = day + timedelta(days=1), second - DAY_SECONDS
        minutes, second = divmod(second, 60)
        return epoch_second(instant_of(day, time(minutes // 60, minutes % 60, second), self._zone))


def merged(windows: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return windows in order, those that meet made one, those that have no length left out."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(windows):
        if end <= start:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _tabulated(windows: Sequence[tuple[int, int]], covered_from: int, covered_until: int) -> Table:
    before, closed = [0], []
    for start, end in windows:
        closed.append(start - before[-1])
        before.append(before[-1] + end - start)
    starts = [*(start for start, _ in windows), covered_until]
    ends = [*(end for _, end in windows), covered_until]
    return covered_from, covered_until, starts, ends, before, closed


def _is_whole_day(windows: Sequence[Window]) -> bool:
    return any(start == 0 and end >= DAY_SECONDS for start, end in merged(windows))


def epoch_second(at: datetime) -> int:
    """Return whole seconds since 1970, rounded down.

    Raises:
        OutOfRange: the instant has no zone.
    """
    try:
        elapsed = at - EPOCH
    except TypeError:
        message = f"{at} has no zone"
        raise OutOfRange(message) from None
    return elapsed.days * DAY_SECONDS + elapsed.seconds


def year_start(year: int) -> int:
    """Return the epoch second at which a year begins in UTC."""
    return epoch_second(datetime(year, 1, 1, tzinfo=UTC))


def year_of(second: int) -> int:
    """Return the year of an epoch second in UTC.

    Raises:
        OutOfRange: calendars do not answer for that year.
    """
    if not year_start(YEAR_MIN) <= second < year_start(YEAR_MAX + 1):
        message = f"calendars answer for the years {YEAR_MIN} to {YEAR_MAX}"
        raise OutOfRange(message)
    return datetime.fromtimestamp(second, UTC).year
