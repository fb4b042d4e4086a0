"""From worked to billed minutes."""

from __future__ import annotations

from hypothesis import given, strategies as st

from contracts.domain.rounding import Rounding, shares


def test_r1_minimum_comes_before_increment() -> None:
    rounding = Rounding(increment_minutes=15, minimum_minutes=20)

    assert rounding.billed_minutes(5) == 30


def test_r2_per_entry_or_per_ticket_and_day() -> None:
    rounding = Rounding(increment_minutes=15)

    assert sum(rounding.billed_minutes(7) for _ in range(3)) == 45
    assert rounding.billed_in_turn([7, 7, 7]) == [15, 0, 15]


def test_r3_three_times_twenty_minutes_is_exactly_an_hour() -> None:
    assert sum(Rounding().billed_minutes(20) for _ in range(3)) == 60
    assert sum(Rounding(increment_minutes=15).billed_in_turn([20, 20, 20])) == 60


def test_nearest_rounds_half_an_increment_up_and_never_to_nothing() -> None:
    rounding = Rounding(increment_minutes=15, direction="nearest")

    assert [rounding.billed_minutes(worked) for worked in (1, 7, 8, 22, 23)] == [15, 15, 15, 15, 30]


def test_nothing_worked_is_nothing_billed() -> None:
    assert Rounding(increment_minutes=15, minimum_minutes=20).billed_minutes(0) == 0


@given(worked=st.integers(1, 1440), increment=st.integers(1, 240), minimum=st.integers(0, 240))
def test_rounding_up_never_bills_less_than_worked_and_keeps_the_increment(
    worked: int, increment: int, minimum: int
) -> None:
    billed = Rounding(increment_minutes=increment, minimum_minutes=minimum).billed_minutes(worked)

    assert billed >= max(worked, minimum)
    assert billed % increment == 0
    assert billed - max(worked, minimum) < increment


@given(total=st.integers(0, 10_000), weights=st.lists(st.integers(1, 1440), min_size=1, max_size=6))
def test_shares_add_up_and_are_nearly_proportional(total: int, weights: list[int]) -> None:
    parts = shares(total, weights=weights)

    assert sum(parts) == total
    assert all(
        abs(part * sum(weights) - total * weight) < sum(weights) for part, weight in zip(parts, weights, strict=True)
    )
