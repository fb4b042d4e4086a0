"""Calendars and instants to test with: a working week, and strategies that look for trouble around clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import oracle
from hypothesis import strategies as st

from msp_kernel.business_time import Calendar

HOUR = 3600
Document = dict[str, Any]


def weekdays(*windows: tuple[str, str], timezone: str = "Europe/London", **more: Any) -> Calendar:
    """Return a Monday-to-Friday calendar."""
    pairs = [list(window) for window in windows]
    return Calendar.from_json({"timezone": timezone, "weekly": dict.fromkeys(oracle.WEEKDAYS[:5], pairs), **more})


def at(text: str) -> datetime:
    """Return an instant in the week of Monday, 9 November 2026: ``Mon 15:00``; a second week as ``+Mon 15:00``."""
    day, clock = text.removeprefix("+").split()
    hours, minutes = clock.split(":")
    days = oracle.WEEKDAYS.index(day.lower()) + (7 if text.startswith("+") else 0)
    return datetime(2026, 11, 9, int(hours), int(minutes), tzinfo=UTC) + timedelta(days=days)


CHANGES = (
    ("UTC", date(2026, 12, 31)),
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # half an hour
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/Sao_Paulo", date(2018, 2, 18)),  # at midnight
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/St_Johns", date(2010, 11, 7)),  # at one minute past midnight
    ("Asia/Kathmandu", date(1986, 1, 1)),  # for good, by a quarter of an hour
    ("Africa/Casablanca", date(2026, 2, 15)),  # for Ramadan
    ("Pacific/Apia", date(2011, 12, 30)),  # a day that never was
)
"""Zones, and a day around which their clocks change."""

_clock = st.one_of(st.integers(0, 16), st.integers(0, 95)).map(
    lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}"
)
_windows = st.lists(st.tuples(_clock, st.one_of(_clock, st.just("24:00"))).map(list), max_size=3)


@st.composite
def documents_and_days(draw: st.DrawFn) -> tuple[Document, date]:
    """Draw a calendar document and a day near a clock change of its zone; holidays and overrides are near it, too."""
    timezone, change_on = draw(st.sampled_from(CHANGES))
    near = st.integers(-4, 4).map(lambda days: (change_on + timedelta(days=days)).isoformat())
    weekly = draw(st.dictionaries(st.sampled_from(oracle.WEEKDAYS), _windows.filter(bool), min_size=1))
    document = {
        "timezone": timezone,
        "weekly": weekly,
        "holidays": draw(st.lists(near, max_size=2, unique=True)),
        "overrides": draw(st.dictionaries(near, _windows, max_size=2)),
    }
    return document, change_on


@st.composite
def documents_and_instants(draw: st.DrawFn, *, count: int = 1) -> tuple[Document, list[datetime]]:
    """Draw a calendar document and instants on whole minutes, most of them within days of a clock change, in order."""
    document, change_on = draw(documents_and_days())
    noon = datetime(change_on.year, change_on.month, change_on.day, 12, tzinfo=UTC)
    minutes = st.one_of(st.integers(-3 * 1440, 3 * 1440), st.integers(-300 * 1440, 300 * 1440))
    return document, sorted(noon + timedelta(minutes=draw(minutes)) for _ in range(count))
