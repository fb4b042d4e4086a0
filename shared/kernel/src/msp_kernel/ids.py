"""Identifiers: UUIDv7, ordered by the time they were made."""

from __future__ import annotations

import uuid

from uuid_utils import compat


def new_id() -> uuid.UUID:
    """Return a new UUIDv7."""
    return compat.uuid7()
