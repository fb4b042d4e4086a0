"""What the rules of a contract give for the clocks that count in a month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from hypothesis import given, strategies as st

from msp_kernel.ids import new_id
from sla.domain.credits import Counted, Credit, credit_id, earned, next_month
from sla.domain.targets import CreditRule
from sla.testing import CONTRACT, MONDAY

NOVEMBER = date(2026, 11, 1)
PER_BREACH = CreditRule(rule_id="breach", kind="per_breach", amount_minor=5000)
BELOW_95 = CreditRule(rule_id="95", kind="monthly_compliance", below_basis_points=9500, basis_points=500)


def kept(**more: Any) -> Counted:
    """Return a clock whose promise was kept."""
    about = {"metric": "resolution", "priority": "high", "contract_version": 1, "budget_minutes": 240, **more}
    return Counted(clock_id=new_id(), ticket_id=new_id(), ticket_ref="HLO-1", **about)


def broken(minute: int = 0, **more: Any) -> Counted:
    """Return a clock whose promise was broken."""
    return kept(breached_at=MONDAY + timedelta(minutes=minute), breach_reason="time", **more)


def given_for(
    counted: Sequence[Counted], *rules: CreditRule, given: Sequence[Credit] = (), second: Sequence[CreditRule] = ()
) -> list[Credit]:
    versions = {1: rules, 2: second}
    return earned(
        CONTRACT,
        NOVEMBER,
        counted,
        rules_of=lambda version: versions[version],
        version_at_end=1,
        given={one.id: one.value for one in given},
    )


def test_each_breach_earns_its_credit_with_itself_as_evidence() -> None:
    first, second = broken(1), broken(2)

    found = given_for([kept(), second, first], PER_BREACH)

    assert [(one.clock_id, one.value, one.evidence) for one in found] == [
        (first.clock_id, 5000, (first,)),
        (second.clock_id, 5000, (second,)),
    ]


def test_a_rule_speaks_of_its_metric_and_priority_only() -> None:
    rule = CreditRule(rule_id="r", kind="per_breach", metric="resolution", priority="critical", amount_minor=1)
    meant = broken(priority="critical")

    found = given_for([meant, broken(), broken(priority="critical", metric="first_response")], rule)

    assert [one.clock_id for one in found] == [meant.clock_id]


def test_the_cap_cuts_what_is_over_and_says_so() -> None:
    rule = CreditRule(rule_id="r", kind="per_breach", amount_minor=5000, cap=12_000)

    found = given_for([broken(n) for n in range(4)], rule)

    assert [(one.value, one.is_capped) for one in found] == [(5000, False), (5000, False), (2000, True), (0, True)]


def test_what_was_given_is_kept_and_counts_towards_the_cap() -> None:
    rule = CreditRule(rule_id="r", kind="per_breach", amount_minor=5000, cap=7000)
    late, known = broken(1), [broken(5), broken(6)]
    before = given_for(known, rule)

    after = given_for([late, *known], rule, given=before)

    assert {one.clock_id: one.value for one in after} == {
        late.clock_id: 0,
        known[0].clock_id: 5000,
        known[1].clock_id: 2000,
    }


def test_a_month_below_its_compliance_earns_once_with_every_breach_as_evidence() -> None:
    month = [*(kept() for _ in range(18)), broken(1), broken(2)]

    (credit,) = given_for(month, BELOW_95)

    assert (credit.value, credit.met_count, credit.missed_count, len(credit.evidence)) == (500, 18, 2, 2)
    assert credit.id == credit_id(CONTRACT, rule_id="95", of=NOVEMBER)
    assert given_for([*month, *(kept() for _ in range(20))], BELOW_95) == [], "38 of 40 are 95 %"


def test_a_month_without_promises_earns_nothing() -> None:
    assert given_for([], BELOW_95, PER_BREACH) == []
    assert given_for([kept(), kept()], BELOW_95, PER_BREACH) == []


def test_rules_add_up() -> None:
    below_90 = CreditRule(rule_id="90", kind="monthly_compliance", below_basis_points=9000, basis_points=500)

    assert sum(one.value for one in given_for([kept(), broken()], BELOW_95, below_90)) == 1000


def test_a_breach_earns_by_the_version_that_promised_and_a_month_by_the_version_at_its_end() -> None:
    dearer = CreditRule(rule_id="breach", kind="per_breach", amount_minor=9000)
    old, new = broken(1), broken(2, contract_version=2)

    found = given_for([old, new], PER_BREACH, second=[dearer, BELOW_95])

    assert [(one.clock_id, one.value) for one in found] == [(old.clock_id, 5000), (new.clock_id, 9000)]


def test_december_is_followed_by_january() -> None:
    assert [next_month(date(2026, month, 1)) for month in (1, 12)] == [date(2026, 2, 1), date(2027, 1, 1)]


clocks = st.lists(
    st.builds(
        lambda minute, is_broken, metric: broken(minute, metric=metric) if is_broken else kept(metric=metric),
        st.integers(0, 40_000),
        st.booleans(),
        st.sampled_from(["resolution", "first_response"]),
    ),
    max_size=25,
)


@given(clocks, st.integers(1, 40_000), st.randoms(use_true_random=False))
def test_any_order_gives_the_same_and_a_cap_is_never_passed(counted: list[Counted], cap: int, chance: Any) -> None:
    rules = (
        CreditRule(rule_id="capped", kind="per_breach", amount_minor=5000, cap=cap),
        BELOW_95,
        CreditRule(rule_id="first", kind="per_breach", metric="first_response", basis_points=100),
    )
    once = given_for(counted, *rules)
    shuffled = list(counted)
    chance.shuffle(shuffled)

    assert given_for(shuffled, *rules) == once
    assert given_for(counted, *rules, given=once) == once, "deriving again changes nothing"
    totals = Counter[str]()
    for credit in once:
        totals[credit.rule.rule_id] += credit.value
    assert totals["capped"] == min(cap, 5000 * sum(one.breached_at is not None for one in counted))
    assert len({one.id for one in once}) == len(once)
