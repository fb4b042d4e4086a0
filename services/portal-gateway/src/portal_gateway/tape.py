"""The tape: one clock in one row, from its start to its due instant or its end.

Counted, paused and closed time, what is left, thresholds, now and due. Closed hours and long pauses are drawn shorter than they
are, or a night would hide the hour that counted; the hints and the sentences beside it say how long they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from portal_gateway.charts import number, stable_id, within
from portal_gateway.language import gettext, mark
from portal_gateway.pages import shown

CLOSED_SHARE = 8
"""A closed stretch is at most an eighth as wide as everything that counts or will."""
PAUSED_SHARE = 2
_HATCH = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" class="track-bg"/><rect width="2.5" height="6" class="f-pause"/></pattern></defs>'
)
_TONE = {"counted": "f-work", "over": "f-breach", "closed": "f-closed", "left": "track-bg"}
_WORD = {
    "counted": mark("%(from)s to %(to)s: %(time)s counted"),
    "over": mark("%(from)s to %(to)s: %(time)s counted past the target"),
    "closed": mark("%(from)s to %(to)s: %(time)s outside hours"),
    "paused": mark("%(from)s to %(to)s: %(time)s paused, not counted"),
}
_ENDED = {"answered": mark("Answered %(at)s"), "resolved": mark("Resolved %(at)s")}
_STOPPED = mark("Stopped %(at)s")
_UNCOUNTED = mark("not counted")
_VERDICT = {"met": mark("met"), "missed": mark("missed")}


@dataclass(frozen=True, slots=True)
class _Segment:
    starts_at: datetime
    ends_at: datetime
    kind: str
    left: float
    """Where it begins, in percent."""
    width: float


def drawn(clock: Mapping[str, Any], now: datetime, zone: str) -> Markup:
    """Draw a clock; nothing for one that has not begun."""
    segments = _segments(clock)
    if not segments:
        return Markup("")
    shapes = [_shape(one, zone, now) for one in segments]
    shapes.append('<rect x="0" y="20" width="100%" height="12" rx="3" class="axis-line" fill="none"/>')
    shapes += _head(clock, segments, now, zone)
    shapes += _foot(clock, segments, now, zone)
    title = said(clock, now, zone)
    named = stable_id(f"{clock['clock_id']}{title}")
    return Markup(
        f'<svg class="tape" role="img" aria-labelledby="{named}"><title id="{named}">{escape(title)}</title>'
        f"{_HATCH}{''.join(shapes)}</svg>"
    )


def said(clock: Mapping[str, Any], now: datetime, zone: str) -> str:
    """Return the tape in one sentence."""
    paused = sum(
        (shown.needed(one["to"]) - shown.needed(one["from"])).total_seconds()
        for one in clock["stretches"]
        if one["kind"] == "paused"
    )
    used = {
        "metric": shown.word(clock["metric"]),
        "used": shown.duration(clock["consumed_seconds"] // 60),
        "budget": shown.duration(clock["budget_minutes"]),
    }
    parts = [gettext("%(metric)s clock: %(used)s of %(budget)s used") % used]
    if paused >= 60:
        parts.append(gettext("%(time)s paused") % {"time": shown.duration(int(paused) // 60)})
    if clock["status"] == "stopped":
        verdict = _VERDICT.get(clock["verdict"], _UNCOUNTED)
        parts.append(gettext(verdict))
    elif clock["due_at"]:
        text = gettext("was due %(at)s") if clock["is_breached"] else gettext("due %(at)s")
        parts.append(text % {"at": shown.when(clock["due_at"], zone, now)})
    return ", ".join(parts)


def _segments(clock: Mapping[str, Any]) -> list[_Segment]:
    spans = [span for one in clock["stretches"] for span in _split(one, shown.instant(clock["breached_at"]))]
    spans = [span for span in spans if span[1] > span[0]]
    if not spans:
        return []
    lengths = [(ends_at - starts_at).total_seconds() for starts_at, ends_at, _ in spans]
    counting = sum(length for length, span in zip(lengths, spans, strict=True) if span[2] not in ("closed", "paused"))
    widest = {"closed": max(counting / CLOSED_SHARE, 60), "paused": max(counting / PAUSED_SHARE, 60)}
    weights = [min(length, widest.get(span[2], length)) for length, span in zip(lengths, spans, strict=True)]
    total, left, made = sum(weights), 0.0, []
    for (starts_at, ends_at, kind), weight in zip(spans, weights, strict=True):
        width = 100 * weight / total
        made.append(_Segment(starts_at, ends_at, kind, left, width))
        left += width
    return made


def _split(one: Mapping[str, Any], breached_at: datetime | None) -> list[tuple[datetime, datetime, str]]:
    """Return a stretch as it is drawn: what counted after the budget ended is ``over``."""
    starts_at, ends_at, kind = shown.needed(one["from"]), shown.needed(one["to"]), one["kind"]
    if kind != "counted" or breached_at is None or breached_at >= ends_at:
        return [(starts_at, ends_at, kind)]
    if breached_at <= starts_at:
        return [(starts_at, ends_at, "over")]
    return [(starts_at, breached_at, kind), (breached_at, ends_at, "over")]


def _shape(one: _Segment, zone: str, now: datetime) -> str:
    fill = 'fill="url(#hatch)"' if one.kind == "paused" else f'class="{_TONE[one.kind]}"'
    minutes = int((one.ends_at - one.starts_at).total_seconds()) // 60
    if one.kind == "left":
        hint = gettext("%(time)s left") % {"time": shown.duration(minutes)}
    else:
        begins, ends = (shown.clock_time(at, zone, now) for at in (one.starts_at, one.ends_at))
        hint = gettext(_WORD[one.kind]) % {"from": begins, "to": ends, "time": shown.duration(minutes)}
    place = f'x="{number(one.left)}%" y="20" width="{number(one.width)}%" height="12"'
    return f'<rect {fill} {place} data-tip="{escape(hint)}"/>'


def _at(segments: Sequence[_Segment], instant: datetime) -> float | None:
    """Return where an instant is drawn, in percent; ``None`` outside the row."""
    for one in segments:
        if one.starts_at <= instant <= one.ends_at:
            part = (instant - one.starts_at) / (one.ends_at - one.starts_at)
            return within(one.left + one.width * part)
    return None


def _head(clock: Mapping[str, Any], segments: Sequence[_Segment], now: datetime, zone: str) -> list[str]:
    """Return the thresholds, and where the target was missed."""
    known = {one["percent"]: one["at"] for one in clock["pending"] if one["kind"] == "at_risk"}
    known |= {one["percent"]: one["at"] for one in clock["fired"] if one["kind"] == "at_risk" and not one["voided_at"]}
    shapes: list[str] = []
    taken: list[tuple[float, float]] = []
    breach = _at(segments, shown.needed(clock["breached_at"])) if clock["breached_at"] else None
    if breach is not None:
        due = gettext("Due %(at)s") % {"at": shown.clock_time(clock["breached_at"], zone, now)}
        shapes += [_tick(breach), _above(breach, due, room=14)]
        taken.append((breach - 14, breach + 14))
    for percent, instant in sorted(known.items()):
        x = _at(segments, shown.needed(instant))
        if x is None:
            continue
        shapes.append(_tick(x))
        if _is_free(x, taken, needs=3):
            shapes.append(_above(x, shown.share(percent), room=4))
            taken.append((x - 4, x + 4))
    return shapes


def _foot(clock: Mapping[str, Any], segments: Sequence[_Segment], now: datetime, zone: str) -> list[str]:
    """Return start, now, due or end, and the pauses that have room for their length."""
    shapes, taken = [_below(0, shown.clock_time(segments[0].starts_at, zone, now), "start")], [(0.0, 12.0)]
    if clock["status"] == "stopped":
        word = _ENDED.get(clock["stop_reason"], _STOPPED)
        ended = gettext(word) % {"at": shown.clock_time(segments[-1].ends_at, zone, now)}
        shapes.append(_below(100, ended, "end", is_strong=True))
        taken.append((76.0, 100.0))
    elif clock["due_at"] and not clock["is_breached"]:
        due = gettext("Due %(at)s") % {"at": shown.clock_time(clock["due_at"], zone, now)}
        shapes.append(_below(100, due, "end", is_strong=True))
        taken.append((80.0, 100.0))
    # The clock was read a moment before the page was made: past its due instant, now is the end of the row.
    x = _at(segments, min(now, segments[-1].ends_at)) if clock["status"] != "stopped" else None
    if x is not None:
        shapes.append(f'<line class="now-line" x1="{number(x)}%" x2="{number(x)}%" y1="14" y2="38"/>')
        percent = 100 * clock["consumed_seconds"] // (60 * clock["budget_minutes"])
        if _is_free(x, taken):
            text = gettext("Now %(share)s") % {"share": shown.share(percent)}
            shapes.append(_below(x, text, "end" if x > 92 else "middle", is_strong=True))
            taken.append((x - 12, x + 12) if x > 92 else (x - 6, x + 6))
    for one in segments:
        middle = one.left + one.width / 2
        if one.kind == "paused" and one.width >= 6 and _is_free(middle, taken, needs=8):
            minutes = int((one.ends_at - one.starts_at).total_seconds()) // 60
            shapes.append(_below(middle, gettext("%(time)s paused") % {"time": shown.duration(minutes)}, "middle"))
            taken.append((middle - 8, middle + 8))
    return shapes


def _is_free(x: float, taken: Sequence[tuple[float, float]], *, needs: float = 6) -> bool:
    return all(x + needs <= first or x - needs >= last for first, last in taken)


def _tick(x: float) -> str:
    return f'<line class="axis-line" x1="{number(x)}%" x2="{number(x)}%" y1="16" y2="32"/>'


def _above(x: float, text: str, *, room: float) -> str:
    anchor = "start" if x < room else "end" if x > 100 - room else "middle"
    return f'<text x="{number(x)}%" y="12" text-anchor="{anchor}">{escape(text)}</text>'


def _below(x: float, text: str, anchor: str, *, is_strong: bool = False) -> str:
    strong = ' class="strong"' if is_strong else ""
    return f'<text{strong} x="{number(x)}%" y="50" text-anchor="{anchor}">{escape(text)}</text>'
