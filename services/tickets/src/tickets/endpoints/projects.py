"""Projects, milestones, tasks and templates over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from msp_kernel.ids import new_id
from msp_kit import ids
from msp_kit.api import CallerNow, Tx, allows, guarded_router
from msp_kit.pagination import Page
from msp_kit.problems import NotFound
from msp_kit.revisions import IfMatch, tag
from tickets.actions import attachments, plans, projects as verbs
from tickets.endpoints.addressing import BlobsNow, id_of, uuid_of
from tickets.reports import projects as lists
from tickets.schemas.ids import ClientId, MilestoneId, ProjectId, ProjectName, TaskId, TicketName
from tickets.schemas.projects import (
    ChangeMilestone,
    ChangeProject,
    ChangeTask,
    ClientFullProjectView,
    ClientProjectView,
    FullProjectView,
    MakeTask,
    NewMilestone,
    NewMilestoneView,
    NewProject,
    NewProjectTemplateView,
    NewProjectView,
    NewTask,
    NewTaskView,
    PlanBody,
    ProjectTemplateView,
    ProjectView,
    SaveProjectTemplate,
    SpawnTicket,
)
from tickets.schemas.tickets import AttachmentView, RaisedView

router: APIRouter = guarded_router(tags=["projects"])
EVERYBODY = allows(staff=(), client=())
STAFF = allows(staff=())
MANAGERS = allows(staff=("dispatcher", "manager", "admin"))


@router.get("/projects", openapi_extra=EVERYBODY)
async def projects(
    caller: CallerNow,
    tx: Tx,
    client_id: ClientId | None = None,
    status: Annotated[str | None, Query(max_length=20)] = None,
) -> Page[ProjectView] | Page[ClientProjectView]:
    """Return projects with where they stand."""
    rows = await lists.list_projects(tx, client_id=client_id, status=status)
    if caller.kind == "staff":
        return Page[ProjectView](items=[ProjectView(**row) for row in rows])
    return Page[ClientProjectView](items=[ClientProjectView(**row) for row in rows])


@router.post("/projects", status_code=201, openapi_extra=MANAGERS)
async def create_project(body: NewProject, tx: Tx) -> NewProjectView:
    """Create a project on a contract of its client."""
    plan = body.plan
    if body.template_id is not None:
        plan = PlanBody.model_validate(await plans.plan_of(tx, template_id=body.template_id))
    values = body.model_dump(exclude={"template_id", "plan"})
    project_id, ref = await verbs.create(tx, values, plan=None if plan is None else plan.to_plan())
    return NewProjectView(id=project_id, ref=ref)


@router.get("/projects/templates", openapi_extra=STAFF)
async def templates(tx: Tx) -> list[ProjectTemplateView]:
    """Return the project templates."""
    return [ProjectTemplateView(**row) for row in await lists.templates(tx)]


@router.put("/projects/templates", openapi_extra=MANAGERS)
async def save_template(body: SaveProjectTemplate, tx: Tx) -> NewProjectTemplateView:
    """Save a plan under a name."""
    template_id = new_id()
    plan = ids.stored(body.plan)
    return NewProjectTemplateView(id=await plans.save(tx, template_id=template_id, name=body.name, plan=plan))


@router.get("/projects/{project_id}", openapi_extra=EVERYBODY)
async def one_project(
    project_id: ProjectName, caller: CallerNow, tx: Tx, response: Response
) -> FullProjectView | ClientFullProjectView:
    """Return a project by id or ref, with milestones and tasks."""
    is_staff = caller.kind == "staff"
    row = await lists.one_project(tx, project_id=uuid_of(project_id), ref=project_id, is_staff=is_staff)
    if row is None:
        raise NotFound
    tag(response, row["revision"])
    return FullProjectView(**row) if is_staff else ClientFullProjectView(**row)


@router.patch("/projects/{project_id}", status_code=204, openapi_extra=MANAGERS)
async def change_project(project_id: ProjectId, body: ChangeProject, tx: Tx, if_revision: IfMatch) -> None:
    """Change a project."""
    changes = body.model_dump(exclude_unset=True)
    await verbs.change(tx, project_id=project_id, changes=changes, if_revision=if_revision)


@router.post("/projects/{project_id}/attachments", status_code=201, openapi_extra=STAFF)
async def attach(
    project_id: ProjectId,
    request: Request,
    caller: CallerNow,
    tx: Tx,
    blobs: BlobsNow,
    name: Annotated[str, Query(min_length=1, max_length=400)],
    *,
    is_public: bool = True,
) -> AttachmentView:
    """Keep a file on a project; the body is its content, ``name`` its name. Its client sees it when ``is_public``."""
    one = await attachments.attach_to_project(
        tx, blobs, project_id=project_id, by=caller, name=name, content=await request.body(), is_public=is_public
    )
    return AttachmentView.model_validate(one)


@router.post("/projects/{project_id}/milestones", status_code=201, openapi_extra=STAFF)
async def add_milestone(project_id: ProjectId, body: NewMilestone, tx: Tx) -> NewMilestoneView:
    """Add a milestone."""
    return NewMilestoneView(id=await verbs.add_milestone(tx, project_id=project_id, values=body.model_dump()))


@router.patch("/projects/milestones/{milestone_id}", status_code=204, openapi_extra=STAFF)
async def change_milestone(milestone_id: MilestoneId, body: ChangeMilestone, tx: Tx) -> None:
    """Change a milestone."""
    await verbs.change_milestone(tx, milestone_id=milestone_id, changes=body.model_dump(exclude_unset=True))


@router.delete("/projects/milestones/{milestone_id}", status_code=204, openapi_extra=STAFF)
async def delete_milestone(
    milestone_id: MilestoneId, tx: Tx, tasks_to: MilestoneId | Literal["none"] | None = None
) -> None:
    """Delete a milestone; ``tasks_to`` says which milestone its tasks go to, or ``none``."""
    await verbs.delete_milestone(tx, milestone_id=milestone_id, tasks_to=tasks_to)


@router.post("/projects/{project_id}/tasks", status_code=201, openapi_extra=STAFF)
async def add_task(project_id: ProjectId, body: NewTask, tx: Tx) -> NewTaskView:
    """Add a task."""
    return NewTaskView(id=await verbs.add_task(tx, project_id=project_id, values=body.model_dump()))


@router.patch("/tasks/{task_id}", status_code=204, openapi_extra=STAFF)
async def change_task(task_id: TaskId, body: ChangeTask, tx: Tx, if_revision: IfMatch) -> None:
    """Change a task; ``If-Match`` carries its revision."""
    changes = body.model_dump(exclude_unset=True)
    await verbs.change_task(tx, task_id=task_id, changes=changes, if_revision=if_revision)


@router.put("/tasks/{task_id}/needs/{needs_id}", status_code=204, openapi_extra=STAFF)
async def need(task_id: TaskId, needs_id: TaskId, tx: Tx) -> None:
    """Let a task wait for another one of its project."""
    await verbs.need(tx, task_id=task_id, needs_id=needs_id)


@router.delete("/tasks/{task_id}/needs/{needs_id}", status_code=204, openapi_extra=STAFF)
async def need_no_more(task_id: TaskId, needs_id: TaskId, tx: Tx) -> None:
    """Let a task not wait for another one any more."""
    await verbs.need_no_more(tx, task_id=task_id, needs_id=needs_id)


@router.post("/tasks/{task_id}/ticket", status_code=201, openapi_extra=STAFF)
async def spawn_ticket(task_id: TaskId, body: SpawnTicket, caller: CallerNow, tx: Tx) -> RaisedView:
    """Raise a ticket of a task."""
    made = await verbs.spawn_ticket(tx, task_id=task_id, priority=body.priority, by=caller)
    return RaisedView.model_validate(made)


@router.post("/tickets/{ticket}/task", status_code=201, openapi_extra=STAFF)
async def make_task(ticket: TicketName, body: MakeTask, caller: CallerNow, tx: Tx) -> NewTaskView:
    """Make a task of a ticket."""
    task_id = await verbs.task_of_ticket(tx, ticket_id=id_of(ticket), project_id=body.project_id, by=caller)
    return NewTaskView(id=task_id)
