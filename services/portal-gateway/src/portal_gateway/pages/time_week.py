"""A week of an agent's time: what was logged where, what came of it, and what has to be corrected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext
from portal_gateway.pages import shown
from portal_gateway.pages.desk import nav
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter(prefix="/desk/time")
NOBODY = 404


@page_route(router, "")
async def week(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show a week, of the visitor or of a colleague."""
    query = request.query_params
    return await _week(site, visitor, agent_id=query.get("agent_id"), on=query.get("on"))


@page_route(router, "/{entry_id}/correct", "POST")
async def correct(request: Request, site: Site, visitor: Visitor, entry_id: str) -> Response:
    """Log a new entry in the place of one that was wrong."""
    form = await form_of(request, visitor)
    body: dict[str, Any] = {"reason": form.get("reason", "")}
    body |= {name: form[name] for name in ("time", "note") if form.get(name)}
    where = {"agent_id": form.get("agent_id") or None, "on": form.get("on") or None}
    path = f"/time-entries/{segment(entry_id)}/correct"
    try:
        await site.services.post(need_staff(visitor), path, body, key=form.get("key") or None)
    except (Refused, ServiceAway) as error:
        status = error.status if isinstance(error, Refused) else 503
        problem = shown.why(gettext("The entry was not corrected."), error)
        return await _week(site, visitor, **where, problem=problem, status=status, form={**form, "entry": entry_id})
    return go(_link(where["agent_id"], where["on"]))


async def _week(
    site: Site,
    visitor: Visitor,
    *,
    agent_id: str | None,
    on: str | None,
    problem: str = "",
    status: int = 200,
    form: dict[str, str] | None = None,
) -> Response:
    caller = need_staff(visitor)
    agents, side = await site.parts(site.services.get(caller, "/agents"), nav(site, visitor))
    try:
        found = await site.part(site.services.get(caller, "/time-entries/week", agent_id=agent_id, on=on))
    except Refused as refused:
        if refused.status != NOBODY or agent_id:
            raise
        found = None  # the visitor is no agent
    entries: Any = []
    days: dict[str, str] = {}
    if isinstance(found, dict):
        monday = date.fromisoformat(found["starts_on"])
        entries = await site.part(site.services.get(caller, "/time-entries", **_within(found, monday), limit=200))
        days = {name: str(monday + timedelta(days=number)) for name, number in (("before", -7), ("after", 7))}
    items = [] if isinstance(entries, Failed) or not entries else entries["items"]
    return site.page(
        "desk/time.html",
        visitor=visitor,
        title=gettext("Time"),
        status=status,
        week=found,
        entries=items if not isinstance(entries, Failed) else entries,
        is_cut=bool(items and entries.get("next")),
        overlapping=overlapping(items),
        agents=[] if isinstance(agents, Failed) else agents["items"],
        agent_id=agent_id,
        around={name: _link(agent_id, day) for name, day in days.items()},
        problem=problem,
        form=form or {},
        key=str(new_id()),
        **side,
    )


def overlapping(entries: Sequence[dict[str, Any]]) -> set[str]:
    """Return the entries that share minutes with another one; what was withdrawn or rejected shares none."""
    spans = sorted(
        (shown.needed(one["worked_from"]), one["worked_minutes"], one["id"])
        for one in entries
        if one["status"] in ("submitted", "approved")
    )
    found: set[str] = set()
    last_end, last_id = None, ""
    for begins, minutes, entry_id in spans:
        ends = begins + timedelta(minutes=minutes)
        if last_end is not None and begins < last_end:
            found |= {last_id, entry_id}
        if last_end is None or ends > last_end:
            last_end, last_id = ends, entry_id
    return found


def _within(week: dict[str, Any], monday: date) -> dict[str, str]:
    zone = ZoneInfo(week["timezone"])
    begins, ends = (datetime.combine(monday + timedelta(days=days), time(), zone) for days in (0, 7))
    return {"agent_id": week["agent_id"], "from_": begins.isoformat(), "to_": ends.isoformat()}


def _link(agent_id: str | None, on: str | None) -> str:
    given = [f"{name}={segment(value)}" for name, value in (("agent_id", agent_id), ("on", on)) if value]
    return "/desk/time" + ("?" + "&".join(given) if given else "")
