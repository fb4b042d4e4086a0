"""Contract tests: what an MSP writes is computed by what runs production."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from contracts.domain.cases import BadCase, Outcome, case_of, instant, outcome
from contracts.domain.contract import Rate, Weight
from contracts.domain.promises import rules_of
from contracts.domain.rounding import Rounding
from contracts.testing import START, a_contract, a_target, at, some_terms


def tried(
    when: dict[str, Any], expect: dict[str, Any], *, available: int = 0, kind: Any = "bucket", **terms: Any
) -> Outcome:
    version = some_terms(**terms)
    case = case_of({"name": "it", "given": {"available_minutes": available}, "when": when, "expect": expect})
    return outcome(case, a_contract(kind=kind, versions=[version]), version)


def ticket(raised: str, **changes: Any) -> dict[str, Any]:
    keys = {"event": "ticket", "priority": "critical", "level": "L1", "job_type": "network", "metric": "resolution"}
    return {**keys, "at": raised, **changes}


def work(minutes: int, worked: str = "Mon 09:00", **changes: Any) -> dict[str, Any]:
    return {"event": "work", "job_type": "network", "level": "L1", "at": worked, "minutes": minutes, **changes}


AROUND = {"after_hours": True, "weekends": True, "holidays": True}


def test_a_critical_ticket_on_sunday_is_due_in_an_hour() -> None:
    targets = rules_of([a_target(60, rule_id="critical", priority="critical", **AROUND), a_target(480, rule_id="any")])

    assert tried(ticket("Sun 10:00"), {"due_in_minutes": 60, "rule_id": "critical"}, targets=targets).is_passed
    assert tried(ticket("Sun 10:00", priority="low"), {"due_at": "Mon 17:00"}, targets=targets).is_passed


def test_a_ticket_that_falls_due_later_says_expected_and_found() -> None:
    targets = rules_of([a_target(60, rule_id="any")])

    found = tried(ticket("Sun 10:00"), {"due_in_minutes": 60, "due_at": "Sun 11:00"}, targets=targets)

    assert found.text == (
        "it: due_in_minutes: expected 60, found 1440; due_at: expected Sun 11:00, found 2026-11-09T10:00:00+00:00"
    )


def test_no_target_is_an_expectation_too() -> None:
    targets = rules_of([a_target(None, rule_id="none")])

    assert tried(ticket("Mon 09:00"), {"has_target": False, "rule_id": "none"}, targets=targets).is_passed
    assert not tried(ticket("Mon 09:00"), {"has_target": True}, targets=targets).is_passed


def test_90_minutes_after_exhaustion_cost_138() -> None:
    rates = (Rate("any", 9200),)
    expected = {"answer": "overage", "overage_price": "138.00", "overage_minutes": 90, "bucket_minutes": 0}

    assert tried(work(90), expected, rates=rates).is_passed
    assert tried(work(90), {"overage_price": "138"}, rates=rates).is_passed
    assert tried(work(90), {"overage_price": "138.00"}, rates=(Rate("any", 9000),)).text == (
        "it: overage_price: expected 138.00, found 135.00"
    )


def test_what_the_bucket_has_left_is_given() -> None:
    found = tried(work(90), {"bucket_minutes": 60, "overage_minutes": 30}, available=60)

    assert found.is_passed


def test_rounding_weights_and_conditions_are_those_of_the_version() -> None:
    terms = {"rounding": Rounding(increment_minutes=15), "weights": (Weight(200, condition="after_hours"),)}
    expected = {"billed_minutes": 60, "bucket_minutes": 90, "conditions": ["regular", "after_hours"]}

    assert tried(work(60, "Mon 16:30"), expected, available=600, **terms).is_passed


def test_time_and_materials_cost_their_rate() -> None:
    found = tried(
        work(90), {"answer": "covered", "price": "138.00"}, kind="time_and_materials", rates=(Rate("a", 9200),)
    )

    assert found.is_passed


def test_work_outside_the_contract_is_refused_by_its_rule() -> None:
    expected = {"answer": "not_covered", "refusal": "level-outside-contract", "billed_minutes": 0}

    assert tried(work(90, level="SA"), expected).is_passed


def test_a_weekday_is_the_first_one_at_or_after_in_the_zone_of_the_contract() -> None:
    assert instant("Mon 00:00", since=START, timezone="UTC") == START
    assert instant("Tue 10:00", since=at("Tue 10:01"), timezone="UTC") == datetime.fromisoformat(
        "2026-11-10T10:00+00:00"
    )
    assert instant("Sun 10:00", since=START, timezone="Europe/Paris") == at("Sun 09:00")


@pytest.mark.parametrize("text", ["Sunday 10:00", "Sun 25:00", "2026-11-29T10:00:00", "soon", ""])
def test_an_instant_that_cannot_be_read_says_what_could_be(text: str) -> None:
    with pytest.raises(BadCase, match="write 'Sun 10:00'"):
        instant(text, since=START, timezone="UTC")
