"""Periods are half-open."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from msp_kernel.periods import (
    DatePeriod,
    InstantWithoutZone,
    NotWholeMonths,
    Period,
    PeriodReversed,
    day_of,
    midnight,
    month_of,
    whole_months,
)
from msp_kernel.zones import UnknownTimezone


def test_i2_the_first_of_july_is_not_in_june() -> None:
    june = month_of(date(2026, 6, 17))

    assert june == DatePeriod(date(2026, 6, 1), date(2026, 7, 1))
    assert not june.contains(date(2026, 7, 1))
    assert not june.overlaps(month_of(date(2026, 7, 1)))


def test_the_days_of_a_zone_are_not_the_days_of_another() -> None:
    june = month_of(date(2026, 6, 1)).in_zone("Europe/London")

    assert june == Period(datetime(2026, 5, 31, 23, tzinfo=UTC), datetime(2026, 6, 30, 23, tzinfo=UTC))
    assert day_of(datetime(2026, 6, 30, 23, 30, tzinfo=UTC), "Europe/London") == date(2026, 7, 1)
    assert june.seconds == 30 * 86_400


def test_periods_meet_without_overlapping() -> None:
    noon, one, two = (datetime(2026, 6, 1, hour, tzinfo=UTC) for hour in (12, 13, 14))

    assert not Period(noon, one).overlaps(Period(one, two))
    assert Period(noon, two).intersection(Period(one, two)) == Period(one, two)
    assert Period(noon, one).intersection(Period(one, two)) is None


def test_a_period_does_not_end_before_it_starts() -> None:
    with pytest.raises(PeriodReversed):
        DatePeriod(date(2026, 7, 1), date(2026, 7, 1))
    with pytest.raises(PeriodReversed):
        Period(datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))


def test_days_in_common_are_a_period_of_days() -> None:
    june, july = month_of(date(2026, 6, 1)), month_of(date(2026, 7, 1))
    weeks = DatePeriod(date(2026, 6, 25), date(2026, 7, 9))

    assert june.intersection(weeks) == DatePeriod(date(2026, 6, 25), date(2026, 7, 1))
    assert june.intersection(july) is None
    assert (june.days, june.contains(date(2026, 6, 30))) == (30, True)


def test_a_day_without_midnight_begins_when_the_clocks_go_on() -> None:
    assert midnight(date(2018, 11, 4), "America/Sao_Paulo") == datetime(2018, 11, 4, 3, tzinfo=UTC)


def test_local_times_and_unknown_zones_are_refused() -> None:
    with pytest.raises(InstantWithoutZone):
        Period(datetime(2026, 6, 1), datetime(2026, 7, 1))  # noqa: DTZ001 - the point of the test
    with pytest.raises(InstantWithoutZone):
        day_of(datetime(2026, 6, 1), "UTC")  # noqa: DTZ001 - the point of the test
    with pytest.raises(UnknownTimezone):
        midnight(date(2026, 6, 1), "Mars/Olympus")


def test_whole_months_follow_one_another_over_the_turn_of_a_year() -> None:
    months = whole_months(date(2026, 11, 1), date(2027, 2, 1))

    assert [one.starts_on for one in months] == [date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)]
    assert [one.ends_on for one in months[:-1]] == [one.starts_on for one in months[1:]]
    assert len(whole_months(date(2025, 1, 1), date(2027, 1, 1))) == 24


@pytest.mark.parametrize(
    ("starts_on", "ends_on"),
    [
        (date(2026, 6, 2), date(2026, 8, 1)),
        (date(2026, 6, 1), date(2026, 7, 31)),
        (date(2026, 6, 1), date(2026, 6, 1)),
        (date(2026, 6, 1), date(2026, 5, 1)),
        (date(2024, 12, 1), date(2027, 1, 1)),
    ],
)
def test_part_of_a_month_none_or_too_many_are_not_whole_months(starts_on: date, ends_on: date) -> None:
    with pytest.raises(NotWholeMonths):
        whole_months(starts_on, ends_on)
