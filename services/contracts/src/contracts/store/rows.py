"""Rows as plain mappings by column name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import CursorResult

Row = Mapping[str, Any]


def all_rows(result: CursorResult[Any]) -> list[Row]:
    """Return every row."""
    return [cast("Row", one) for one in result.mappings()]


def one_row(result: CursorResult[Any]) -> Row:
    """Return the only row."""
    return cast("Row", result.mappings().one())


def maybe_row(result: CursorResult[Any]) -> Row | None:
    """Return the only row, ``None`` when there is none."""
    return cast("Row | None", result.mappings().one_or_none())
