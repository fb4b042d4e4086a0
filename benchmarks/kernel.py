"""Calendar arithmetic per second: ours, a bare bisect on the same lists, and two business-time libraries of PyPI.

Everyone gets the same working week, instants and budget, and has to give the same answers. workalendar counts whole days
and knows no hours, so ``WorkalendarHours`` asks it for days and does the rest; its bare calls, which answer less, are
reported beside. The floor is the least that answers the question
from and to a ``datetime``: it has no zones, no checks and no years to learn. ``bisect_pair`` is the two look-ups alone, on
integers that are ready: what no ``datetime`` can reach, reported so that the floor can be judged.
"""

from __future__ import annotations

import datetime as dt
import random
import sys
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any

import businesstimedelta
from workalendar.core import Calendar as WorkingDays

from msp_kernel.business_time import Calendar

COUNT = 50_000
PEER_COUNT = 500
ROUNDS = 5
YEAR_DAYS = 365
BUDGET_HOURS = 40
"""A week of work: what a low-priority promise is. Libraries that step from window to window take five steps."""
HOURS = {"timezone": "UTC", "weekly": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

OPENS_SECOND, DAY_OPEN_SECONDS = 9 * 3600, 8 * 3600


class FiveDays(WorkingDays):  # type: ignore[misc]
    """workalendar with the same week, without holidays."""

    WEEKEND_DAYS = (5, 6)
    include_new_years_day = False


class WorkalendarHours:
    """The same question put to workalendar: it finds and counts the days, the hours are simple arithmetic."""

    def __init__(self) -> None:
        self.days = FiveDays()

    def add(self, at: dt.datetime, seconds: int) -> dt.datetime:
        """Return when ``seconds``, at least one, have elapsed."""
        day = at.date()
        if self.days.is_working_day(day):
            used = self._used(at)
        else:
            day, used = self.days.add_working_days(day, 1), 0
        whole, rest = divmod(used + seconds - 1, DAY_OPEN_SECONDS)
        day = self.days.add_working_days(day, whole) if whole else day
        return dt.datetime.combine(day, dt.time(9), dt.UTC) + dt.timedelta(seconds=rest + 1)

    def between(self, first: dt.datetime, last: dt.datetime) -> int:
        """Return the open seconds of a range."""
        first_on, last_on = first.date(), last.date()
        found: int = self.days.get_working_days_delta(first_on, last_on) * DAY_OPEN_SECONDS
        if self.days.is_working_day(first_on):
            found += DAY_OPEN_SECONDS - self._used(first)
        if self.days.is_working_day(last_on):
            found -= DAY_OPEN_SECONDS - self._used(last)
        return found

    def _used(self, at: dt.datetime) -> int:
        second = at.hour * 3600 + at.minute * 60 + at.second
        return min(max(second - OPENS_SECOND, 0), DAY_OPEN_SECONDS)


def rate(work: Callable[[Any, Any], object], arguments: Sequence[tuple[Any, Any]]) -> float:
    """Return the best rate of several rounds, in calls per second."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for first, second in arguments:
            work(first, second)
        best = min(best, time.perf_counter() - started)
    return len(arguments) / best


def bare_bisect(
    starts: list[int], before: list[int]
) -> tuple[Callable[[dt.datetime, int], dt.datetime], Callable[[dt.datetime, dt.datetime], int]]:
    """Return the smallest ``add`` and ``between`` that lists of windows allow; right for windows of 8 hours only."""

    def opened(at: dt.datetime) -> int:
        elapsed = at - EPOCH
        second = elapsed.days * 86_400 + elapsed.seconds
        index = bisect_right(starts, second) - 1
        return before[index] + min(second - starts[index], DAY_OPEN_SECONDS)

    def add(at: dt.datetime, seconds: int) -> dt.datetime:
        target = opened(at) + seconds
        index = bisect_left(before, target) - 1
        return dt.datetime.fromtimestamp(starts[index] + target - before[index], dt.UTC)

    def between(first: dt.datetime, last: dt.datetime) -> int:
        return opened(last) - opened(first)

    return add, between


def bisect_pair_rate(starts: list[int], before: list[int], instants: list[dt.datetime]) -> float:
    """Return how many pairs of look-ups a loop makes in a second when nothing else is to be done."""
    seconds = [int(at.timestamp()) for at in instants]
    pairs = [(second, before[bisect_right(starts, second) - 1] + BUDGET_HOURS * 3600) for second in seconds]
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for second, target in pairs:
            bisect_right(starts, second)
            bisect_left(before, target)
        best = min(best, time.perf_counter() - started)
    return len(pairs) / best


def run() -> dict[str, Any]:
    """Measure, and return rates per second with the ratios that matter."""
    calendar = Calendar.from_json(HOURS)
    # The weeks around the year are for the ranges that end after it.
    windows = calendar.windows(dt.datetime(2025, 12, 1, tzinfo=dt.UTC), dt.datetime(2027, 3, 1, tzinfo=dt.UTC))
    starts = [int(window.starts_at.timestamp()) for window in windows]
    before = [DAY_OPEN_SECONDS * index for index in range(len(starts))]

    dice = random.Random(1)
    first = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    instants = [first + dt.timedelta(seconds=dice.randrange(YEAR_DAYS * 86_400)) for _ in range(COUNT)]
    adds = [(at, BUDGET_HOURS * 3600) for at in instants]
    ranges = [(at, calendar.add(at, BUDGET_HOURS * 3600)) for at in instants]

    floor_add, floor_between = bare_bisect(starts, before)
    rules = businesstimedelta.Rules(
        [businesstimedelta.WorkDayRule(dt.time(9), dt.time(17), working_days=[0, 1, 2, 3, 4])]
    )
    budget = businesstimedelta.BusinessTimeDelta(rules, hours=BUDGET_HOURS)
    hours, days = WorkalendarHours(), FiveDays()
    contestants: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any], int]] = {
        "": (calendar.add, calendar.between, COUNT),
        "bare_bisect_": (floor_add, floor_between, COUNT),
        "businesstimedelta_": (lambda at, _: at + budget, rules.difference, PEER_COUNT),
        "workalendar_": (hours.add, hours.between, PEER_COUNT),
    }
    found: dict[str, Any] = {"bisect_pair_per_second": bisect_pair_rate(starts, before, instants)}
    for name, (add, between, count) in contestants.items():
        _refuse_other_answers(add, between, ranges[:PEER_COUNT])
        found[f"{name}add_per_second"] = rate(add, adds[:count])
        found[f"{name}between_per_second"] = rate(between, ranges[:count])
    few_days = [(at.date(), end.date()) for at, end in ranges[:PEER_COUNT]]
    found["workalendar_days_add_per_second"] = rate(
        days.add_working_days, [(day, BUDGET_HOURS // 8) for day, _ in few_days]
    )
    found["workalendar_days_between_per_second"] = rate(days.get_working_days_delta, few_days)
    for verb in ("add", "between"):
        ours = found[f"{verb}_per_second"]
        found[f"{verb}_to_bisect_pair"] = round(ours / found["bisect_pair_per_second"], 2)
        found[f"{verb}_to_bare_bisect"] = round(ours / found[f"bare_bisect_{verb}_per_second"], 2)
        for peer in ("businesstimedelta", "workalendar", "workalendar_days"):
            found[f"{verb}_to_{peer}"] = round(ours / found[f"{peer}_{verb}_per_second"], 1)
    return {name: round(value) if name.endswith("per_second") else value for name, value in found.items()}


def _refuse_other_answers(
    add: Callable[[Any, Any], Any],
    between: Callable[[Any, Any], Any],
    ranges: Sequence[tuple[dt.datetime, dt.datetime]],
) -> None:
    """Let those through who answer as the kernel does: the speed of a wrong answer means nothing."""
    for start, end in ranges:
        elapsed = between(start, end)
        seconds = elapsed if isinstance(elapsed, int) else elapsed.timedelta.total_seconds()
        answer = add(start, BUDGET_HOURS * 3600), seconds
        if answer != (end, BUDGET_HOURS * 3600):
            message = f"from {start} to {end} someone counts {answer}"
            raise AssertionError(message)


def goals(found: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return each goal in words and whether it was reached."""
    return [
        (f"kernel {verb}: {text} ({value})", value >= least)
        for verb in ("add", "between")
        for text, value, least in (
            ("half of a bare bisect", found[f"{verb}_to_bare_bisect"], 0.5),
            ("10 times businesstimedelta", found[f"{verb}_to_businesstimedelta"], 10),
            ("10 times workalendar", found[f"{verb}_to_workalendar"], 10),
        )
    ]


def main() -> None:
    """Measure and print."""
    found = run()
    lines = [f"{name:38} {value:>14,}" for name, value in found.items()]
    lines += [f"{'reached' if is_reached else 'MISSED':8} {text}" for text, is_reached in goals(found)]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
