"""What is odd about time that waits, and that the odd ones come first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, builds, integers, lists, none, sampled_from

from msp_kernel.business_time import Calendar
from tickets.domain.oddness import CODES, Waiting, odd_first, oddities

OFFICE = Calendar.from_json(
    {
        "timezone": "Europe/London",
        "weekly": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
        "holidays": ["2026-12-25"],
    }
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def waiting(**changed: Any) -> Waiting:
    """Return an hour of a Monday morning that nothing is odd about."""
    worked_from = changed.get("worked_from", at("2026-11-09 10:00"))
    default: dict[str, Any] = {
        "worked_from": worked_from,
        "worked_minutes": 60,
        "logged_at": worked_from + timedelta(minutes=changed.get("worked_minutes", 60)),
        "is_late": False,
        "overlaps": 0,
        "overage_minutes": 0,
        "is_in_scope": True,
        "usual_minutes": 45,
        "usual_count": 9,
        "calendar": OFFICE,
    }
    return Waiting(**{**default, **changed})


def test_an_hour_of_work_in_the_morning_is_not_odd() -> None:
    assert oddities(waiting()) == ()


@pytest.mark.parametrize(
    ("changed", "code", "detail"),
    [
        ({"is_in_scope": False}, "out_of_scope", "job type or level is not in the contract any more"),
        ({"overage_minutes": 15}, "overage", "15 min beyond the bucket"),
        ({"overlaps": 3}, "overlaps", "shares minutes with other entries of the same agent: 3"),
        ({"is_late": True}, "period_sealed", "its period is sealed"),
        ({"logged_at": at("2026-11-20 10:00")}, "late", "logged 10 days after the work"),
        ({"worked_minutes": 135}, "unlike_usual", "45 min is usual here"),
        ({"worked_from": at("2026-11-09 16:30")}, "after_hours", "30 min outside the opening hours"),
        ({"worked_from": at("2026-11-14 10:00")}, "weekend", "60 min outside the opening hours, on a weekend"),
        ({"worked_from": at("2026-12-25 10:00")}, "holiday", "60 min outside the opening hours, on a holiday"),
        ({"worked_minutes": 481, "usual_minutes": 400, "calendar": None}, "very_long", "481 min in one entry"),
    ],
)
def test_what_is_odd_is_named_with_its_figures(changed: dict[str, Any], code: str, detail: str) -> None:
    (odd,) = oddities(waiting(**changed))

    assert (odd.code, odd.detail) == (code, detail)


@pytest.mark.parametrize(
    "changed",
    [
        {"worked_minutes": 134},  # under three times the usual
        {"worked_minutes": 300, "usual_count": 3},  # three entries make nothing usual
        {"worked_minutes": 40, "usual_minutes": 10},  # four times, but half an hour more is nothing
        {"worked_from": at("2026-11-09 16:31"), "worked_minutes": 58},  # a call that took longer
        {"worked_from": at("2026-11-14 10:00"), "calendar": None},  # contracts has not said when it is open
        {"logged_at": at("2026-11-16 11:00")},  # a week
        {"worked_from": at("2026-11-09 09:00"), "worked_minutes": 480, "usual_minutes": 400},
        {"overage_minutes": None},
    ],
)
def test_what_is_just_inside_is_not_odd(changed: dict[str, Any]) -> None:
    assert oddities(waiting(**changed)) == ()


anything = builds(
    waiting,
    worked_from=integers(0, 60 * 24 * 400).map(lambda minutes: at("2026-01-01 00:00") + timedelta(minutes=minutes)),
    worked_minutes=integers(1, 1440),
    is_late=booleans(),
    overlaps=integers(0, 4),
    overage_minutes=none() | integers(0, 600),
    is_in_scope=booleans(),
    usual_minutes=integers(1, 600),
    usual_count=integers(1, 10),
    calendar=sampled_from([OFFICE, None]),
)


@given(anything)
def test_oddities_are_told_once_each_and_most_serious_first(entry: Waiting) -> None:
    codes = [one.code for one in oddities(entry)]

    assert codes == sorted(set(codes), key=CODES.index)
    assert all(one.detail for one in oddities(entry))


@given(lists(anything, max_size=12))
def test_the_odd_come_first_and_nothing_is_lost(entries: list[Waiting]) -> None:
    ranked = odd_first(entries, of=oddities)

    assert sorted(map(id, ranked)) == sorted(map(id, entries))
    are_odd = [bool(oddities(one)) for one in ranked]
    assert are_odd == sorted(are_odd, reverse=True)
    plain = [one for one in entries if not oddities(one)]
    assert [id(one) for one in ranked if not oddities(one)] == [id(one) for one in plain], "the others keep their order"
    worst = [CODES.index(oddities(one)[0].code) for one in ranked if oddities(one)]
    assert worst == sorted(worst)
