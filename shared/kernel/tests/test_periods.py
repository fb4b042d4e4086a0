"""Periods are half-open."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from msp_kernel.periods import DatePeriod, Period, PeriodReversed, day_of, month_of


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
