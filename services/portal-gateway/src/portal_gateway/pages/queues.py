"""Lists of tickets: queues, my own, saved views, search, and one change for many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext
from portal_gateway.pages import shown
from portal_gateway.pages.desk import nav
from portal_gateway.pages.site import Failed, Site, failure, form_of, go, page_route, safe_next
from portal_gateway.pages.ticket_changes import tags_of
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment

router = APIRouter(prefix="/desk")
FILTERS = ("status", "client_id", "assignee_id", "priority", "tag", "job_type", "text", "sort")
FLAGS = ("unassigned", "watched", "mine")
PAGE_ROWS = 20
BULK = ("status", "priority", "assignee_id", "queue")


@page_route(router, "/queues")
async def all_queues(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show tickets of every queue."""
    return await show_list(request, site, visitor, {}, title=gettext("All queues"))


@page_route(router, "/queues/{key}")
async def queue(request: Request, site: Site, visitor: Visitor, key: str) -> Response:
    """Show the tickets of one queue, what is due first on top."""
    return await show_list(request, site, visitor, {"queue": key}, title="")


async def show_list(
    request: Request,
    site: Site,
    visitor: Visitor,
    fixed: dict[str, str],
    *,
    title: str,
    path: str | None = None,
    day: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """Render a list of tickets with the filters of its address; ``day`` is what stands above it, if anything."""
    caller = need_staff(visitor)
    path = path or request.url.path
    chosen = chosen_of(dict(request.query_params))
    asked = {name: value for name, value in chosen.items() if (name, value) != ("status", "all")}
    default = {"sort": "time_left"} | ({} if "status" in chosen else {"status": "open_any"})
    wanted = {**default, **asked, **fixed}
    key = fixed.get("queue")
    found, views, clients, agents, side = await site.parts(
        site.services.get(
            caller,
            "/tickets",
            **wanted,
            limit=PAGE_ROWS,
            after=request.query_params.get("after"),
        ),
        site.services.get(caller, "/ticket-views"),
        site.services.get(caller, "/clients", limit=200),
        site.services.get(caller, "/agents"),
        nav(site, visitor),
    )
    name = next((one["name"] for one in side["queues"] if one["key"] == key), key)
    return site.page(
        "desk/queue.html",
        visitor=visitor,
        title=title or name or gettext("Queue"),
        status=status,
        day=day,
        key=key,
        fixed=fixed,
        found=found,
        chosen=chosen,
        views=[] if isinstance(views, Failed) else views["items"],
        clients=[] if isinstance(clients, Failed) else clients["items"],
        agents=[] if isinstance(agents, Failed) else agents["items"],
        path=path,
        link=lambda **more: _link(path, {**chosen, **more}),
        view_link=lambda view: _link("/desk/queues", _of_view(view["filters"])),
        csv=_link("/api/v1/tables/tickets.csv", wanted),
        here=_link(path, chosen),
        form_key=str(new_id()),
        topics=f"queue-{key}" if key else "tickets",
        **side,
    )


def chosen_of(query: dict[str, str]) -> dict[str, str]:
    """Return the filters of an address, those that are set."""
    plain = {name: query[name].strip() for name in (*FILTERS, "queue") if query.get(name, "").strip()}
    return plain | {name: "true" for name in FLAGS if query.get(name) in ("true", "1")}


def _of_view(filters: dict[str, Any]) -> dict[str, str]:
    """Return the filters of a saved view as an address says them; one without a status means all."""
    plain = {name: "true" if value is True else str(value) for name, value in filters.items() if value}
    return {"status": "all", **plain}


def _link(path: str, query: Mapping[str, str | None]) -> str:
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


# ---- saved views --------------------------------------------------------------------------------------------------


@page_route(router, "/views", "POST")
async def save_view(request: Request, site: Site, visitor: Visitor) -> Response:
    """Keep the filters of a list under a name, and show it."""
    caller = need_staff(visitor)
    form = await form_of(request, visitor)
    filters: dict[str, Any] = {"status": "open_any", **chosen_of(form)}
    if filters["status"] == "all":
        del filters["status"]
    filters |= {name: True for name in FLAGS if name in filters}
    body = {"name": form.get("name", "").strip(), "filters": filters, "is_shared": bool(form.get("is_shared"))}
    try:
        await site.services.post(caller, "/ticket-views", body, key=form.get("key") or None)
    except Refused as refused:
        return failure(
            site, visitor, status=refused.status, detail=shown.why(gettext("The view was not saved."), refused)
        )
    return go(_link("/desk/queues", _of_view(filters)))


@page_route(router, "/views/{view_id}/delete", "POST")
async def delete_view(request: Request, site: Site, visitor: Visitor, view_id: str) -> Response:
    """Forget a view."""
    await form_of(request, visitor)
    await site.services.post(need_staff(visitor), f"/ticket-views/{segment(view_id)}", method="DELETE")
    return go("/desk/queues")


# ---- one change for many ------------------------------------------------------------------------------------------


@page_route(router, "/bulk", "POST")
async def edit_many(request: Request, site: Site, visitor: Visitor) -> Response:
    """Change the ticked tickets and say what became of each."""
    caller = need_staff(visitor)
    form = await form_of(request, visitor)
    body: dict[str, Any] = {name: form[name] for name in BULK if form.get(name)}
    body |= {
        "ids": [one for one in form.get("ids", "").split(",") if one],
        "add_tags": tags_of(form.get("add_tags", "")),
        "remove_tags": tags_of(form.get("remove_tags", "")),
        "reason": form.get("reason", ""),
    }
    problem, done = "", None
    if not body["ids"]:
        problem = gettext("Tick the tickets that shall change.")
    else:
        try:
            done = await site.services.post(caller, "/tickets/bulk", body, key=form.get("key") or None)
        except Refused as refused:
            problem = str(refused)
    return site.page(
        "desk/bulk.html",
        visitor=visitor,
        title=gettext("Changed tickets") if done else gettext("Nothing was changed"),
        status=200 if done else 422,
        problem=problem,
        done=done,
        back=safe_next(form.get("next"), "/desk/queues"),
        **await nav(site, visitor),
    )
