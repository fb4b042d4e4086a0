"""Time as people type it."""

from __future__ import annotations

from datetime import UTC, date, time

import pytest
from hypothesis import given
from hypothesis.strategies import integers, text, times

from tickets.domain.quick_time import QuickTime, TimeNotUnderstood, TooMuchTime, parse, shown


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("45m", 45),
        ("45 min", 45),
        ("90", 90),
        ("1h15", 75),
        ("1h 15m", 75),
        ("2h", 120),
        ("1.25", 75),
        ("1,5", 90),
        (".5", 30),
        ("0.33h", 20),
        ("1:15", 75),
        ("24h", 1440),
    ],
)
def test_durations_are_understood(typed: str, minutes: int) -> None:
    assert parse(typed) == QuickTime(minutes)


@pytest.mark.parametrize(
    ("typed", "minutes", "begins"),
    [
        ("14:00-14:45", 45, time(14)),
        ("9-10:30", 90, time(9)),
        ("14:00 – 14:45", 45, time(14)),
        ("23:30-00:15", 45, time(23, 30)),
        ("08:00-24:00", 960, time(8)),
    ],
)
def test_ranges_are_understood_also_past_midnight(typed: str, minutes: int, begins: time) -> None:
    assert parse(typed) == QuickTime(minutes, begins)


@pytest.mark.parametrize("typed", ["", "soon", "1h75", "1:75", "25:00-26:00", "-5", "1e3", "45x", "１２ apples"])
def test_what_is_no_time_is_told_with_what_is(typed: str) -> None:
    with pytest.raises(TimeNotUnderstood, match="45m, 1h15, 1.25"):
        parse(typed)


@pytest.mark.parametrize("typed", ["25h", "0m", "1441", "24.5"])
def test_more_than_a_day_and_nothing_are_refused(typed: str) -> None:
    with pytest.raises(TooMuchTime):
        parse(typed)


def test_a_range_begins_on_the_wall_of_its_zone() -> None:
    began = parse("14:00-14:45").worked_from(on=date(2026, 7, 1), timezone="Europe/Paris")

    assert began is not None
    assert f"{began.astimezone(UTC):%Y-%m-%d %H:%M}" == "2026-07-01 12:00"


@given(minutes=integers(1, 1440))
def test_what_is_shown_is_read_back(minutes: int) -> None:
    assert parse(shown(minutes)).minutes == minutes


@given(hours=integers(0, 23), hundredths=integers(0, 99))
def test_decimal_hours_are_rounded_to_the_nearest_minute(hours: int, hundredths: int) -> None:
    exact_hundredths_of_minutes = hours * 6000 + hundredths * 60
    if exact_hundredths_of_minutes < 50:
        return

    minutes = parse(f"{hours}.{hundredths:02d}").minutes

    assert abs(minutes * 100 - exact_hundredths_of_minutes) <= 50


@given(first=times(), last=times())
def test_a_range_lasts_from_its_first_to_its_last_minute(first: time, last: time) -> None:
    found = parse(f"{first:%H:%M}-{last:%H:%M}")

    ends = (first.hour * 60 + first.minute + found.minutes) % 1440
    assert ends == last.hour * 60 + last.minute
    assert 1 <= found.minutes <= 1440


@given(typed=text(max_size=40))
def test_any_text_is_a_time_or_is_refused(typed: str) -> None:
    try:
        found = parse(typed)
    except (TimeNotUnderstood, TooMuchTime):
        return
    assert 1 <= found.minutes <= 1440
