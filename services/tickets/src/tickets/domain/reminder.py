"""When somebody is reminded of time: once a day of what waits, and of what is missing before a month is over."""

from __future__ import annotations

from datetime import date, timedelta

CLOSING_DAYS = 2
"""So many days before its end a month counts as nearly over."""


def month_of(on: date) -> tuple[date, date]:
    """Return the month a day is in: its first day, and the day after its last one."""
    starts_on = on.replace(day=1)
    return starts_on, (starts_on + timedelta(days=31)).replace(day=1)


def is_nearly_over(on: date) -> bool:
    """Return whether the month of a day has at most ``CLOSING_DAYS`` days to go, that day counted."""
    return (month_of(on)[1] - on).days <= CLOSING_DAYS
