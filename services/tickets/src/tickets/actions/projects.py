"""Planning projects: projects, milestones, tasks, what tasks need, tickets they spawn, templates."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from msp_events.base import Event
from msp_events.tickets import ProjectCreated, ProjectUpdated, TaskAdded, TaskUpdated
from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.outbox import record
from msp_kit.problems import NotFound
from msp_kit.revisions import refuse_stale
from tickets.actions import raising, told
from tickets.actions.journal import Journal
from tickets.actions.raising import Wish, actor_of
from tickets.actions.tickets import locked
from tickets.domain.project import PlanBroken, ProjectClosed, TaskStatus, check_is_free, check_may_be, check_no_cycle
from tickets.domain.scope import NoActiveContract, Terms
from tickets.domain.ticket import AcrossClients, Ticket
from tickets.store import organisation, projects as store
from tickets.store.projects import ProjectHead


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTask:
    """A task of a plan. ``needs`` are keys of other tasks, ``milestone`` the name of a milestone of the plan."""

    key: str
    title: str
    description: str = ""
    milestone: str | None = None
    estimate_minutes: int | None = None
    job_type: str
    level: str
    needs: tuple[str, ...] = ()
    is_client_visible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Milestones (name, days after the start) and tasks, as a template keeps them."""

    milestones: tuple[tuple[str, int | None], ...] = ()
    tasks: tuple[PlannedTask, ...] = ()


async def create(tx: Transaction, values: Mapping[str, Any], *, plan: Plan | None) -> tuple[UUID, str]:
    """Create a project on a contract of its client, with a plan where one is given; return id and ref.

    Raises:
        NotFound: no such client.
        NoActiveContract: the contract is not one of the client's in force today.
        JobTypeOutsideContract, LevelOutsideContract, PlanBroken, DependencyCycle: the plan does not fit.
    """
    client_id = values["client_id"]
    timezone = await organisation.timezone_of(tx, client_id=client_id)
    if timezone is None:
        raise NotFound
    today = tx.now.astimezone(ZoneInfo(timezone)).date()
    contracts = await organisation.terms_of_client(tx, client_id=client_id)
    terms = next(
        (one for one in contracts if one.contract_id == values["contract_id"] and one.is_in_force(today)), None
    )
    if terms is None:
        raise NoActiveContract("the contract is not one of this client's in force today")
    ref = await store.next_ref(tx, client_id=client_id)
    assert ref is not None, "the client is there"
    project = ProjectHead(new_id(), client_id, terms.contract_id, ref, 1, values["status"])
    await store.add_project(tx, {**values, "id": project.id, "ref": ref})
    added = [] if plan is None else await _lay_out(tx, project, terms, plan, starts_on=values["starts_on"] or today)
    events = [await told.project(tx, ProjectCreated, project_id=project.id, changed=["created"])]
    await record(tx, *events, *await told.tasks(tx, TaskAdded, task_ids=added, changed=["added"]))
    return project.id, ref


async def change(tx: Transaction, *, project_id: UUID, changes: Mapping[str, Any], if_revision: int | None) -> None:
    """Change name, description, status, visibility, budget or days of a project.

    Raises:
        NotFound: no such project.
        Conflict: somebody changed it since ``if_revision``.
    """
    project = await store.lock_project(tx, project_id=project_id)
    if project is None:
        raise NotFound
    refuse_stale(project.ref, revision=project.revision, read=if_revision)
    if not changes:
        return
    await store.change_project(tx, project_id=project_id, changes=changes)
    await record(tx, await told.project(tx, ProjectUpdated, project_id=project_id, changed=changes))


async def add_milestone(tx: Transaction, *, project_id: UUID, values: Mapping[str, Any]) -> UUID:
    """Add a milestone.

    Raises:
        NotFound, ProjectClosed.
    """
    project = await _open(tx, project_id)
    milestone_id = new_id()
    await store.add_milestone(
        tx, {**values, "id": milestone_id, "client_id": project.client_id, "project_id": project.id}
    )
    await _touched(tx, project)
    return milestone_id


async def change_milestone(tx: Transaction, *, milestone_id: UUID, changes: Mapping[str, Any]) -> None:
    """Change name, day or place of a milestone.

    Raises:
        NotFound, ProjectClosed.
    """
    project, _ = await _of_milestone(tx, milestone_id)
    if changes:
        await store.change_milestone(tx, milestone_id=milestone_id, changes=changes)
        await _touched(tx, project)


async def delete_milestone(
    tx: Transaction, *, milestone_id: UUID, tasks_to: UUID | Literal["none"] | None = None
) -> None:
    """Delete a milestone; its tasks go to another one of the project, or to none, when that is said.

    Raises:
        NotFound: no such milestone, or ``tasks_to`` is none of the project's.
        ProjectClosed, MilestoneInUse.
    """
    project, name = await _of_milestone(tx, milestone_id)
    tasks = await store.tasks_of_milestone(tx, milestone_id=milestone_id)
    if tasks_to is None:
        check_is_free(name, tasks=sorted(tasks.values()))
    other = tasks_to if isinstance(tasks_to, UUID) else None
    if other is not None and (
        other == milestone_id or not await store.milestone_is_of(tx, project_id=project.id, milestone_id=other)
    ):
        raise NotFound
    await store.move_tasks(tx, task_ids=list(tasks), milestone_id=other)
    await store.delete_milestone(tx, milestone_id=milestone_id)
    await record(tx, *await told.tasks(tx, TaskUpdated, task_ids=list(tasks), changed=["milestone_id"]))
    await _touched(tx, project)


async def add_task(tx: Transaction, *, project_id: UUID, values: Mapping[str, Any]) -> UUID:
    """Add a task behind the others.

    Raises:
        NotFound: no such project, milestone or agent, or a task it needs is none of the project's.
        ProjectClosed, JobTypeOutsideContract, LevelOutsideContract.
    """
    project = await _open(tx, project_id)
    fields = {name: value for name, value in values.items() if name != "needs"}
    await _check(tx, project, fields)
    task_id = await _add(tx, project, fields)
    await _set_needs(tx, project, task_id, values.get("needs", ()))
    await record(tx, *await told.tasks(tx, TaskAdded, task_ids=[task_id], changed=["added"]))
    return task_id


async def change_task(tx: Transaction, *, task_id: UUID, changes: Mapping[str, Any], if_revision: int | None) -> None:
    """Change a task, its place on the board included.

    Raises:
        NotFound: no such task, milestone or agent, or a task it needs is none of the project's.
        Conflict: somebody changed it since ``if_revision``.
        ProjectClosed, TaskBlocked, DependencyCycle, JobTypeOutsideContract, LevelOutsideContract.
    """
    task = await _task(tx, task_id)
    project = await _open(tx, task["project_id"])
    refuse_stale("the task", revision=task["revision"], read=if_revision)
    fields = {name: value for name, value in changes.items() if name != "needs"}
    await _check(tx, project, {**task, **fields})
    if changes.get("needs") is not None:
        await _set_needs(tx, project, task_id, changes["needs"])
    status: TaskStatus | None = changes.get("status")
    done: dict[str, Any] = {}
    if status is not None and status != task["status"]:
        check_may_be(status, open_needs=await store.open_needs(tx, task_id=task_id))
        done = {"done_at": tx.now if status == "done" else None}
    if changes:
        await store.change_task(tx, task_id=task_id, changes={**fields, **done})
        await record(tx, *await told.tasks(tx, TaskUpdated, task_ids=[task_id], changed=[*changes, *done]))


async def need(tx: Transaction, *, task_id: UUID, needs_id: UUID) -> None:
    """Let a task wait for another one of its project.

    Raises:
        NotFound: no such task, or it is in another project.
        ProjectClosed, DependencyCycle.
    """
    project = await _open(tx, (await _task(tx, task_id))["project_id"])
    needs = (await store.needs_of_project(tx, project_id=project.id)).get(task_id, set())
    await _set_needs(tx, project, task_id, {*needs, needs_id})
    if needs_id not in needs:
        await record(tx, await _touched_task(tx, task_id, "needs"))


async def need_no_more(tx: Transaction, *, task_id: UUID, needs_id: UUID) -> None:
    """Let a task not wait for another one any more.

    Raises:
        NotFound: it does not.
        ProjectClosed.
    """
    await _open(tx, (await _task(tx, task_id))["project_id"])
    if not await store.delete_dependency(tx, task_id=task_id, needs_id=needs_id):
        raise NotFound
    await record(tx, await _touched_task(tx, task_id, "needs"))


async def spawn_ticket(tx: Transaction, *, task_id: UUID, priority: str, by: Caller) -> Ticket:
    """Raise a ticket of a task, on the same contract.

    Raises:
        NotFound, NoActiveContract, JobTypeOutsideContract, LevelOutsideContract.
    """
    task = await _task(tx, task_id)
    project = await _open(tx, task["project_id"])
    wish = Wish(
        client_id=project.client_id,
        contract_id=project.contract_id,
        title=task["title"],
        description=task["description"],
        job_type=task["job_type"],
        level=task["level"],
        priority=priority,
        source="task",
    )
    journal = await raising.begin(tx, wish, by=actor_of(by))
    journal.note("task", f"raised from a task of {project.ref}", at=tx.now)
    await journal.save(tx, awaits_assignment=True)
    await store.link_ticket(tx, client_id=project.client_id, task_id=task_id, ticket_id=journal.ticket.id)
    await record(tx, *journal.events, await _touched_task(tx, task_id, "ticket_ids"))
    return journal.ticket


async def task_of_ticket(tx: Transaction, *, ticket_id: UUID, project_id: UUID, by: Caller) -> UUID:
    """Make a task of a ticket in a project of the same client; both know one another.

    Raises:
        NotFound, AcrossClients, ProjectClosed, JobTypeOutsideContract, LevelOutsideContract.
    """
    ticket = await locked(tx, ticket_id)
    project = await _open(tx, project_id)
    if project.client_id != ticket.client_id:
        raise AcrossClients(f"{ticket.ref} and {project.ref} belong to two clients")
    values = {
        "title": ticket.title,
        "description": ticket.description,
        "job_type": ticket.job_type,
        "level": ticket.level,
        "status": "todo",
        "is_client_visible": True,
    }
    await _check(tx, project, values)
    task_id = await _add(tx, project, values)
    await store.link_ticket(tx, client_id=project.client_id, task_id=task_id, ticket_id=ticket.id)
    journal = Journal(ticket, actor=actor_of(by))
    journal.note("task", f"became a task of {project.ref}", at=tx.now)
    await journal.save(tx)
    await record(tx, *await told.tasks(tx, TaskAdded, task_ids=[task_id], changed=["added"]))
    return task_id


# ---- parts --------------------------------------------------------------------------------------------------------


async def _set_needs(tx: Transaction, project: ProjectHead, task_id: UUID, wanted: Collection[UUID]) -> None:
    """Let a task wait for the given tasks of its project and no others."""
    needs = await store.needs_of_project(tx, project_id=project.id)
    had = needs.pop(task_id, set())
    if not wanted and not had:
        return
    names = await store.titles_of_project(tx, project_id=project.id)
    for needs_id in wanted:
        if needs_id not in names:
            raise NotFound
        check_no_cycle(needs, task_id=task_id, needs_id=needs_id, names=names)
        await store.add_dependency(tx, project, task_id=task_id, needs_id=needs_id)
    for needs_id in had.difference(wanted):
        await store.delete_dependency(tx, task_id=task_id, needs_id=needs_id)


async def _touched(tx: Transaction, project: ProjectHead) -> None:
    await store.touch_project(tx, project_id=project.id)
    await record(tx, await told.project(tx, ProjectUpdated, project_id=project.id, changed=["milestones"]))


async def _touched_task(tx: Transaction, task_id: UUID, what: str) -> Event:
    await store.change_task(tx, task_id=task_id, changes={})
    (event,) = await told.tasks(tx, TaskUpdated, task_ids=[task_id], changed=[what])
    return event


async def _task(tx: Transaction, task_id: UUID) -> dict[str, Any]:
    task = await store.lock_task(tx, task_id=task_id)
    if task is None:
        raise NotFound
    return task


async def _open(tx: Transaction, project_id: UUID) -> ProjectHead:
    project = await store.lock_project(tx, project_id=project_id)
    if project is None:
        raise NotFound
    if project.status == "closed":
        raise ProjectClosed(f"{project.ref} is closed")
    return project


async def _of_milestone(tx: Transaction, milestone_id: UUID) -> tuple[ProjectHead, str]:
    """Return the project of a milestone, locked, and the milestone's name."""
    found = await store.milestone(tx, milestone_id=milestone_id)
    if found is None:
        raise NotFound
    project = await _open(tx, found[0])
    return project, found[1]


async def _check(tx: Transaction, project: ProjectHead, values: Mapping[str, Any]) -> None:
    terms = await organisation.terms_of_contract(tx, contract_id=project.contract_id)
    assert terms is not None, "a project has a contract"
    terms.check(job_type=values["job_type"], level=values["level"])
    milestone_id, assignee_id = values.get("milestone_id"), values.get("assignee_id")
    if milestone_id and not await store.milestone_is_of(tx, project_id=project.id, milestone_id=milestone_id):
        raise NotFound
    if assignee_id and await organisation.agent_name(tx, agent_id=assignee_id) is None:
        raise NotFound


async def _add(tx: Transaction, project: ProjectHead, values: Mapping[str, Any]) -> UUID:
    task_id = new_id()
    position = await store.next_position(tx, project_id=project.id)
    keys = {"id": task_id, "client_id": project.client_id, "project_id": project.id, "position": position}
    await store.add_task(tx, {**values, **keys})
    return task_id


async def _lay_out(tx: Transaction, project: ProjectHead, terms: Terms, plan: Plan, *, starts_on: date) -> list[UUID]:
    """Add the milestones and tasks of a plan, and what each task needs; return the tasks."""
    milestones: dict[str, UUID] = {}
    for position, (name, days) in enumerate(plan.milestones, start=1):
        milestones[name] = new_id()
        due_on = None if days is None else starts_on + timedelta(days=days)
        keys = {"id": milestones[name], "client_id": project.client_id, "project_id": project.id}
        await store.add_milestone(tx, {**keys, "name": name, "due_on": due_on, "position": position})
    tasks: dict[str, UUID] = {}
    for one in plan.tasks:
        terms.check(job_type=one.job_type, level=one.level)
        if one.key in tasks or (one.milestone is not None and one.milestone not in milestones):
            raise PlanBroken(f"task {one.key!r} is there twice, or its milestone {one.milestone!r} is not in the plan")
        values = {
            "title": one.title,
            "description": one.description,
            "milestone_id": None if one.milestone is None else milestones[one.milestone],
            "estimate_minutes": one.estimate_minutes,
            "job_type": one.job_type,
            "level": one.level,
            "status": "todo",
            "is_client_visible": one.is_client_visible,
        }
        tasks[one.key] = await _add(tx, project, values)
    await _depend(tx, project, plan.tasks, tasks)
    return list(tasks.values())


async def _depend(
    tx: Transaction, project: ProjectHead, planned: Sequence[PlannedTask], tasks: Mapping[str, UUID]
) -> None:
    needs: dict[UUID, set[UUID]] = {}
    names = {task_id: key for key, task_id in tasks.items()}
    for one in planned:
        for key in one.needs:
            if key not in tasks:
                raise PlanBroken(f"task {one.key!r} needs {key!r}, which is not in the plan")
            check_no_cycle(needs, task_id=tasks[one.key], needs_id=tasks[key], names=names)
            needs.setdefault(tasks[one.key], set()).add(tasks[key])
            await store.add_dependency(tx, project, task_id=tasks[one.key], needs_id=tasks[key])
