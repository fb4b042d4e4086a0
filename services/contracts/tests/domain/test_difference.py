"""What changed between two versions, in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from contracts.domain.difference import differences
from contracts.testing import OFFICE_HOURS, a_target, stored_terms


def words(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [one.text for one in differences(stored_terms(**before), stored_terms(**after), currency="EUR")]


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({"job_types": ["network"]}, {"job_types": ["network", "server"]}, "server is in scope"),
        ({"levels": ["L1", "L2"]}, {"levels": ["L1"]}, "L2 is no longer included"),
        (
            {"targets": [a_target(240, rule_id="c", priority="critical")]},
            {"targets": [a_target(120, rule_id="c", priority="critical")]},
            "Resolution of critical tickets: 4 h -> 2 h",
        ),
        (
            {"targets": [a_target(90, rule_id="a")]},
            {"targets": [a_target(90, rule_id="a", weekends=True, holidays=True)]},
            "Resolution of all tickets: 1 h 30 min -> 1 h 30 min, weekends and holidays counted",
        ),
        (
            {"targets": [a_target(90, rule_id="a")]},
            {"targets": [a_target(None, rule_id="a")]},
            "Resolution of all tickets: 1 h 30 min -> no target",
        ),
        (
            {},
            {"targets": [a_target(480, rule_id="any"), a_target(45, rule_id="n", metric="first_response", level="L2")]},
            "First response of L2 tickets: 45 min (new)",
        ),
        (
            {},
            {"rates": [{"rule_id": "x", "job_type": None, "level": None, "condition": None, "rate_minor": 9550}]},
            "rate of any work: 90.00 EUR an hour -> 95.50 EUR an hour",
        ),
        (
            {},
            {"rounding": {**stored_terms()["rounding"], "increment_minutes": 15}},
            "rounding, increment minutes: 1 -> 15",
        ),
        (
            {},
            {"weights": [{"level": "L2", "job_type": None, "condition": "weekend", "percent": 200}]},
            "Weight of L2 weekend: 200 % (new)",
        ),
        ({}, {"exhaustion_policy": "reject"}, "when the bucket is empty: overage -> reject"),
        ({}, {"first_response_pauses": True}, "first response pauses with the others: no -> yes"),
        ({}, {"calendar": {**OFFICE_HOURS, "timezone": "Europe/Paris"}}, "time zone: UTC -> Europe/Paris"),
        (
            {},
            {"calendar": {**OFFICE_HOURS, "weekly": {**OFFICE_HOURS["weekly"], "sat": [["10:00", "14:00"]]}}},
            "hours of sat: closed -> 10:00-14:00",
        ),
        ({}, {"calendar": {**OFFICE_HOURS, "holidays": ["2026-12-25"]}}, "2026-12-25 is a holiday"),
        (
            {},
            {"calendar": {**OFFICE_HOURS, "overrides": {"2026-12-24": [["09:00", "12:00"]]}}},
            "2026-12-24: 09:00-12:00 that day",
        ),
        ({}, {"something_new": 3}, "something new: nothing -> 3"),
    ],
)
def test_each_change_is_said_in_words(before: dict[str, Any], after: dict[str, Any], text: str) -> None:
    assert words(before, after) == [text]


def test_a_rule_that_is_only_called_otherwise_is_no_difference() -> None:
    assert words({"targets": [a_target(60, rule_id="old")]}, {"targets": [a_target(60, rule_id="new")]}) == []


def test_a_difference_carries_the_data_too() -> None:
    before, after = stored_terms(levels=["L1"]), stored_terms(levels=["L1", "SA"])

    (one,) = differences(before, after, currency="EUR")

    assert (one.term, one.key, one.kind, one.before, one.after) == ("levels", "SA", "added", None, "SA")


some_terms = st.builds(
    stored_terms,
    job_types=st.lists(st.sampled_from(["network", "server", "cabling"]), unique=True),
    targets=st.lists(
        st.builds(
            a_target,
            st.none() | st.integers(1, 1000),
            rule_id=st.just("r"),
            priority=st.sampled_from([None, "critical", "low"]),
            level=st.sampled_from([None, "L1"]),
        ),
        max_size=4,
        unique_by=lambda one: (one["priority"], one["level"]),
    ),
    exhaustion_policy=st.sampled_from(["overage", "reject"]),
)


@given(before=some_terms, after=some_terms)
def test_the_way_back_undoes_the_way_there(before: dict[str, Any], after: dict[str, Any]) -> None:
    there = differences(before, after, currency="EUR")
    back = differences(after, before, currency="EUR")
    mirrored = {"added": "removed", "removed": "added", "changed": "changed"}

    assert {(one.term, one.key, mirrored[one.kind]) for one in there} == {(one.term, one.key, one.kind) for one in back}
    assert differences(before, before, currency="EUR") == []
