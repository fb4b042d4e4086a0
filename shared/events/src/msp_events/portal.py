"""What the portal gateway says: people who may act."""

from __future__ import annotations

from typing import ClassVar, Literal
from uuid import UUID

from msp_events.base import Event

StaffRole = Literal["agent", "dispatcher", "manager", "finance", "admin"]
ClientRole = Literal["requester", "approver", "billing", "admin"]


class PersonState(Event):
    """Whole public state of a person who signs in; never an e-mail address."""

    owner: ClassVar[str] = "portal-gateway"
    stream: ClassVar[str] = "person"
    subject_field: ClassVar[str] = "person_id"

    person_id: UUID
    revision: int
    kind: Literal["staff", "client"]
    client_id: UUID | None = None
    display_name: str
    roles: tuple[str, ...]
    is_active: bool = True


class PersonJoined(PersonState):
    """A person can sign in."""


class PersonUpdated(PersonState):
    """Name, roles or state of a person changed."""


class InboxChanged(Event):
    """What a person is told of changed: something new came, or was done. Open pages look again; nothing is said of what."""

    owner: ClassVar[str] = "portal-gateway"
    stream: ClassVar[str] = "inbox"
    subject_field: ClassVar[str] = "person_id"

    person_id: UUID
