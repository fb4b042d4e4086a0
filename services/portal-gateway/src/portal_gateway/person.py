"""Somebody who may sign in, and their session: values, ignorant of where they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

STAFF_ROLES = ("agent", "dispatcher", "manager", "finance", "admin")
CLIENT_ROLES = ("requester", "approver", "billing", "admin")
SESSION_LIFE = {"staff": timedelta(hours=12), "client": timedelta(hours=24)}
IDLE = {"staff": timedelta(minutes=60), "client": timedelta(minutes=120)}
FRESH = timedelta(minutes=10)


class UnknownRole(Exception):
    """The role does not exist for this kind of person."""


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
    language: str | None = None
    """``None``: what the browser asks for."""
    has_shortcuts: bool = True
    """Whether single keys do something."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who signed in."""

    session_id: UUID
    person: Person
    csrf_token: str
    proved_at: datetime
    """When they last proved who they are."""
    proofs: tuple[str, ...]
    """How: password, app, recovery-code, passkey, provider."""
    views_client_id: UUID | None
    """The client whose pages a member of the staff looks at."""
    must_enrol: bool
    """A second factor is required and there is none: nothing else can be done before."""


def check_roles(kind: str, roles: tuple[str, ...]) -> tuple[str, ...]:
    """Return roles in order, without repetition.

    Raises:
        UnknownRole: one does not exist for the kind, or there is none.
    """
    known = STAFF_ROLES if kind == "staff" else CLIENT_ROLES
    unknown = sorted(set(roles) - set(known))
    if unknown or not roles:
        raise UnknownRole(f"{', '.join(unknown) or 'no role'}: {kind} people have the roles {', '.join(known)}")
    return tuple(sorted(set(roles)))
