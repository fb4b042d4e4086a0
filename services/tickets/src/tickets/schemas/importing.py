"""History of another system, at most two hundred tickets a call."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from msp_kit.api import Body, View
from tickets.actions.importing import HistoricTicket, HistoricUpdate
from tickets.domain.ticket import Status
from tickets.schemas.ids import ClientId
from tickets.schemas.tickets import Code, Level, Priority, Title
from tickets.schemas.time import Instant

Name = Annotated[str, Field(min_length=1, max_length=120)]


class ImportedUpdate(Body):
    """One change; ``worked_minutes`` above 0 is a time entry of ``agent``."""

    seq: int = Field(ge=0, le=1_000_000)
    at: Instant
    status: Status
    priority: Priority | None = None
    queue: Code | None = None
    assignee: Name | None = None
    agent: Name | None = None
    worked_minutes: int = Field(default=0, ge=0, le=1440)
    is_agent_reply: bool = False


class ImportedTicket(Body):
    """One ticket."""

    external_ref: str = Field(min_length=1, max_length=80)
    client_id: ClientId
    contact_name: str = Field(default="", max_length=200)
    title: Title
    description: str = Field(default="", max_length=20_000)
    job_type: Code
    priority: Priority
    level: Level
    queue: Code | None = None
    assignee: Name | None = None
    raised_at: Instant
    updates: list[ImportedUpdate] = Field(default_factory=list, max_length=500)

    def to_historic(self) -> HistoricTicket:
        """Return the ticket this stands for."""
        values = {name: getattr(self, name) for name in HistoricTicket.__dataclass_fields__ if name != "updates"}
        updates = tuple(
            HistoricUpdate(**{name: getattr(one, name) for name in HistoricUpdate.__dataclass_fields__})
            for one in self.updates
        )
        return HistoricTicket(**values, updates=updates)


class ImportTickets(Body):
    """A batch of one source."""

    source: str = Field(min_length=1, max_length=60)
    tickets: list[ImportedTicket] = Field(min_length=1, max_length=200)


class RefusedView(View):
    """What was not taken, and why; ``seq`` names the update, ``null`` the whole ticket."""

    external_ref: str
    seq: int | None
    reason: str


class ImportedView(View):
    """What an import did."""

    tickets_created: int
    updates_accepted: int
    already_known: int
    refused: list[RefusedView]
