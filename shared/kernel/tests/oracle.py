"""Business time the slow way: second by second of every local day. Shares no code with the kernel."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def open_windows(document: dict[str, Any], first: date, last: date) -> list[tuple[datetime, datetime]]:
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
    if text == "24:00":
        day, text = day + timedelta(days=1), "00:00"
    return datetime.combine(day, time.fromisoformat(text), zone).astimezone(UTC)


def is_open(document: dict[str, Any], at: datetime) -> bool:
    """Return whether an instant lies in any window of the days around it."""
    day = at.astimezone(ZoneInfo(document["timezone"])).date()
    near = open_windows(document, day - timedelta(days=2), day + timedelta(days=2))
    return any(opens <= at < closes for opens, closes in near)


def between(document: dict[str, Any], start: datetime, end: datetime) -> int:
    """Return the open seconds between two instants on whole minutes, counted minute by minute."""
    near = open_windows(document, start.date() - timedelta(days=3), end.date() + timedelta(days=3))
    minutes = 0
    at = start
    while at < end:
        minutes += any(opens <= at < closes for opens, closes in near)
        at += timedelta(minutes=1)
    return minutes * 60


def add(document: dict[str, Any], start: datetime, minutes: int) -> datetime:
    """Return the first instant at which ``minutes`` open minutes have elapsed, stepping minute by minute."""
    near = open_windows(document, start.date() - timedelta(days=3), start.date() + timedelta(days=400))
    at, left = start, minutes
    while left or (minutes == 0 and not any(opens <= at < closes for opens, closes in near)):
        left -= any(opens <= at < closes for opens, closes in near) and left > 0
        at += timedelta(minutes=1)
    return at
