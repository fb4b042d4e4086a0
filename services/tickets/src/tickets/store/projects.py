"""Projects, milestones, tasks, dependencies, templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from msp_kit.database import Transaction

_PROJECT = "id, client_id, contract_id, ref, revision, status"
_TASK = (
    "id, client_id, project_id, milestone_id, revision, title, description, status, position, estimate_minutes, assignee_id,"
    " job_type, level, due_on, is_client_visible"
)


@dataclass(frozen=True, slots=True)
class ProjectHead:
    """What the verbs need of a project."""

    id: UUID
    client_id: UUID
    contract_id: UUID
    ref: str
    revision: int
    status: str


async def next_ref(tx: Transaction, *, client_id: UUID) -> str | None:
    """Return the next ref of a client's projects (``HLO-P3``), ``None`` for an unknown client."""
    number = await tx.fetchval(
        "INSERT INTO project_counters AS c SELECT client_id, 1 FROM clients WHERE client_id = $1"
        " ON CONFLICT (client_id) DO UPDATE SET last_number = c.last_number + 1 RETURNING last_number",
        client_id,
    )
    if number is None:
        return None
    code = await tx.fetchval("SELECT code FROM clients WHERE client_id = $1", client_id)
    return f"{code}-P{number}"


async def add_project(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Save a new project."""
    await _insert(tx, "projects", {**values, "revision": 1, "created_at": tx.now})


async def lock_project(tx: Transaction, *, project_id: UUID) -> ProjectHead | None:
    """Return a project, locked: what its tasks wait for changes one at a time."""
    row = await tx.fetchrow(f"SELECT {_PROJECT} FROM projects WHERE id = $1 FOR UPDATE", project_id)
    return None if row is None else ProjectHead(**row)


async def change_project(tx: Transaction, *, project_id: UUID, changes: Mapping[str, Any]) -> None:
    """Save the given fields of a project."""
    await _update(tx, "projects", project_id, changes)


async def touch_project(tx: Transaction, *, project_id: UUID) -> None:
    """Count a change of a part of a project."""
    await tx.driver.execute("UPDATE projects SET revision = revision + 1 WHERE id = $1", project_id)


async def project_state(tx: Transaction, *, project_id: UUID) -> dict[str, Any]:
    """Return the public state of a project with its milestones."""
    row = await tx.fetchrow(
        "SELECT id AS project_id, client_id, contract_id, revision, ref, name, status, is_client_visible, budget_minutes,"
        " starts_on, due_on FROM projects WHERE id = $1",
        project_id,
    )
    assert row is not None, "the project is there"
    milestones = await tx.fetch(
        "SELECT id AS milestone_id, name, due_on, position FROM milestones WHERE project_id = $1 ORDER BY position, id",
        project_id,
    )
    return {**dict(row), "milestones": [dict(one) for one in milestones]}


async def task_states(tx: Transaction, *, task_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Return the public states of tasks with what they need and the tickets they belong to, by position."""
    rows = await tx.fetch(
        "SELECT k.id AS task_id, k.client_id, k.project_id, p.contract_id, k.revision, k.title, k.status, k.position,"
        " k.milestone_id, k.estimate_minutes, k.assignee_id, a.name AS assignee_name, k.job_type, k.level, k.due_on,"
        " k.done_at, k.is_client_visible,"
        " array(SELECT needs_id FROM task_dependencies d WHERE d.client_id = k.client_id AND d.task_id = k.id"
        "       ORDER BY needs_id) AS needs,"
        " array(SELECT ticket_id FROM task_tickets l WHERE l.client_id = k.client_id AND l.task_id = k.id"
        "       ORDER BY ticket_id) AS ticket_ids"
        " FROM tasks k JOIN projects p ON p.client_id = k.client_id AND p.id = k.project_id"
        " LEFT JOIN agents a ON a.id = k.assignee_id WHERE k.id = ANY($1) ORDER BY k.position, k.id",
        task_ids,
    )
    return [dict(row) for row in rows]


async def add_milestone(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Save a new milestone."""
    await _insert(tx, "milestones", values)


async def milestone(tx: Transaction, *, milestone_id: UUID) -> tuple[UUID, str] | None:
    """Return the project a milestone belongs to, and its name."""
    row = await tx.fetchrow("SELECT project_id, name FROM milestones WHERE id = $1", milestone_id)
    return None if row is None else (row["project_id"], row["name"])


async def tasks_of_milestone(tx: Transaction, *, milestone_id: UUID) -> dict[UUID, str]:
    """Return the tasks of a milestone with their titles, locked, by id."""
    rows = await tx.fetch(
        "SELECT k.id, k.title FROM milestones m JOIN tasks k ON k.client_id = m.client_id AND k.project_id = m.project_id"
        " AND k.milestone_id = m.id WHERE m.id = $1 ORDER BY k.id FOR UPDATE OF k",
        milestone_id,
    )
    return {row["id"]: row["title"] for row in rows}


async def move_tasks(tx: Transaction, *, task_ids: Sequence[UUID], milestone_id: UUID | None) -> None:
    """Let tasks belong to another milestone of their project, or to none."""
    await tx.driver.execute(
        "UPDATE tasks SET milestone_id = $2, revision = revision + 1, updated_at = $3 WHERE id = ANY($1)",
        task_ids,
        milestone_id,
        tx.now,
    )


async def delete_milestone(tx: Transaction, *, milestone_id: UUID) -> None:
    """Forget a milestone; the database keeps one that tasks belong to."""
    await tx.driver.execute("DELETE FROM milestones WHERE id = $1", milestone_id)


async def change_milestone(tx: Transaction, *, milestone_id: UUID, changes: Mapping[str, Any]) -> None:
    """Save the given fields of a milestone."""
    await _set(tx, "milestones", milestone_id, changes)


async def milestone_is_of(tx: Transaction, *, project_id: UUID, milestone_id: UUID) -> bool:
    """Return whether a milestone belongs to a project."""
    return bool(
        await tx.fetchval("SELECT true FROM milestones WHERE project_id = $1 AND id = $2", project_id, milestone_id)
    )


async def next_position(tx: Transaction, *, project_id: UUID) -> int:
    """Return the position behind all tasks of a project."""
    found: int = await tx.fetchval("SELECT coalesce(max(position), 0) + 1 FROM tasks WHERE project_id = $1", project_id)
    return found


async def add_task(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Save a new task."""
    await _insert(tx, "tasks", {**values, "revision": 1, "updated_at": tx.now})


async def lock_task(tx: Transaction, *, task_id: UUID) -> dict[str, Any] | None:
    """Return a task, locked."""
    row = await tx.fetchrow(f"SELECT {_TASK} FROM tasks WHERE id = $1 FOR UPDATE", task_id)
    return None if row is None else dict(row)


async def change_task(tx: Transaction, *, task_id: UUID, changes: Mapping[str, Any]) -> None:
    """Save the given fields of a task."""
    await _update(tx, "tasks", task_id, {**changes, "updated_at": tx.now})


async def needs_of_project(tx: Transaction, *, project_id: UUID) -> dict[UUID, set[UUID]]:
    """Return what each task of a project needs."""
    rows = await tx.fetch("SELECT task_id, needs_id FROM task_dependencies WHERE project_id = $1", project_id)
    needs: dict[UUID, set[UUID]] = {}
    for row in rows:
        needs.setdefault(row["task_id"], set()).add(row["needs_id"])
    return needs


async def titles_of_project(tx: Transaction, *, project_id: UUID) -> dict[UUID, str]:
    """Return the titles of a project's tasks."""
    rows = await tx.fetch("SELECT id, title FROM tasks WHERE project_id = $1", project_id)
    return {row["id"]: row["title"] for row in rows}


async def open_needs(tx: Transaction, *, task_id: UUID) -> list[str]:
    """Return the titles of the tasks that one needs and that are not over."""
    rows = await tx.fetch(
        "SELECT k.title FROM task_dependencies d JOIN tasks k ON k.client_id = d.client_id AND k.id = d.needs_id"
        " WHERE d.task_id = $1 AND k.status NOT IN ('done', 'cancelled')",
        task_id,
    )
    return [row["title"] for row in rows]


async def add_dependency(tx: Transaction, project: ProjectHead, *, task_id: UUID, needs_id: UUID) -> None:
    """Note that a task needs another one of its project; noting it again changes nothing."""
    await tx.driver.execute(
        "INSERT INTO task_dependencies (client_id, project_id, task_id, needs_id) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT DO NOTHING",
        project.client_id,
        project.id,
        task_id,
        needs_id,
    )


async def delete_dependency(tx: Transaction, *, task_id: UUID, needs_id: UUID) -> bool:
    """Take a dependency away; return whether it was there."""
    return bool(
        await tx.fetchval(
            "DELETE FROM task_dependencies WHERE task_id = $1 AND needs_id = $2 RETURNING true", task_id, needs_id
        )
    )


async def link_ticket(tx: Transaction, *, client_id: UUID, task_id: UUID, ticket_id: UUID) -> None:
    """Note that a task and a ticket are about the same."""
    await tx.driver.execute(
        "INSERT INTO task_tickets (client_id, task_id, ticket_id, linked_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        client_id,
        task_id,
        ticket_id,
        tx.now,
    )


async def save_template(tx: Transaction, *, template_id: UUID, name: str, plan: Mapping[str, Any]) -> UUID:
    """Save a template under its name, replacing the one that had it; return its id."""
    saved: UUID = await tx.fetchval(
        "INSERT INTO project_templates (id, name, plan) VALUES ($1, $2, $3)"
        " ON CONFLICT (name) DO UPDATE SET plan = excluded.plan RETURNING id",
        template_id,
        name,
        orjson.dumps(plan).decode(),
    )
    return saved


async def template(tx: Transaction, *, template_id: UUID) -> dict[str, Any] | None:
    """Return the plan of a template."""
    found = await tx.fetchval("SELECT plan::text FROM project_templates WHERE id = $1", template_id)
    plan: dict[str, Any] | None = None if found is None else orjson.loads(found)
    return plan


async def _insert(tx: Transaction, table: str, values: Mapping[str, Any]) -> None:
    names = sorted(values)
    places = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    await tx.driver.execute(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", *(values[name] for name in names)
    )


async def _update(tx: Transaction, table: str, row_id: UUID, values: Mapping[str, Any]) -> None:
    await _set(tx, table, row_id, values, more=", revision = revision + 1")


async def _set(tx: Transaction, table: str, row_id: UUID, values: Mapping[str, Any], *, more: str = "") -> None:
    names = sorted(values)
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, start=2))
    await tx.driver.execute(f"UPDATE {table} SET {sets}{more} WHERE id = $1", row_id, *(values[name] for name in names))
