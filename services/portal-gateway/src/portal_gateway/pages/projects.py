"""Projects: tasks by milestone or as a board, progress and burn; for clients what is meant for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext, mark
from portal_gateway.pages import shown
from portal_gateway.pages.desk import DISPATCH, nav
from portal_gateway.pages.forms import Form
from portal_gateway.pages.site import Failed, Site, failure, page_route
from portal_gateway.scope import Visitor, need_client, need_staff
from portal_gateway.services import segment

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
        "desk/projects.html",
        visitor=visitor,
        title=gettext("Projects"),
        found=found,
        wanted=status,
        may_change=caller.has_role(*DISPATCH),
        **SHOWN,
        **side,
    )


@page_route(router, "/desk/projects/new")
async def new_project(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the form of a new project: the client first, then what its contract allows."""
    return await show_new(site, visitor, client_id=request.query_params.get("client_id"))


async def show_new(site: Site, visitor: Visitor, *, client_id: str | None, form: Form | None = None) -> Response:
    """Render the form of a new project, with what was typed."""
    caller = need_staff(visitor, *DISPATCH)
    clients, templates, side = await site.parts(
        site.services.get(caller, "/clients", limit=200),
        site.services.get(caller, "/projects/templates"),
        nav(site, visitor),
    )
    offer = await site.part(site.services.get(caller, "/tickets/offer", client_id=client_id)) if client_id else None
    form = form or Form()
    return site.page(
        "desk/new_project.html",
        visitor=visitor,
        title=gettext("New project"),
        status=form.status,
        clients=clients,
        client_id=client_id,
        offer=offer,
        templates=[] if isinstance(templates, Failed) else templates,
        f=form,
        form_key=str(new_id()),
        **SHOWN,
        **side,
    )


@page_route(router, "/desk/projects/{ref}")
async def project(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Show one project."""
    return await show_project(site, visitor, ref, view=request.query_params.get("view", "list"))


async def show_project(
    site: Site, visitor: Visitor, ref: str, *, view: str = "list", form: Form | None = None
) -> Response:
    """Render the page of a project, with what was typed and why it was refused."""
    caller, form = need_staff(visitor), form or Form()
    found = await project_of(site, visitor, ref)
    side = await _surroundings(site, visitor, found)
    return site.page(
        "desk/project.html",
        visitor=visitor,
        title=f"{found['ref']} {found['name']}",
        status=form.status,
        project=found,
        groups=groups_of(found, by_state=view == "board"),
        view=view,
        titles={one["id"]: one["title"] for one in found["tasks"]},
        may_change=caller.has_role(*DISPATCH),
        form=form,
        **side,
    )


@page_route(router, "/desk/projects/{ref}/tasks/{task_id}")
async def task(_request: Request, site: Site, visitor: Visitor, ref: str, task_id: str) -> Response:
    """Show one task with all that can be done to it."""
    return await show_task(site, visitor, ref, task_id)


async def show_task(
    site: Site,
    visitor: Visitor,
    ref: str,
    task_id: str,
    *,
    form: Form | None = None,
    has_effect: bool = False,
    warnings: Sequence[str] = (),
) -> Response:
    """Render the page of a task, with what was typed and why it was refused, or what time would do to the bucket."""
    caller, form = need_staff(visitor), form or Form()
    found = await project_of(site, visitor, ref)
    one = next((one for one in found["tasks"] if one["id"] == task_id), None)
    if one is None:
        return failure(site, visitor, status=404)
    entries, side = await site.parts(
        site.services.get(caller, "/time-entries", task_id=task_id, limit=50), _surroundings(site, visitor, found)
    )
    effect = None
    if has_effect:
        effect = await site.part(site.services.post(caller, "/coverage/preview", _preview(found, one, form)))
    return site.page(
        "desk/task.html",
        visitor=visitor,
        title=one["title"],
        status=form.status,
        project=found,
        task=one,
        others=[(other["id"], other["title"]) for other in found["tasks"] if other["id"] != task_id],
        waiting=[other for other in found["tasks"] if task_id in other["needs"]],
        entries=entries,
        effect=effect,
        warnings=warnings,
        form=form,
        **side,
    )


def _preview(project: dict[str, Any], task: dict[str, Any], form: Form) -> dict[str, Any]:
    return {
        "contract_id": project["contract_id"],
        "job_type": task["job_type"],
        "level": task["level"],
        "worked_from": shown.now().isoformat(),
        "worked_minutes": shown.parse_duration(form.value("time")) or 15,
    }


async def _surroundings(site: Site, visitor: Visitor, found: dict[str, Any]) -> dict[str, Any]:
    """Return who can work on a project and what its contract allows; it is shown without them, too."""
    caller = need_staff(visitor)
    agents, offer, side = await site.parts(
        site.services.get(caller, "/agents"),
        site.services.get(caller, "/tickets/offer", client_id=found["client_id"]),
        nav(site, visitor),
    )
    contracts = [] if isinstance(offer, Failed) else offer["contracts"]
    return {
        "agents": [] if isinstance(agents, Failed) else agents["items"],
        "contract": next((one for one in contracts if one["contract_id"] == found["contract_id"]), None),
        "form_key": str(new_id()),
        **SHOWN,
        **side,
    }


def groups_of(project: dict[str, Any], *, by_state: bool) -> list[tuple[str, dict[str, Any] | None, list[Any]]]:
    """Return the tasks under their state or milestone, each task once; of milestones also the empty ones."""
    tasks = project["tasks"]
    if by_state:
        made = [
            (gettext(name), None, [one for one in tasks if one["status"] == code])
            for code, (name, *_) in STATES.items()
        ]
        return [group for group in made if group[2] or group[0] != gettext("Cancelled")]
    milestones = {one["id"]: one for one in project["milestones"]}
    stones = [
        (one["name"], one, [task for task in tasks if task["milestone_id"] == one["id"]]) for one in milestones.values()
    ]
    loose = [task for task in tasks if task["milestone_id"] not in milestones]
    return (
        [*stones, (gettext("Without a milestone") if stones else gettext("Tasks"), None, loose)]
        if loose or not stones
        else stones
    )


async def project_of(site: Site, visitor: Visitor, ref: str) -> dict[str, Any]:
    """Return a project by its ref.

    Raises:
        Refused: there is none for the visitor.
    """
    project: dict[str, Any] = await site.services.get(visitor.caller, f"/projects/{segment(ref)}")
    return project


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
    found = await project_of(site, visitor, ref)
    return site.page(
        "portal/project.html",
        visitor=visitor,
        title=f"{found['ref']} {found['name']}",
        project=found,
        groups=groups_of(found, by_state=False),
        client_name=await site.client_names(caller.client_id),
        **SHOWN,
    )
