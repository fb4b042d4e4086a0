"""Reading and writing the JSON form of a calendar: what stands where, and what is wrong there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from msp_kernel.business_time.errors import BadDay, BadWindow
from msp_kernel.business_time.timeline import DAY_SECONDS, YEAR_MAX, YEAR_MIN, Window

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def read_weekly(weekly: Any) -> tuple[tuple[Window, ...], ...]:
    """Return the windows of the seven weekdays.

    Raises:
        BadWindow: not an object, another name than ``mon`` to ``sun``, or a bad window.
    """
    if not isinstance(weekly, Mapping) or not set(weekly) <= set(WEEKDAYS):
        message = f"weekly has the weekdays {', '.join(WEEKDAYS)}"
        raise BadWindow(message)
    return tuple(_read_windows(weekly.get(day, []), place=f"weekly/{day}") for day in WEEKDAYS)


def read_holidays(holidays: Any) -> frozenset[date]:
    """Return the holidays.

    Raises:
        BadDay: not a list, or a bad day.
    """
    if not isinstance(holidays, list):
        message = 'holidays is a list of days like "2026-12-25"'
        raise BadDay(message)
    return frozenset(_read_day(text, place=f"holidays/{index}") for index, text in enumerate(holidays))


def read_overrides(overrides: Any) -> tuple[tuple[date, tuple[Window, ...]], ...]:
    """Return the days with windows of their own, in order.

    Raises:
        BadDay, BadWindow: not an object, a bad day, or a bad window.
    """
    if not isinstance(overrides, Mapping):
        message = 'overrides is an object like {"2026-12-24": [["09:00", "12:00"]]}'
        raise BadDay(message)
    return tuple(
        sorted(
            (_read_day(text, place="overrides"), _read_windows(windows, place=f"overrides/{text}"))
            for text, windows in overrides.items()
        )
    )


def _read_windows(pairs: Any, *, place: str) -> tuple[Window, ...]:
    if not isinstance(pairs, list):
        message = f'{place} is a list of pairs like ["09:00", "17:00"]'
        raise BadWindow(message)
    return tuple(sorted({_read_window(pair, place=f"{place}/{index}") for index, pair in enumerate(pairs)}))


def _read_window(pair: Any, *, place: str) -> Window:
    if not isinstance(pair, list) or len(pair) != 2:
        message = f'{place} has {pair!r}; a window is a pair like ["09:00", "17:00"]'
        raise BadWindow(message)
    start, end = (_read_time(text, place=place) for text in pair)
    if start == DAY_SECONDS:
        message = f"{place} starts at 24:00; write 00:00 of the next day"
        raise BadWindow(message)
    return (start, end if end > start else end + DAY_SECONDS)


def _read_time(text: Any, *, place: str) -> int:
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        message = f"{place} has {text!r}; a time is HH:MM from 00:00 to 24:00"
        raise BadWindow(message)
    return DAY_SECONDS if match[1] is None else int(match[1]) * 3600 + int(match[2]) * 60


def _read_day(text: Any, *, place: str) -> date:
    try:
        # fromisoformat alone would let week dates and 20261225 pass.
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except (ValueError, TypeError):
        day = None
    if day is None:
        message = f"{place} has {text!r}; a day is YYYY-MM-DD"
        raise BadDay(message)
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        message = f"{place} has {text!r}; years run from {YEAR_MIN} to {YEAR_MAX}"
        raise BadDay(message)
    return day


def written_windows(windows: Sequence[Window]) -> list[list[str]]:
    """Return windows as pairs of ``HH:MM`` texts."""
    return [
        [_written_time(start), _written_time(end if end <= DAY_SECONDS else end - DAY_SECONDS)]
        for start, end in windows
    ]


def _written_time(second: int) -> str:
    return f"{second // 3600:02}:{second % 3600 // 60:02}"
