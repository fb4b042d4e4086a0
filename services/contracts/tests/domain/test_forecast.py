"""Forecasts of buckets: pace, interval, and that the intervals hold as often as they say."""

from __future__ import annotations

import random

from hypothesis import given, settings, strategies as st

from contracts.domain.forecast import HISTORY_DAYS_MIN, WEEK, back_test, forecast, pace_of

BUSY = (20, 22, 21, 20, 16, 2, 1)
"""How many of a hundred pieces of work fall on each day of the week."""


def a_history(seed: int, *, weeks: int = 26) -> list[int]:
    """Return minutes a day as a help desk sees them: quarters of an hour, quiet weekends, a pace that drifts."""
    chance = random.Random(seed)  # noqa: S311 - a history, not a secret
    weekly = chance.randint(10, 120)
    days = []
    for _ in range(weeks):
        weekly = max(3, weekly * chance.randint(88, 113) // 100)
        for share in BUSY:
            pieces = sum(chance.randrange(10_000) < weekly * share for _ in range(100))
            days.append(sum(15 * chance.choice((1, 1, 2, 2, 3, 4, 6, 8)) for _ in range(pieces)))
    return days


def test_an_even_pace_is_told_to_the_day() -> None:
    found = forecast([60] * 56, available_minutes=600)

    assert found is not None
    assert (found.days, found.weekly_minutes) == (9, 420)
    assert found.earliest_days is not None
    assert found.latest_days is not None
    assert found.earliest_days <= 9 <= found.latest_days


def test_quiet_weekends_are_expected() -> None:
    found = forecast([60, 60, 60, 60, 60, 0, 0] * 6, available_minutes=301)

    assert found is not None
    assert found.days == 7, "five days of work leave a minute, and then comes the weekend"


def test_a_short_or_an_idle_history_says_nothing() -> None:
    assert forecast([60] * (HISTORY_DAYS_MIN - 1), available_minutes=600) is None
    assert forecast([0] * 60, available_minutes=600) is None
    assert back_test([60] * 10).coverage_percent is None


def test_an_empty_bucket_is_empty_today() -> None:
    found = forecast([60] * 56, available_minutes=0)

    assert found is not None
    assert (found.earliest_days, found.days, found.latest_days) == (0, 0, 0)


def test_what_lies_beyond_the_horizon_is_not_told() -> None:
    found = forecast([1] * 56, available_minutes=10**6)

    assert found is not None
    assert (found.days, found.latest_days) == (None, None)


def test_between_seventy_and_ninety_percent_of_intervals_hold() -> None:
    told = [back_test(a_history(seed)) for seed in range(40)]

    held, intervals = sum(one.held_count for one in told), sum(one.interval_count for one in told)

    assert intervals > 1500
    assert 70 <= 100 * held / intervals <= 90


@given(
    history=st.lists(st.integers(0, 2000), min_size=HISTORY_DAYS_MIN, max_size=120),
    available=st.integers(0, 50_000),
    more=st.integers(0, 5_000),
)
@settings(deadline=None, max_examples=60)
def test_the_interval_holds_the_day_and_more_minutes_last_longer(history: list[int], available: int, more: int) -> None:
    found, later = forecast(history, available_minutes=available), forecast(history, available_minutes=available + more)

    if found is None or later is None:
        assert not any(history)
        return
    days = [400 if day is None else day for day in (found.earliest_days, found.days, found.latest_days)]
    assert days == sorted(days)
    assert found.days is None or later.days is None or found.days <= later.days


@given(history=st.lists(st.integers(0, 2000), min_size=HISTORY_DAYS_MIN, max_size=90))
@settings(deadline=None, max_examples=40)
def test_expected_use_only_grows(history: list[int]) -> None:
    pace = pace_of(history)
    if pace is None:
        return

    expected = [day.expected_minutes for day in pace.days(5 * WEEK)]

    assert expected == sorted(expected)
