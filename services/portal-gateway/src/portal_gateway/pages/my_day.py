"""An agent's own page: tickets by time left, the time of today, the running timer, whether they can be given work."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext, mark, spoken
from portal_gateway.pages import shown
from portal_gateway.pages.forms import Form
from portal_gateway.pages.queues import show_list
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, ServiceAway

router = APIRouter(prefix="/desk/my")
NOBODY = 404
PRESENCE = {"available": mark("Available"), "busy": mark("Busy"), "away": mark("Away"), "offline": mark("Offline")}
SPELLING = mark("Write the time as 45m, 1h15 or 1.25; 1 minute to 24 hours.")


@page_route(router, "")
async def my_tickets(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the tickets and the day of the visitor."""
    return await _my(request, site, visitor, Form())


@page_route(router, "/presence", "POST")
async def set_presence(request: Request, site: Site, visitor: Visitor) -> Response:
    """Say whether one can be given work now."""
    typed = await form_of(request, visitor)
    body = {"presence": typed.get("presence", "")}
    return await _do(
        request, site, visitor, "/agents/me/presence", body, typed, said=gettext("Nothing was changed."), verb="PUT"
    )


@page_route(router, "/timer", "POST")
async def timer(request: Request, site: Site, visitor: Visitor) -> Response:
    """Start the visitor's timer on a task, stop it and log what it shows or how much of it was work, or forget it."""
    typed = await form_of(request, visitor)
    path, said, what = "/time-entries/timer", gettext("The timer was not changed."), typed.get("what", "")
    if what == "start":
        return await _do(request, site, visitor, path, {"task_id": typed.get("task_id", "")}, typed, said=said)
    if what == "forget":
        return await _do(request, site, visitor, path, {}, typed, said=said, verb="DELETE")
    body: dict[str, Any] = {"note": typed.get("note") or None}
    if typed.get("worked", "").strip():
        body["worked_minutes"] = shown.parse_duration(typed["worked"])
        if body["worked_minutes"] is None:
            form = Form.wrong("timer", typed, {"worked": gettext(SPELLING)}, said=said)
            return await _my(request, site, visitor, form)
    return await _do(request, site, visitor, f"{path}/stop", body, typed, said=said)


async def _do(
    request: Request,
    site: Site,
    visitor: Visitor,
    path: str,
    body: dict[str, Any],
    typed: dict[str, str],
    *,
    said: str,
    verb: str = "POST",
) -> Response:
    try:
        await site.services.post(need_staff(visitor), path, body, key=typed.get("key") or None, method=verb)
    except (Refused, ServiceAway) as error:
        return await _my(request, site, visitor, Form.refused("timer", typed, error, said=said))
    return go("/desk/my")


async def _my(request: Request, site: Site, visitor: Visitor, form: Form) -> Response:
    caller = need_staff(visitor)
    week, timer_now, agents = await site.parts(
        _week(site, visitor), site.services.get(caller, "/time-entries/timer"), site.services.get(caller, "/agents")
    )
    listed = [] if isinstance(agents, Failed) else agents["items"]
    me = next((one for one in listed if one["person_id"] == str(caller.id)), None)
    day = {
        "week": week,
        "today_minutes": today_minutes(week) if isinstance(week, dict) else None,
        "timer": timer_now,
        "presence": me["presence"] if me else None,
        "choices": list(spoken(PRESENCE).items()),
        "f": form.of("timer"),
        "key": str(new_id()),
    }
    return await show_list(
        request,
        site,
        visitor,
        {"mine": "true"},
        title=gettext("My tickets"),
        path="/desk/my",
        day=day,
        status=form.status,
    )


async def _week(site: Site, visitor: Visitor) -> Any:
    try:
        return await site.services.get(visitor.caller, "/time-entries/week")
    except Refused as refused:
        if refused.status == NOBODY:
            return None  # the visitor is no agent
        raise


def today_minutes(week: dict[str, Any]) -> int:
    """Return what was logged today, on the agent's own clock."""
    today: date = shown.now().astimezone(ZoneInfo(week["timezone"])).date()
    minutes = dict(zip(week["days"], week["day_minutes"], strict=True))
    return int(minutes.get(today.isoformat(), 0))
