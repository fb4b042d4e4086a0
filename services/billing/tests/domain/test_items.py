"""Items, charges, discounts, minimums, credits; and the cascade of rates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, strategies as st

from billing.domain.invoice import broken_sums, content_of
from billing.domain.items import Charge, Credit, price_fixed_items, times_due, with_charges, with_credits
from billing.domain.pricing import (
    FixedItem,
    MixedCurrencies,
    PricedLine,
    RateNotPossible,
    price_work,
)
from billing.testing import CONTRACT, OCTOBER, a_rate, some_terms, some_work
from msp_kernel.ids import new_id
from msp_kernel.money import Money

CURRENCIES = ("GBP", "EUR", "JPY", "KRW", "KWD", "TND")
MONTHS = st.dates(date(2026, 1, 1), date(2027, 12, 31)).map(lambda day: day.replace(day=1))


def a_line(net_minor: int, **given: Any) -> PricedLine:
    default = {"tax_category": "S", "tax_rate_basis_points": 2000, "rule_id": "rule", "currency": "GBP"}
    values = {**default, **given}
    unit = Money(net_minor, values.pop("currency"))
    return PricedLine("fixed", CONTRACT, "item", unit, **values)


def a_charge(**given: Any) -> Charge:
    default: dict[str, Any] = {
        "id": new_id(),
        "contract_id": CONTRACT,
        "kind": "discount",
        "text": "loyalty",
        "quantity": 1,
        "amount_minor": 0,
        "basis_points": 0,
        "applies_to": "all",
        "frequency": "monthly",
        "starts_on": OCTOBER[0],
        "ends_on": None,
    }
    return Charge(**{**default, **given})


def charged(lines: list[PricedLine], *charges: Charge, **terms: Any) -> list[tuple[str, int]]:
    made = with_charges(lines, charges, {CONTRACT: some_terms(**terms)}, starts_on=OCTOBER[0], ends_on=OCTOBER[1])
    return [(line.kind, line.net.minor) for line in made]


@pytest.mark.parametrize(
    ("overage_rates", "rates", "expected"),
    [
        ((), (a_rate(9200),), (9200, "level_rate")),
        ((a_rate(5000),), (a_rate(9200),), (5000, "overage_rate")),
        ((a_rate(5000, level="L3"),), (a_rate(9200),), (9200, "level_rate")),
        ((a_rate(5000, condition="weekend"), a_rate(4000)), (a_rate(9200),), (4000, "overage_rate")),
    ],
)
def test_overage_has_the_contract_s_rate_or_else_that_of_the_level(
    overage_rates: Any, rates: Any, expected: tuple[int, str]
) -> None:
    terms = some_terms(overage_rates=overage_rates, rates=rates)

    (line,) = price_work([some_work(overage=60)], {(CONTRACT, 1): terms})

    assert (line.net.minor, line.clause["step"]) == expected


def test_weights_count_on_overage_rates_too_and_never_on_time_and_materials() -> None:
    terms = some_terms(overage_rates=(a_rate(5000),), multiplier_applies_to_overage=True)
    both = some_work(overage=60, weight=150, worked=120)
    both = replace(both, spans=(replace(both.spans[0], time_and_materials_minutes=60),))

    priced = {line.kind: line.net.minor for line in price_work([both], {(CONTRACT, 1): terms})}

    assert priced == {"overage": 7500, "time_and_materials": 9200}


def test_support_and_projects_stand_on_lines_of_their_own() -> None:
    works = [some_work(overage=60), some_work(overage=30, section="project")]

    lines = price_work(works, {(CONTRACT, 1): some_terms()})

    assert [(line.clause["section"], line.quantity_minutes) for line in lines] == [("project", 30), ("support", 60)]


@pytest.mark.parametrize("rate", [-1, 10_001])
def test_a_tax_rate_outside_0_to_100_percent_is_refused(rate: int) -> None:
    with pytest.raises(RateNotPossible, match=r"0 to 10000 \(100 %\) are accepted"):
        price_work([some_work(overage=1)], {(CONTRACT, 1): some_terms(tax_rate_basis_points=rate)})


def test_a_negative_rate_is_refused_by_name() -> None:
    with pytest.raises(RateNotPossible, match="rate--5 of C-0001 is -5; a rate is zero or more"):
        price_work([some_work(overage=1)], {(CONTRACT, 1): some_terms(rates=(a_rate(-5),))})


def test_an_invoice_has_one_currency() -> None:
    with pytest.raises(MixedCurrencies, match="the invoice is in GBP, lines are in EUR"):
        content_of(lines=[a_line(1, currency="EUR")], works=[], currency="GBP", header={}, statement=[])


@given(
    currency=st.sampled_from(CURRENCIES),
    rate=st.integers(0, 10**7),
    minutes=st.lists(st.integers(1, 2000), min_size=1, max_size=12),
    tax=st.sampled_from([0, 500, 1900, 2000, 2550, 10_000]),
)
def test_money_adds_up_in_every_currency(currency: str, rate: int, minutes: list[int], tax: int) -> None:
    category = "S" if tax else "Z"
    of = some_terms(currency=currency, rates=(a_rate(rate),), tax_rate_basis_points=tax, tax_category=category)
    works = [some_work(overage=one, worked=one) for one in minutes]
    lines = price_work(works, {(CONTRACT, 1): of})
    content = content_of(lines=lines, works=works, currency=currency, header={}, statement=[])

    assert broken_sums(content) == []
    total = sum(minutes) * rate
    assert abs(content["net_minor"] * 60 - total) <= 30
    assert abs(content["tax_minor"] * 10_000 - content["net_minor"] * tax) <= 5000


@given(first=MONTHS, months=st.integers(1, 30), day=st.integers(1, 31))
def test_a_monthly_item_is_due_once_a_month_however_the_months_are_billed(first: date, months: int, day: int) -> None:
    starts = date(first.year, first.month, min(day, 28))
    edges = [starts]
    for _ in range(months):
        last = edges[-1]
        edges.append(date(last.year + last.month // 12, last.month % 12 + 1, last.day))
    due: dict[str, Any] = {"frequency": "monthly", "first_on": starts, "last_before": None}

    whole = times_due(**due, starts_on=edges[0], ends_on=edges[-1])
    single = [times_due(**due, starts_on=a, ends_on=b) for a, b in zip(edges, edges[1:], strict=False)]

    assert whole == sum(single) == months
    assert set(single) == {1}


def test_an_item_of_the_31st_is_due_on_the_last_day_and_ends_with_the_contract() -> None:
    due: dict[str, Any] = {"frequency": "monthly", "first_on": date(2026, 1, 31)}

    assert times_due(**due, last_before=None, starts_on=date(2026, 2, 28), ends_on=date(2026, 3, 1)) == 1
    assert times_due(**due, last_before=date(2026, 3, 31), starts_on=date(2026, 1, 1), ends_on=date(2027, 1, 1)) == 2
    assert times_due(**due, last_before=None, starts_on=date(2025, 1, 1), ends_on=date(2026, 1, 1)) == 0


def test_a_minimum_lifts_and_a_discount_comes_after_it() -> None:
    lines = [a_line(3000)]

    assert charged(lines, a_charge(basis_points=1000), a_charge(kind="minimum", text="fee", amount_minor=5000)) == [
        ("fixed", 3000),
        ("minimum", 2000),
        ("discount", -500),
    ]
    assert charged(lines, a_charge(kind="minimum", amount_minor=3000)) == [("fixed", 3000)]


def test_a_discount_is_split_by_tax_and_never_more_than_there_is() -> None:
    lines = [a_line(3000), a_line(1000, tax_rate_basis_points=700)]

    assert charged(lines, a_charge(amount_minor=1001))[2:] == [("discount", -250), ("discount", -751)]
    assert sum(net for _, net in charged(lines, a_charge(amount_minor=99_999))) == 0


@given(nets=st.lists(st.integers(0, 10**8), min_size=1, max_size=8), share=st.integers(0, 10_000))
def test_no_discount_turns_an_invoice_below_zero(nets: list[int], share: int) -> None:
    made = charged([a_line(net) for net in nets], a_charge(basis_points=share) if share else a_charge(amount_minor=1))

    assert 0 <= sum(net for _, net in made) <= sum(nets)


@given(st.lists(st.integers(1, 5000), max_size=10), st.integers(0, 10_000))
def test_credits_are_given_whole_and_never_below_zero(amounts: list[int], net: int) -> None:
    evidence = ({"ticket": "HLO-1"},)
    given_back = [
        Credit(new_id(), CONTRACT, "GBP", amount, "credit", evidence, "sla", OCTOBER[0]) for amount in amounts
    ]

    made, used = with_credits([a_line(net)], given_back, {CONTRACT: some_terms()})

    assert sum(line.net.minor for line in made) == net - sum(one.amount_minor for one in given_back if one.id in used)
    assert sum(line.net.minor for line in made) >= 0


def test_a_negative_item_is_refused() -> None:
    of = some_terms(fixed_items=(FixedItem("fee", "Fee", 1, -5, "monthly", OCTOBER[0]),))

    with pytest.raises(RateNotPossible):
        price_fixed_items([of], starts_on=OCTOBER[0], ends_on=OCTOBER[1])
