"""What the linter finds before a client does."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, strategies as st

from contracts.domain.lint import TARGET_MINUTES_MAX, Claim, Finding, lint, refusals
from contracts.domain.promises import rules_of
from contracts.testing import OFFICE_HOURS, a_target, stored_terms
from msp_kernel.targets import Key, choose

STARTS_ON = date(2026, 11, 2)


def findings(*, kind: str = "bucket", lots: int = 1, **changes: Any) -> list[Finding]:
    known = {"network", "server", "cabling"}
    terms = stored_terms(**changes)
    return lint(terms, kind=kind, lot_count=lots, known_job_types=known, effective_from=STARTS_ON)


def said(rule: str, **changes: Any) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.severity, one.names) for one in findings(**changes) if one.rule == rule]


def rate(minor: int = 9000, **keys: Any) -> dict[str, Any]:
    return {"rule_id": "r", "job_type": None, "level": None, "condition": None, "rate_minor": minor, **keys}


def weight(percent: int, **keys: Any) -> dict[str, Any]:
    return {"level": None, "job_type": None, "condition": None, "percent": percent, **keys}


def test_good_terms_say_nothing() -> None:
    assert findings() == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"job_types": []}, "scope-without-job-types"),
        ({"levels": []}, "scope-without-levels"),
        ({"targets": []}, "contract-without-targets"),
        ({"lots": 0}, "bucket-without-minutes"),
        ({"kind": "retainer", "lots": 0}, "retainer-without-minutes"),
        ({"job_types": ["network", "plumbing"]}, "unknown-job-type"),
        ({"targets": [a_target(60, rule_id="p", job_type="plumbing")]}, "unknown-job-type"),
        ({"weights": [weight(200, job_type="plumbing")]}, "unknown-job-type"),
        ({"weights": [weight(0)]}, "weight-of-zero"),
        ({"targets": [a_target(0, rule_id="none")]}, "target-of-zero"),
        ({"targets": [a_target(10 * 365 * 1440, rule_id="ten years")]}, "target-too-long"),
        ({"rates": [rate(job_type="network")]}, "rate-missing"),
        ({"rates": [rate(condition="regular")]}, "rate-missing"),
        ({"rates": [rate(level="L1"), rate(job_type="network")]}, "equally-specific-rules"),
        ({"calendar": {**OFFICE_HOURS, "weekly": {}}}, "calendar-without-hours"),
        (
            {"calendar": {"timezone": "UTC", "weekly": {}, "overrides": {"2020-01-01": [["09:00", "10:00"]]}}},
            "calendar-without-hours",
        ),
        ({"calendar": {**OFFICE_HOURS, "timezone": "Mars/Olympus"}}, "calendar-not-readable"),
    ],
)
def test_what_must_not_come_into_force_is_refused_with_its_rule(changes: dict[str, Any], rule: str) -> None:
    found = [one for one in findings(**changes) if one.rule == rule]

    assert found
    assert all(one.severity == "refusal" for one in found)
    assert rule in refusals(findings(**changes))


def test_two_equally_specific_targets_are_refused_with_both_names() -> None:
    targets = [a_target(60, rule_id="by level", level="L1"), a_target(90, rule_id="by priority", priority="low")]

    assert said("equally-specific-rules", targets=targets) == [("refusal", ("by level", "by priority"))]


def test_a_year_around_the_clock_is_the_longest_promise() -> None:
    assert said("target-too-long", targets=[a_target(TARGET_MINUTES_MAX, rule_id="year")]) == []
    assert said("target-too-long", targets=[a_target(TARGET_MINUTES_MAX + 1, rule_id="more")]) == [
        ("refusal", ("more",))
    ]


def test_a_rule_out_of_scope_or_behind_others_never_applies() -> None:
    out_of_scope = a_target(60, rule_id="architect", level="SA")
    each = [a_target(60, rule_id=f"at {level}", level=level) for level in ("L1", "L2")]

    found = said("unreachable-rule", targets=[a_target(480, rule_id="any"), out_of_scope, *each])

    assert found == [("warning", ("any",)), ("warning", ("architect",))]


def test_a_priority_nobody_promises_anything_is_named_and_no_target_is_a_promise() -> None:
    high = a_target(60, rule_id="high", priority="high")
    silent = [a_target(None, rule_id=f"none {one}", priority=one) for one in ("critical", "medium")]

    assert said("priority-without-target", targets=[high, *silent]) == [("warning", ("low", "resolution"))]


def test_a_contract_that_promises_no_resolution_is_named() -> None:
    targets = [a_target(60, rule_id="answer", metric="first_response")]

    assert said("metric-without-target", targets=targets) == [("warning", ("resolution",))]


def test_escalation_of_what_is_not_promised_never_happens() -> None:
    step = {"step": 1, "metric": "next_response", "at_percent": 100, "to_level": "L2", "notify": ("manager",)}

    assert said("unreachable-rule", escalation=[step]) == [("warning", ("escalation.1",))]


def test_a_weight_for_work_out_of_scope_never_applies() -> None:
    assert said("unreachable-rule", weights=[weight(200, level="SA")]) == [("warning", ("weight.SA.200",))]


def test_a_missing_rate_names_work_and_condition() -> None:
    rates = [rate(condition=one) for one in ("regular", "after_hours", "weekend")]

    texts = [one.text for one in findings(rates=rates) if one.rule == "rate-missing"]

    assert texts[0] == "the rate card has no rate for network at L1 in holiday"
    assert len(texts) == 4


def test_overage_falls_back_on_the_rates_and_time_and_materials_does_not_on_overage_rates() -> None:
    some = {"rates": [rate(condition="regular")], "overage_rates": [rate(condition=None)]}

    assert said("rate-missing", **some) == []
    assert said("rate-missing", kind="time_and_materials", lots=0, **some)


def test_work_free_of_charge_needs_no_rate() -> None:
    assert said("rate-missing", rates=[rate(job_type="network")], non_billable_job_types=["server"]) == []


def test_a_rate_of_nothing_is_shown() -> None:
    assert said("rate-of-zero", rates=[rate(0)]) == [("warning", ("r",))]


def claim(ref: str, **changes: Any) -> Claim:
    defaults: dict[str, Any] = {
        "priority": 100,
        "job_types": frozenset({"network"}),
        "levels": frozenset({"L1"}),
        "starts_on": STARTS_ON,
        "ends_on": None,
    }
    return Claim(ref, **{**defaults, **changes})


@pytest.mark.parametrize(
    ("other", "is_refused"),
    [
        ({}, True),
        ({"priority": 50}, False),
        ({"job_types": frozenset({"server"})}, False),
        ({"levels": frozenset({"L2"})}, False),
        ({"starts_on": date(2026, 1, 1), "ends_on": STARTS_ON}, False),
        ({"starts_on": date(2026, 1, 1), "ends_on": date(2026, 11, 3)}, True),
    ],
)
def test_two_contracts_that_claim_the_same_work_are_refused_with_both_names(
    other: dict[str, Any], is_refused: bool
) -> None:
    found = lint(
        stored_terms(),
        kind="bucket",
        lot_count=1,
        known_job_types={"network", "server"},
        effective_from=STARTS_ON,
        own=claim("C-0001"),
        others=[claim("C-0002", **other)],
    )

    assert [(one.rule, one.names) for one in found] == (
        [("two-contracts-claim-the-same-work", ("C-0001", "C-0002"))] if is_refused else []
    )


keys = st.fixed_dictionaries(
    {
        "priority": st.sampled_from([None, "critical", "high", "medium", "low"]),
        "level": st.sampled_from([None, "L1", "L2", "SA"]),
        "job_type": st.sampled_from([None, "network", "server"]),
    }
)


@given(patterns=st.lists(keys, min_size=1, max_size=6))
def test_a_rule_is_unreachable_exactly_when_no_ticket_in_scope_gets_it(patterns: list[dict[str, Any]]) -> None:
    targets = [a_target(60, rule_id=str(n), **pattern) for n, pattern in enumerate(patterns)]
    tickets = [
        Key(priority, level, job_type)
        for priority in ("critical", "high", "medium", "low")
        for level in ("L1", "L2")
        for job_type in ("network", "server")
    ]
    chosen = {choose(rules_of(targets), metric="resolution", key=ticket) for ticket in tickets}
    reached = {rule.rule_id for rule in chosen if rule is not None}

    unreachable = {names[0] for _, names in said("unreachable-rule", targets=targets)}

    assert unreachable == {one["rule_id"] for one in targets} - reached
