"""The client's word on work beyond the bucket."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from portal_gateway.language import gettext
from portal_gateway.pages.site import Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_client
from portal_gateway.services import Refused, segment

router = APIRouter(prefix="/portal")


@page_route(router, "/approvals")
async def approvals(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the work that waits for the client, and what was decided."""
    return await _approvals(site, visitor)


@page_route(router, "/approvals/{time_entry_id}", "POST")
async def decide(request: Request, site: Site, visitor: Visitor, time_entry_id: str) -> Response:
    """Agree to pay, or decline with a reason."""
    caller = need_client(visitor)
    form = await form_of(request, visitor)
    minutes = form.get("overage_minutes", "")
    body = {
        "decision": form.get("decision", ""),
        "overage_minutes": int(minutes) if minutes.isdecimal() and len(minutes) < 10 else 0,
        "reason": form.get("reason", ""),
    }
    try:
        await site.services.post(caller, f"/approvals/{segment(time_entry_id)}", body)
    except Refused as refused:
        is_silent = form.get("decision") == "declined" and not form.get("reason", "").strip()
        why = gettext("Say why you decline.") if is_silent else str(refused)
        nothing = gettext("Nothing was decided.")
        return await _approvals(site, visitor, problem=f"{nothing} {why}")
    return go("/portal/approvals")


async def _approvals(site: Site, visitor: Visitor, *, problem: str = "") -> Response:
    caller = need_client(visitor)
    waiting, decided = await site.parts(
        site.services.get(caller, "/approvals", limit=100), site.services.get(caller, "/approvals/decided", limit=20)
    )
    return site.page(
        "portal/approvals.html",
        visitor=visitor,
        title=gettext("Approvals"),
        status=409 if problem else 200,
        client_name=await site.client_names(caller.client_id),
        waiting=waiting,
        decided=decided,
        problem=problem,
        topics="approvals",
    )
