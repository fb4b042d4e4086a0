"""How values are read and shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from portal_gateway.pages import shown
from portal_gateway.pages.site import safe_next


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("45m", 45),
        ("45", 45),
        ("45 min", 45),
        ("1h15", 75),
        ("1h 15m", 75),
        ("2h", 120),
        ("1:15", 75),
        ("1.25", 75),
        ("1,5", 90),
        (".5", 30),
        ("14:00-14:45", 45),
        ("23:30-00:15", 45),
        ("24:00", 1440),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, minutes: int) -> None:
    assert shown.parse_duration(text) == minutes


@pytest.mark.parametrize(
    "text", ["", "0", "1h75", "25h", "-5", "1.234", "abc", "٤٥", "1e3", "14:00-", "9999999", "1h-5"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    assert shown.parse_duration(text) is None


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    minutes = shown.parse_duration(text)

    assert minutes is None or 1 <= minutes <= 1440


def test_hours_and_money_are_shown_with_real_minus_signs() -> None:
    # Twenty minutes are never 0.33 of anything.
    assert shown.hours(20) == "0:20 h"
    assert [shown.hours(n) for n in (1305, 0, -270, 1)] == ["21:45 h", "0:00 h", "−4:30 h", "0:01 h"]
    assert shown.money(-12_345, "GBP") == "−£123.45"
    assert shown.money(1200, "JPY").endswith("1,200")
    assert [shown.duration(n) for n in (45, 60, 75)] == ["45 min", "1 h", "1 h 15 min"]


def test_a_timer_turns_at_risk_in_the_last_quarter() -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    clock = {"status": "running", "budget_minutes": 60, "is_breached": False, "verdict": None, "remaining_seconds": 0}

    states = [
        shown.timer({**clock, "due_at": f"2026-11-23T{at}:00+00:00"}, now)["state"]  # type: ignore[index]
        for at in ("12:59", "12:15", "11:59")
    ]

    assert states == ["running", "risk", "breached"]


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil", "evil", "javascript:alert(1)"])
def test_sign_in_never_leads_to_another_site(path: str) -> None:
    assert safe_next(path, "/portal") == "/portal"
    assert safe_next("/desk/queues?x=1", "/portal") == "/desk/queues?x=1"


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("40h", 2400),
        ("12h30", 750),
        ("12h 30m", 750),
        ("90m", 90),
        ("90 min", 90),
        ("1.5", 90),
        ("40", 2400),
        (".25", 15),
    ],
)
def test_efforts_are_read_as_people_write_them(text: str, minutes: int) -> None:
    assert shown.effort(text) == minutes


@pytest.mark.parametrize("text", ["", "0", "0h", "soon", "1h75", "-5", "h", ".", "1.234", "99999h", "٤h", "m"])
def test_what_is_no_effort_is_refused(text: str) -> None:
    assert shown.effort(text) is None


@given(st.integers(1, 9999 * 60))
def test_an_effort_is_written_as_it_is_read(minutes: int) -> None:
    assert shown.effort(shown.as_effort(minutes)) == minutes
