"""When a bucket will be empty, told from how it was used so far: a day, and an interval that holds eight times of ten.

Everything is a whole number: the burn of a day is the mean of that weekday, recent weeks count more; its spread is the
mean square of what whole weeks differed from their mean; roots are whole, too (ADR 0027).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isqrt

WEEK = 7
HISTORY_DAYS_MIN = 4 * WEEK
"""Less says nothing about the spread of a week."""
HISTORY_DAYS_MAX = 26 * WEEK
HORIZON_DAYS_MAX = 400
WEEKS_OF_MEMORY = 6
"""How many weeks the mean looks back on."""
WEEKS_OF_TRUST = 2
"""The mean is as unsure as one of so few weeks: clients change their ways (chosen by back-tests, ADR 0027)."""
NORMAL_80_PERCENT = 1282
"""Thousandths of a standard deviation: 80 % of a normal distribution lies within."""
CONFIDENCE_PERCENT = 80


@dataclass(frozen=True, slots=True)
class Forecast:
    """Days from now until a bucket is empty; day 0 is today. ``None`` lies beyond the horizon."""

    days: int | None
    earliest_days: int | None
    latest_days: int | None
    weekly_minutes: int
    """What a week takes, as things go."""


@dataclass(frozen=True, slots=True)
class Day:
    """What is likely to have been used from now until the end of a day: in the middle, at least, at most."""

    expected_minutes: int
    least_minutes: int
    most_minutes: int


@dataclass(frozen=True, slots=True)
class BackTest:
    """How often intervals held that would have been told in the past."""

    held_count: int
    interval_count: int

    @property
    def coverage_percent(self) -> int | None:
        """Return the share of intervals that held, ``None`` when there were none."""
        return (
            None
            if self.interval_count == 0
            else (200 * self.held_count + self.interval_count) // (2 * self.interval_count)
        )


@dataclass(frozen=True, slots=True)
class Pace:
    """How a bucket is used. Means and spread are kept in 1/``denominator`` of a minute."""

    weekday_minutes: tuple[int, ...]
    """Mean of each day of the week, the first is that of the day after the history."""
    denominator: int
    weekly_variance: int
    """Mean square of the difference of a week, in square minutes."""

    def days(self, count: int) -> list[Day]:
        """Return what is likely to have been used by the end of each of the next days."""
        found, total = [], 0
        for day in range(count):
            total += self.weekday_minutes[day % WEEK]
            expected = total // self.denominator
            spread = isqrt(self._square_spread(day + 1))
            found.append(Day(expected, max(0, expected - spread), expected + spread))
        return found

    def _square_spread(self, days: int) -> int:
        """Return the square of how far use may be off after some days: chance, and an unsure mean."""
        # Chance grows with the days, the error of the mean with their square.
        of_days = self.weekly_variance * days * (days + WEEK * WEEKS_OF_TRUST)
        return of_days * NORMAL_80_PERCENT**2 // (WEEK * WEEK * WEEKS_OF_TRUST * 10**6)


def pace_of(history: Sequence[int]) -> Pace | None:
    """Return the pace of a history: minutes a day, oldest first, until yesterday. ``None`` when it is too short."""
    known = history[-HISTORY_DAYS_MAX:]
    weeks = [known[end - WEEK : end] for end in range(len(known), WEEK - 1, -WEEK)]
    if len(weeks) * WEEK < HISTORY_DAYS_MIN or not any(known):
        return None
    recent = weeks[:WEEKS_OF_MEMORY]
    # Newest first; the weight falls evenly, so that a change of pace is seen and one wild week is not all.
    weights = range(2 * len(recent), len(recent), -1)
    denominator = sum(weights)
    means = tuple(sum(weight * week[day] for weight, week in zip(weights, recent, strict=True)) for day in range(WEEK))
    sums = [sum(week) for week in weeks]
    mean = sum(sums) * 1000 // len(sums)
    squares = sum((1000 * each - mean) ** 2 for each in sums) // (10**6 * (len(sums) - 1))
    # A week of even the most regular work is never known to the minute.
    return Pace(means, denominator, max(1, squares))


def forecast(history: Sequence[int], *, available_minutes: int) -> Forecast | None:
    """Return when what is available will be used up; ``None`` when the history is too short, or nothing is used."""
    pace = pace_of(history)
    if pace is None:
        return None
    days = pace.days(HORIZON_DAYS_MAX)
    return Forecast(
        days=_first(day.expected_minutes >= available_minutes for day in days),
        earliest_days=_first(day.most_minutes >= available_minutes for day in days),
        latest_days=_first(day.least_minutes >= available_minutes for day in days),
        weekly_minutes=sum(pace.weekday_minutes) // pace.denominator,
    )


def back_test(history: Sequence[int]) -> BackTest:
    """Return how often intervals held that would have been told week by week, for a bucket of two, four and six weeks."""
    held = told = 0
    for origin in range(HISTORY_DAYS_MIN, len(history), WEEK):
        pace = pace_of(history[:origin])
        if pace is None:
            continue
        weekly = max(1, sum(pace.weekday_minutes) // pace.denominator)
        for weeks in (2, 4, 6):
            found = forecast(history[:origin], available_minutes=weeks * weekly)
            assert found is not None, "there is a pace"
            used, day = 0, None
            for number, minutes in enumerate(history[origin:]):
                used += minutes
                if used >= weeks * weekly:
                    day = number
                    break
            latest = HORIZON_DAYS_MAX if found.latest_days is None else found.latest_days
            if day is None and len(history) - origin <= latest:
                continue  # Nobody knows yet.
            told += 1
            earliest = HORIZON_DAYS_MAX if found.earliest_days is None else found.earliest_days
            held += day is not None and earliest <= day <= latest
    return BackTest(held, told)


def _first(claims: Iterable[bool]) -> int | None:
    return next((day for day, claim in enumerate(claims) if claim), None)
