"""What can be wrong with a calendar, or with a question to one."""

from __future__ import annotations


class CalendarWithoutHours(ValueError):
    """A calendar needs at least one window, in its week or in an override."""


class BadWindow(ValueError):
    """A window is not a pair of ``HH:MM`` texts, or stands where no window belongs."""


class BadDay(ValueError):
    """A holiday or an override is not an ISO date, or not in the supported years."""


class OutOfRange(ValueError):
    """The instant lies outside the years a calendar can answer for, or has no zone; or a duration is negative."""
