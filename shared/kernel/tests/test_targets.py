"""The rule that two services choose promises by."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, strategies as st

from msp_kernel.business_time import Calendar
from msp_kernel.targets import Flags, Key, Rule, TiedRules, choose, refuse_ties, ties

OFFICE = Calendar.from_json(
    {"timezone": "UTC", "weekly": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
)
SUNDAY = datetime.fromisoformat("2026-11-29T10:00:00+00:00")


def rule(name: str, budget_minutes: int | None = 60, **keys: str | None) -> Rule:
    return Rule(rule_id=name, metric="resolution", budget_minutes=budget_minutes, **keys)  # type: ignore[arg-type]


def test_a_target_falls_due_in_the_hours_its_flags_leave() -> None:
    around_the_clock = Rule(rule_id="c", metric="resolution", budget_minutes=60, flags=Flags(True, True, True))

    assert rule("any").due_at(OFFICE, started_at=SUNDAY) == datetime.fromisoformat("2026-11-30T10:00:00+00:00")
    assert around_the_clock.due_at(OFFICE, started_at=SUNDAY) == datetime.fromisoformat("2026-11-29T11:00:00+00:00")
    assert rule("none", None).due_at(OFFICE, started_at=SUNDAY) is None


def test_competing_rules_are_named() -> None:
    with pytest.raises(TiedRules, match=r"p and l \(resolution\)"):
        refuse_ties([rule("p", priority="low"), rule("l", level="L1")])


patterns = st.tuples(
    st.sampled_from([None, "critical", "low"]), st.sampled_from([None, "L1", "SA"]), st.sampled_from([None, "network"])
)


@given(made=st.lists(patterns, max_size=6), key=st.builds(Key, st.just("low"), st.just("L1"), st.just("network")))
def test_without_ties_the_chosen_rule_is_more_specific_than_every_other_that_matches(
    made: list[tuple[str | None, str | None, str | None]], key: Key
) -> None:
    rules = [
        rule(str(n), priority=priority, level=level, job_type=job_type)
        for n, (priority, level, job_type) in enumerate(made)
    ]
    chosen = choose(rules, metric="resolution", key=key)
    matching = [one for one in rules if one.matches(key)]

    assert (chosen is None) == (not matching)
    if chosen is not None and not ties(rules):
        assert all(one.specificity < chosen.specificity for one in matching if one is not chosen)
