"""Files on tickets: they come in by a plain form and go on as they are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from portal_gateway.language import gettext
from portal_gateway.pages import desk, portal
from portal_gateway.pages.raising import keep
from portal_gateway.pages.site import Site, form_and_file, go, page_route
from portal_gateway.scope import Visitor
from portal_gateway.services import Refused, segment

router = APIRouter()


@page_route(router, "/desk/tickets/{ref}/files", "POST")
async def attach(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Put a file on a ticket, for all or for the desk only."""
    try:
        await _taken(request, site, visitor, ref)
    except Refused as refused:
        return await desk.refuse(site, visitor, ref, refused, form={}, prefix=gettext("The file was not kept."))
    return go(f"/desk/tickets/{segment(ref)}#files")


@page_route(router, "/portal/tickets/{ref}/files", "POST")
async def attach_own(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Put a file on a ticket."""
    try:
        await _taken(request, site, visitor, ref)
    except Refused as refused:
        return await portal.show_ticket(site, visitor, ref, refused=refused)
    return go(f"/portal/tickets/{segment(ref)}#files")


async def _taken(request: Request, site: Site, visitor: Visitor, ref: str) -> None:
    form, file = await form_and_file(request, visitor)
    if file is None:
        raise Refused(422, {"detail": gettext("Choose a file first.")})
    ticket: dict[str, Any] = await site.services.get(visitor.caller, f"/tickets/{segment(ref)}")
    await keep(site, visitor, f"/tickets/{ticket['id']}", file, is_public="is_internal" not in form)
