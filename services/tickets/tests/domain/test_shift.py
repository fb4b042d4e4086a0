"""Shifts on the wall, through midnight, Sunday night and the change of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists, tuples

from tickets.domain.shift import WEEK_MINUTES, BadShift, Shift, ShiftsOverlap, check, is_on_shift, week_minutes

OFFICE = [Shift.of(day, "09:00", "17:00") for day in ("mon", "tue", "wed", "thu", "fri")]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "is_on"),
    [
        ("2026-11-23 08:59", False),  # Monday, London in winter
        ("2026-11-23 09:00", True),
        ("2026-11-23 16:59", True),
        ("2026-11-23 17:00", False),
        ("2026-11-28 10:00", False),  # Saturday
        ("2026-07-06 08:00", True),  # Monday in summer: nine on the wall
    ],
)
def test_a_shift_is_kept_on_the_wall_of_the_agent(instant: str, is_on: bool) -> None:
    assert is_on_shift(OFFICE, at(instant), "Europe/London") is is_on


def test_a_night_from_sunday_to_monday_is_one_shift() -> None:
    night = [Shift.of("sun", "22:00", "06:00")]

    assert [
        is_on_shift(night, at(text), "UTC") for text in ("2026-11-22 23:00", "2026-11-23 05:59", "2026-11-23 06:00")
    ] == [
        True,
        True,
        False,
    ]
    assert night[0].shown() == ("sun", "22:00", "06:00")


def test_without_shifts_somebody_always_works() -> None:
    assert is_on_shift([], at("2026-12-25 03:00"), "UTC")


@pytest.mark.parametrize(
    "shifts",
    [
        (("mon", "09:00", "12:00"), ("mon", "11:59", "15:00")),
        (("mon", "22:00", "06:00"), ("tue", "05:00", "09:00")),
        (("sun", "22:00", "06:00"), ("mon", "05:00", "09:00")),
        (("wed", "09:00", "17:00"), ("wed", "09:00", "17:00")),
    ],
)
def test_overlapping_shifts_are_refused(shifts: tuple[tuple[str, str, str], ...]) -> None:
    with pytest.raises(ShiftsOverlap):
        check(Shift.of(*one) for one in shifts)


def test_shifts_that_only_touch_are_fine() -> None:
    assert week_minutes(check([Shift.of("mon", "12:00", "15:00"), Shift.of("mon", "09:00", "12:00")])) == 360


@pytest.mark.parametrize(
    "bad", [("mon", "9", "17:00"), ("mon", "24:00", "06:00"), ("today", "09:00", "10:00"), ("mon", "09:60", "10:00")]
)
def test_days_and_times_that_do_not_exist_are_refused(bad: tuple[str, str, str]) -> None:
    with pytest.raises(BadShift):
        Shift.of(*bad)


@given(lists(tuples(integers(0, WEEK_MINUTES - 1), integers(1, 1440)), min_size=1, max_size=6))
def test_shifts_are_accepted_exactly_when_no_minute_is_in_two(spans: list[tuple[int, int]]) -> None:
    shifts = [Shift(start, start + length) for start, length in spans]
    minutes = [minute % WEEK_MINUTES for one in shifts for minute in range(one.starts_minute, one.ends_minute)]

    try:
        check(shifts)
    except ShiftsOverlap:
        assert len(set(minutes)) < len(minutes)
    else:
        assert len(set(minutes)) == len(minutes)
