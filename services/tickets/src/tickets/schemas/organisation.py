"""Queues, routing rules, agents, workload."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from msp_kit.api import Body, View
from tickets.actions.rules import DAYS_MAX
from tickets.domain.routing import RoutingRule
from tickets.domain.shift import Shift
from tickets.schemas.ids import AbsenceId, AgentId, ClientId, PersonId, RoutingRuleId, TicketId
from tickets.schemas.tickets import Code, Level, Name, Priority, Tag
from tickets.schemas.time import Instant

Word = Annotated[str, Field(min_length=2, max_length=60)]
Presence = Literal["available", "busy", "away", "offline"]


class NewQueue(Body):
    """A queue."""

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")
    name: Name


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
    client_ids: list[ClientId] = Field(default_factory=list, max_length=500)
    words: list[Word] = Field(default_factory=list, max_length=50)
    """Parts of the title or description, in any case; one is enough."""
    tags: list[Tag] = Field(default_factory=list, max_length=20)
    queue: Code

    def to_rule(self, rule_id: str) -> RoutingRule:
        """Return the rule this stands for."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in dict(self).items()
        }
        return RoutingRule(id=rule_id, **values)


class RoutingRuleView(View):
    """A routing rule."""

    id: RoutingRuleId
    position: int
    job_types: list[str]
    levels: list[str]
    priorities: list[str]
    client_ids: list[ClientId] = []
    words: list[str] = []
    tags: list[str] = []
    queue: str
    warnings: list[str] = []
    """Other rules that it leaves nothing to; only in the answer to saving it."""


class TryOut(Body):
    """Rules to try on the tickets of the last days; without any, those in force."""

    rules: list[NewRoutingRule] | None = Field(default=None, max_length=500)
    days: int = Field(default=31, ge=1, le=DAYS_MAX)


class TriedRuleView(View):
    """How many tickets a rule would have taken; no position is the fallback."""

    position: int | None
    queue: str
    tickets: int


class TriedTicketView(View):
    """A ticket that would have gone elsewhere."""

    ref: str
    went_to: str
    would_go_to: str
    reason: str


class TrialView(View):
    """What the rules would have done."""

    tickets: int
    by_queue: dict[str, int]
    by_rule: list[TriedRuleView]
    moved: int
    examples: list[TriedTicketView]
    never: list[str]


class NewAgent(Body):
    """An agent; no skills or queues means all of them."""

    id: AgentId | None = None
    person_id: PersonId | None = None
    name: Name
    levels: list[Level] = Field(min_length=1, max_length=4)
    skills: list[Code] = Field(default_factory=list, max_length=100)
    queues: list[Code] = Field(default_factory=list, max_length=100)
    weekly_minutes: int = Field(default=2400, ge=0, le=10_080)


class AgentView(View):
    """An agent."""

    id: AgentId
    person_id: PersonId | None
    name: str
    levels: list[str]
    skills: list[str]
    queues: list[str]
    weekly_minutes: int
    is_active: bool = True
    takes_tickets: bool = True
    timezone: str = "UTC"
    presence: str = "available"
    presence_at: datetime | None = None


class ChangeAgent(Body):
    """What may change about an agent; an absent field stays."""

    name: Name | None = None
    levels: list[Level] | None = Field(default=None, min_length=1, max_length=4)
    skills: list[Code] | None = Field(default=None, max_length=100)
    queues: list[Code] | None = Field(default=None, max_length=100)
    weekly_minutes: int | None = Field(default=None, ge=0, le=10_080)
    is_active: bool | None = None
    takes_tickets: bool | None = None

    def to_changes(self) -> dict[str, Any]:
        """Return the fields that shall change."""
        return self.model_dump(exclude_none=True)


class ShiftBody(Body):
    """A weekly shift on the agent's wall clock; one that ends before it starts goes past midnight."""

    day: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    starts: str = Field(pattern=r"^\d\d:\d\d$")
    ends: str = Field(pattern=r"^\d\d:\d\d$")

    def to_shift(self) -> Shift:
        """Return the shift this stands for."""
        return Shift.of(self.day, self.starts, self.ends)


class SetShifts(Body):
    """All shifts of an agent's week."""

    timezone: str = Field(min_length=1, max_length=60)
    shifts: list[ShiftBody] = Field(max_length=50)


class ShiftView(View):
    """A weekly shift."""

    day: str
    starts: str
    ends: str

    @classmethod
    def of(cls, shift: Shift) -> ShiftView:
        """Return a shift as it is shown."""
        day, starts, ends = shift.shown()
        return cls(day=day, starts=starts, ends=ends)


class AddAbsence(Body):
    """When an agent is away."""

    starts_at: Instant
    ends_at: Instant
    reason: str = Field(default="", max_length=200)


class AbsenceView(View):
    """When an agent is away."""

    id: AbsenceId
    starts_at: datetime
    ends_at: datetime
    reason: str


class AgentAbsenceView(AbsenceView):
    """When which agent is away."""

    agent_id: AgentId
    agent_name: str


class FullAgentView(AgentView):
    """An agent with shifts and the absences that are not over."""

    shifts: list[ShiftView]
    absences: list[AbsenceView]


class SetPresence(Body):
    """Whether the caller can be given work now; ``away`` and ``offline`` cannot."""

    presence: Presence


class WorkloadView(View):
    """Open work of one agent by state of its most urgent clock."""

    agent_id: AgentId
    agent_name: str
    weekly_minutes: int
    open: int
    breached: int
    at_risk: int
    paused: int
    on_track: int
    due_soon: int
    """Due within eight hours."""
    next_due_at: datetime | None
    worked_minutes: int
    """Logged in the last seven days."""
    presence: str
    is_on_duty: bool
    load_percent: int


class SuggestionView(View):
    """A hand-over that would even out the work; loads in percent before and after."""

    ticket_id: TicketId
    ref: str
    from_id: AgentId
    from_name: str
    to_id: AgentId
    to_name: str
    from_load: list[int]
    to_load: list[int]
