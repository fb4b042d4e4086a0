"""Who has how much to do, what of it is about to be late, who is away, and how to even it out."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext, mark
from portal_gateway.pages import shown
from portal_gateway.pages.desk import DISPATCH, nav
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter(prefix="/desk/workload")
ROWS, PLACE_DIGITS = 25, 6
REASON = mark("to even out the work")


@page_route(router, "")
async def workload(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the open work of each agent, 25 on a page."""
    place = request.query_params.get("from", "")
    return await _workload(site, visitor, place=int(place) if place.isdecimal() and len(place) < PLACE_DIGITS else 0)


@page_route(router, "/apply", "POST")
async def apply(request: Request, site: Site, visitor: Visitor) -> Response:
    """Give a ticket to the agent it was suggested for."""
    caller = need_staff(visitor, *DISPATCH)
    form = await form_of(request, visitor)
    body = {"assignee_id": form.get("to_id", ""), "reason": gettext(REASON)}
    path = f"/tickets/{segment(form.get('ticket_id', ''))}/assign"
    try:
        await site.services.post(caller, path, body, key=form.get("key") or None)
    except (Refused, ServiceAway) as error:
        status = error.status if isinstance(error, Refused) else 503
        return await _workload(
            site, visitor, problem=shown.why(gettext("The ticket was not handed over."), error), status=status
        )
    return go("/desk/workload")


async def _workload(site: Site, visitor: Visitor, *, place: int = 0, problem: str = "", status: int = 200) -> Response:
    caller = need_staff(visitor)
    may_move = caller.has_role(*DISPATCH)
    loads, away, suggestions, side = await site.parts(
        site.services.get(caller, "/workload"),
        site.services.get(caller, "/agents/absences"),
        _suggestions(site, visitor, may_move=may_move),
        nav(site, visitor),
    )
    return site.page(
        "desk/workload.html",
        visitor=visitor,
        title=gettext("Workload"),
        status=status,
        loads=loads if isinstance(loads, Failed) else loads[place : place + ROWS],
        following=None if isinstance(loads, Failed) or len(loads) <= place + ROWS else place + ROWS,
        suggestions=suggestions,
        may_move=may_move,
        away=away,
        problem=problem,
        form_key=str(new_id()),
        **side,
    )


async def _suggestions(site: Site, visitor: Visitor, *, may_move: bool) -> Any:
    return await site.services.get(visitor.caller, "/workload/suggestions") if may_move else []
