"""Projects: tasks by milestone or as a board, progress and burn; for clients what is meant for them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from msp_kit.problems import NotFound
from portal_gateway.language import gettext, mark
from portal_gateway.pages.desk import nav
from portal_gateway.pages.site import Failed, Site, failure, form_of, go, page_route
from portal_gateway.scope import Visitor, need_client, need_staff
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter()
STATES = {
    "todo": (mark("To do"), "", ""),
    "doing": (mark("In progress"), "info", "loader-circle"),
    "waiting": (mark("Waiting"), "pause", "pause"),
    "done": (mark("Done"), "ok", "circle-check"),
    "cancelled": (mark("Cancelled"), "", "x"),
}
PROJECT_STATES = {
    "planned": (mark("Planned"), "", "calendar"),
    "active": (mark("Active"), "info", "loader-circle"),
    "on_hold": (mark("On hold"), "pause", "pause"),
    "closed": (mark("Closed"), "", "check"),
}
SHOWN: dict[str, Any] = {"states": STATES, "project_states": PROJECT_STATES}


@page_route(router, "/desk/projects")
async def projects(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show all projects with where they stand."""
    caller = need_staff(visitor)
    status = request.query_params.get("status", "active")
    wanted = status if status in PROJECT_STATES else None
    found, side = await site.parts(site.services.get(caller, "/projects", status=wanted), nav(site, visitor))
    return site.page(
        "desk/projects.html", visitor=visitor, title="Projects", found=found, wanted=status, **SHOWN, **side
    )


@page_route(router, "/desk/projects/{ref}")
async def project(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Show one project."""
    return await _project(site, visitor, ref, view=request.query_params.get("view", "list"))


async def _project(
    site: Site,
    visitor: Visitor,
    ref: str,
    *,
    view: str = "list",
    problem: str = "",
    status: int = 200,
    form: dict[str, str] | None = None,
) -> Response:
    caller = need_staff(visitor)
    found = await _by_ref(site, visitor, ref)
    if found is None:
        return failure(site, visitor, status=404)
    agents, offer, side = await site.parts(
        site.services.get(caller, "/agents"),
        site.services.get(caller, "/tickets/offer", client_id=found["client_id"]),
        nav(site, visitor),
    )
    contracts = [] if isinstance(offer, Failed) else offer["contracts"]
    return site.page(
        "desk/project.html",
        visitor=visitor,
        title=f"{found['ref']} {found['name']}",
        status=status,
        project=found,
        groups=groups_of(found, by_state=view == "board"),
        view=view,
        titles={one["id"]: one["title"] for one in found["tasks"]},
        agents=[] if isinstance(agents, Failed) else agents["items"],
        contract=next((one for one in contracts if one["contract_id"] == found["contract_id"]), None),
        problem=problem,
        form=form or {},
        form_key=str(new_id()),
        **SHOWN,
        **side,
    )


def groups_of(project: dict[str, Any], *, by_state: bool) -> list[tuple[str, dict[str, Any] | None, list[Any]]]:
    """Return the tasks under their state or milestone, each task once; of milestones also the empty ones."""
    tasks = project["tasks"]
    if by_state:
        made = [(name, None, [one for one in tasks if one["status"] == code]) for code, (name, *_) in STATES.items()]
        return [group for group in made if group[2] or group[0] != "Cancelled"]
    milestones = {one["id"]: one for one in project["milestones"]}
    stones = [
        (one["name"], one, [task for task in tasks if task["milestone_id"] == one["id"]]) for one in milestones.values()
    ]
    loose = [task for task in tasks if task["milestone_id"] not in milestones]
    return [*stones, ("Without a milestone" if stones else "Tasks", None, loose)] if loose or not stones else stones


async def _by_ref(site: Site, visitor: Visitor, ref: str) -> dict[str, Any] | None:
    listed = await site.services.get(visitor.caller, "/projects")
    found = next((one["id"] for one in listed["items"] if one["ref"] == ref), None)
    if found is None:
        return None
    project: dict[str, Any] = await site.services.get(visitor.caller, f"/projects/{found}")
    return project


@page_route(router, "/desk/projects/{ref}/tasks", "POST")
async def add_task(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Add a task."""
    form = await form_of(request, visitor)
    found = await _by_ref(site, visitor, ref)
    if found is None:
        raise NotFound
    body: dict[str, Any] = {name: form.get(name, "") for name in ("title", "job_type", "level")}
    body |= {name: form[name] for name in ("milestone_id", "assignee_id", "due_on") if form.get(name)}
    body["is_client_visible"] = bool(form.get("is_client_visible"))
    return await _do(
        site, visitor, ref, f"/projects/{found['id']}/tasks", body, form=form, said="The task was not added."
    )


@page_route(router, "/desk/projects/{ref}/tasks/{task_id}", "POST")
async def change_task(request: Request, site: Site, visitor: Visitor, ref: str, task_id: str) -> Response:
    """Move a task on, or give it to somebody; unless somebody else did in the meantime."""
    form = await form_of(request, visitor)
    body = {"status": form.get("status", ""), "assignee_id": form.get("assignee_id") or None}
    path = f"/tasks/{segment(task_id)}"
    return await _do(site, visitor, ref, path, body, form=form, said="The task was not changed.", method="PATCH")


@page_route(router, "/desk/projects/{ref}/tasks/{task_id}/time", "POST")
async def log_time(request: Request, site: Site, visitor: Visitor, ref: str, task_id: str) -> Response:
    """Log time on a task."""
    form = await form_of(request, visitor)
    body = {"task_id": task_id, "time": form.get("time", ""), "note": form.get("note", "")}
    return await _do(site, visitor, ref, "/time-entries", body, form=form, said="Time was not logged.")


@page_route(router, "/desk/projects/{ref}/tasks/{task_id}/ticket", "POST")
async def spawn_ticket(request: Request, site: Site, visitor: Visitor, ref: str, task_id: str) -> Response:
    """Raise a ticket of a task and go there."""
    form = await form_of(request, visitor)
    path = f"/tasks/{segment(task_id)}/ticket"
    try:
        made = await site.services.post(need_staff(visitor), path, {}, key=form.get("key") or None)
    except Refused as refused:
        problem = f"No ticket was raised. {refused}"
        return await _project(site, visitor, ref, problem=problem, status=refused.status)
    return go(f"/desk/tickets/{segment(made['ref'])}")


async def _do(
    site: Site,
    visitor: Visitor,
    ref: str,
    path: str,
    body: dict[str, Any],
    *,
    form: dict[str, str],
    said: str,
    method: str = "POST",
) -> Response:
    caller, view = need_staff(visitor), form.get("view", "list")
    given = {"key": form.get("key") or None, "revision": form.get("revision")}
    try:
        await site.services.post(caller, path, body, method=method, **given)
    except (Refused, ServiceAway) as error:
        status = error.status if isinstance(error, Refused) else 503
        return await _project(site, visitor, ref, view=view, problem=f"{said} {error}", status=status, form=form)
    return go(f"/desk/projects/{segment(ref)}{'?view=board' if view == 'board' else ''}")


# ---- the client's pages -------------------------------------------------------------------------------------------


@page_route(router, "/portal/projects")
async def own_projects(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the client's projects that are meant for them."""
    caller = need_client(visitor)
    found = await site.part(site.services.get(caller, "/projects"))
    name = await site.client_names(caller.client_id)
    return site.page(
        "portal/projects.html", visitor=visitor, title=gettext("Projects"), found=found, client_name=name, **SHOWN
    )


@page_route(router, "/portal/projects/{ref}")
async def own_project(_request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Show one project as the client sees it."""
    caller = need_client(visitor)
    found = await _by_ref(site, visitor, ref)
    if found is None:
        return failure(site, visitor, status=404)
    return site.page(
        "portal/project.html",
        visitor=visitor,
        title=f"{found['ref']} {found['name']}",
        project=found,
        groups=groups_of(found, by_state=False),
        client_name=await site.client_names(caller.client_id),
        **SHOWN,
    )
