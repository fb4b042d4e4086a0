"""What the tickets service says: tickets, messages, projects, tasks, time entries, and the sealing of a period."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from msp_events.base import Event, Level, Minutes, Priority, Shape

TicketStatus = Literal["new", "open", "waiting_on_client", "waiting_on_vendor", "scheduled", "resolved", "closed"]
Extent = Literal["high", "medium", "low"]
AuthorKind = Literal["client", "agent", "system"]
ProjectStatus = Literal["planned", "active", "on_hold", "closed"]
TaskStatus = Literal["todo", "doing", "waiting", "done", "cancelled"]


class TicketsEvent(Event):
    """Said by tickets."""

    owner: ClassVar[str] = "tickets"


class TicketState(TicketsEvent):
    """Whole public state of a ticket after the change; ``changed`` names the fields the change touched."""

    stream: ClassVar[str] = "ticket"
    subject_field: ClassVar[str] = "ticket_id"

    ticket_id: UUID
    client_id: UUID
    revision: int
    ref: str
    contract_id: UUID
    contract_version: int
    contact_id: UUID | None = None
    title: str
    job_type: str
    priority: Priority
    level: Level
    """Commercial level: what is billed."""
    handling_level: Level
    """Level that works on it; escalations move this one."""
    status: TicketStatus
    queue: str
    assignee_id: UUID | None = None
    assignee_name: str | None = None
    assignee_person_id: UUID | None = None
    """Who the assignee signs in as, for those who tell people; ``None`` when the agent has no account, or in imports."""
    raised_at: AwareDatetime
    first_responded_at: AwareDatetime | None = None
    resolved_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    cycle: Annotated[int, Field(ge=1)] = 1
    is_imported: bool = False
    tags: tuple[str, ...] = ()
    source: str = ""
    """Where it came from: ``portal``, ``desk``, ``alert``, ``task``, ``split``, ``move``; empty for older tickets."""
    impact: Extent | None = None
    urgency: Extent | None = None
    merged_into_id: UUID | None = None
    """The ticket that took over; this one is closed and its clocks are no verdicts."""
    satisfaction: Annotated[int, Field(ge=1, le=5)] | None = None
    changed: tuple[str, ...] = ()
    actor: str = ""
    """Opaque id of the person or program behind the change."""
    reason: str = ""


class TicketRaised(TicketState):
    """A ticket was raised."""


class TicketUpdated(TicketState):
    """Status, priority, level, job type, queue or another field of a ticket changed."""


class TicketAssigned(TicketState):
    """A ticket was given to an agent or a queue."""


class TicketResolved(TicketState):
    """A ticket was resolved."""


class TicketClosed(TicketState):
    """A ticket was closed after its grace period."""


class TicketReopened(TicketState):
    """A resolved or closed ticket was opened again; ``cycle`` grew by one."""


class MessagePosted(TicketState):
    """A message or an internal note was added; the text stays in the tickets service."""

    message_id: UUID
    author_kind: AuthorKind
    author_id: str
    is_public: bool
    is_automatic: bool = False
    mentioned_person_ids: tuple[UUID, ...] = ()
    """Staff named with ``@`` in an internal note."""


class Milestone(Shape):
    """A milestone of a project."""

    milestone_id: UUID
    name: str
    due_on: date | None = None
    position: Annotated[int, Field(ge=0)]


class ProjectState(TicketsEvent):
    """Whole public state of a project with its milestones after the change; ``changed`` names what the change touched."""

    stream: ClassVar[str] = "project"
    subject_field: ClassVar[str] = "project_id"

    project_id: UUID
    client_id: UUID
    contract_id: UUID
    revision: int
    ref: str
    name: str
    status: ProjectStatus
    is_client_visible: bool
    """Whether the client's people may know of it."""
    budget_minutes: Annotated[int, Field(ge=1)] | None = None
    starts_on: date | None = None
    due_on: date | None = None
    milestones: tuple[Milestone, ...] = ()
    changed: tuple[str, ...] = ()
    actor: str = ""
    """Opaque id of the person or program behind the change."""


class ProjectCreated(ProjectState):
    """A project was created on a contract of its client."""


class ProjectUpdated(ProjectState):
    """A project, or one of its milestones, changed."""


class TaskState(TicketsEvent):
    """Whole public state of a task of a project after the change; ``changed`` names what the change touched."""

    stream: ClassVar[str] = "task"
    subject_field: ClassVar[str] = "task_id"

    task_id: UUID
    client_id: UUID
    project_id: UUID
    contract_id: UUID
    revision: int
    title: str
    status: TaskStatus
    position: Annotated[int, Field(ge=0)]
    milestone_id: UUID | None = None
    estimate_minutes: Annotated[int, Field(ge=1)] | None = None
    assignee_id: UUID | None = None
    assignee_name: str | None = None
    job_type: str
    level: Level
    due_on: date | None = None
    done_at: AwareDatetime | None = None
    is_client_visible: bool
    """Whether the client's people may know of it, once they may know of its project."""
    needs: tuple[UUID, ...] = ()
    """Tasks of the same project that come first."""
    ticket_ids: tuple[UUID, ...] = ()
    """Tickets that are about the same."""
    changed: tuple[str, ...] = ()
    actor: str = ""
    """Opaque id of the person or program behind the change."""


class TaskAdded(TaskState):
    """A task was added to a project."""


class TaskUpdated(TaskState):
    """A task changed, or what it needs, or the tickets it belongs to."""


class TimeEntryState(TicketsEvent):
    """Whole public state of a time entry."""

    stream: ClassVar[str] = "time_entry"
    subject_field: ClassVar[str] = "time_entry_id"

    time_entry_id: UUID
    client_id: UUID
    contract_id: UUID
    revision: int
    ticket_id: UUID | None = None
    task_id: UUID | None = None
    ref: str = ""
    """Of the ticket, or of the project with the name of the task: what people call the place of work."""
    agent_id: UUID
    agent_name: str = ""
    worked_from: AwareDatetime
    worked_minutes: Annotated[int, Field(ge=1, le=1440)]
    job_type: str
    level: Level
    note: str = ""
    """For the client and the invoice appendix."""
    status: Literal["submitted", "approved", "rejected", "voided"]
    corrects_id: UUID | None = None
    decided_by: str | None = None
    decision_reason: str = ""


class TimeLogged(TimeEntryState):
    """An agent logged and submitted time."""


class TimeApproved(TimeEntryState):
    """A time entry was approved: its hold becomes a posting."""


class TimeRejected(TimeEntryState):
    """A time entry was rejected with a reason: its hold is released."""


class TimeVoided(TimeEntryState):
    """A time entry was withdrawn: its hold is released."""


class WorklogSealed(TicketsEvent):
    r"""The approved time of a client up to the end of a period is frozen, with its control totals.

    ``checksum`` is SHA-256 over the lines ``<time_entry_id>:<worked_minutes>\\n`` in order of id.
    """

    stream: ClassVar[str] = "period"
    subject_field: ClassVar[str] = "period_close_id"

    period_close_id: UUID
    client_id: UUID
    starts_on: date
    ends_on: date
    entry_count: Annotated[int, Field(ge=0)]
    worked_minutes: Minutes
    checksum: str
    unapproved_count: Annotated[int, Field(ge=0)] = 0
    """Entries of the period that are still submitted: they will be late entries of the next one."""


class PeriodSealRefused(TicketsEvent):
    """The period cannot be sealed yet."""

    stream: ClassVar[str] = "period"
    subject_field: ClassVar[str] = "period_close_id"

    period_close_id: UUID
    client_id: UUID
    starts_on: date
    ends_on: date
    unapproved_count: Annotated[int, Field(ge=0)]
    detail: str


class ImportFinished(TicketsEvent):
    """Rows of a table were brought in; what was refused is known to whoever sent them."""

    stream: ClassVar[str] = "import"
    subject_field: ClassVar[str] = "import_id"

    import_id: UUID
    kind: Literal["tickets", "agents", "projects"]
    taken_count: Annotated[int, Field(ge=0)]
    refused_count: Annotated[int, Field(ge=0)]
    """Rows that were not taken."""
    actor: str


class WorklogReminder(TicketsEvent):
    """Somebody should look at time: said once for each occasion."""

    stream: ClassVar[str] = "worklog"
    subject_field: ClassVar[str] = "reminder_id"

    reminder_id: UUID
    period_ends_on: date
    """The day after the last one of the month."""


class TimeWaiting(WorklogReminder):
    """Submitted time waits for approval; said once a day while any does."""

    entry_count: Annotated[int, Field(ge=1)]
    worked_minutes: Minutes


class TimeUnsubmitted(WorklogReminder):
    """The month is nearly over, and an agent has a timer running or rejected time that was not corrected."""

    agent_id: UUID
    person_id: UUID
    open_minutes: Minutes
    """What the timer shows and what was rejected, together."""
