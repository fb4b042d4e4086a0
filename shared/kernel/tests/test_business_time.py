"""Business time: the vectors and the rules of the domain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import oracle
import pytest
from calendars import HOUR, at, weekdays

from msp_kernel.business_time import BadDay, BadWindow, Calendar, CalendarWithoutHours, OutOfRange, UnknownTimezone

OFFICE = {"mon": [["09:00", "17:00"]]}
BERLIN = ZoneInfo("Europe/Berlin")


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
    always = weekdays(("00:00", "24:00"), timezone="Europe/Paris").widened(
        after_hours=True, weekends=True, holidays=True
    )
    paris = ZoneInfo("Europe/Paris")

    due = always.add(datetime(2026, 3, 29, 0, 30, tzinfo=paris), 4 * HOUR)

    assert due == datetime(2026, 3, 29, 5, 30, tzinfo=paris)


# ---- rules --------------------------------------------------------------------------------------------------------


def test_a_budget_that_ends_with_the_day_is_due_that_day() -> None:
    hours = weekdays(("09:00", "17:00"))

    assert hours.add(at("Mon 16:30"), HOUR // 2) == at("Mon 17:00")
    assert hours.add(at("Mon 16:30"), HOUR // 2 + 8 * HOUR) == at("Tue 17:00")
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
        {
            "timezone": "UTC",
            "weekly": {"mon": [["22:00", "06:00"]], "tue": [["22:00", "06:00"]]},
            "holidays": ["2026-11-10"],
        }
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


def test_the_flags_respect_windows_of_weekends_nights_and_single_days() -> None:
    hours = Calendar.from_json(
        {
            "timezone": "UTC",
            "weekly": {"thu": [["09:00", "17:00"]], "fri": [["22:00", "06:00"]], "sat": [["10:00", "12:00"]]},
            "holidays": ["2026-11-12"],
            "overrides": {"2026-11-12": [["08:00", "10:00"]]},
        }
    )

    # The Saturday hours are the weekend hours, of Sunday as well.
    assert hours.widened(weekends=True).between(at("Sun 00:00"), at("+Mon 00:00")) == 2 * HOUR
    # The shift of Friday night still ends on Saturday morning.
    assert hours.widened(after_hours=True).between(at("Fri 00:00"), at("Sat 06:00")) == 30 * HOUR
    # The holiday counts like a Thursday, and what it had of its own.
    assert hours.widened(holidays=True).windows(at("Thu 00:00"), at("Fri 00:00"))[0].starts_at == at("Thu 08:00")
    assert hours.widened(holidays=True).between(at("Thu 00:00"), at("Fri 00:00")) == 9 * HOUR


def test_the_flags_take_nothing_from_a_day_that_never_was() -> None:
    # Samoa went from Thursday 29 to Saturday 31 December 2011: Friday's windows shift into Saturday.
    hours = Calendar.from_json({"timezone": "Pacific/Apia", "weekly": {"fri": [["00:00", "02:15"]]}})
    shifted = datetime(2011, 12, 30, 12, tzinfo=UTC)

    assert hours.is_open(shifted)
    assert hours.widened(after_hours=True).is_open(shifted)


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
        ([], BadWindow, "JSON object"),
        ({"timezone": "UTC", "weekly": {b"mon"}}, BadWindow, "JSON object"),
        ({"timezone": "UTC", "weekly": [["09:00", "17:00"]]}, BadWindow, "weekdays"),
        ({"weekly": OFFICE}, UnknownTimezone, "IANA"),
        ({"timezone": ["UTC"], "weekly": OFFICE}, UnknownTimezone, "IANA"),
        ({"timezone": "Europe", "weekly": OFFICE}, UnknownTimezone, "Europe"),
        ({"timezone": "../UTC", "weekly": OFFICE}, UnknownTimezone, "IANA"),
        ({"timezone": "right/Europe/Berlin", "weekly": OFFICE}, UnknownTimezone, "right"),
        ({"timezone": "localtime", "weekly": OFFICE}, UnknownTimezone, "localtime"),
        ({"timezone": "UTC", "weekly": {}, "overrides": {"2026-12-24": []}}, CalendarWithoutHours, "no opening hours"),
        ({"timezone": "UTC", "weekly": {"mon": "09:00"}}, BadWindow, "weekly/mon"),
        ({"timezone": "UTC", "weekly": {"mon": [["09:00", "24:01"]]}}, BadWindow, "24:01"),
        ({"timezone": "UTC", "weekly": {"mon": [["09:00", "17:60"]]}}, BadWindow, "weekly/mon/0"),
        ({"timezone": "UTC", "weekly": {"mon": [["٠٩:00", "17:00"]]}}, BadWindow, "HH:MM"),
        ({"timezone": "UTC", "weekly": {"mon": [[9, 17]]}}, BadWindow, "HH:MM"),
        ({"timezone": "UTC", "weekly": OFFICE, "holidays": "2026-12-25"}, BadDay, "list"),
        ({"timezone": "UTC", "weekly": OFFICE, "holidays": [20261225]}, BadDay, "holidays/0"),
        ({"timezone": "UTC", "weekly": OFFICE, "holidays": ["20261225"]}, BadDay, "YYYY-MM-DD"),
        ({"timezone": "UTC", "weekly": OFFICE, "holidays": ["2026-02-29"]}, BadDay, "2026-02-29"),
        ({"timezone": "UTC", "weekly": OFFICE, "overrides": []}, BadDay, "object"),
        ({"timezone": "UTC", "weekly": OFFICE, "overrides": {"24/12": []}}, BadDay, "24/12"),
        ({"timezone": "UTC", "weekly": OFFICE, "overrides": {"2026-12-24": [["9"]]}}, BadWindow, "2026-12-24/0"),
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
    with pytest.raises(OutOfRange):
        hours.add(datetime(2200, 1, 1, tzinfo=UTC), 60)
    with pytest.raises(OutOfRange):
        hours.is_open(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC))
    with pytest.raises(OutOfRange):
        hours.windows(at("Mon 09:00"), datetime(2026, 11, 9, 12))  # noqa: DTZ001 - the point of the test
    with pytest.raises(OutOfRange, match="-1 seconds"):
        hours.add(at("Mon 09:00"), -1)


def test_a_calendar_of_overrides_alone_closes_for_good() -> None:
    only = Calendar.from_json({"timezone": "UTC", "overrides": {"2026-11-14": [["09:00", "12:00"]]}})

    assert only.add(at("Mon 09:00"), 3 * HOUR) == at("Sat 12:00")
    assert only.between(at("Mon 09:00"), datetime(2150, 1, 1, tzinfo=UTC)) == 3 * HOUR
    assert only.next_close(at("Sat 10:00")) == at("Sat 12:00")
    for question in (only.next_open, only.next_close):
        with pytest.raises(OutOfRange):
            question(at("Sat 12:00"))


def test_around_the_clock_is_elapsed_time() -> None:
    always = Calendar.from_json(
        {
            "timezone": "Europe/Berlin",
            "weekly": {day: [["00:00", "24:00"]] for day in oracle.WEEKDAYS},
        }
    )
    start = datetime(2026, 3, 1, tzinfo=UTC)

    assert always.add(start, 10**8) == start + timedelta(seconds=10**8)
    assert always.between(start, start + timedelta(days=900)) == 900 * 24 * HOUR
    assert always.next_open(start) == start
    assert always.next_close(start) is None
    assert len(always.windows(start, start + timedelta(days=900))) == 1


def test_a_night_window_is_longer_or_shorter_when_the_clocks_change() -> None:
    nights = Calendar.from_json({"timezone": "Europe/Berlin", "weekly": {"sat": [["22:00", "06:00"]]}})

    def open_hours(year: int, month: int, day: int) -> int:
        noon = datetime(year, month, day, 12, tzinfo=BERLIN)
        return nights.between(noon, noon + timedelta(days=1)) // HOUR

    assert [open_hours(2026, 3, 21), open_hours(2026, 3, 28), open_hours(2026, 10, 24)] == [8, 7, 9]


def test_times_the_clocks_skip_shift_forward_and_times_they_show_twice_mean_the_first() -> None:
    small_hours = Calendar.from_json({"timezone": "Europe/Berlin", "weekly": {"sun": [["02:15", "04:00"]]}})

    [spring] = small_hours.windows(datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC))
    [autumn] = small_hours.windows(datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC))

    assert spring.starts_at.astimezone(BERLIN).isoformat() == "2026-03-29T03:15:00+02:00"
    assert autumn.starts_at.astimezone(BERLIN).isoformat() == "2026-10-25T02:15:00+02:00"
    assert (spring.seconds, autumn.seconds) == (45 * 60, 2 * HOUR + 45 * 60)


def test_windows_that_overlap_count_once() -> None:
    hours = weekdays(("09:00", "13:00"), ("12:00", "17:00"), ("17:00", "18:00"))

    assert hours.between(at("Mon 00:00"), at("Tue 00:00")) == 9 * HOUR
    assert hours.next_close(at("Mon 09:00")) == at("Mon 18:00")


def test_an_overlap_is_named_when_a_calendar_is_to_be_saved() -> None:
    weekdays(("09:00", "12:00"), ("12:00", "17:00"), ("22:00", "06:00")).refuse_overlaps()

    with pytest.raises(BadWindow, match="mon has 09:00-13:00 and 12:00-17:00, which overlap"):
        weekdays(("12:00", "17:00"), ("09:00", "13:00")).refuse_overlaps()
    with pytest.raises(BadWindow, match="2026-12-24 has"):
        weekdays(
            ("09:00", "17:00"), overrides={"2026-12-24": [["20:00", "02:00"], ["21:00", "22:00"]]}
        ).refuse_overlaps()


def test_parts_of_a_second_are_cut_off() -> None:
    hours = weekdays(("09:00", "17:00"))
    late = timedelta(microseconds=999_999)

    assert hours.is_open(at("Mon 17:00") - timedelta(microseconds=1))
    assert hours.add(at("Mon 10:00") + late, HOUR) == at("Mon 11:00")
    assert hours.between(at("Mon 10:00"), at("Mon 10:00") + late) == 0


def test_instants_of_any_zone_are_the_same_instants() -> None:
    hours = weekdays(("09:00", "17:00"))
    local = at("Mon 15:00").astimezone(ZoneInfo("Asia/Tokyo"))

    assert hours.add(local, 4 * HOUR) == at("Tue 11:00")
    assert hours.add(local, 4 * HOUR).tzinfo is UTC


def test_equal_documents_share_one_calendar() -> None:
    document = {"timezone": "UTC", "weekly": {"tue": [["09:00", "17:00"]], **OFFICE}}

    assert Calendar.from_json(document) is Calendar.from_json(dict(reversed(document.items())))
    assert Calendar.from_json(document).widened(weekends=True) is Calendar.from_json(document).widened(weekends=True)


def test_it_answers_years_ahead() -> None:
    hours = weekdays(("09:00", "17:00"), timezone="UTC")

    assert hours.add(datetime(2026, 1, 1, 9, tzinfo=UTC), 261 * 8 * HOUR * 20).year == 2046
