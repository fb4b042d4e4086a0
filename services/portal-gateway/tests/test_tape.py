"""The tape of a clock: what counted, what did not, thresholds, now and due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, strategies as st

from portal_gateway import tape

ZONE = "Europe/London"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
KINDS = ("counted", "closed", "paused", "left")


def at(hour: int, minute: int = 0, day: int = 2) -> str:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC).isoformat()


def a_clock(*stretches: tuple[str, str, str], **changed: Any) -> dict[str, Any]:
    return {
        "clock_id": "1",
        "metric": "resolution",
        "status": "running",
        "is_breached": False,
        "breached_at": None,
        "due_at": at(15),
        "budget_minutes": 240,
        "consumed_seconds": 5400,
        "verdict": None,
        "stop_reason": "",
        "pending": [],
        "fired": [],
        "stretches": [{"kind": kind, "from": first, "to": last, "seconds": 0} for kind, first, last in stretches],
        **changed,
    }


RUNNING = a_clock(
    ("counted", at(9), at(10)),
    ("paused", at(10), at(11, 30)),
    ("counted", at(11, 30), at(12)),
    ("left", at(12), at(15)),
)


def drawn(clock: dict[str, Any], *, seconds_later: int = 0) -> tuple[list[dict[str, str]], list[str]]:
    """Return the segments and the labels of a tape; fails when it is no well-formed XML."""
    root = ET.fromstring(f"<figure>{tape.drawn(clock, NOW + timedelta(seconds=seconds_later), ZONE)}</figure>")
    segments = [one.attrib for one in root.iter("rect") if "data-tip" in one.attrib]
    return segments, [str(one.text) for one in root.iter("text")]


def test_the_tape_shows_counted_paused_and_left_time_to_scale() -> None:
    segments, labels = drawn(RUNNING)

    assert [one["width"] for one in segments] == ["16.67%", "25%", "8.33%", "50%"]
    assert segments[1]["fill"] == "url(#hatch)"
    assert segments[1]["data-tip"] == "10:00 to 11:30: 1 h 30 min paused, not counted"
    assert labels == ["09:00", "Due 15:00", "Now 37%", "1 h 30 min paused"]


def test_a_night_is_drawn_shorter_than_it_is_and_says_its_length() -> None:
    clock = a_clock(
        ("counted", at(16), at(18)), ("closed", at(18), at(8, day=3)), ("left", at(8, day=3), at(10, day=3))
    )

    night = drawn(clock)[0][1]

    # Four hours count; a night is at most an eighth of them: 0.5 of 4.5 hours.
    assert night["width"] == "11.11%"
    assert "14 h outside hours" in night["data-tip"]


def test_what_counted_past_the_target_is_told_apart() -> None:
    late = {"is_breached": True, "breached_at": at(10), "due_at": at(10)}
    segments, labels = drawn(a_clock(("counted", at(9), at(12)), **late), seconds_later=1)

    assert [one["class"] for one in segments] == ["f-work", "f-breach"]
    assert segments[1]["data-tip"] == "10:00 to 12:00: 2 h counted past the target"
    assert "Due 10:00" in labels
    assert labels[-1] == "Now 37%"


def test_thresholds_stand_where_they_fire_and_voided_ones_are_gone() -> None:
    told = {"kind": "at_risk", "at": at(9, 30), "voided_at": None}
    clock = {
        **RUNNING,
        "pending": [
            {"kind": "at_risk", "percent": 75, "at": at(13, 30)},
            {"kind": "breach", "percent": 100, "at": at(15)},
        ],
        "fired": [{**told, "percent": 25}, {**told, "percent": 50, "voided_at": at(11)}],
    }

    labels = drawn(clock)[1]

    assert labels[:2] == ["25%", "75%"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({}, "Resolution clock: 1 h 30 min of 4 h used, 1 h 30 min paused, due today 15:00"),
        ({"status": "paused", "due_at": None}, "Resolution clock: 1 h 30 min of 4 h used, 1 h 30 min paused"),
        (
            {"status": "stopped", "verdict": "missed", "due_at": None},
            "Resolution clock: 1 h 30 min of 4 h used, 1 h 30 min paused, missed",
        ),
        ({"is_breached": True}, "Resolution clock: 1 h 30 min of 4 h used, 1 h 30 min paused, was due today 15:00"),
    ],
)
def test_the_tape_says_itself_in_a_sentence(change: dict[str, Any], sentence: str) -> None:
    assert "<title id=" in tape.drawn({**RUNNING, **change}, NOW, ZONE)
    assert tape.said({**RUNNING, **change}, NOW, ZONE) == sentence


def test_a_clock_that_has_not_begun_has_no_tape() -> None:
    assert tape.drawn(a_clock(), NOW, ZONE) == ""
    assert tape.drawn(a_clock(("counted", at(9), at(9))), NOW, ZONE) == ""


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 100_000)), min_size=1, max_size=30))
def test_the_row_is_filled_exactly(parts: list[tuple[str, int]]) -> None:
    second = 1_000_000
    stretches: list[tuple[str, str, str]] = []
    for kind, length in parts:
        first, last = (datetime.fromtimestamp(one, UTC).isoformat() for one in (second, second + length))
        stretches.append((kind, first, last))
        second += length

    segments = drawn(a_clock(*stretches, due_at=None, status="paused"))[0]

    assert len(segments) == len(parts)
    assert sum(float(one["width"].rstrip("%")) for one in segments) == pytest.approx(100, abs=0.01 * len(parts))
