"""Alerts as they come in, and what was done."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field, model_validator

from msp_kit.api import Body, View
from tickets.actions.alerting import Alert
from tickets.domain.alert import State
from tickets.schemas.ids import ClientId, TicketId
from tickets.schemas.tickets import Code, Level
from tickets.schemas.time import Instant


class TellAlert(Body):
    """An alert. ``system`` and ``dedup_key`` say what is wrong where, the same words while it goes on."""

    client_id: ClientId | None = None
    client_code: str | None = Field(default=None, min_length=2, max_length=5)
    """Instead of the id: the letters before a ticket's number."""
    system: Code
    dedup_key: str = Field(min_length=1, max_length=200)
    state: State
    severity: Literal["critical", "major", "warning", "info"]
    title: str = Field(min_length=1, max_length=500)
    description: str = Field(default="", max_length=10_000)
    job_type: Code
    level: Level = "L1"
    at: Instant | None = None
    """When it fired or was over; what is older than the last telling changes nothing."""

    @model_validator(mode="after")
    def _names_a_client(self) -> TellAlert:
        if (self.client_id is None) == (self.client_code is None):
            message = "give client_id or client_code"
            raise ValueError(message)
        return self

    def to_alert(self, *, client_id: UUID, now: datetime) -> Alert:
        """Return the alert this stands for."""
        names = ("system", "dedup_key", "state", "severity", "title", "description", "job_type", "level")
        at = min(self.at or now, now)
        return Alert(client_id=client_id, at=at, **{name: getattr(self, name) for name in names})


class HeardView(View):
    """What was done, and the ticket."""

    step: str
    ticket_id: TicketId | None
    ref: str | None
