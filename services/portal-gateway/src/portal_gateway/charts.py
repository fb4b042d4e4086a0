"""Charts as SVG written by the server: one renderer for screen, print and PDF, nothing to download.

Geometry is written as attributes, so that ``style-src 'self'`` holds. The outer ``svg`` has no ``viewBox``: text keeps its
size at every width. Shapes that stretch live in an inner ``svg`` with ``preserveAspectRatio="none"``; labels stand in the
outer one, with x in percent. Every chart has a text for those who do not see it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from math import cos, pi, radians, sin
from typing import Any
from zlib import crc32

from markupsafe import Markup, escape

from portal_gateway.language import gettext
from portal_gateway.pages import shown

_BAND = ("low", "expected", "high")
_GAUGE_RADIUS = 52
_HEAT_TOP, _HEAT_ROW = 18, 24
_HOURS = (
    '<defs><pattern id="hours" width="0.0416667" height="1" patternContentUnits="objectBoundingBox">'
    '<rect class="h0" width="0.0375" height="1"/></pattern></defs>'
)
_GAUGE_DEGREES = 280


def meter(value: float, total: float, tone: str = "f1", label: str = "") -> Markup:
    """One bar filled by ``value`` of ``total``; without a label the number beside it speaks."""
    percent = 0 if total <= 0 else within(100 * value / total)
    spoken = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return Markup(
        f'<svg {spoken}><rect class="track-bg" width="100%" height="100%"/>'
        f'<rect class="{tone}" width="{number(percent)}%" height="100%"/></svg>'
    )


def bar(percent: float, target: float | None, tone: str, low: float = 0.0) -> Markup:
    """One bar on a scale from ``low`` to 100 percent, with a tick at the target."""

    def scaled(value: float) -> str:
        return number(100 * max(0.0, value - low) / (100 - low))

    tick = "" if target is None else _tick(scaled(target), y1=-2, y2=12)
    return Markup(
        f'<svg aria-hidden="true"><rect class="track-bg" width="100%" height="100%" rx="3"/>'
        f'<rect class="{tone}" width="{scaled(percent)}%" height="100%" rx="3"/>{tick}</svg>'
    )


def burn(
    series: Mapping[str, Any], tone: str = "", height: int = 190, *, band: Sequence[Mapping[str, Any]] = ()
) -> Markup:
    """Balance by day: ``capacity_minutes`` and ``days`` of ``{on, available_minutes}``, oldest first, at least two.

    ``band`` goes on from the last day: ``{on, expected_minutes, low_minutes, high_minutes}`` of the days to come.
    """
    days = series["days"]
    last = len(days) - 1 + len(band)
    capacity = max(1, series["capacity_minutes"], *(one["available_minutes"] for one in days))
    top, inner = 18, height - 26 - 18

    def at(index: int, minutes: int) -> tuple[float, float]:
        return 100 * index / last, 100 - 100 * max(0, minutes) / capacity

    points = [at(index, one["available_minutes"]) for index, one in enumerate(days)]
    heights = [(third, number(top + inner * (3 - third) / 3)) for third in range(1, 4)]
    grid = "".join(
        f'<line class="grid-line" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
        f'<text x="0" y="{number(float(y) - 5)}">{capacity * third // 180} h</text>'
        for third, y in heights
    )
    ends = f'<text x="0" y="{height - 6}">{escape(shown.day(days[0]["on"]))}</text>'
    ends += f'<text x="100%" y="{height - 6}" text-anchor="end">{escape(shown.day((band or days)[-1]["on"]))}</text>'
    title = gettext("Balance by day from %(first)s to %(last)s") % {
        "first": shown.day(days[0]["on"]),
        "last": shown.day(days[-1]["on"]),
    }
    named = stable_id(title)
    area = f'<polygon class="area {tone}" points="{_points([(0, 100), *points, (points[-1][0], 100)])}"/>'
    ahead = [[at(len(days) + n, one[f"{name}_minutes"]) for n, one in enumerate(band)] for name in _BAND]
    if band:
        low, expected, high = ahead
        area += f'<polygon class="band {tone}" points="{_points([points[-1], *high, *reversed(low)])}"/>'
        area += f'<polyline class="ln forecast {tone}" points="{_points([points[-1], *expected])}"/>'
    line = f'<polyline class="ln {tone}" points="{_points(points)}"/>'
    rows = [(shown.day(one["on"]), shown.hours(one["available_minutes"])) for one in days[:: max(1, len(days) // 12)]]
    return Markup(
        f'<svg height="{height}" role="img" aria-labelledby="{named}"><title id="{named}">{escape(title)}</title>{grid}'
        f'<svg x="0" y="{top}" width="100%" height="{inner}" viewBox="0 0 100 100" preserveAspectRatio="none">{area}{line}'
        f'</svg><line class="axis-line" x1="0" x2="100%" y1="{top + inner}" y2="{top + inner}"/>{ends}</svg>'
    ) + _table((gettext("Day"), gettext("Hours left")), rows)


def stacked(parts: Sequence[tuple[float, str, str]], capacity: float | None, scale: float) -> Markup:
    """One bar of parts (value, tone, hint) on a scale up to ``scale``; ``capacity`` draws a tick."""
    left, drawn = 0.0, []
    for value, tone, hint in parts:
        width = 100 * value / scale
        drawn.append(
            f'<rect class="{tone}" x="{number(left)}%" y="0" width="{number(max(0.0, width - 0.4))}%" height="100%"'
            f' rx="2" data-tip="{escape(hint)}"/>'
        )
        left += width
    tick = "" if capacity is None else _tick(number(100 * capacity / scale), y1=-3, y2=13)
    track = '<rect class="track-bg" width="100%" height="100%" rx="3"/>'
    return Markup(f'<svg aria-hidden="true">{track}{"".join(drawn)}{tick}</svg>')


def gauge(left: float, total: float, tone: str = "", pace: float | None = None) -> Markup:
    """A ring with a gap at the bottom, filled by ``left`` of ``total``; ``pace`` marks where an even spend would be."""
    round_length = 2 * pi * _GAUGE_RADIUS
    arc = round_length * _GAUGE_DEGREES / 360
    filled = arc * within(100 * left / total) / 100
    tick = ""
    if pace is not None:
        angle = radians(130 + _GAUGE_DEGREES * pace / total)
        (x1, y1), (x2, y2) = ((60 + radius * cos(angle), 60 + radius * sin(angle)) for radius in (44, 60))
        tick = f'<line class="tick" x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"/>'
    ring = f'cx="60" cy="60" r="{_GAUGE_RADIUS}"'
    rest = number(round_length)
    return Markup(
        f'<svg viewBox="0 0 120 120" aria-hidden="true"><g transform="rotate(130 60 60)">'
        f'<circle class="bg" {ring} stroke-dasharray="{number(arc)} {rest}" stroke-linecap="round"/>'
        f'<circle class="fg {tone}" {ring} stroke-dasharray="{number(filled)} {rest}"/></g>{tick}</svg>'
    )


def trend(weeks: Sequence[Mapping[str, Any]], link: Callable[..., str] | None = None, height: int = 132) -> Markup:
    """Compliance by week: ``{week, percent, met, missed, open_overdue}``, oldest first; a week without data is a gap.

    ``link(week, outcome=…)`` leads to what is behind a number of the table.
    """
    known = [one["percent"] for one in weeks if one["percent"] is not None]
    low = max(0, int(min(known, default=100) - 1) // 10 * 10)
    top, inner = 14, height - 14 - 20
    last = max(len(weeks) - 1, 1)
    spots = [
        None if one["percent"] is None else (100 * index / last, 100 * (100 - one["percent"]) / (100 - low))
        for index, one in enumerate(weeks)
    ]
    runs = ([spot for spot in run if spot is not None] for _, run in groupby(spots, key=lambda spot: spot is None))
    lines = [f'<polyline class="ln ok" points="{_points(run)}"/>' for run in runs if len(run) > 1]
    dots = "".join(
        f'<circle class="dot ok" cx="{number(spot[0])}%" cy="{number(top + inner * spot[1] / 100)}" r="4"/>'
        for spot in spots
        if spot is not None
    )
    hits = "".join(
        f'<rect x="{number(100 * (index - 0.5) / last)}%" y="0" width="{number(100 / last)}%" height="{height - 20}"'
        f' fill="transparent" data-tip="{escape(_week_told(one))}"/>'
        for index, one in enumerate(weeks)
    )
    grid = "".join(
        f'<line class="grid-line" x1="0" x2="100%" y1="{y}" y2="{y}"/><text x="0" y="{y + 12}">{shown.share(percent)}</text>'
        for percent, y in ((100, top), ((100 + low) // 2, top + inner // 2))
    )
    first, latest = shown.day(weeks[0]["week"]), shown.day(weeks[-1]["week"])
    ends = (
        f'<text x="0" y="{height - 4}">{first}</text><text x="100%" y="{height - 4}" text-anchor="end">{latest}</text>'
    )
    title = gettext("SLA met by week from %(first)s to %(last)s, scale from %(low)s to 100 percent") % {
        "first": first,
        "last": latest,
        "low": low,
    }
    named = stable_id(title)
    rows = [
        (
            shown.day(one["week"]),
            shown.share(one["percent"]),
            *(
                _linked(one[name], "" if link is None or not one[name] else link(one["week"], outcome=name))
                for name in ("met", "missed", "open_overdue")
            ),
        )
        for one in reversed(weeks)
    ]
    return Markup(
        f'<svg height="{height}" role="img" aria-labelledby="{named}"><title id="{named}">{escape(title)}</title>{grid}'
        f'<svg x="0" y="{top}" width="100%" height="{inner}" viewBox="0 0 100 100" preserveAspectRatio="none">'
        f'{"".join(lines)}</svg><line class="axis-line" x1="0" x2="100%" y1="{top + inner}" y2="{top + inner}"/>'
        f"{dots}{ends}{hits}</svg>"
    ) + _table((gettext("Week from"), gettext("SLA met"), gettext("Met"), gettext("Missed"), gettext("Open")), rows)


def heat(
    counts: Sequence[Sequence[int]],
    days: Sequence[str],
    what: str,
    link: Callable[[int, int], str] | None = None,
) -> Markup:
    """Weekday by hour: one row of 24 squares for each day, darker where more happened; every square says its number."""
    most = max((count for row in counts for count in row), default=0)
    drawn = []
    for weekday, (day, row) in enumerate(zip(days, counts, strict=True)):
        y = _HEAT_TOP + _HEAT_ROW * weekday
        drawn.append(f'<text x="0" y="{y + 16}">{escape(day)}</text>')
        drawn.append(f'<rect fill="url(#hours)" x="8%" width="92%" y="{y}" height="{_HEAT_ROW - 3}"/>')
        for at, count in enumerate(row):
            if count:
                place = f'x="{number(8 + at * 92 / 24)}%" y="{y}"'
                told = {"day": day, "from": f"{at:02}:00", "to": f"{at + 1:02}:00", "count": count, "what": what}
                hint = escape(gettext("%(day)s %(from)s to %(to)s, %(count)s %(what)s") % told)
                tone = 1 + 4 * (count - 1) // max(most - 1, 1)
                drawn.append(f'<rect class="h{tone}" {place} data-tip="{hint}"/>')
    hours = "".join(f'<text x="{number(8 + at * 92 / 24)}%" y="11">{at:02}</text>' for at in range(0, 24, 3))
    some = [(count, day, hour) for day, row in enumerate(counts) for hour, count in enumerate(row) if count]
    told = {"count": sum(count for count, _, _ in some), "what": what}
    title = gettext("%(count)s %(what)s by weekday and hour") % told
    if some:
        most, weekday, at = max(some, key=lambda one: one[0])
        told = {"title": title, "day": days[weekday], "hour": f"{at:02}:00", "most": most}
        title = gettext("%(title)s, most on %(day)s at %(hour)s: %(most)s") % told
    named = stable_id(title)
    rows = [(f"{days[day]} {hour:02}:00", _linked(count, link(day, hour) if link else "")) for count, day, hour in some]
    return Markup(
        f'<svg height="{_HEAT_TOP + _HEAT_ROW * len(days)}" role="img" aria-labelledby="{named}"><title id="{named}">{escape(title)}'
        f'</title>{_HOURS}{hours}{"".join(drawn)}</svg><p class="small soft">{escape(title)}.</p>'
    ) + _table((gettext("Weekday and hour"), what[:1].upper() + what[1:]), rows)


def _week_told(one: Mapping[str, Any]) -> str:
    count = one["met"] + one["missed"] + one["open_overdue"]
    week = shown.day(one["week"])
    if one["percent"] is None:
        return gettext("Week from %(week)s: no promise ended") % {"week": week}
    told = {"week": week, "percent": shown.share(one["percent"]), "met": one["met"], "count": count}
    return gettext("Week from %(week)s: %(percent)s, %(met)s of %(count)s") % told


def _linked(count: int, address: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(address, count) if count and address else escape(count)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Markup:
    columns = "".join(f'<th scope="col"{_numeric(index)}>{escape(text)}</th>' for index, text in enumerate(head))
    cells = ["".join(f"<td{_numeric(index)}>{escape(cell)}</td>" for index, cell in enumerate(row)) for row in rows]
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    summary = escape(gettext("View as table"))
    return Markup(
        f'<details class="as-table no-print"><summary>{summary}</summary>'
        f'<table class="tbl"><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></details>'
    )


def _numeric(index: int) -> str:
    return " class=num" if index else ""


def _tick(x: str, *, y1: int, y2: int) -> str:
    return f'<line class="target" x1="{x}%" x2="{x}%" y1="{y1}" y2="{y2}"/>'


def within(percent: float) -> float:
    """Return a percentage between 0 and 100."""
    return max(0.0, min(100.0, percent))


def number(value: float) -> str:
    """Return a coordinate with up to two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{number(x)},{number(y)}" for x, y in points)


def stable_id(seed: str) -> str:
    """Return an id for a title, the same at every rendering."""
    return f"c{crc32(seed.encode()):08x}"
