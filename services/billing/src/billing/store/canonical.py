"""The one text of an invoice's content: what is hashed, kept and answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson


def canonical(content: Mapping[str, Any]) -> str:
    """Return a content with sorted keys and no spaces; the same content is the same text."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode()


HOLE: Any = orjson.Fragment(b"\x1e")
"""Stands in a content for elements that are written in elsewhere: no text of JSON has such a character in it."""


def pieces(content: Mapping[str, Any]) -> list[str]:
    """Return the canonical text around the holes of a content."""
    return canonical(content).split("\x1e")
