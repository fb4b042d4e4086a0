"""One agent: what they can do, when they work and when they are away."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext, mark, spoken
from portal_gateway.pages import shown
from portal_gateway.pages.desk import DISPATCH, nav
from portal_gateway.pages.forms import Form
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, ServiceAway, segment
from portal_gateway.words import WEEKDAYS

router = APIRouter(prefix="/desk/workload/agents/{agent_id}")
DAYS = WEEKDAYS
LEVELS = ("L1", "L2", "L3", "SA")
A_SHIFT = re.compile(r"(\d{1,2})(?::(\d\d))?\s*[-\N{EN DASH}]\s*(\d{1,2})(?::(\d\d))?", re.ASCII)
SPELLING = mark("Write shifts as 09:00-12:00, 13:00-17:30.")


@page_route(router, "")
async def agent(_request: Request, site: Site, visitor: Visitor, agent_id: str) -> Response:
    """Show one agent."""
    return await _agent(site, visitor, agent_id)


@page_route(router, "", "POST")
async def change(request: Request, site: Site, visitor: Visitor, agent_id: str) -> Response:
    """Change what an agent can do and how much of a week they have."""
    typed = await form_of(request, visitor)
    minutes = shown.effort(typed.get("weekly", "")) if typed.get("weekly", "").strip() not in ("0", "0h") else 0
    if minutes is None:
        wrong = {"weekly": gettext("Write it as 40h, 37h30 or 37.5 (hours).")}
        form = Form.wrong("agent", typed, wrong, said=gettext("The agent was not changed."))
        return await _agent(site, visitor, agent_id, form=form)
    lists = {name: [one for one in typed.get(name, "").split(",") if one] for name in ("levels", "skills", "queues")}
    flags = {name: bool(typed.get(name)) for name in ("is_active", "takes_tickets")}
    body = {"weekly_minutes": minutes, **lists, **flags}
    path = f"/agents/{segment(agent_id)}"
    return await _do(
        site,
        visitor,
        agent_id,
        path,
        body,
        form=("agent", typed),
        said=gettext("The agent was not changed."),
        method="PATCH",
    )


@page_route(router, "/shifts", "POST")
async def set_shifts(request: Request, site: Site, visitor: Visitor, agent_id: str) -> Response:
    """Replace the week of an agent."""
    typed = await form_of(request, visitor)
    shifts, wrong = shifts_of(typed)
    if wrong:
        form = Form.wrong("shifts", typed, wrong, said=gettext("The shifts were not changed."))
        return await _agent(site, visitor, agent_id, form=form)
    body = {"timezone": typed.get("timezone", "").strip(), "shifts": shifts}
    path = f"/agents/{segment(agent_id)}/shifts"
    return await _do(
        site,
        visitor,
        agent_id,
        path,
        body,
        form=("shifts", typed),
        said=gettext("The shifts were not changed."),
        method="PUT",
    )


@page_route(router, "/absences", "POST")
async def add_absence(request: Request, site: Site, visitor: Visitor, agent_id: str) -> Response:
    """Note that an agent is away, from and until times of their own zone."""
    typed = await form_of(request, visitor)
    zone = (await site.services.get(need_staff(visitor), f"/agents/{segment(agent_id)}"))["timezone"]
    begins, ends = (instant_of(typed.get(name, ""), zone) for name in ("starts_at", "ends_at"))
    if begins is None or ends is None or ends <= begins:
        missing = {"starts_at": begins, "ends_at": ends}
        wrong = {name: gettext("Say a day and a time.") for name, at in missing.items() if at is None}
        wrong = wrong or {"ends_at": gettext("It ends before it begins.")}
        form = Form.wrong("absence", typed, wrong, said=gettext("The absence was not noted."))
        return await _agent(site, visitor, agent_id, form=form)
    body = {"starts_at": begins.isoformat(), "ends_at": ends.isoformat(), "reason": typed.get("reason", "")}
    path = f"/agents/{segment(agent_id)}/absences"
    return await _do(
        site, visitor, agent_id, path, body, form=("absence", typed), said=gettext("The absence was not noted.")
    )


@page_route(router, "/absences/{absence_id}/delete", "POST")
async def delete_absence(request: Request, site: Site, visitor: Visitor, agent_id: str, absence_id: str) -> Response:
    """Take an absence away."""
    typed = await form_of(request, visitor)
    path = f"/agents/absences/{segment(absence_id)}"
    return await _do(
        site,
        visitor,
        agent_id,
        path,
        {},
        form=("gone", typed),
        said=gettext("The absence was not changed."),
        method="DELETE",
    )


def shifts_of(typed: Mapping[str, str]) -> tuple[list[dict[str, str]], dict[str, str]]:
    """Return the shifts somebody typed by day, and the days that are not understood."""
    shifts: list[dict[str, str]] = []
    wrong: dict[str, str] = {}
    for day in DAYS:
        for part in re.split(r"[,;]", typed.get(day, "")):
            if not part.strip():
                continue
            found = A_SHIFT.fullmatch(part.strip())
            if found is None:
                wrong[day] = gettext(SPELLING)
                continue
            starts, starts_past, ends, ends_past = found.groups("00")
            shifts.append({"day": day, "starts": f"{starts:0>2}:{starts_past}", "ends": f"{ends:0>2}:{ends_past}"})
    return shifts, wrong


def typed_shifts(shifts: list[dict[str, str]]) -> dict[str, str]:
    """Return the shifts of each day as a form takes them."""
    return {day: ", ".join(f"{one['starts']}-{one['ends']}" for one in shifts if one["day"] == day) for day in DAYS}


def instant_of(text: str, zone: str) -> datetime | None:
    """Return a local day and time of a zone, ``None`` when it is none."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None
    return local.replace(tzinfo=ZoneInfo(zone)) if local.tzinfo is None else None


async def _do(
    site: Site,
    visitor: Visitor,
    agent_id: str,
    path: str,
    body: dict[str, Any],
    *,
    form: tuple[str, dict[str, str]],
    said: str,
    method: str = "POST",
) -> Response:
    caller = need_staff(visitor, *DISPATCH)
    name, typed = form
    try:
        await site.services.post(caller, path, body, method=method, key=typed.get("key") or None)
    except (Refused, ServiceAway) as error:
        again = Form.refused(name, typed, error, said=said)
        return await _agent(site, visitor, agent_id, form=again)
    return go(f"/desk/workload/agents/{segment(agent_id)}")


async def _agent(site: Site, visitor: Visitor, agent_id: str, *, form: Form | None = None) -> Response:
    caller, form = need_staff(visitor), form or Form()
    found = await site.services.get(caller, f"/agents/{segment(agent_id)}")
    job_types, side = await site.parts(site.services.get(caller, "/job-types"), nav(site, visitor))
    kinds = [] if isinstance(job_types, Failed) else [(one["code"], one["name"]) for one in items_of(job_types)]
    return site.page(
        "desk/agent.html",
        visitor=visitor,
        title=found["name"],
        status=form.status,
        agent=found,
        week=typed_shifts(found["shifts"]),
        days=spoken(DAYS),
        levels=[(one, one) for one in LEVELS],
        job_types=kinds,
        may_change=caller.has_role(*DISPATCH),
        form=form,
        form_key=str(new_id()),
        **side,
    )


def items_of(answer: Any) -> list[dict[str, Any]]:
    """Return the items of a list, whether it comes in pages or not."""
    return list(answer["items"] if isinstance(answer, dict) else answer)
