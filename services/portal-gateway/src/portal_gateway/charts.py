"""Server-rendered SVG charts.

Why: one renderer for screen, print and PDF; nothing to download; works under
`style-src 'self'` because geometry is written as SVG presentation attributes.

Technique ("percent-space SVG"): the outer <svg> has NO viewBox, so text keeps
its pixel size at every width.  Shapes that must stretch live in an inner
<svg viewBox="0 0 100 100" preserveAspectRatio="none"> with
vector-effect: non-scaling-stroke; labels and dots are placed in the outer svg
with x in percent.  Every chart gets a text alternative and a data table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any
from zlib import crc32

from markupsafe import Markup


def _f(v: float) -> str:
    return f"{v:.2f}".rstrip("0").rstrip(".") or "0"


def _pts(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_f(x)},{_f(y)}" for x, y in points)


def _uid(seed: str) -> str:
    return f"c{crc32(seed.encode()):08x}"  # stable between renders, so morphing keeps the node


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    th = "".join(f'<th scope="col"{" class=num" if i else ""}>{escape(str(h))}</th>' for i, h in enumerate(head))
    trs = "".join(
        "<tr>" + "".join(f"<td{' class=num' if i else ''}>{escape(str(c))}</td>" for i, c in enumerate(r)) + "</tr>"
        for r in rows
    )
    return f'<details class="as-table no-print"><summary>View as table</summary><table class="tbl"><thead><tr>{th}</tr></thead><tbody>{trs}</tbody></table></details>'


def meter(value: float, total: float, tone: str = "f1", label: str = "") -> Markup:
    pct = 0 if total <= 0 else max(0.0, min(100.0, 100 * value / total))
    a11y = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'  # the number beside it speaks
    return Markup(
        f'<svg {a11y}><rect class="track-bg" width="100%" height="100%"/>'
        f'<rect class="{tone}" width="{_f(pct)}%" height="100%"/></svg>'
    )


def bar(pct: float, target: float | None, tone: str, lo: float = 0.0) -> Markup:
    """One horizontal bar on a scale from `lo` to 100 with a target tick."""
    sc = lambda v: 100 * max(0.0, v - lo) / (100 - lo)  # noqa: E731
    t = (
        f'<line class="target" x1="{_f(sc(target))}%" x2="{_f(sc(target))}%" y1="-2" y2="12"/>'
        if target is not None
        else ""
    )
    return Markup(
        f'<svg aria-hidden="true"><rect class="track-bg" width="100%" height="100%" rx="3"/>'
        f'<rect class="{tone}" width="{_f(sc(pct))}%" height="100%" rx="3"/>{t}</svg>'
    )


def burn(series: Mapping[str, Any], tone: str = "", height: int = 190) -> Markup:
    """Balance by day: ``capacity_minutes`` and ``days`` of ``{on, available_minutes}``, oldest first, at least two."""
    days = series["days"]
    capacity = max(series["capacity_minutes"], max(one["available_minutes"] for one in days), 1)
    top, ph = 18, height - 26 - 18

    def at(index: int, minutes: int) -> tuple[float, float]:
        return 100 * index / (len(days) - 1), 100 - 100 * max(0, minutes) / capacity

    points = [at(index, one["available_minutes"]) for index, one in enumerate(days)]
    grid = "".join(
        f'<line class="grid-line" x1="0" x2="100%" y1="{_f(top + ph - ph * g / 3)}" y2="{_f(top + ph - ph * g / 3)}"/>'
        f'<text x="0" y="{_f(top + ph - ph * g / 3 - 5)}">{capacity * g // 180} h</text>'
        for g in range(1, 4)
    )
    ends = f'<text x="0" y="{height - 6}">{escape(days[0]["on"])}</text>'
    ends += f'<text x="100%" y="{height - 6}" text-anchor="end">{escape(days[-1]["on"])}</text>'
    title = f"Balance by day from {days[0]['on']} to {days[-1]['on']}"
    uid = _uid(title)
    area = f'<polygon class="area {tone}" points="{_pts([(0, 100), *points, (100, 100)])}"/>'
    line = f'<polyline class="ln {tone}" points="{_pts(points)}"/>'
    rows = [(one["on"], f"{one['available_minutes'] / 60:.2f}") for one in days[:: max(1, len(days) // 12)]]
    return Markup(
        f'<svg height="{height}" role="img" aria-labelledby="{uid}"><title id="{uid}">{escape(title)}</title>{grid}'
        f'<svg x="0" y="{top}" width="100%" height="{ph}" viewBox="0 0 100 100" preserveAspectRatio="none">{area}{line}</svg>'
        f'<line class="axis-line" x1="0" x2="100%" y1="{top + ph}" y2="{top + ph}"/>{ends}</svg>'
        + _table(("Day", "Hours left"), rows)
    )


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
        return max(0.0, min(100.0, 100 * (instant - first).total_seconds() / length))

    segments = [
        (percent(start), percent(end), "paused" if one["kind"] == "paused" else "work", _told(one))
        for start, end, one in spans
    ]
    if segments[-1][1] < 100:
        segments.append((segments[-1][1], 100.0, "left", "left"))
    due = [(100.0, "Due", "strong", "end", 1)] if clock["status"] == "running" and not clock["is_breached"] else []
    return tape(segments, due, percent(now), f"Course of the clock: {len(spans)} intervals")


def _told(one: Mapping[str, Any]) -> str:
    minutes = one["seconds"] // 60
    return f"{minutes} min {'paused' if one['kind'] == 'paused' else 'counted'} {one.get('reason') or ''}".strip()


def stacked(parts: Sequence[tuple[float, str, str]], capacity: float | None, scale: float) -> Markup:
    """One bar of parts; ``capacity`` draws a tick."""
    x, out = 0.0, []
    for v, cls, tipt in parts:
        w = 100 * v / scale
        out.append(
            f'<rect class="{cls}" x="{_f(x)}%" y="0" width="{_f(max(0, w - 0.4))}%" height="100%" rx="2" data-tip="{escape(tipt)}"/>'
        )
        x += w
    tick = ""
    if capacity is not None:
        t = 100 * capacity / scale
        tick = f'<line class="target" x1="{_f(t)}%" x2="{_f(t)}%" y1="-3" y2="13"/>'
    return Markup(
        f'<svg aria-hidden="true"><rect class="track-bg" width="100%" height="100%" rx="3"/>{"".join(out)}{tick}</svg>'
    )


def gauge(left: float, total: float, tone: str = "", pace: float | None = None) -> Markup:
    """Ring with a gap at the bottom; `pace` marks where an even spend would be."""
    from math import cos, pi, radians, sin

    r, sweep = 52, 280
    circ = 2 * pi * r
    arc = circ * sweep / 360
    fg = arc * max(0, min(1, left / total))
    tick = ""
    if pace is not None:
        ang = radians(130 + sweep * pace / total)
        tick = f'<line class="tick" x1="{_f(60 + 44 * cos(ang))}" y1="{_f(60 + 44 * sin(ang))}" x2="{_f(60 + 60 * cos(ang))}" y2="{_f(60 + 60 * sin(ang))}"/>'
    return Markup(
        f'<svg viewBox="0 0 120 120" aria-hidden="true"><g transform="rotate(130 60 60)">'
        f'<circle class="bg" cx="60" cy="60" r="{r}" stroke-dasharray="{_f(arc)} {_f(circ)}" stroke-linecap="round"/>'
        f'<circle class="fg {tone}" cx="60" cy="60" r="{r}" stroke-dasharray="{_f(fg)} {_f(circ)}"/></g>{tick}</svg>'
    )


def tape(segments, marks, now_pct, title) -> Markup:
    """SLA tape. segments: (start%, end%, kind) with kind work|paused|closed|left;
    marks: (x%, label, cls, anchor, row)."""
    out = [
        '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" class="track-bg"/><rect width="2.5" height="6" class="f-pause"/></pattern></defs>'
    ]
    for s, e, kind, tipt in segments:
        cls = {"work": "f-work", "closed": "f-closed", "left": "track-bg", "risk": "f-risk"}.get(kind)
        fill = 'fill="url(#hatch)"' if kind == "paused" else f'class="{cls}"'
        out.append(f'<rect {fill} x="{_f(s)}%" y="20" width="{_f(e - s)}%" height="12" data-tip="{escape(tipt)}"/>')
    out.append('<rect x="0" y="20" width="100%" height="12" rx="3" class="axis-line" fill="none"/>')
    for x, t, cls, anchor, row in marks:
        y = 12 if row == 0 else 50
        y1, y2 = (16, 32) if row == 0 else (20, 38)
        out.append(
            f'<line class="axis-line" x1="{_f(x)}%" x2="{_f(x)}%" y1="{y1}" y2="{y2}"/><text class="{cls}" x="{_f(x)}%" y="{y}" text-anchor="{anchor}">{escape(t)}</text>'
        )
    out.append(f'<line class="now-line" x1="{_f(now_pct)}%" x2="{_f(now_pct)}%" y1="14" y2="38"/>')
    uid = _uid(title)
    return Markup(
        f'<svg class="tape" role="img" aria-labelledby="{uid}"><title id="{uid}">{escape(title)}</title>{"".join(out)}</svg>'
    )
