from __future__ import annotations

from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, strategies as st

from portal_gateway import charts

NASTY = "<script>alert('\"&')</script>"
DAYS = [{"on": f"2026-03-0{day}", "available_minutes": 600 - 100 * day} for day in range(1, 8)]


COUNTS = st.lists(st.lists(st.integers(0, 50), min_size=24, max_size=24), min_size=7, max_size=7)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def a_week(number: int, percent: float | None) -> dict[str, object]:
    counts = (
        {"met": 0, "missed": 0, "open_overdue": 0} if percent is None else {"met": 9, "missed": 1, "open_overdue": 2}
    )
    return {"week": (date(2026, 8, 31) + timedelta(weeks=number)).isoformat(), "percent": percent, **counts}


def shapes(drawn: str, tag: str) -> list[dict[str, str]]:
    """Return the attributes of all shapes of a kind; fails when the drawing is no well-formed XML."""
    root = ET.fromstring(f"<figure>{drawn.replace(' class=num', '')}</figure>")
    return [one.attrib for one in root.iter(tag)]


def test_what_people_wrote_is_text_in_every_chart() -> None:
    drawings = [
        charts.heat([[0, 1]], [NASTY], NASTY, lambda weekday, hour: NASTY),
        charts.stacked([(1, "f1", NASTY)], None, 2),
        charts.meter(1, 2, label=NASTY),
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


@pytest.mark.parametrize("tone", ["", "risk"])
def test_the_gauge_and_the_burn_line_have_their_numbers(tone: str) -> None:
    ring, filled = shapes(charts.gauge(25, 50, tone, pace=30), "circle")
    (line,) = shapes(charts.burn({"capacity_minutes": 600, "days": DAYS}, tone), "polyline")

    assert float(filled["stroke-dasharray"].split()[0]) == pytest.approx(
        float(ring["stroke-dasharray"].split()[0]) / 2, abs=0.01
    )
    assert line["points"].split()[0] == "0,16.67"
    assert len(shapes(charts.burn({"capacity_minutes": 600, "days": DAYS}), "tr")) == 8


@given(COUNTS)
def test_the_heatmap_shows_every_breach_and_only_those(counts: list[list[int]]) -> None:
    drawn = charts.heat(counts, WEEKDAYS, "breaches", lambda weekday, hour: f"/{weekday}/{hour}")

    squares = [one for one in shapes(drawn, "rect") if "data-tip" in one]
    told = [int(one["data-tip"].rsplit(", ", 1)[1].split()[0]) for one in squares]
    assert sum(told) == sum(map(sum, counts))
    assert len(squares) == sum(count > 0 for row in counts for count in row)
    # Each number of the table leads to its own weekday and hour.
    assert [one["href"] for one in shapes(drawn, "a")] == [
        f"/{weekday}/{hour}" for weekday, row in enumerate(counts) for hour, count in enumerate(row) if count
    ]
    assert {one["class"] for one in squares} <= {"h1", "h2", "h3", "h4", "h5"}


def test_the_heatmap_names_the_worst_hour() -> None:
    counts = [[0] * 24 for _ in WEEKDAYS]
    counts[0][14], counts[4][9] = 5, 2

    drawn = charts.heat(counts, WEEKDAYS, "breaches")

    assert "7 breaches by weekday and hour, most on Mon at 14:00: 5" in drawn


def test_a_week_without_data_is_a_gap_in_the_trend() -> None:
    drawn = charts.trend([a_week(0, 95.0), a_week(1, None), a_week(2, 80.0), a_week(3, 90.0)])

    assert len(shapes(drawn, "circle")) == 3
    # Only the last two weeks are neighbours; 80 on a scale from 70 is two thirds down.
    (line,) = shapes(drawn, "polyline")
    assert line["points"] == "66.67,66.67 100,33.33"
    assert "scale from 70 to 100 percent" in drawn
    assert "Week from 7 Sept 2026: no promise ended" in drawn


def test_every_number_of_the_trend_s_table_leads_somewhere() -> None:
    drawn = charts.trend([a_week(0, 95.0)], lambda week, outcome: f"/{week}/{outcome}")

    assert [one["href"] for one in shapes(drawn, "a")] == [
        f"/2026-08-31/{outcome}" for outcome in ("met", "missed", "open_overdue")
    ]
