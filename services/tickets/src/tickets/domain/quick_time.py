"""How people type time: ``45m``, ``1h15``, ``1.25``, ``1:15``, ``90``, ``14:00-14:45``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tickets.domain.time_entry import WORKED_MINUTES_MAX

DAY_MINUTES = 1440
ACCEPTED = "45m, 1h15, 1.25 (hours), 1:15, 90 (minutes) or 14:00-14:45"
_MINUTES = re.compile(r"(\d{1,5}) ?(?:m|min|mins|minutes)?")
_HOURS = re.compile(r"(\d{1,3}) ?(?:h|hr|hrs|hours) ?(?:(\d{1,2}) ?(?:m|min)?)?")
_CLOCK = re.compile(r"(\d{1,3}):(\d{2})")
_DECIMAL = re.compile(r"(\d{0,3})[.,](\d{1,3}) ?(?:h|hr|hrs|hours)?")
_RANGE = re.compile(r"(\d{1,2})[:.]?(\d{2})? ?(?:-|–|to) ?(\d{1,2})[:.]?(\d{2})?")


class TimeNotUnderstood(Exception):
    """The text is no duration and no range of times."""


class TooMuchTime(Exception):
    """An entry holds at most 24 hours, and at least one minute."""


@dataclass(frozen=True, slots=True)
class QuickTime:
    """What was typed: minutes, and the wall clock time it began where a range was given."""

    minutes: int
    begins: time | None = None

    def worked_from(self, *, on: date, timezone: str) -> datetime | None:
        """Return the instant the work began on a day in a zone, ``None`` where only a duration was typed."""
        if self.begins is None:
            return None
        return datetime.combine(on, self.begins, ZoneInfo(timezone))


def parse(text: str) -> QuickTime:
    """Return what somebody typed as time.

    Raises:
        TimeNotUnderstood: with what is accepted.
        TooMuchTime: more than a day, or nothing at all.
    """
    typed = " ".join(text.lower().split())
    found = _range(typed)
    if found is None:
        minutes = _minutes(typed)
        if minutes is None:
            raise TimeNotUnderstood(f"{text[:40]!r} is not understood; type {ACCEPTED}")
        found = QuickTime(minutes)
    if not 1 <= found.minutes <= WORKED_MINUTES_MAX:
        raise TooMuchTime(f"{text[:40]!r} is {found.minutes} minutes; an entry has 1 to {WORKED_MINUTES_MAX}")
    return found


def shown(minutes: int) -> str:
    """Return minutes as people type them: ``45m``, ``2h``, ``1h15``."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest}m"
    return f"{hours}h{rest:02d}" if rest else f"{hours}h"


def _range(typed: str) -> QuickTime | None:
    match = _RANGE.fullmatch(typed)
    if match is None:
        return None
    first, last = (int(match[1]), int(match[2] or 0)), (int(match[3]), int(match[4] or 0))
    if any(hour > 24 or minute > 59 for hour, minute in (first, last)) or first[0] == 24:
        return None
    begins = timedelta(hours=first[0], minutes=first[1])
    minutes = (timedelta(hours=last[0], minutes=last[1]) - begins) // timedelta(minutes=1)
    # Work that ends before it begins went past midnight.
    return QuickTime(minutes if minutes > 0 else minutes + DAY_MINUTES, time(*first))


def _minutes(typed: str) -> int | None:
    if match := _MINUTES.fullmatch(typed):
        return int(match[1])
    if match := _HOURS.fullmatch(typed):
        return int(match[1]) * 60 + int(match[2] or 0) if int(match[2] or 0) < 60 else None
    if match := _CLOCK.fullmatch(typed):
        return int(match[1]) * 60 + int(match[2]) if int(match[2]) < 60 else None
    if match := _DECIMAL.fullmatch(typed):
        parts, whole = int(match[2]), int(10 ** len(match[2]))
        return int(match[1] or 0) * 60 + (2 * parts * 60 + whole) // (2 * whole)
    return None
