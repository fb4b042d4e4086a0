"""Numbers and days as people type them into the forms of contracts."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from portal_gateway.pages.calendars import _document
from portal_gateway.pages.drafts import budget, budget_text, whole


@given(st.integers(0, 10**7))
def test_a_budget_is_read_as_it_is_written(minutes: int) -> None:
    assert budget(budget_text(minutes)) == minutes


def test_no_budget_is_written_and_read_as_none() -> None:
    assert budget(budget_text(None)) is None


@pytest.mark.parametrize(
    ("text", "times", "made"), [("1.5", 60, 90), ("1,5", 60, 90), ("12.50", 100, 1250), ("12", 1, 12), (" 7 ", 1, 7)]
)
def test_what_is_whole_is_read(text: str, times: int, made: int) -> None:
    assert whole(text, times=times) == made


@pytest.mark.parametrize("text", ["1e9999999", "1e5000", "9" * 5000, "NaN", "inf", "1,000", "1.005", "", "x", "1_000"])
def test_what_is_no_number_of_ours_is_left_for_the_service_to_refuse(text: str) -> None:
    assert whole(text, times=100) == text


@given(st.text(max_size=30))
def test_any_text_is_a_number_of_a_size_that_can_be_sent_or_itself(text: str) -> None:
    made = whole(text, times=100)

    assert made == text or (isinstance(made, int) and abs(made) < 2**63)


def test_a_day_that_is_closed_and_open_is_not_taken_for_open() -> None:
    form = {"overrides": "2026-12-24 closed\n2026-12-24 09:00-12:00\n2026-12-31 09:00-11:00\n2026-12-31 12:00-13:00"}

    assert _document(form)["overrides"] == {
        "2026-12-24": [["closed"], ["09:00", "12:00"]],
        "2026-12-31": [["09:00", "11:00"], ["12:00", "13:00"]],
    }
