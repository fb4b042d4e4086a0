"""Tables as CSV: rows with their number in the file, columns by name, and what spreadsheets do to them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

ROWS_MAX = 5000
_GUARDED = ("=", "+", "-", "@", "\t", "\r")


class NoTable(Exception):
    """The body is not a table in CSV with the columns that are needed."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows by column name with their line in the file, empty cells left out; and the columns nobody asked for."""

    rows: tuple[tuple[int, dict[str, str]], ...]
    ignored: tuple[str, ...]


def read(content: bytes, *, columns: Sequence[str], needed: Sequence[str]) -> Table:
    """Return a table: UTF-8, a header of names, comma or semicolon.

    Raises:
        NoTable: it cannot be read, a needed column is missing, or it has too many rows.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NoTable("the file is not UTF-8; save it as CSV UTF-8") from error
    if "\0" in text:
        raise NoTable("the file holds U+0000")
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    try:
        lines = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise NoTable(f"line {reader.line_num}: {error}") from error
    header = [name.strip().lower() for name in lines[0][1]] if lines else []
    missing = [name for name in needed if name not in header]
    if missing:
        raise NoTable(f"the columns {', '.join(missing)} are missing; there may be {', '.join(columns)}")
    if len(set(header)) < len(header):
        raise NoTable("two columns have the same name")
    if len(lines) - 1 > ROWS_MAX:
        raise NoTable(f"at most {ROWS_MAX} rows are taken at once; there are {len(lines) - 1}")
    rows = tuple(
        (
            number,
            {name: _plain(cell) for name, cell in zip(header, row, strict=False) if name in columns and cell.strip()},
        )
        for number, row in lines[1:]
    )
    return Table(rows=rows, ignored=tuple(name for name in header if name not in columns))


def _plain(cell: str) -> str:
    """Return a cell as it was meant: without the quote that keeps spreadsheets from running it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_GUARDED) else cell
