"""Cursors as the positions they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msp_kit.problems import BadCursor


def text_and_id(after: Sequence[Any]) -> tuple[str, UUID]:
    """Return the position of a list sorted by a text and an id.

    Raises:
        BadCursor: the cursor is of another list.
    """
    try:
        return str(after[0]), UUID(after[1])
    except (ValueError, AttributeError, TypeError) as error:
        raise BadCursor("take the cursor from `next` of the previous page") from error


def instant_and_id(after: Sequence[Any]) -> tuple[datetime, UUID]:
    """Return the position of a list sorted by an instant and an id.

    Raises:
        BadCursor: the cursor is of another list.
    """
    try:
        at = datetime.fromisoformat(after[0])
        at.astimezone()
        return at, UUID(after[1])
    except (ValueError, AttributeError, TypeError, OverflowError) as error:
        raise BadCursor("take the cursor from `next` of the previous page") from error
