"""Business time the slow way: minute by minute of every local day. Shares no code and no trick with the kernel.

Local times become instants by trying the offsets the zone has around them, not by ``fold``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE = timedelta(minutes=1)
Windows = list[tuple[datetime, datetime]]


def open_windows(document: dict[str, Any], first: date, last: date) -> Windows:
    """Return the windows of the local days from ``first`` to ``last``, as UTC instants, unmerged."""
    zone = ZoneInfo(document["timezone"])
    found = []
    day = first
    while day <= last:
        pairs = document["weekly"].get(WEEKDAYS[day.weekday()], [])
        if day.isoformat() in document["holidays"]:
            pairs = []
        pairs = document["overrides"].get(day.isoformat(), pairs)
        for opens, closes in pairs:
            ends_on = day if closes > opens else day + timedelta(days=1)
            found.append((_instant(day, opens, zone), _instant(ends_on, closes, zone)))
        day += timedelta(days=1)
    return found


def _instant(day: date, text: str, zone: ZoneInfo) -> datetime:
    """Return the first instant at which the clocks show a time; if they skip it, the time as if they had not yet."""
    if text == "24:00":
        day, text = day + timedelta(days=1), "00:00"
    local = datetime.combine(day, time.fromisoformat(text), UTC)
    offsets = [_offset(local + timedelta(hours=hours), zone) for hours in (-30, 30)]
    shown = [local - offset for offset in offsets if _offset(local - offset, zone) == offset]
    return min(shown) if shown else local - offsets[0]


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _is_open(windows: Windows, at: datetime) -> bool:
    return any(opens <= at < closes for opens, closes in windows)


def is_open(document: dict[str, Any], at: datetime) -> bool:
    """Return whether an instant lies in any window of the days around it."""
    return _is_open(open_windows(document, at.date() - timedelta(days=3), at.date() + timedelta(days=3)), at)


def between(document: dict[str, Any], start: datetime, end: datetime) -> int:
    """Return the open seconds between two instants on whole minutes, counted minute by minute."""
    near = open_windows(document, start.date() - timedelta(days=3), end.date() + timedelta(days=3))
    minutes = 0
    at = start
    while at < end:
        minutes += _is_open(near, at)
        at += MINUTE
    return minutes * 60


def add(document: dict[str, Any], start: datetime, minutes: int) -> datetime:
    """Return the first instant at which ``minutes`` open minutes have elapsed, stepping minute by minute."""
    at, left, near, known_until = start, minutes, Windows(), start
    while True:
        if at >= known_until:
            known_until = at + timedelta(days=7)
            near = open_windows(document, at.date() - timedelta(days=3), known_until.date() + timedelta(days=3))
        if minutes and not left:
            return at
        if _is_open(near, at):
            if not minutes:
                return at
            left -= 1
        at += MINUTE
