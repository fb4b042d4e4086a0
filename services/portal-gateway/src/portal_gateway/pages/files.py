"""Files on tickets: they come in by a plain form and go on as they are."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from portal_gateway.language import gettext
from portal_gateway.pages import desk, portal
from portal_gateway.pages.site import FORM_BYTES_MAX, Site, go, page_route
from portal_gateway.scope import CSRF_FIELD, Visitor, check_csrf
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
    async with request.form(max_files=1, max_fields=10, max_part_size=FORM_BYTES_MAX) as form:
        check_csrf(request, visitor, method="POST", given=str(form.get(CSRF_FIELD, "")))
        file, is_internal = form.get("file"), form.get("is_internal")
        if not isinstance(file, UploadFile) or not file.filename:
            raise Refused(422, {"detail": gettext("Choose a file first.")})
        name, content = file.filename, await file.read()
    ticket: dict[str, Any] = await site.services.get(visitor.caller, f"/tickets/{segment(ref)}")
    query = urlencode({"name": name, "is_public": "false" if is_internal else "true"})
    answer = await site.services.send(
        visitor.caller,
        "POST",
        f"/tickets/{ticket['id']}/attachments?{query}",
        body=content,
        headers={"content-type": "application/octet-stream"},
    )
    answer.json()  # raises what the service refused
