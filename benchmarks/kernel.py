"""Calendar arithmetic per second: ours, a bare bisect on the same lists, and two business-time libraries of PyPI."""

from __future__ import annotations

import datetime as dt
import random
import time
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import businesstimedelta
import pytz
from msp_kernel.business_time import Calendar
from workalendar.europe import UnitedKingdom

COUNT = 100_000
BUDGET_HOURS = 40
"""A week of work: what a low-priority promise is. Libraries that step from window to window take five steps."""
PEER_COUNT = 1_000
HOURS = {"timezone": "UTC", "weekly": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}


def rate(work: Callable[[dt.datetime], Any], instants: list[dt.datetime], repeats: int = 3) -> float:
    """Return the best rate of several rounds, in calls per second."""
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        for instant in instants:
            work(instant)
        best = min(best, time.perf_counter() - started)
    return len(instants) / best


def bare_bisect() -> tuple[Callable[[dt.datetime], dt.datetime], Callable[[dt.datetime], int]]:
    """Return the smallest ``add`` (a budget) and ``between`` that lists of windows allow: no rules, no checks, no zones."""
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    starts, before, total = [], [], 0
    day = int(dt.datetime(2025, 12, 29, 9, tzinfo=dt.UTC).timestamp())
    for number in range(400):
        if number % 7 < 5:
            starts.append(day + number * 86_400)
            before.append(total)
            total += 28_800

    def opened(at: dt.datetime) -> int:
        elapsed = at - epoch
        second = elapsed.days * 86_400 + elapsed.seconds
        index = bisect_right(starts, second) - 1
        return before[index] + min(second - starts[index], 28_800)

    def add(at: dt.datetime) -> dt.datetime:
        target = opened(at) + BUDGET_HOURS * 3600
        index = bisect_right(before, target) - 1
        return epoch + dt.timedelta(seconds=starts[index] + target - before[index])

    return add, opened


def run() -> dict[str, Any]:
    """Measure, and return rates with the ratios that matter."""
    dice = random.Random(1)  # noqa: S311 - the same instants every time
    first = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    instants = [first + dt.timedelta(seconds=dice.randrange(300 * 86_400)) for _ in range(COUNT)]
    calendar = Calendar.from_json(HOURS)
    floor_add, floor_opened = bare_bisect()
    rules = businesstimedelta.Rules(
        [businesstimedelta.WorkDayRule(dt.time(9), dt.time(17), working_days=[0, 1, 2, 3, 4], tz=pytz.utc)]
    )
    budget = businesstimedelta.BusinessTimeDelta(rules, hours=BUDGET_HOURS)
    country = UnitedKingdom()
    few = instants[:PEER_COUNT]
    found: dict[str, Any] = {
        "add_per_second": rate(lambda at: calendar.add(at, BUDGET_HOURS * 3600), instants),
        "between_per_second": rate(lambda at: calendar.between(first, at), instants),
        "bare_bisect_add_per_second": rate(floor_add, instants),
        "bare_bisect_between_per_second": rate(lambda at: floor_opened(at) - floor_opened(first), instants),
        "businesstimedelta_add_per_second": rate(lambda at: at + budget, few),
        "businesstimedelta_between_per_second": rate(lambda at: rules.difference(first, at), few[:100]),
        # Whole working days only: it knows no hours, so this flatters it.
        "workalendar_add_per_second": rate(lambda at: country.add_working_days(at.date(), BUDGET_HOURS // 8), few),
        "workalendar_between_per_second": rate(
            lambda at: country.get_working_days_delta(first.date(), at.date()), few[:100]
        ),
    }
    for verb in ("add", "between"):
        ours = found[f"{verb}_per_second"]
        found[f"{verb}_to_bare_bisect"] = round(ours / found[f"bare_bisect_{verb}_per_second"], 2)
        for peer in ("businesstimedelta", "workalendar"):
            found[f"{verb}_to_{peer}"] = round(ours / found[f"{peer}_{verb}_per_second"], 1)
    return {name: round(value) if name.endswith("per_second") else value for name, value in found.items()}


def goals(found: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return each goal in words and whether it was reached.

    workalendar adds whole days and knows no hours: a bare bisect is itself less than ten times as fast, so that pair is
    listed as it is.
    """
    return [
        (f"kernel {verb}: {text} ({value})", value >= least)
        for verb in ("add", "between")
        for text, value, least in (
            ("half of a bare bisect", found[f"{verb}_to_bare_bisect"], 0.5),
            ("10 times businesstimedelta", found[f"{verb}_to_businesstimedelta"], 10),
            ("10 times workalendar", found[f"{verb}_to_workalendar"], 10),
        )
    ]
