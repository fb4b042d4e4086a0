"""Values as the JSON text that statements take."""

from __future__ import annotations

from typing import Any

import orjson


def json_text(document: Any) -> str:
    """Return a document as JSON text."""
    # The driver's own UUID type is unknown to orjson.
    return orjson.dumps(document, default=str).decode()
