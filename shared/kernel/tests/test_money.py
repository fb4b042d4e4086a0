"""Money adds up to the minor unit."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, strategies as st

from msp_kernel.money import (
    MINOR_MAX,
    BadWeights,
    CurrenciesDiffer,
    Money,
    NotAnAmount,
    UnknownCurrency,
    basis_points_of,
    half_up,
    price_of_minutes,
    split,
)

_minor = st.integers(-(10**15), 10**15)


@given(_minor, st.integers(1, 10**6))
def test_half_up_agrees_with_decimal(numerator: int, denominator: int) -> None:
    expected = (Decimal(numerator) / Decimal(denominator)).quantize(Decimal(1), ROUND_HALF_UP)

    assert half_up(numerator, denominator) == int(expected)


def test_halves_go_away_from_zero() -> None:
    assert [half_up(n, 2) for n in (5, -5, 3, -3)] == [3, -3, 2, -2]


@given(_minor, st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any))
def test_the_parts_of_a_split_are_the_whole(minor: int, weights: list[int]) -> None:
    parts = split(Money(minor, "GBP"), weights)

    assert sum(part.minor for part in parts) == minor
    exact = [Decimal(minor) * weight / sum(weights) for weight in weights]
    assert all(abs(part.minor - share) < 1 for part, share in zip(parts, exact, strict=True))


@pytest.mark.parametrize("weights", [[], [0, 0], [3, -1]])
def test_weights_are_positive(weights: list[int]) -> None:
    with pytest.raises(BadWeights):
        split(Money(100, "EUR"), weights)


def test_a_negative_amount_is_split_like_a_positive_one() -> None:
    assert [part.minor for part in split(Money(-100, "EUR"), [1, 1, 1])] == [-34, -33, -33]


def test_i1_tax_is_rounded_once_on_the_sum_of_rounded_lines() -> None:
    lines = [Money.parse(text, "GBP") for text in ("68.33", "68.33", "57.50", "85.00")]

    net = sum(lines[1:], start=lines[0])

    assert str(net + basis_points_of(net, 2000)) == "334.99"


def test_ties_of_a_split_go_to_the_first() -> None:
    assert [part.minor for part in split(Money(100, "EUR"), [1, 1, 1])] == [34, 33, 33]


@pytest.mark.parametrize(("text", "currency"), [("68.33", "GBP"), ("-0.05", "EUR"), ("1200", "JPY"), ("1.234", "KWD")])
def test_a_decimal_text_survives_the_round_trip(text: str, currency: str) -> None:
    assert str(Money.parse(text, currency)) == text


@pytest.mark.parametrize("text", ["", "1,00", "1.001", "£1", "1e3", " 1", "٣"])
def test_other_texts_are_no_amounts(text: str) -> None:
    with pytest.raises(NotAnAmount):
        Money.parse(text, "GBP")


def test_only_whole_minor_units_of_a_known_currency_are_money() -> None:
    for minor in (1.0, True, "1", MINOR_MAX + 1, -MINOR_MAX - 1):
        with pytest.raises(NotAnAmount):
            Money(minor, "GBP")  # type: ignore[arg-type]
    with pytest.raises(UnknownCurrency):
        Money(1, "XXX")
    with pytest.raises(CurrenciesDiffer):
        Money(1, "GBP") + Money(1, "EUR")


def test_an_hour_and_a_half_after_exhaustion_cost_138() -> None:
    assert price_of_minutes(90, Money.parse("92.00", "GBP")) == Money.parse("138.00", "GBP")
    assert basis_points_of(Money.parse("138.00", "GBP"), 2000) == Money.parse("27.60", "GBP")
