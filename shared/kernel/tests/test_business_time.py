"""Business time: the rules of the domain, and properties against an independent oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msp_kernel.business_time import BadDay, BadWindow, Calendar, CalendarWithoutHours, OutOfRange, UnknownTimezone

HOUR = 3600
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo", "UTC")
YEAR = 2026


def weekdays(*windows: tuple[str, str], timezone: str = "Europe/London", **more: Any) -> Calendar:
    """Return a Monday-to-Friday calendar."""
    pairs = [list(window) for window in windows]
    return Calendar.from_json(
        {"timezone": timezone, "weekly": {day: pairs for day in oracle.WEEKDAYS[:5]}, "holidays": [], "overrides": {}, **more}
    )


def at(text: str) -> datetime:
    """Return an instant in the week of Monday, 9 November 2026: ``Mon 15:00``; a second week as ``+Mon 15:00``."""
    week = 1 if text.startswith("+") else 0
    day, clock = text.lstrip("+").split()
    first = datetime(2026, 11, 9, tzinfo=UTC) + timedelta(weeks=week)
    hours, minutes = clock.split(":")
    return first + timedelta(days=[name.capitalize() for name in oracle.WEEKDAYS].index(day), hours=int(hours), minutes=int(minutes))


# ---- vectors ------------------------------------------------------------------------------------------------------


def test_s1_four_hours_from_monday_afternoon_end_on_tuesday_morning() -> None:
    hours = weekdays(("08:00", "17:00"))

    assert hours.add(at("Mon 15:00"), 4 * HOUR) == at("Tue 10:00")
    consumed = hours.between(at("Mon 15:00"), at("Mon 16:00"))
    assert hours.add(at("Tue 09:00"), 4 * HOUR - consumed) == at("Tue 12:00")


def test_s2_the_weekend_does_not_count() -> None:
    hours = weekdays(("09:00", "17:00"))

    assert hours.add(at("Fri 15:00"), 4 * HOUR) == at("+Mon 11:00")
    consumed = hours.between(at("Fri 15:00"), at("Fri 16:00"))
    assert hours.add(at("+Mon 10:00"), 4 * HOUR - consumed) == at("+Mon 13:00")


def test_s3_the_rest_after_a_pause_runs_into_the_next_day() -> None:
    hours = weekdays(("09:00", "17:00"))

    consumed = hours.between(at("Mon 09:00"), at("Mon 10:00"))
    assert hours.add(at("Mon 15:00"), 4 * HOUR - consumed) == at("Tue 10:00")


def test_s4_an_hour_before_due_is_business_time_too() -> None:
    hours = weekdays(("08:00", "18:00"))

    assert hours.add(at("Mon 17:00"), 4 * HOUR) == at("Tue 11:00")
    assert hours.add(at("Mon 17:00"), 3 * HOUR) == at("Tue 10:00")


def test_s5_elapsed_time_jumps_over_the_hour_that_does_not_exist() -> None:
    always = weekdays(("00:00", "24:00"), timezone="Europe/Paris").widened(after_hours=True, weekends=True, holidays=True)
    paris = ZoneInfo("Europe/Paris")

    due = always.add(datetime(2026, 3, 29, 0, 30, tzinfo=paris), 4 * HOUR)

    assert due == datetime(2026, 3, 29, 5, 30, tzinfo=paris)


# ---- rules --------------------------------------------------------------------------------------------------------


def test_a_budget_that_ends_with_the_day_is_due_that_day() -> None:
    hours = weekdays(("09:00", "17:00"))

    assert hours.add(at("Mon 16:30"), HOUR // 2) == at("Mon 17:00")
    assert hours.add(at("Mon 17:00"), 0) == at("Tue 09:00")
    assert hours.add(at("Sat 12:00"), 0) == at("+Mon 09:00")
    assert hours.add(at("Mon 07:00"), HOUR) == at("Mon 10:00")


def test_a_reversed_range_is_empty() -> None:
    assert weekdays(("09:00", "17:00")).between(at("Tue 12:00"), at("Mon 12:00")) == 0


def test_windows_are_half_open() -> None:
    hours = weekdays(("09:00", "12:30"), ("13:30", "17:00"))

    assert [hours.is_open(at(f"Mon {clock}")) for clock in ("09:00", "12:30", "13:29", "13:30", "17:00")] == [
        True,
        False,
        False,
        True,
        False,
    ]
    assert hours.next_close(at("Mon 10:00")) == at("Mon 12:30")
    assert hours.next_open(at("Mon 12:30")) == at("Mon 13:30")


def test_an_override_replaces_the_day_and_a_holiday_closes_it() -> None:
    hours = weekdays(("09:00", "17:00"), holidays=["2026-11-10"], overrides={"2026-11-11": [["09:00", "12:00"]]})

    assert hours.between(at("Mon 00:00"), at("Thu 00:00")) == (8 + 0 + 3) * HOUR


def test_a_night_shift_runs_into_a_holiday_but_not_out_of_one() -> None:
    nights = Calendar.from_json(
        {"timezone": "UTC", "weekly": {"mon": [["22:00", "06:00"]], "tue": [["22:00", "06:00"]]}, "holidays": ["2026-11-10"]}
    )

    assert nights.is_open(at("Tue 03:00"))
    assert not nights.is_open(at("Tue 23:00"))
    assert not nights.is_open(at("Wed 03:00"))


def test_the_flags_of_a_target_widen_the_calendar() -> None:
    hours = weekdays(("09:00", "17:00"), holidays=["2026-11-10"])

    def open_hours(**flags: bool) -> int:
        return hours.widened(**flags).between(at("Mon 00:00"), at("+Mon 00:00")) // HOUR

    assert open_hours() == 4 * 8
    assert open_hours(after_hours=True) == 4 * 24
    assert open_hours(weekends=True) == 4 * 8 + 2 * 8
    assert open_hours(holidays=True) == 5 * 8
    assert open_hours(after_hours=True, weekends=True) == 6 * 24
    assert open_hours(after_hours=True, weekends=True, holidays=True) == 7 * 24


def test_work_is_cut_at_the_edges_of_the_calendar() -> None:
    hours = weekdays(("09:00", "17:00"), holidays=["2026-11-14"])

    parts = hours.split_by_condition(at("Fri 16:00"), at("Sun 01:00"))

    assert [(part.seconds // HOUR, condition) for part, condition in parts] == [
        (1, "regular"),
        (7, "after_hours"),
        (24, "holiday"),
        (1, "weekend"),
    ]


@pytest.mark.parametrize(
    ("document", "error", "says"),
    [
        ({"timezone": "Europe/London", "weekly": {}}, CalendarWithoutHours, "no opening hours"),
        ({"timezone": "Mars/Olympus", "weekly": {"mon": [["09:00", "17:00"]]}}, UnknownTimezone, "Mars/Olympus"),
        ({"timezone": "UTC", "weekly": {"mon": [["9", "17:00"]]}}, BadWindow, "weekly/mon"),
        ({"timezone": "UTC", "weekly": {"mon": [["09:00"]]}}, BadWindow, "pair"),
        ({"timezone": "UTC", "weekly": {"monday": []}}, BadWindow, "weekdays"),
        ({"timezone": "UTC", "weekly": {"mon": [["24:00", "01:00"]]}}, BadWindow, "24:00"),
        ({"timezone": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}, "holidays": ["25/12"]}, BadDay, "25/12"),
        ({"timezone": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}, "holidays": ["0001-01-01"]}, BadDay, "1970"),
    ],
)
def test_a_bad_calendar_is_refused_with_the_place(document: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        Calendar.from_json(document)


def test_instants_without_zone_or_outside_the_years_are_refused() -> None:
    hours = weekdays(("09:00", "17:00"))

    with pytest.raises(OutOfRange):
        hours.add(datetime(2026, 1, 1), 60)  # noqa: DTZ001 - the point of the test
    with pytest.raises(OutOfRange):
        hours.between(datetime(1, 1, 1, tzinfo=UTC), at("Mon 09:00"))
    with pytest.raises(OutOfRange):
        hours.add(at("Mon 09:00"), 10**12)


def test_it_answers_years_ahead() -> None:
    hours = weekdays(("09:00", "17:00"), timezone="UTC")

    assert hours.add(datetime(2026, 1, 1, 9, tzinfo=UTC), 261 * 8 * HOUR * 20).year == 2046


# ---- properties ---------------------------------------------------------------------------------------------------

_clock = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
_window = st.tuples(_clock, st.one_of(_clock, st.just("24:00"))).map(list)
_day = st.dates(datetime(YEAR, 1, 1).date(), datetime(YEAR, 12, 31).date()).map(str)  # noqa: DTZ001 - local days
_documents = st.fixed_dictionaries(
    {
        "timezone": st.sampled_from(ZONES),
        "weekly": st.dictionaries(st.sampled_from(oracle.WEEKDAYS), st.lists(_window, min_size=1, max_size=3), min_size=1),
        "holidays": st.lists(_day, max_size=3, unique=True),
        "overrides": st.dictionaries(_day, st.lists(_window, max_size=2), max_size=3),
    }
)
_instants = st.integers(0, 360 * 24 * 60).map(lambda minute: datetime(YEAR, 1, 2, tzinfo=UTC) + timedelta(minutes=minute))


@given(_documents, _instants, st.integers(0, 5 * 24 * 60))
@settings(max_examples=60, deadline=None)
def test_between_agrees_with_the_oracle(document: dict[str, Any], start: datetime, minutes: int) -> None:
    end = start + timedelta(minutes=minutes)

    assert Calendar.from_json(document).between(start, end) == oracle.between(document, start, end)


@given(_documents, _instants, st.integers(0, 24 * 60))
@settings(max_examples=40, deadline=None)
def test_add_agrees_with_the_oracle(document: dict[str, Any], start: datetime, minutes: int) -> None:
    assert Calendar.from_json(document).add(start, minutes * 60) == oracle.add(document, start, minutes)


@given(_documents, _instants)
@settings(max_examples=200, deadline=None)
def test_is_open_agrees_with_the_oracle(document: dict[str, Any], instant: datetime) -> None:
    assert Calendar.from_json(document).is_open(instant) == oracle.is_open(document, instant)


@given(_documents, _instants, st.integers(0, 10**6))
@settings(max_examples=300, deadline=None)
def test_add_and_between_are_inverse(document: dict[str, Any], start: datetime, seconds: int) -> None:
    calendar = Calendar.from_json(document)

    assert calendar.between(start, calendar.add(start, seconds)) == seconds


@given(_documents, st.lists(_instants, min_size=3, max_size=3).map(sorted))
@settings(max_examples=200, deadline=None)
def test_between_is_additive_and_add_is_monotone(document: dict[str, Any], instants: list[datetime]) -> None:
    calendar = Calendar.from_json(document)
    first, middle, last = instants

    assert calendar.between(first, middle) + calendar.between(middle, last) == calendar.between(first, last)
    assert calendar.add(first, 3600) <= calendar.add(middle, 3600) <= calendar.add(last, 3600)
    assert calendar.add(first, 1800) <= calendar.add(first, 3600)


@given(_documents, _instants, st.integers(1, 3 * 24 * 60))
@settings(max_examples=100, deadline=None)
def test_the_parts_of_work_add_up_to_the_whole(document: dict[str, Any], start: datetime, minutes: int) -> None:
    calendar = Calendar.from_json(document)
    end = start + timedelta(minutes=minutes)

    parts = calendar.split_by_condition(start, end)

    assert sum(part.seconds for part, _ in parts) == minutes * 60
    assert (parts[0][0].starts_at, parts[-1][0].ends_at) == (start, end)
    regular = sum(part.seconds for part, condition in parts if condition == "regular")
    assert regular == calendar.between(start, end)


@given(_documents)
@settings(max_examples=100, deadline=None)
def test_a_calendar_survives_the_round_trip(document: dict[str, Any]) -> None:
    calendar = Calendar.from_json(document)

    assert Calendar.from_json(calendar.to_json()) == calendar
