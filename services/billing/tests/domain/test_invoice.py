"""Prices, taxes and totals."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from billing.domain.invoice import Control, broken_sums, content_of, differing, totals
from billing.domain.items import price_fixed_items
from billing.domain.pricing import (
    FixedItem,
    PricedLine,
    PricesMissing,
    SameSpecificity,
    price_work,
    rate_for,
)
from billing.domain.tax import tax_groups
from billing.testing import CONTRACT, OCTOBER, a_rate, some_terms, some_work
from msp_kernel.money import Money


def a_line(net_minor: int, *, basis_points: int = 2000) -> PricedLine:
    return PricedLine("fixed", CONTRACT, "item", Money(net_minor, "GBP"), "S", basis_points, "rule")


def test_i1_four_lines_at_twenty_percent_are_334_99() -> None:
    sums = totals([a_line(minor) for minor in (6833, 6833, 5750, 8500)], "GBP")

    assert (str(sums.net), str(sums.tax), str(sums.gross)) == ("279.16", "55.83", "334.99")


def test_i2_an_entry_of_the_first_of_july_does_not_belong_to_june() -> None:
    item = FixedItem("fee", "Retainer", 1, 7900, "monthly", date(2026, 7, 1))

    june = price_fixed_items([some_terms(fixed_items=(item,))], starts_on=date(2026, 6, 1), ends_on=date(2026, 7, 1))

    assert june == []


def test_ninety_minutes_beyond_the_bucket_cost_138() -> None:
    (line,) = price_work([some_work(worked=150, overage=90)], {(CONTRACT, 1): some_terms()})

    assert (line.quantity_minutes, str(line.net)) == (90, "138.00")


def test_the_most_specific_rate_counts() -> None:
    rates = (a_rate(9200), a_rate(11_000, level="L1"), a_rate(20_000, level="L1", condition="weekend"))

    found = rate_for(rates, job_type="network", level="L1", condition="weekend")

    assert found is not None
    assert found.rate_minor == 20_000


def test_two_rates_that_fit_equally_are_not_guessed_between() -> None:
    with pytest.raises(SameSpecificity, match="rate-1, rate-2"):
        rate_for(
            (a_rate(1, level="L1"), a_rate(2, job_type="network")), job_type="network", level="L1", condition="regular"
        )


def test_every_missing_price_is_listed_and_none_is_zero() -> None:
    terms = {(CONTRACT, 1): some_terms(rates=(a_rate(9200, level="L2"),))}

    with pytest.raises(PricesMissing) as missing:
        price_work([some_work(overage=10), some_work(overage=10, condition="weekend")], terms)

    assert missing.value.missing == (("network", "L1", "regular"), ("network", "L1", "weekend"))


def test_weights_count_beyond_the_bucket_only_when_the_contract_says_so() -> None:
    work = some_work(overage=60, weight=150)

    (plain,) = price_work([work], {(CONTRACT, 1): some_terms()})
    (weighted,) = price_work([work], {(CONTRACT, 1): some_terms(multiplier_applies_to_overage=True)})

    assert (plain.net.minor, weighted.net.minor) == (9200, 13_800)


def test_a_once_item_is_billed_in_its_month_only() -> None:
    terms = some_terms(fixed_items=(FixedItem("lot", "50 hours", 1, 410_000, "once", date(2026, 10, 1)),))
    november = (date(2026, 11, 1), date(2026, 12, 1))

    assert [line.net.minor for line in price_fixed_items([terms], starts_on=OCTOBER[0], ends_on=OCTOBER[1])] == [
        410_000
    ]
    assert price_fixed_items([terms], starts_on=november[0], ends_on=november[1]) == []


_works = st.lists(
    st.builds(
        lambda overage, worked, level, condition, day: some_work(
            overage=min(overage, worked),
            worked=worked,
            level=level,
            condition=condition,
            worked_from=datetime(2026, 10, day, 9, tzinfo=UTC),
        ),
        st.integers(0, 600),
        st.integers(1, 600),
        st.sampled_from(("L1", "L2")),
        st.sampled_from(("regular", "weekend")),
        st.integers(1, 31),
    ),
    max_size=20,
)


@given(_works, st.integers(0, 2**32))
def test_an_invoice_does_not_depend_on_the_order_of_arrival(works: list[Any], seed: int) -> None:
    terms = {(CONTRACT, 1): some_terms()}
    shuffled = list(works)
    random.Random(seed).shuffle(shuffled)

    contents = [
        content_of(lines=price_work(some, terms), works=some, currency="GBP", header={}, statement=[])
        for some in (works, shuffled)
    ]

    assert contents[0] == contents[1]
    assert broken_sums(contents[0]) == []


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.sampled_from((0, 500, 700, 2000))), max_size=30))
def test_totals_are_plain_sums_of_rounded_parts(lines: list[tuple[int, int]]) -> None:
    priced = [a_line(minor, basis_points=rate) for minor, rate in lines]

    sums = totals(priced, "GBP")

    assert sums.net.minor == sum(minor for minor, _ in lines)
    assert sums.gross.minor == sums.net.minor + sum(group.tax.minor for group in sums.groups)
    assert len({(group.category, group.rate_basis_points) for group in sums.groups}) == len(sums.groups)


def test_reverse_charge_has_no_tax() -> None:
    (group,) = tax_groups([("AE", 2000, Money(1000, "EUR"))])

    assert (group.rate_basis_points, group.tax.minor) == (0, 0)


def test_what_differs_is_said_in_numbers() -> None:
    sealed, known = (Control.of((str(n), 60) for n in range(count)) for count in (2, 1))

    assert str(differing(sealed, known)) == "tickets sealed 2 entries of 120 min, billing knows 1 of 60 min"
    assert str(differing(known, Control.of([("other", 60)]))).endswith("; the same sums, but other entries")
