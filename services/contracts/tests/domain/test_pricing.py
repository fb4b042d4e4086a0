"""What work costs beyond the bucket, by the arithmetic of the invoice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, strategies as st

from contracts.domain.allocation import Demand, Part, Split, allocate
from contracts.domain.contract import Rate
from contracts.domain.pricing import Prices, priced
from contracts.testing import START, a_fact, a_lot, some_terms
from msp_kernel.money import Money, price_of_minutes

ANY = (Rate("rate.any", 6000),)


def overage(minutes: int, *, weight: int = 150) -> Split:
    fact = a_fact(minutes, weight=weight)
    return allocate([a_lot(minutes=1, starts=START + timedelta(days=90))], [fact]).splits[fact.entry_id]


def price(split: Split, **terms: Any) -> Prices:
    return priced(split.parts, some_terms(**terms), job_type="network", level="L1")


def test_overage_is_priced_by_its_own_rate_then_by_the_rates_and_never_by_zero() -> None:
    own = (Rate("over.L1", 9200, level="L1"), Rate("over", 1))
    silent = (Rate("over.SA", 20_000, level="SA"),)

    assert price(overage(90), rates=ANY).overage_minor == 9000
    assert price(overage(90), rates=ANY, overage_rates=own).overage_minor == 13_800
    assert price(overage(90), rates=ANY, overage_rates=silent).overage_minor == 9000
    assert price(overage(90)).overage_minor is None
    assert price(overage(90)).total_minor is None


def test_weights_count_in_the_price_of_overage_only_when_the_contract_says_so() -> None:
    assert price(overage(60), rates=ANY, multiplier_applies_to_overage=True).overage_minor == 9000
    assert price(overage(60), rates=ANY).overage_minor == 6000


def test_time_and_materials_has_the_rate_of_its_condition() -> None:
    demands = [Demand(one, START, 30, 30, 200, "time_and_materials") for one in ("regular", "weekend")]
    rates = (*ANY, Rate("rate.weekend", 12_000, condition="weekend"))

    found = priced([Part(one) for one in demands], some_terms(rates=rates), job_type="network", level="L1")

    assert (found.overage_minor, found.time_and_materials_minor, found.total_minor) == (0, 9000, 9000)


@given(pieces=st.lists(st.integers(1, 500), min_size=1, max_size=5), rate=st.integers(0, 100_000))
def test_the_pieces_of_one_condition_are_rounded_once_together(pieces: list[int], rate: int) -> None:
    parts = [Part(Demand("regular", START, one, one, 100, "bucket"), overage_minutes=one) for one in pieces]

    found = priced(parts, some_terms(rates=(Rate("any", rate),)), job_type="network", level="L1")

    assert found.overage_minor == price_of_minutes(sum(pieces), Money(rate, "EUR")).minor
