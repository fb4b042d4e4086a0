"""Lines of tables: tickets, agents and projects, as they come in and go out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field, model_validator

from msp_kit.api import Body, View
from tickets.actions.raising import Wish
from tickets.domain.project import ProjectStatus
from tickets.schemas.projects import Day, check_forward
from tickets.schemas.tickets import Code, Extent, Level, Name, Priority, Tags, Title


def _words(text: object) -> object:
    return text.replace(",", " ").split() if isinstance(text, str) else text


Codes = Annotated[list[Code], BeforeValidator(_words), Field(max_length=100)]
Levels = Annotated[list[Level], BeforeValidator(_words), Field(min_length=1, max_length=4)]


class TicketLine(Body):
    """A ticket to raise."""

    client_code: str = Field(min_length=2, max_length=5)
    title: Title
    description: str = Field(default="", max_length=20_000)
    job_type: Code
    priority: Priority | None = None
    impact: Extent | None = None
    urgency: Extent | None = None
    level: Level
    contact_name: str = Field(default="", max_length=200)
    tags: Annotated[Tags, BeforeValidator(_words)] = []

    def to_wish(self, *, client_id: UUID) -> Wish:
        """Return the wish this stands for."""
        values = self.model_dump(exclude={"client_code", "tags"})
        return Wish(client_id=client_id, tags=tuple(self.tags), source="table", **values)


class AgentLine(Body):
    """An agent to add."""

    name: Name
    levels: Levels
    skills: Codes = []
    queues: Codes = []
    weekly_minutes: int = Field(default=2400, ge=0, le=10_080)


class ProjectLine(Body):
    """A project to create."""

    client_code: str = Field(min_length=2, max_length=5)
    contract_ref: str = Field(min_length=1, max_length=60)
    name: Title
    description: str = Field(default="", max_length=20_000)
    status: ProjectStatus = "planned"
    is_client_visible: bool = False
    budget_minutes: int | None = Field(default=None, ge=1, le=10_000_000)
    starts_on: Day | None = None
    due_on: Day | None = None

    @model_validator(mode="after")
    def _is_forward(self) -> ProjectLine:
        check_forward(self.starts_on, self.due_on)
        return self


class RowErrorView(View):
    """A row that was not taken: its line in the file, the column where one is to blame, and why."""

    line: int
    column: str | None
    detail: str


class TakenView(View):
    """What became of a table: rows taken, rows refused with the reason, columns nobody asked for."""

    taken: int
    refused: list[RowErrorView]
    ignored_columns: list[str]
    is_trial: bool = False
    """Whether nothing was kept: ``taken`` rows would have been."""


class ClientTicketOutLine(View):
    """A ticket in a file of a client's people."""

    ref: str
    title: str
    job_type: str
    priority: str
    level: str
    status: str
    raised_at: datetime
    updated_at: datetime


class TicketOutLine(View):
    """A ticket in a file; lists are words with a space between."""

    ref: str
    client_code: str
    title: str
    job_type: str
    priority: str
    level: str
    status: str
    queue: str
    assignee_name: str | None
    tags: str
    raised_at: datetime
    updated_at: datetime


class AgentOutLine(View):
    """An agent in a file."""

    name: str
    levels: str
    skills: str
    queues: str
    weekly_minutes: int
    timezone: str
    is_active: bool
    takes_tickets: bool


class ProjectOutLine(View):
    """A project in a file."""

    ref: str
    client_name: str
    name: str
    status: str
    is_client_visible: bool
    budget_minutes: int | None
    worked_minutes: int
    progress_percent: int | None
    starts_on: date | None
    due_on: date | None
