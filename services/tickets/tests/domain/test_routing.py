"""Rules: the first that matches decides, and one that never can is found."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import composite, integers, lists, sampled_from

from tickets.domain.routing import FALLBACK_QUEUE, Request, RoutingRule, RuleNeverMatches, check, route, shadowing
from tickets.domain.ticket import LEVELS, PRIORITIES

JOB_TYPES = ("network", "server")


def a_rule(position: int, queue: str = "q", **given: Any) -> RoutingRule:
    return RoutingRule(id=f"rule-{position}", position=position, queue=queue, **given)


def a_request(**given: Any) -> Request:
    return Request(**{"job_type": "network", "level": "L1", "priority": "high", **given})


def test_the_first_rule_by_position_decides_and_says_why() -> None:
    rules = [a_rule(2, "second"), a_rule(1, "first", job_types=("network",), words=("VPN", "tunnel"))]

    chosen = route(rules, a_request(text="The vpn drops"))

    assert (chosen.queue, chosen.rule_id, chosen.reason) == (
        "first",
        "rule-1",
        "rule 1: network and text VPN or tunnel",
    )


def test_tags_text_and_clients_are_conditions() -> None:
    rules = [a_rule(1, "tagged", tags=("vip",)), a_rule(2, "worded", words=("printer",))]

    assert route(rules, a_request(tags=("vip", "x"))).queue == "tagged"
    assert route(rules, a_request(text="PRINTER on fire")).queue == "worded"
    assert route(rules, a_request()).queue == FALLBACK_QUEUE


def test_a_rule_behind_one_that_takes_everything_is_refused() -> None:
    with pytest.raises(RuleNeverMatches, match="taken by the rules before it: 1"):
        check(a_rule(2, levels=("L1",)), [a_rule(1)], job_types=JOB_TYPES)


def test_a_rule_is_also_refused_when_several_together_take_it() -> None:
    earlier = [a_rule(1, priorities=("critical", "high")), a_rule(2, priorities=("medium",)), a_rule(3, levels=("L1",))]

    with pytest.raises(RuleNeverMatches):
        check(a_rule(4, levels=("L1",), priorities=("low", "medium")), earlier, job_types=JOB_TYPES)
    assert check(a_rule(5, levels=("L2",)), earlier, job_types=JOB_TYPES) == ()


def test_a_rule_for_a_job_type_nobody_knows_is_refused() -> None:
    with pytest.raises(RuleNeverMatches, match="no job type netwrok; there are network, server"):
        check(a_rule(1, job_types=("netwrok",)), [], job_types=JOB_TYPES)


def test_a_rule_that_leaves_nothing_to_later_ones_says_so() -> None:
    later = a_rule(5, "later", words=("vpn tunnel",))

    assert check(a_rule(1, words=("vpn",)), [later], job_types=JOB_TYPES) == (
        "rule 5 (later) can never match any more",
    )


@composite
def rules(draw: Any) -> list[RoutingRule]:
    def some(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(draw(lists(sampled_from(values), max_size=2, unique=True))))

    return [
        a_rule(
            position,
            job_types=some(JOB_TYPES),
            levels=some(LEVELS),
            priorities=some(PRIORITIES),
            words=some(("a", "b", "ab")),
        )
        for position in range(draw(integers(1, 5)))
    ]


@given(rules())
def test_a_shadowed_rule_is_never_chosen(found: list[RoutingRule]) -> None:
    shadowed = {rule.id for rule in found if shadowing(rule, found)}

    for job_type, level, priority, text in product(JOB_TYPES, LEVELS, PRIORITIES, ("", "a", "b", "ab", "ba")):
        chosen = route(found, Request(job_type=job_type, level=level, priority=priority, text=text))
        assert chosen.rule_id not in shadowed
