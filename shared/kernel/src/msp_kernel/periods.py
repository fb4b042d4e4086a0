"""Half-open periods, of instants and of days: ``[starts, ends)``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from msp_kernel.zones import instant_of, zone_of

MONTHS_MAX = 24


class PeriodReversed(ValueError):
    """A period ends after it starts."""


class NotWholeMonths(ValueError):
    """Figures by month are told for whole months: from the first of one to the first of a later one, two years at most."""


class InstantWithoutZone(ValueError):
    """A local time alone is no instant."""


@dataclass(frozen=True, slots=True)
class Period:
    """The instants from ``starts_at`` up to, but not including, ``ends_at``; both aware.

    Raises:
        InstantWithoutZone: an end has no zone.
        PeriodReversed: the end is not after the start.
    """

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        if self.starts_at.tzinfo is None or self.ends_at.tzinfo is None:
            message = f"{self.starts_at} or {self.ends_at} has no zone"
            raise InstantWithoutZone(message)
        if self.ends_at <= self.starts_at:
            message = f"{self.ends_at} is not after {self.starts_at}"
            raise PeriodReversed(message)

    def contains(self, at: datetime) -> bool:
        """Return whether the instant lies in the period."""
        return self.starts_at <= at < self.ends_at

    def overlaps(self, other: Period) -> bool:
        """Return whether the two have an instant in common."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def intersection(self, other: Period) -> Period | None:
        """Return what the two have in common, ``None`` if nothing."""
        if not self.overlaps(other):
            return None
        return Period(max(self.starts_at, other.starts_at), min(self.ends_at, other.ends_at))

    @property
    def seconds(self) -> int:
        """Return the elapsed whole seconds."""
        return (self.ends_at - self.starts_at) // timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class DatePeriod:
    """The days from ``starts_on`` up to, but not including, ``ends_on``.

    Raises:
        PeriodReversed: the end is not after the start.
    """

    starts_on: date
    ends_on: date

    def __post_init__(self) -> None:
        if self.ends_on <= self.starts_on:
            message = f"{self.ends_on} is not after {self.starts_on}"
            raise PeriodReversed(message)

    def contains(self, on: date) -> bool:
        """Return whether the day lies in the period."""
        return self.starts_on <= on < self.ends_on

    def overlaps(self, other: DatePeriod) -> bool:
        """Return whether the two have a day in common."""
        return self.starts_on < other.ends_on and other.starts_on < self.ends_on

    def intersection(self, other: DatePeriod) -> DatePeriod | None:
        """Return what the two have in common, ``None`` if nothing."""
        if not self.overlaps(other):
            return None
        return DatePeriod(max(self.starts_on, other.starts_on), min(self.ends_on, other.ends_on))

    def in_zone(self, timezone: str) -> Period:
        """Return the instants of these days in a zone, in UTC.

        Raises:
            UnknownTimezone: the zone is not an IANA name.
        """
        return Period(starts_at=midnight(self.starts_on, timezone), ends_at=midnight(self.ends_on, timezone))

    @property
    def days(self) -> int:
        """Return the number of days."""
        return (self.ends_on - self.starts_on).days


def month_of(on: date) -> DatePeriod:
    """Return the calendar month a day lies in."""
    first = on.replace(day=1)
    return DatePeriod(first, (first + timedelta(days=32)).replace(day=1))


def whole_months(starts_on: date, ends_on: date) -> list[DatePeriod]:
    """Return the months a period consists of, the earliest first.

    Raises:
        NotWholeMonths: it begins or ends within a month, has none, or more than ``MONTHS_MAX``.
    """
    count = 12 * (ends_on.year - starts_on.year) + ends_on.month - starts_on.month
    if starts_on.day != 1 or ends_on.day != 1 or not 1 <= count <= MONTHS_MAX:
        message = f"1 to {MONTHS_MAX} whole months are told, from the first of one to the first of a later one"
        raise NotWholeMonths(message)
    months = [month_of(starts_on)]
    while months[-1].ends_on < ends_on:
        months.append(month_of(months[-1].ends_on))
    return months


def midnight(on: date, timezone: str) -> datetime:
    """Return the instant a day begins in a zone, in UTC.

    Raises:
        UnknownTimezone: the zone is not an IANA name.
    """
    return instant_of(on, time(), zone_of(timezone))


def day_of(at: datetime, timezone: str) -> date:
    """Return the day an instant lies on in a zone.

    Raises:
        InstantWithoutZone: a local time alone is no instant.
        UnknownTimezone: the zone is not an IANA name.
    """
    if at.tzinfo is None:
        message = f"{at} has no zone"
        raise InstantWithoutZone(message)
    return at.astimezone(zone_of(timezone)).date()
