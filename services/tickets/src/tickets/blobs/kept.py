"""What a store tells about a content it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """A name in a store, of a content its hash, and when it was last put there."""

    name: str
    put_at: datetime
