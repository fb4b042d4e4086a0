from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, strategies as st

from portal_gateway import charts

NASTY = "<script>alert('\"&')</script>"
CLOCK = {
    "status": "running",
    "is_breached": False,
    "due_at": "2026-03-02T15:00:00+00:00",
    "intervals": [
        {"kind": "counted", "from": "2026-03-02T09:00:00+00:00", "to": "2026-03-02T10:00:00+00:00", "seconds": 3600},
        {"kind": "paused", "from": "2026-03-02T10:00:00+00:00", "to": None, "seconds": 60, "reason": NASTY},
    ],
}
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAYS = [{"on": f"2026-03-0{day}", "available_minutes": 600 - 100 * day} for day in range(1, 8)]


def shapes(drawn: str, tag: str) -> list[dict[str, str]]:
    """Return the attributes of all shapes of a kind; fails when the drawing is no well-formed XML."""
    root = ET.fromstring(f"<figure>{drawn.replace(' class=num', '')}</figure>")
    return [one.attrib for one in root.iter(tag)]


def test_what_people_wrote_is_text_in_every_chart() -> None:
    drawings = [
        charts.clock_tape(CLOCK, NOW),
        charts.stacked([(1, "f1", NASTY)], None, 2),
        charts.meter(1, 2, label=NASTY),
        charts.burn({"capacity_minutes": 600, "days": [{**DAYS[0], "on": NASTY}, DAYS[1]]}),
    ]

    for drawn in drawings:
        shapes(drawn, "rect")
        assert "<script" not in drawn


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_meter_never_leaves_its_track(value: float, total: float) -> None:
    *_, filled = shapes(charts.meter(value, total), "rect")

    assert 0 <= float(filled["width"].rstrip("%")) <= 100


def test_a_bar_is_scaled_from_its_low_end() -> None:
    track, filled = shapes(charts.bar(95, 90, "f-ok", low=80), "rect")
    (tick,) = shapes(charts.bar(95, 90, "f-ok", low=80), "line")

    assert (track["width"], filled["width"], tick["x1"]) == ("100%", "75%", "50%")


def test_the_tape_shows_counted_paused_and_left_time_to_scale() -> None:
    # Nine to fifteen is six hours: one counted, two paused until now, three left.
    segments = [
        one for one in shapes(charts.clock_tape(CLOCK, NOW), "rect") if one.get("height") == "12" and "data-tip" in one
    ]

    assert [one["width"] for one in segments] == ["16.67%", "33.33%", "50%"]
    assert segments[1]["fill"] == "url(#hatch)"


def test_a_clock_without_intervals_has_no_tape() -> None:
    assert charts.clock_tape({**CLOCK, "intervals": []}, NOW) == ""


@pytest.mark.parametrize("tone", ["", "risk"])
def test_the_gauge_and_the_burn_line_have_their_numbers(tone: str) -> None:
    ring, filled = shapes(charts.gauge(25, 50, tone, pace=30), "circle")
    (line,) = shapes(charts.burn({"capacity_minutes": 600, "days": DAYS}, tone), "polyline")

    assert float(filled["stroke-dasharray"].split()[0]) == pytest.approx(
        float(ring["stroke-dasharray"].split()[0]) / 2, abs=0.01
    )
    assert line["points"].split()[0] == "0,16.67"
    assert len(shapes(charts.burn({"capacity_minutes": 600, "days": DAYS}), "tr")) == 8
