"""Queues, routing rules, agents, workload."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from msp_kit.api import Body, View
from tickets.schemas.tickets import Code, Level, Priority


class NewQueue(Body):
    """A queue."""

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")
    name: str = Field(min_length=1, max_length=80)


class QueueView(View):
    """A queue with its open tickets."""

    key: str
    name: str
    open_count: int = 0


class NewRoutingRule(Body):
    """A rule: what matches goes to the queue; an empty list matches anything."""

    position: int = Field(ge=1, le=10_000)
    job_types: list[Code] = Field(default_factory=list, max_length=100)
    levels: list[Level] = Field(default_factory=list, max_length=4)
    priorities: list[Priority] = Field(default_factory=list, max_length=4)
    queue: Code


class RoutingRuleView(View):
    """A routing rule."""

    id: str
    position: int
    job_types: list[str]
    levels: list[str]
    priorities: list[str]
    queue: str


class NewAgent(Body):
    """An agent; no skills or queues means all of them."""

    id: UUID | None = None
    person_id: UUID | None = None
    name: str = Field(min_length=1, max_length=120)
    levels: list[Level] = Field(min_length=1, max_length=4)
    skills: list[Code] = Field(default_factory=list, max_length=100)
    queues: list[Code] = Field(default_factory=list, max_length=100)
    weekly_minutes: int = Field(default=2400, ge=0, le=10_080)


class AgentView(View):
    """An agent."""

    id: UUID
    person_id: UUID | None
    name: str
    levels: list[str]
    skills: list[str]
    queues: list[str]
    weekly_minutes: int
    is_active: bool = True
    takes_tickets: bool = True


class WorkloadView(View):
    """Open work of one agent by state of its most urgent clock."""

    agent_id: UUID
    agent_name: str
    weekly_minutes: int
    open: int
    breached: int
    at_risk: int
    paused: int
    on_track: int
