"""The clocks of one ticket, to the minute: which rule applied and why, what counted and what did not, how it ended."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from portal_gateway.language import gettext
from portal_gateway.pages.desk import nav
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route, safe_next
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment

router = APIRouter(prefix="/desk/tickets/{ref}/sla")


@page_route(router, "")
async def explained(_request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Show every clock of a ticket with its whole explanation."""
    return await _explained(site, visitor, ref)


@page_route(router, "/{clock_id}/acknowledge", "POST")
async def acknowledge(request: Request, site: Site, visitor: Visitor, ref: str, clock_id: str) -> Response:
    """Stop the escalation chain of a clock: somebody has seen it."""
    caller = need_staff(visitor)
    form = await form_of(request, visitor)
    try:
        await site.services.post(caller, f"/clocks/{segment(clock_id)}/acknowledge")
    except Refused as refused:
        return await _explained(
            site,
            visitor,
            ref,
            problem=gettext("Not acknowledged: %(refused)s.") % {"refused": refused},
            status=refused.status,
        )
    return go(safe_next(form.get("next"), f"/desk/tickets/{segment(ref)}/sla"))


async def _explained(site: Site, visitor: Visitor, ref: str, *, problem: str = "", status: int = 200) -> Response:
    caller = need_staff(visitor)
    ticket = await site.services.get(caller, f"/tickets/{segment(ref)}")
    clocks, agents, side = await site.parts(
        site.services.get(caller, "/clocks", ticket_id=ticket["id"]),
        site.services.get(caller, "/agents"),
        nav(site, visitor),
    )
    return site.page(
        "desk/ticket_sla.html",
        visitor=visitor,
        title=gettext("%(ref)s service level") % {"ref": ticket["ref"]},
        status=status,
        ticket=ticket,
        clocks=clocks,
        people=_people(agents),
        escalates=escalates,
        problem=problem,
        topics=f"ticket-{ticket['id']}",
        **side,
    )


def escalates(clock: dict[str, Any]) -> bool:
    """Return whether a clock has an escalation step to come that an acknowledgement would stop."""
    if clock["status"] == "stopped" or clock["acknowledged_at"]:
        return False
    steps = clock.get("pending") or [clock["next_step"]]
    return any(one is not None and one["kind"] == "escalate" for one in steps)


def _people(agents: Any) -> dict[str, str]:
    return {} if isinstance(agents, Failed) else {one["person_id"]: one["name"] for one in agents["items"]}
