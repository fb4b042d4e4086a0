"""The most specific rule wins; ties are found; "no target" is a value."""

from __future__ import annotations

import pytest

from sla.domain.targets import Flags, Key, TiedRules, choose, refuse_ties, ties
from sla.testing import a_rule, at, some_terms

URGENT = Key("critical", "L2", "network")


def test_the_most_specific_rule_wins() -> None:
    rules = (
        a_rule(rule_id="any"),
        a_rule(rule_id="critical", priority="critical"),
        a_rule(rule_id="critical network", priority="critical", job_type="network"),
        a_rule(rule_id="servers", priority="critical", level="L2", job_type="servers"),
    )

    chosen = choose(rules, metric="resolution", key=URGENT)

    assert chosen is not None
    assert chosen.rule_id == "critical network"


def test_no_target_is_a_rule_like_any_other() -> None:
    rules = (a_rule(rule_id="any"), a_rule(rule_id="none", priority="low", promises=None))

    chosen = choose(rules, metric="resolution", key=Key("low", "L1", "network"))

    assert chosen is not None
    assert (chosen.rule_id, chosen.budget_minutes) == ("none", None)
    assert choose(rules, metric="next_response", key=URGENT) is None


def test_equally_specific_rules_that_can_meet_are_ties() -> None:
    by_priority = a_rule(rule_id="p", priority="critical")
    by_level = a_rule(rule_id="l", level="L2")
    by_other_priority = a_rule(rule_id="q", priority="low")

    assert ties((by_priority, by_level)) == [(by_priority, by_level)]
    assert ties((by_priority, by_other_priority)) == []
    with pytest.raises(TiedRules, match="p and l"):
        refuse_ties((by_priority, by_level))


def test_rules_that_slipped_through_are_still_chosen_in_one_order() -> None:
    rules = (a_rule(rule_id="l", level="L2"), a_rule(rule_id="p", priority="critical"))

    assert choose(rules, metric="resolution", key=URGENT) == choose(rules[::-1], metric="resolution", key=URGENT)


def test_flags_widen_the_hours_of_a_target() -> None:
    terms = some_terms(in_hours="09-17")

    assert terms.hours(Flags()).between(at("Fri 17:00"), at("Mon 09:00", week=1)) == 0
    around_the_clock = terms.hours(Flags(after_hours=True, weekends=True, holidays=True))
    assert around_the_clock.between(at("Fri 17:00"), at("Mon 09:00", week=1)) == 64 * 3600


def test_first_response_runs_on_unless_the_contract_says_otherwise() -> None:
    default, generous = some_terms(), some_terms(first_response_pauses=True)

    assert default.pauses("resolution", status="waiting_on_client")
    assert not default.pauses("first_response", status="waiting_on_client")
    assert generous.pauses("first_response", status="waiting_on_client")
    assert not default.pauses("resolution", status="scheduled")
