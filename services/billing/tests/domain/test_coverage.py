"""Every worked minute is in exactly one place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from billing.domain.coverage import PLACES, places_of, shares

SPLIT = ("bucket_billed_minutes", "overage_minutes", "time_and_materials_minutes", "excluded_minutes")


def stamped(*spans: tuple[int, tuple[int, int, int, int]], **given: Any) -> dict[str, Any]:
    made = [{"worked_minutes": worked, **dict(zip(SPLIT, split, strict=True))} for worked, split in spans]
    return {
        "worked_minutes": sum(worked for worked, _ in spans),
        "status": "posted",
        "is_late": False,
        "spans": made,
        **given,
    }


def places(hours: dict[str, Any], kind: str = "bucket") -> dict[str, int]:
    return {place: minutes for place, minutes in places_of(hours, kind=kind).items() if minutes}


@pytest.mark.parametrize(
    ("hours", "kind", "expected"),
    [
        (stamped((150, (60, 90, 0, 0))), "bucket", {"bucket": 60, "overage": 90}),
        (stamped((5, (30, 0, 0, 0))), "bucket", {"bucket": 5}),
        (stamped((60, (60, 0, 0, 0))), "retainer", {"included": 60}),
        (stamped((60, (0, 0, 60, 0)), (20, (0, 0, 0, 20))), "time_and_materials", {"time_and_materials": 60, "non_billable": 20}),
        (stamped((60, (60, 0, 0, 0)), is_late=True), "bucket", {"late": 60}),
        (stamped((60, (60, 0, 0, 0)), status="released"), "bucket", {"rejected": 60}),
        (stamped((60, (60, 0, 0, 0)), status="held"), "bucket", {"unapproved": 60}),
    ],
)  # fmt: skip
def test_minutes_go_where_a_practitioner_expects_them(
    hours: dict[str, Any], kind: str, expected: dict[str, int]
) -> None:
    assert places(hours, kind) == expected


@given(
    st.lists(st.tuples(st.integers(0, 600), st.tuples(*[st.integers(0, 600)] * 4)), min_size=1, max_size=5),
    st.sampled_from(["posted", "held", "released"]),
    st.booleans(),
)
def test_nothing_is_lost_and_nothing_counted_twice(spans: Any, status: str, is_late: bool) -> None:
    hours = stamped(*spans, status=status, is_late=is_late)

    found = places_of(hours, kind="bucket")

    assert tuple(found) == PLACES
    assert sum(found.values()) == hours["worked_minutes"]
    assert min(found.values()) >= 0


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_shares_add_up(whole: int, weights: list[int]) -> None:
    assert sum(shares(whole, weights)) == whole
