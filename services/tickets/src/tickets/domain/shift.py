"""When agents work: weekly shifts on their own wall clock, and absences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

WEEK_MINUTES = 7 * 1440
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")


class ShiftsOverlap(Exception):
    """Two shifts of an agent have a minute in common."""


class BadShift(Exception):
    """A shift has no such day or time, or lasts longer than a day."""


@dataclass(frozen=True, slots=True, order=True)
class Shift:
    """Minutes since Monday 00:00 on the wall; a shift that ends in the new week passes ``WEEK_MINUTES``."""

    starts_minute: int
    ends_minute: int

    @classmethod
    def of(cls, day: str, starts: str, ends: str) -> Shift:
        """Return a shift of a day; one that ends before it starts goes past midnight.

        Raises:
            BadShift: no such day or time.
        """
        times = [_TIME.fullmatch(text) for text in (starts, ends)]
        if day not in DAYS or None in times:
            raise BadShift(f"{day} {starts}-{ends}: days are {', '.join(DAYS)}, times are 00:00 to 24:00")
        first, last = (int(match[1]) * 60 + int(match[2]) for match in times if match)
        if first >= 1440 or last > 1440:
            raise BadShift(f"{day} {starts}-{ends}: a shift starts before 24:00")
        begins = DAYS.index(day) * 1440 + first
        return cls(begins, begins + ((last - first) if last > first else last - first + 1440))

    def holds(self, minute: int) -> bool:
        """Return whether a minute of the week lies in the shift."""
        return self.starts_minute <= minute < self.ends_minute or minute + WEEK_MINUTES < self.ends_minute

    def shown(self) -> tuple[str, str, str]:
        """Return day, start and end as people write them."""
        day, first = divmod(self.starts_minute % WEEK_MINUTES, 1440)
        last = (self.ends_minute - 1) % 1440 + 1
        return DAYS[day], f"{first // 60:02d}:{first % 60:02d}", f"{last // 60:02d}:{last % 60:02d}"


def check(shifts: Iterable[Shift]) -> list[Shift]:
    """Return shifts in order.

    Raises:
        ShiftsOverlap: two have a minute in common.
    """
    ordered = sorted(shifts)
    next_week = [Shift(one.starts_minute + WEEK_MINUTES, one.ends_minute + WEEK_MINUTES) for one in ordered[:1]]
    for one, after in zip(ordered, [*ordered[1:], *next_week], strict=True):
        if after.starts_minute < one.ends_minute:
            first, second = ("{} {}-{}".format(*shift.shown()) for shift in (one, after))
            raise ShiftsOverlap(f"{first} and {second} overlap")
    return ordered


def is_on_shift(shifts: Sequence[Shift], at: datetime, timezone: str) -> bool:
    """Return whether somebody works at an instant; without any shift they always do."""
    if not shifts:
        return True
    local = at.astimezone(ZoneInfo(timezone))
    minute = local.weekday() * 1440 + local.hour * 60 + local.minute
    return any(shift.holds(minute) for shift in shifts)


def week_minutes(shifts: Iterable[Shift]) -> int:
    """Return the minutes of all shifts of a week."""
    return sum(shift.ends_minute - shift.starts_minute for shift in shifts)
