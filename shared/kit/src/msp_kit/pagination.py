"""Pages by cursor: a position in a total order, never a count of rows to skip."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Query
from pydantic import BaseModel

from msp_kit.problems import BadCursor

Item = TypeVar("Item")
Row = TypeVar("Row")

PAGE_SIZE = 50
PAGE_SIZE_MAX = 200

Limit = Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX, description="Rows of a page")]
After = Annotated[str | None, Query(max_length=500, description="Cursor of the previous page's `next`")]


class Page(BaseModel, Generic[Item]):
    """One page of a list; ``next`` is the cursor of the following page, ``null`` on the last."""

    items: list[Item]
    next: str | None = None


def cursor(*position: Any) -> str:
    """Return the cursor for a position (the sort keys of the last row)."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def position(after: str | None, *, of: int) -> list[Any] | None:
    """Return the position a cursor stands for, ``None`` for the first page.

    Raises:
        BadCursor: the text is not a cursor with ``of`` keys.
    """
    if after is None:
        return None
    try:
        keys = orjson.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    except (binascii.Error, ValueError) as error:
        raise BadCursor("take the cursor from `next` of the previous page") from error
    if not isinstance(keys, list) or len(keys) != of or any(isinstance(key, list | dict) for key in keys):
        raise BadCursor("take the cursor from `next` of the previous page")
    return keys


def page_of(rows: Sequence[Row], *, limit: int, key: Any) -> tuple[Sequence[Row], str | None]:
    """Split ``limit + 1`` fetched rows into the page and the cursor of the next one.

    ``key`` returns the tuple of sort keys of a row, JSON values only.
    """
    if len(rows) <= limit:
        return rows, None
    page = rows[:limit]
    return page, cursor(*key(page[-1]))
