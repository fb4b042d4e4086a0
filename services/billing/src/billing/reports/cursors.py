"""Cursors as the positions they stand for: the sort keys of the last row that was shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from msp_kit.pagination import position
from msp_kit.problems import BadCursor

Reader = Callable[[Any], Any]
on_day: Reader = date.fromisoformat
an_id: Reader = UUID
MINOR_MAX = 2**63 - 1


def an_instant(text: Any) -> datetime:
    """Return an instant with a zone."""
    at = datetime.fromisoformat(text)
    at.astimezone()
    return at


def a_text(text: Any) -> str:
    """Return a text PostgreSQL can compare."""
    if not isinstance(text, str) or "\0" in text:
        raise ValueError(text)
    return text


def a_number(value: Any) -> int:
    """Return a whole number."""
    if not isinstance(value, int) or abs(value) > MINOR_MAX:
        raise ValueError(value)
    return value


def place(after: str | None, *readers: Reader) -> list[Any]:
    """Return the sort keys a cursor stands for, each ``None`` on the first page.

    Raises:
        BadCursor: the cursor is of another list, or none at all.
    """
    keys = position(after, of=len(readers))
    if keys is None:
        return [None] * len(readers)
    try:
        return [read(key) for read, key in zip(readers, keys, strict=True)]
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise BadCursor("take the cursor from `next` of the previous page") from error


def keys_of(*names: str) -> Callable[[Any], tuple[Any, ...]]:
    """Return the function that gives the sort keys of a row, as JSON values."""
    return lambda row: tuple(_plain(row[name]) for name in names)


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int)) else value.isoformat() if isinstance(value, date) else str(value)
