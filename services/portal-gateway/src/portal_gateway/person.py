"""Somebody who may sign in: a value, ignorant of where it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in."""

    id: UUID
    revision: int
    kind: str
    of_client_id: UUID | None
    email: str
    display_name: str
    roles: tuple[str, ...]
    password_hash: str | None
    is_active: bool
