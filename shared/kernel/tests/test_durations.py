"""Hours and minutes say exactly what they are made of."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from msp_kernel.durations import hours_and_minutes, whole_minutes


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0, "0:00"), (1, "0:01"), (20, "0:20"), (1305, "21:45"), (-270, "\N{MINUS SIGN}4:30"), (74_355, "1,239:15")],
)
def test_minutes_are_read_as_hours_and_minutes(minutes: int, text: str) -> None:
    assert hours_and_minutes(minutes) == text


@given(minutes=st.integers(0, 59_999_999))
def test_what_is_read_is_what_there_was(minutes: int) -> None:
    assert whole_minutes(hours_and_minutes(minutes, group="")) == minutes


@given(parts=st.lists(st.integers(0, 10_000), max_size=30))
def test_what_stands_in_a_column_adds_up_to_its_sum(parts: list[int]) -> None:
    shown = [whole_minutes(hours_and_minutes(one, group="")) for one in parts]

    assert None not in shown
    assert whole_minutes(hours_and_minutes(sum(parts), group="")) == sum(one or 0 for one in shown)


@pytest.mark.parametrize("text", ["", "1", "1:5", "1:60", "-1:00", "1:00:00", "1.5", "٣:٠٠", "1234567:00", ":20"])
def test_what_is_not_hours_and_minutes_is_not_guessed(text: str) -> None:
    assert whole_minutes(text) is None
