"""What staff do to projects: creating them, also from a template, milestones, tasks, what tasks need, time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response

from portal_gateway.language import gettext, mark
from portal_gateway.pages import shown
from portal_gateway.pages.desk import DISPATCH
from portal_gateway.pages.forms import Form
from portal_gateway.pages.projects import project_of, show_new, show_project, show_task
from portal_gateway.pages.raising import keep
from portal_gateway.pages.site import Site, form_and_file, form_of, go, page_route
from portal_gateway.pages.time_entries import SPELLING
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter(prefix="/desk/projects")
EFFORT = mark("Write it as 40h, 12h30, 90m or 1.5 (hours).")
Fields = dict[str, str]


@page_route(router, "/new", "POST")
async def create(request: Request, site: Site, visitor: Visitor) -> Response:
    """Create a project, empty or with the plan of a template."""
    caller = need_staff(visitor, *DISPATCH)
    typed = await form_of(request, visitor)
    body: dict[str, Any] = {name: typed.get(name, "") for name in ("client_id", "contract_id", "name", "description")}
    body |= {name: typed[name] for name in ("status", "starts_on", "due_on", "template_id") if typed.get(name)}
    body["is_client_visible"] = bool(typed.get("is_client_visible"))
    form = _with_effort(
        body, typed, "budget", "budget_minutes", name="project", said=gettext("The project was not created.")
    )
    if form is None:
        try:
            made = await site.services.post(caller, "/projects", body, key=typed.get("key") or None)
        except (Refused, ServiceAway) as error:
            form = Form.refused("project", typed, error, said=gettext("The project was not created."))
        else:
            return go(f"/desk/projects/{segment(made['ref'])}")
    return await show_new(site, visitor, client_id=typed.get("client_id"), form=form)


@page_route(router, "/{ref}/files", "POST")
async def attach(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Put a file on a project, for its client too or for the desk only."""
    need_staff(visitor)
    typed, file = await form_and_file(request, visitor)
    found = await project_of(site, visitor, ref)
    said = gettext("The file was not kept.")
    if file is None:
        form = Form.wrong("file", typed, {"": gettext("Choose a file first.")}, said=said)
        return await show_project(site, visitor, ref, form=form)
    try:
        await keep(site, visitor, f"/projects/{found['id']}", file, is_public="is_internal" not in typed)
    except (Refused, ServiceAway) as error:
        return await show_project(site, visitor, ref, form=Form.refused("file", typed, error, said=said))
    return go(f"/desk/projects/{segment(ref)}#files")


@page_route(router, "/{ref}", "POST")
async def change(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Change a project, unless somebody else did so in the meantime."""
    need_staff(visitor, *DISPATCH)
    typed = await form_of(request, visitor)
    found = await project_of(site, visitor, ref)
    body: dict[str, Any] = {name: typed[name] for name in ("name", "description", "status") if name in typed}
    body |= {"due_on": typed.get("due_on") or None, "is_client_visible": bool(typed.get("is_client_visible"))}
    said = gettext("The project was not changed.")
    form = _with_effort(body, typed, "budget", "budget_minutes", name="project", said=said)
    if form is not None:
        return await show_project(site, visitor, ref, view=typed.get("view", "list"), form=form)
    path = f"/projects/{found['id']}"
    return await _do(site, visitor, ref, path, body, typed=typed, name="project", said=said, method="PATCH")


@page_route(router, "/{ref}/template", "POST")
async def save_as_template(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Keep the plan of a project under a name, to start others with."""
    need_staff(visitor, *DISPATCH)
    typed = await form_of(request, visitor)
    body = {"name": typed.get("name", "").strip(), "plan": plan_of(await project_of(site, visitor, ref))}
    path, said = "/projects/templates", gettext("The template was not saved.")
    return await _do(site, visitor, ref, path, body, typed=typed, name="template", said=said, method="PUT")


def plan_of(project: Mapping[str, Any]) -> dict[str, Any]:
    """Return milestones and tasks of a project as a template keeps them: days after the start, keys instead of ids."""
    begins = project["starts_on"] or project["created_at"][:10]
    stones = {one["id"]: one["name"] for one in project["milestones"]}
    kept = [one for one in project["tasks"] if one["status"] != "cancelled"]
    keys = {one["id"]: f"task-{number}" for number, one in enumerate(kept, start=1)}
    fields = ("title", "description", "estimate_minutes", "job_type", "level", "is_client_visible")
    tasks = [
        {
            **{name: one[name] for name in fields},
            "key": keys[one["id"]],
            "milestone": stones.get(one["milestone_id"]),
            "needs": [keys[needed] for needed in one["needs"] if needed in keys],
        }
        for one in kept
    ]
    milestones = [
        {"name": one["name"], "after_days": _days_after(begins, one["due_on"])} for one in project["milestones"]
    ]
    return {"milestones": milestones, "tasks": tasks}


def _days_after(begins: str, due_on: str | None) -> int | None:
    if due_on is None:
        return None
    return max(0, (date.fromisoformat(due_on) - date.fromisoformat(begins)).days)


@page_route(router, "/{ref}/milestones", "POST")
async def add_milestone(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Add a milestone behind the others."""
    typed = await form_of(request, visitor)
    found = await project_of(site, visitor, ref)
    last = max((one["position"] for one in found["milestones"]), default=0)
    body = {"name": typed.get("name", ""), "due_on": typed.get("due_on") or None, "position": last + 1}
    path, said = f"/projects/{found['id']}/milestones", gettext("The milestone was not added.")
    return await _do(site, visitor, ref, path, body, typed=typed, name="milestone", said=said)


@page_route(router, "/{ref}/milestones/{milestone_id}", "POST")
async def change_milestone(request: Request, site: Site, visitor: Visitor, ref: str, milestone_id: str) -> Response:
    """Change the name or the day of a milestone."""
    typed = await form_of(request, visitor)
    body = {"name": typed.get("name", ""), "due_on": typed.get("due_on") or None}
    path, said = f"/projects/milestones/{segment(milestone_id)}", gettext("The milestone was not changed.")
    name = f"milestone-{milestone_id}"
    return await _do(site, visitor, ref, path, body, typed=typed, name=name, said=said, method="PATCH")


@page_route(router, "/{ref}/milestones/{milestone_id}/delete", "POST")
async def delete_milestone(request: Request, site: Site, visitor: Visitor, ref: str, milestone_id: str) -> Response:
    """Delete a milestone, and say where its tasks go."""
    typed = await form_of(request, visitor)
    goal = typed.get("tasks_to", "")
    path = f"/projects/milestones/{segment(milestone_id)}" + (f"?tasks_to={segment(goal)}" if goal else "")
    name, said = f"milestone-{milestone_id}", gettext("The milestone stays.")
    return await _do(site, visitor, ref, path, {}, typed=typed, name=name, said=said, method="DELETE")


@page_route(router, "/{ref}/tasks", "POST")
async def add_task(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Add a task."""
    typed = await form_of(request, visitor)
    found = await project_of(site, visitor, ref)
    body, said = _task(typed), gettext("The task was not added.")
    form = _with_effort(body, typed, "estimate", "estimate_minutes", name="task", said=said)
    if form is not None:
        return await show_project(site, visitor, ref, view=typed.get("view", "list"), form=form)
    return await _do(site, visitor, ref, f"/projects/{found['id']}/tasks", body, typed=typed, name="task", said=said)


@page_route(router, "/{ref}/tasks/{task_id}", "POST")
async def change_task(request: Request, site: Site, visitor: Visitor, ref: str, task_id: str) -> Response:
    """Change all fields of a task, unless somebody else did so in the meantime."""
    typed = await form_of(request, visitor)
    body, said = {**_task(typed), "status": typed.get("status", "")}, gettext("The task was not changed.")
    form = _with_effort(body, typed, "estimate", "estimate_minutes", name="task", said=said)
    if form is not None:
        return await show_task(site, visitor, ref, task_id, form=form)
    path = f"/tasks/{segment(task_id)}"
    return await _do(
        site, visitor, ref, path, body, typed=typed, name="task", said=said, method="PATCH", task_id=task_id
    )


@page_route(router, "/{ref}/tasks/{task_id}/status", "POST")
async def move_task(request: Request, site: Site, visitor: Visitor, ref: str, task_id: str) -> Response:
    """Move a task on, on list or board."""
    typed = await form_of(request, visitor)
    path, said = f"/tasks/{segment(task_id)}", gettext("The task was not moved.")
    body = {"status": typed.get("status", "")}
    return await _do(site, visitor, ref, path, body, typed=typed, name="move", said=said, method="PATCH")


@page_route(router, "/{ref}/tasks/{task_id}/time", "POST")
async def log_time(request: Request, site: Site, visitor: Visitor, ref: str, task_id: str) -> Response:
    """Log time on a task, or show its effect first."""
    typed = await form_of(request, visitor)
    caller, said = need_staff(visitor), gettext("Time was not logged.")
    if shown.parse_duration(typed.get("time", "")) is None:
        form = Form.wrong("time", typed, {"time": gettext(SPELLING)}, said=said)
        return await show_task(site, visitor, ref, task_id, form=form)
    if typed.get("intent") == "preview":
        return await show_task(site, visitor, ref, task_id, form=Form("time", typed), has_effect=True)
    body = {"task_id": task_id, "time": typed["time"], "note": typed.get("note", "")}
    try:
        done = await site.services.post(caller, "/time-entries", body, key=typed.get("key") or None)
    except (Refused, ServiceAway) as error:
        return await show_task(site, visitor, ref, task_id, form=Form.refused("time", typed, error, said=said))
    if done.get("warnings"):
        return await show_task(site, visitor, ref, task_id, warnings=done["warnings"])
    return go(f"/desk/projects/{segment(ref)}/tasks/{segment(task_id)}")


@page_route(router, "/{ref}/tasks/{task_id}/ticket", "POST")
async def spawn_ticket(request: Request, site: Site, visitor: Visitor, ref: str, task_id: str) -> Response:
    """Raise a ticket of a task and go there."""
    typed = await form_of(request, visitor)
    path = f"/tasks/{segment(task_id)}/ticket"
    try:
        made = await site.services.post(need_staff(visitor), path, {}, key=typed.get("key") or None)
    except (Refused, ServiceAway) as error:
        form = Form.refused("ticket", typed, error, said=gettext("No ticket was raised."))
        return await show_task(site, visitor, ref, task_id, form=form)
    return go(f"/desk/tickets/{segment(made['ref'])}")


def _task(typed: Fields) -> dict[str, Any]:
    body: dict[str, Any] = {name: typed.get(name, "") for name in ("title", "description", "job_type", "level")}
    body |= {name: typed.get(name) or None for name in ("milestone_id", "assignee_id", "due_on")}
    needs = [one for one in typed.get("needs", "").split(",") if one]
    return {**body, "needs": needs, "is_client_visible": bool(typed.get("is_client_visible"))}


def _with_effort(body: dict[str, Any], typed: Fields, field: str, minutes: str, *, name: str, said: str) -> Form | None:
    """Put a typed effort into a body, ``None`` when it is empty; return the form again when it is none."""
    text = typed.get(field, "").strip()
    body[minutes] = shown.effort(text) if text else None
    if text and body[minutes] is None:
        return Form.wrong(name, typed, {field: gettext(EFFORT)}, said=said)
    return None


async def _do(
    site: Site,
    visitor: Visitor,
    ref: str,
    path: str,
    body: dict[str, Any],
    *,
    typed: Fields,
    name: str,
    said: str,
    method: str = "POST",
    task_id: str | None = None,
) -> Response:
    """Send a change; refused, the page it came from says why and keeps what was typed."""
    caller, view = need_staff(visitor), typed.get("view", "list")
    given = {"key": typed.get("key") or None, "revision": typed.get("revision")}
    try:
        await site.services.post(caller, path, body, method=method, **given)
    except (Refused, ServiceAway) as error:
        form = Form.refused(name, typed, error, said=said)
        if task_id is not None:
            return await show_task(site, visitor, ref, task_id, form=form)
        return await show_project(site, visitor, ref, view=view, form=form)
    here = f"/desk/projects/{segment(ref)}"
    if task_id is not None:
        return go(f"{here}/tasks/{segment(task_id)}")
    return go(f"{here}{'?view=board' if view == 'board' else ''}")
