"""Projects and their tasks as they are shown; a client's people see what is meant for them (the database sees to it)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

import orjson

from msp_kit.database import Transaction
from tickets.domain.project import Task, burn
from tickets.reports.threads import attachments_of

Row = dict[str, Any]
PROJECTS_MAX = 500
_PROJECT = (
    "p.id, p.client_id, c.name AS client_name, p.ref, p.revision, p.contract_id, p.name, p.description, p.status,"
    " p.is_client_visible, p.budget_minutes, p.starts_on, p.due_on, p.created_at"
)
_TASKS = """
    SELECT k.id, k.project_id, k.milestone_id, k.revision, k.title, k.description, k.status, k.position, k.estimate_minutes,
           k.assignee_id, k.job_type, k.level, k.due_on, k.is_client_visible, k.done_at, k.updated_at,
           coalesce(w.minutes, 0)::bigint AS worked_minutes
      FROM tasks k LEFT JOIN (
           -- Only of these projects: all task time there ever was would be summed up otherwise.
           SELECT e.client_id, e.task_id, sum(e.worked_minutes) AS minutes
             FROM tasks t JOIN time_entries e ON e.client_id = t.client_id AND e.task_id = t.id
            WHERE t.project_id = ANY($1) AND e.status IN ('submitted', 'approved') GROUP BY e.client_id, e.task_id) AS w
        ON w.client_id = k.client_id AND w.task_id = k.id
     WHERE k.project_id = ANY($1) ORDER BY k.position, k.id
"""


async def list_projects(tx: Transaction, *, client_id: UUID | None, status: str | None) -> Sequence[Row]:
    """Return projects with where they stand, open ones first, then by ref."""
    rows = await tx.fetch(
        f"SELECT {_PROJECT} FROM projects p JOIN clients c USING (client_id)"
        " WHERE ($1::uuid IS NULL OR p.client_id = $1) AND ($2::text IS NULL OR p.status = $2)"
        " ORDER BY p.status = 'closed', c.name, p.created_at, p.id LIMIT $3",
        client_id,
        status,
        PROJECTS_MAX,
    )
    tasks = await _tasks(tx, [row["id"] for row in rows])
    return [{**dict(row), "burn": _burn(row, tasks.get(row["id"], []))} for row in rows]


async def one_project(tx: Transaction, *, project_id: UUID | None, ref: str | None, is_staff: bool) -> Row | None:
    """Return a project with milestones and tasks; for staff also what tasks need and the tickets they belong to."""
    row = await tx.fetchrow(
        f"SELECT {_PROJECT} FROM projects p JOIN clients c USING (client_id)"
        f" WHERE {'p.ref' if project_id is None else 'p.id'} = $1",
        project_id or ref,
    )
    if row is None:
        return None
    project_id = row["id"]
    tasks = (await _tasks(tx, [project_id])).get(project_id, [])
    if is_staff:
        await _add_surroundings(tx, project_id, tasks)
    milestones = await tx.fetch(
        "SELECT id, name, due_on, position FROM milestones WHERE project_id = $1 ORDER BY position, id", project_id
    )
    shown = []
    for milestone in milestones:
        inside = [one for one in tasks if one["milestone_id"] == milestone["id"]]
        stands = burn(map(_task, inside), budget_minutes=None)
        shown.append({**dict(milestone), "progress_percent": stands.progress_percent, "tasks": len(inside)})
    files = await attachments_of(tx, client_id=row["client_id"], project_id=project_id)
    return {**dict(row), "burn": _burn(row, tasks), "milestones": shown, "tasks": tasks, "attachments": files}


async def templates(tx: Transaction) -> Sequence[Row]:
    """Return the project templates by name."""
    rows = await tx.fetch("SELECT id, name, plan::text AS plan FROM project_templates ORDER BY name LIMIT 200")
    return [{**dict(row), "plan": orjson.loads(row["plan"])} for row in rows]


async def _tasks(tx: Transaction, project_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    found: dict[UUID, list[Row]] = {}
    for row in await tx.fetch(_TASKS, project_ids):
        found.setdefault(row["project_id"], []).append(dict(row))
    return found


async def _add_surroundings(tx: Transaction, project_id: UUID, tasks: Sequence[Row]) -> None:
    """Add needs, tickets and the assignee's name to tasks, in place."""
    needs = await tx.fetch("SELECT task_id, needs_id FROM task_dependencies WHERE project_id = $1", project_id)
    tickets = await tx.fetch(
        "SELECT l.task_id, t.id, t.ref, t.status FROM task_tickets l JOIN tickets t"
        " ON t.client_id = l.client_id AND t.id = l.ticket_id WHERE l.task_id = ANY($1) ORDER BY l.linked_at, t.id",
        [one["id"] for one in tasks],
    )
    names = {
        row["id"]: row["name"]
        for row in await tx.fetch(
            "SELECT id, name FROM agents WHERE id = ANY($1)",
            [one["assignee_id"] for one in tasks if one["assignee_id"]],
        )
    }
    for one in tasks:
        one["needs"] = [row["needs_id"] for row in needs if row["task_id"] == one["id"]]
        one["tickets"] = [
            {"id": row["id"], "ref": row["ref"], "status": row["status"]}
            for row in tickets
            if row["task_id"] == one["id"]
        ]
        one["assignee_name"] = names.get(one["assignee_id"])


def _task(row: Mapping[str, Any]) -> Task:
    return Task(
        id=row["id"],
        status=row["status"],
        estimate_minutes=row["estimate_minutes"],
        worked_minutes=row["worked_minutes"],
    )


def _burn(project: Mapping[str, Any], tasks: Sequence[Row]) -> Row:
    return asdict(burn(map(_task, tasks), budget_minutes=project["budget_minutes"]))
