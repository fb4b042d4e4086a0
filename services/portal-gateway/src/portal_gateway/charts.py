"""Charts as SVG written by the server: one renderer for screen, print and PDF, nothing to download.

Geometry is written as attributes, so that ``style-src 'self'`` holds. The outer ``svg`` has no ``viewBox``: text keeps its
size at every width. Shapes that stretch live in an inner ``svg`` with ``preserveAspectRatio="none"``; labels stand in the
outer one, with x in percent. Every chart has a text for those who do not see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from math import cos, pi, radians, sin
from typing import Any
from zlib import crc32

from markupsafe import Markup

_HATCH = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" class="track-bg"/><rect width="2.5" height="6" class="f-pause"/></pattern></defs>'
)
_GAUGE_RADIUS = 52
_GAUGE_DEGREES = 280


def meter(value: float, total: float, tone: str = "f1", label: str = "") -> Markup:
    """One bar filled by ``value`` of ``total``; without a label the number beside it speaks."""
    percent = 0 if total <= 0 else _within(100 * value / total)
    spoken = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return Markup(
        f'<svg {spoken}><rect class="track-bg" width="100%" height="100%"/>'
        f'<rect class="{tone}" width="{_number(percent)}%" height="100%"/></svg>'
    )


def bar(percent: float, target: float | None, tone: str, low: float = 0.0) -> Markup:
    """One bar on a scale from ``low`` to 100 percent, with a tick at the target."""

    def scaled(value: float) -> str:
        return _number(100 * max(0.0, value - low) / (100 - low))

    tick = "" if target is None else _tick(scaled(target), y1=-2, y2=12)
    return Markup(
        f'<svg aria-hidden="true"><rect class="track-bg" width="100%" height="100%" rx="3"/>'
        f'<rect class="{tone}" width="{scaled(percent)}%" height="100%" rx="3"/>{tick}</svg>'
    )


def burn(series: Mapping[str, Any], tone: str = "", height: int = 190) -> Markup:
    """Balance by day: ``capacity_minutes`` and ``days`` of ``{on, available_minutes}``, oldest first, at least two."""
    days = series["days"]
    capacity = max(1, series["capacity_minutes"], *(one["available_minutes"] for one in days))
    top, inner = 18, height - 26 - 18

    def at(index: int, minutes: int) -> tuple[float, float]:
        return 100 * index / (len(days) - 1), 100 - 100 * max(0, minutes) / capacity

    points = [at(index, one["available_minutes"]) for index, one in enumerate(days)]
    heights = [(third, _number(top + inner * (3 - third) / 3)) for third in range(1, 4)]
    grid = "".join(
        f'<line class="grid-line" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
        f'<text x="0" y="{_number(float(y) - 5)}">{capacity * third // 180} h</text>'
        for third, y in heights
    )
    ends = f'<text x="0" y="{height - 6}">{escape(days[0]["on"])}</text>'
    ends += f'<text x="100%" y="{height - 6}" text-anchor="end">{escape(days[-1]["on"])}</text>'
    title = f"Balance by day from {days[0]['on']} to {days[-1]['on']}"
    named = _stable_id(title)
    area = f'<polygon class="area {tone}" points="{_points([(0, 100), *points, (100, 100)])}"/>'
    line = f'<polyline class="ln {tone}" points="{_points(points)}"/>'
    rows = [(one["on"], f"{one['available_minutes'] / 60:.2f}") for one in days[:: max(1, len(days) // 12)]]
    return Markup(
        f'<svg height="{height}" role="img" aria-labelledby="{named}"><title id="{named}">{escape(title)}</title>{grid}'
        f'<svg x="0" y="{top}" width="100%" height="{inner}" viewBox="0 0 100 100" preserveAspectRatio="none">{area}{line}'
        f'</svg><line class="axis-line" x1="0" x2="100%" y1="{top + inner}" y2="{top + inner}"/>{ends}</svg>'
    ) + _table(("Day", "Hours left"), rows)


def clock_tape(clock: Mapping[str, Any], now: datetime) -> Markup:
    """The intervals of a clock in one row: counted, paused, and what is left; the time scale is wall time."""
    spans = [
        (datetime.fromisoformat(one["from"]), datetime.fromisoformat(one["to"]) if one["to"] else now, one)
        for one in clock.get("intervals", ())
    ]
    if not spans:
        return Markup("")
    first = spans[0][0]
    ends = [end for _, end, _ in spans]
    if clock["status"] == "running" and clock["due_at"]:
        ends.append(datetime.fromisoformat(clock["due_at"]))
    length = max((max(ends) - first).total_seconds(), 1)

    def percent(instant: datetime) -> float:
        return _within(100 * (instant - first).total_seconds() / length)

    segments = [
        (percent(start), percent(end), "paused" if one["kind"] == "paused" else "work", _told(one))
        for start, end, one in spans
    ]
    if segments[-1][1] < 100:
        segments.append((segments[-1][1], 100.0, "left", "left"))
    is_due = clock["status"] == "running" and not clock["is_breached"]
    return _tape(segments, f"Course of the clock: {len(spans)} intervals", now_percent=percent(now), is_due=is_due)


def stacked(parts: Sequence[tuple[float, str, str]], capacity: float | None, scale: float) -> Markup:
    """One bar of parts (value, tone, hint) on a scale up to ``scale``; ``capacity`` draws a tick."""
    left, drawn = 0.0, []
    for value, tone, hint in parts:
        width = 100 * value / scale
        drawn.append(
            f'<rect class="{tone}" x="{_number(left)}%" y="0" width="{_number(max(0.0, width - 0.4))}%" height="100%"'
            f' rx="2" data-tip="{escape(hint)}"/>'
        )
        left += width
    tick = "" if capacity is None else _tick(_number(100 * capacity / scale), y1=-3, y2=13)
    track = '<rect class="track-bg" width="100%" height="100%" rx="3"/>'
    return Markup(f'<svg aria-hidden="true">{track}{"".join(drawn)}{tick}</svg>')


def gauge(left: float, total: float, tone: str = "", pace: float | None = None) -> Markup:
    """A ring with a gap at the bottom, filled by ``left`` of ``total``; ``pace`` marks where an even spend would be."""
    round_length = 2 * pi * _GAUGE_RADIUS
    arc = round_length * _GAUGE_DEGREES / 360
    filled = arc * _within(100 * left / total) / 100
    tick = ""
    if pace is not None:
        angle = radians(130 + _GAUGE_DEGREES * pace / total)
        (x1, y1), (x2, y2) = ((60 + radius * cos(angle), 60 + radius * sin(angle)) for radius in (44, 60))
        tick = f'<line class="tick" x1="{_number(x1)}" y1="{_number(y1)}" x2="{_number(x2)}" y2="{_number(y2)}"/>'
    ring = f'cx="60" cy="60" r="{_GAUGE_RADIUS}"'
    rest = _number(round_length)
    return Markup(
        f'<svg viewBox="0 0 120 120" aria-hidden="true"><g transform="rotate(130 60 60)">'
        f'<circle class="bg" {ring} stroke-dasharray="{_number(arc)} {rest}" stroke-linecap="round"/>'
        f'<circle class="fg {tone}" {ring} stroke-dasharray="{_number(filled)} {rest}"/></g>{tick}</svg>'
    )


def _tape(segments: Sequence[tuple[float, float, str, str]], title: str, *, now_percent: float, is_due: bool) -> Markup:
    """Segments are (start in percent, end in percent, work | paused | left, hint)."""
    drawn = [_HATCH]
    for start, end, kind, hint in segments:
        fill = 'fill="url(#hatch)"' if kind == "paused" else f'class="{"f-work" if kind == "work" else "track-bg"}"'
        place = f'x="{_number(start)}%" y="20" width="{_number(end - start)}%" height="12"'
        drawn.append(f'<rect {fill} {place} data-tip="{escape(hint)}"/>')
    drawn.append('<rect x="0" y="20" width="100%" height="12" rx="3" class="axis-line" fill="none"/>')
    if is_due:
        drawn.append(
            '<line class="axis-line" x1="100%" x2="100%" y1="20" y2="38"/>'
            '<text class="strong" x="100%" y="50" text-anchor="end">Due</text>'
        )
    now = _number(now_percent)
    drawn.append(f'<line class="now-line" x1="{now}%" x2="{now}%" y1="14" y2="38"/>')
    named = _stable_id(title)
    return Markup(
        f'<svg class="tape" role="img" aria-labelledby="{named}"><title id="{named}">{escape(title)}</title>'
        f"{''.join(drawn)}</svg>"
    )


def _told(one: Mapping[str, Any]) -> str:
    minutes = one["seconds"] // 60
    return f"{minutes} min {'paused' if one['kind'] == 'paused' else 'counted'} {one.get('reason') or ''}".strip()


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Markup:
    columns = "".join(f'<th scope="col"{_numeric(index)}>{escape(text)}</th>' for index, text in enumerate(head))
    cells = [
        "".join(f"<td{_numeric(index)}>{escape(str(cell))}</td>" for index, cell in enumerate(row)) for row in rows
    ]
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return Markup(
        '<details class="as-table no-print"><summary>View as table</summary>'
        f'<table class="tbl"><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></details>'
    )


def _numeric(index: int) -> str:
    return " class=num" if index else ""


def _tick(x: str, *, y1: int, y2: int) -> str:
    return f'<line class="target" x1="{x}%" x2="{x}%" y1="{y1}" y2="{y2}"/>'


def _within(percent: float) -> float:
    return max(0.0, min(100.0, percent))


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _stable_id(seed: str) -> str:
    return f"c{crc32(seed.encode()):08x}"  # the same at every rendering, so that morphing keeps the node
