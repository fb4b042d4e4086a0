"""Projects, milestones, tasks and templates as they come in and go out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, model_validator

from msp_kit.api import Body, View
from tickets.actions.projects import Plan, PlannedTask
from tickets.domain.project import ProjectStatus, TaskStatus
from tickets.schemas.ids import (
    AgentId,
    ClientId,
    ContractId,
    MilestoneId,
    ProjectId,
    ProjectTemplateId,
    TaskId,
    TicketId,
)
from tickets.schemas.tickets import AttachmentView, Code, Level, Name, Priority, Title

Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2199, 12, 31))]
Estimate = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
Budget = Annotated[int, Field(ge=1, le=10_000_000, strict=True)]


def check_forward(starts_on: date | None, due_on: date | None) -> None:
    """Check that a project is not due before it starts.

    Raises:
        ValueError: it is.
    """
    if starts_on and due_on and due_on < starts_on:
        message = "a project is due after it starts"
        raise ValueError(message)


class PlanTask(Body):
    """A task of a plan; ``needs`` are keys of other tasks."""

    key: Code
    title: Title
    description: str = Field(default="", max_length=20_000)
    milestone: str | None = Field(default=None, max_length=200)
    estimate_minutes: Estimate | None = None
    job_type: Code
    level: Level
    needs: list[Code] = Field(default_factory=list, max_length=50)
    is_client_visible: bool = True


class PlanMilestone(Body):
    """A milestone, so many days after the start."""

    name: Title
    after_days: int | None = Field(default=None, ge=0, le=3650)


class PlanBody(Body):
    """Milestones and tasks a project starts with."""

    milestones: list[PlanMilestone] = Field(default_factory=list, max_length=50)
    tasks: list[PlanTask] = Field(default_factory=list, max_length=300)

    def to_plan(self) -> Plan:
        """Return the plan this stands for."""
        tasks = tuple(
            PlannedTask(**{**one.model_dump(exclude={"needs"}), "needs": tuple(one.needs)}) for one in self.tasks
        )
        return Plan(milestones=tuple((one.name, one.after_days) for one in self.milestones), tasks=tasks)


class SaveProjectTemplate(Body):
    """A plan under a name; the one that had it is replaced."""

    name: Name
    plan: PlanBody


class ProjectTemplateView(View):
    """A template of projects."""

    id: ProjectTemplateId
    name: str
    plan: dict[str, Any]


class NewProject(Body):
    """A project on a contract of its client, with a plan or a template."""

    client_id: ClientId
    contract_id: ContractId
    name: Title
    description: str = Field(default="", max_length=20_000)
    status: ProjectStatus = "planned"
    is_client_visible: bool = False
    budget_minutes: Budget | None = None
    starts_on: Day | None = None
    due_on: Day | None = None
    template_id: ProjectTemplateId | None = None
    plan: PlanBody | None = None

    @model_validator(mode="after")
    def _is_forward(self) -> NewProject:
        check_forward(self.starts_on, self.due_on)
        if self.plan is not None and self.template_id is not None:
            message = "give a plan or a template, not both"
            raise ValueError(message)
        return self


class ChangeProject(Body):
    """What may change about a project; an absent field stays."""

    name: Title | None = None
    description: str | None = Field(default=None, max_length=20_000)
    status: ProjectStatus | None = None
    is_client_visible: bool | None = None
    budget_minutes: Budget | None = None
    due_on: Day | None = None


class NewMilestone(Body):
    """A milestone."""

    name: Title
    due_on: Day | None = None
    position: int = Field(default=1, ge=0, le=10_000)


class ChangeMilestone(Body):
    """What may change about a milestone; an absent field stays."""

    name: Title | None = None
    due_on: Day | None = None
    position: int | None = Field(default=None, ge=0, le=10_000)


class NewTask(Body):
    """A task."""

    title: Title
    description: str = Field(default="", max_length=20_000)
    milestone_id: MilestoneId | None = None
    status: TaskStatus = "todo"
    estimate_minutes: Estimate | None = None
    assignee_id: AgentId | None = None
    job_type: Code
    level: Level
    due_on: Day | None = None
    is_client_visible: bool = True
    needs: list[TaskId] = Field(default_factory=list, max_length=50)
    """Tasks of the project that come first."""


class ChangeTask(Body):
    """What may change about a task; an absent field stays. ``position`` orders list and board, ``needs`` are all of them."""

    title: Title | None = None
    description: str | None = Field(default=None, max_length=20_000)
    milestone_id: MilestoneId | None = None
    status: TaskStatus | None = None
    position: int | None = Field(default=None, ge=0, le=1_000_000)
    estimate_minutes: Estimate | None = None
    assignee_id: AgentId | None = None
    job_type: Code | None = None
    level: Level | None = None
    due_on: Day | None = None
    is_client_visible: bool | None = None
    needs: list[TaskId] | None = Field(default=None, max_length=50)


class SpawnTicket(Body):
    """How urgent the ticket is."""

    priority: Priority = "medium"


class MakeTask(Body):
    """The project the ticket becomes a task of."""

    project_id: ProjectId


class BurnView(View):
    """Where a project stands; ``expected_minutes`` is what it takes in the end, at the pace of what is done."""

    progress_percent: int | None
    worked_minutes: int
    estimate_minutes: int
    budget_minutes: int | None
    burnt_percent: int | None
    expected_minutes: int | None
    is_over_budget: bool


class ClientProjectView(View):
    """A project in a list, for a client's people."""

    id: ProjectId
    client_id: ClientId
    client_name: str
    ref: str
    name: str
    description: str
    status: str
    starts_on: date | None
    due_on: date | None
    burn: BurnView


class ProjectView(ClientProjectView):
    """A project in a list, for staff."""

    revision: int
    contract_id: ContractId
    is_client_visible: bool
    budget_minutes: int | None
    created_at: datetime


class MilestoneView(View):
    """A milestone with the progress of its tasks."""

    id: MilestoneId
    name: str
    due_on: date | None
    position: int
    progress_percent: int | None
    tasks: int


class ClientTaskView(View):
    """A task as a client's people see it."""

    id: TaskId
    milestone_id: MilestoneId | None
    title: str
    description: str
    status: str
    due_on: date | None
    done_at: datetime | None
    worked_minutes: int


class TaskTicketView(View):
    """A ticket a task belongs to."""

    id: TicketId
    ref: str
    status: str


class TaskView(ClientTaskView):
    """A task as staff sees it."""

    revision: int
    position: int
    estimate_minutes: int | None
    assignee_id: AgentId | None
    assignee_name: str | None
    job_type: str
    level: str
    is_client_visible: bool
    updated_at: datetime
    needs: list[TaskId]
    tickets: list[TaskTicketView]


class FullProjectView(ProjectView):
    """A project with all that is planned; the board is its tasks by status."""

    milestones: list[MilestoneView]
    tasks: list[TaskView]
    attachments: list[AttachmentView]


class ClientFullProjectView(ClientProjectView):
    """A project with what is meant for the client; its progress is that of the tasks shown."""

    milestones: list[MilestoneView]
    tasks: list[ClientTaskView]
    attachments: list[AttachmentView]


class NewProjectView(View):
    """A project that was created."""

    id: ProjectId
    ref: str


class NewProjectTemplateView(View):
    """A plan that was saved under a name."""

    id: ProjectTemplateId


class NewMilestoneView(View):
    """A milestone that was added."""

    id: MilestoneId


class NewTaskView(View):
    """A task that was added."""

    id: TaskId
