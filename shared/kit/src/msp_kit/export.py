"""Lists as files: CSV that a spreadsheet opens and that carries no formula of a stranger."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import Any

from fastapi import Response
from pydantic import BaseModel

from msp_kit import ids

EXPORTED_MAX = 10_000
"""Rows of one file; a longer list is asked for by period, or read in pages."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class CsvResponse(Response):
    """A list of views as CSV in UTF-8: a header of field names, then one row each; nested fields are left out."""

    media_type = "text/csv"

    # FastAPI reads the default status from here when it describes an operation.
    def __init__(
        self, kind: type[BaseModel], rows: Sequence[BaseModel], *, name: str, status_code: int = HTTPStatus.OK
    ) -> None:
        fields = [field for field, about in kind.model_fields.items() if not _is_nested(about.annotation)]
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(fields)
        shows = [ids.form_of(kind.model_fields[field]) for field in fields]
        writer.writerows(
            [_cell(getattr(row, field), show) for field, show in zip(fields, shows, strict=True)] for row in rows
        )
        disposition = f'attachment; filename="{name}.csv"'
        super().__init__(out.getvalue(), status_code=status_code, headers={"content-disposition": disposition})


def _is_nested(annotation: Any) -> bool:
    members = getattr(annotation, "__args__", (annotation,))
    return any(isinstance(one, type) and issubclass(one, BaseModel) for one in members)


def _cell(value: Any, show: Callable[[Any], str] | None) -> Any:
    if value is None:
        return ""
    if show is not None:
        value = " ".join(map(show, value)) if isinstance(value, list) else show(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime | date):
        return value.isoformat()
    # A spreadsheet would run what a stranger wrote into a title.
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
