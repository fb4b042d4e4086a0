"""What impact and urgency make of a priority, for each client: a table of nine, of which a client may have cells of its own."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext
from portal_gateway.pages.desk import DISPATCH, nav
from portal_gateway.pages.forms import Form
from portal_gateway.pages.raising import PRIORITIES
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter(prefix="/desk/admin/priorities")
EXTENTS = ("high", "medium", "low")


@page_route(router, "")
async def table(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the table of a client."""
    return await _table(site, visitor, request.query_params.get("client_id") or None, Form())


@page_route(router, "", "POST")
async def save(request: Request, site: Site, visitor: Visitor) -> Response:
    """Save the cells of a client that differ from the default; the others follow it."""
    caller = need_staff(visitor, *DISPATCH)
    typed = await form_of(request, visitor)
    client_id = typed.get("client_id", "")
    cells = [
        {"impact": impact, "urgency": urgency, "priority": typed[f"{impact}-{urgency}"]}
        for impact in EXTENTS
        for urgency in EXTENTS
        if typed.get(f"{impact}-{urgency}")
    ]
    path = f"/priority-tables/{segment(client_id)}"
    try:
        await site.services.post(caller, path, {"cells": cells}, key=typed.get("key") or None, method="PUT")
    except (Refused, ServiceAway) as error:
        form = Form.refused("table", typed, error, said=gettext("The table was not saved."))
        return await _table(site, visitor, client_id, form)
    return go(f"/desk/admin/priorities?client_id={segment(client_id)}")


async def _table(site: Site, visitor: Visitor, client_id: str | None, form: Form) -> Response:
    caller = need_staff(visitor)
    clients, side = await site.parts(site.services.get(caller, "/clients", limit=200), nav(site, visitor))
    listed = [] if isinstance(clients, Failed) else clients["items"]
    chosen = client_id or (listed[0]["id"] if listed else None)
    cells: Any = []
    if chosen:
        cells = await site.part(site.services.get(caller, f"/priority-tables/{segment(chosen)}"))
    return site.page(
        "desk/priorities.html",
        visitor=visitor,
        title=gettext("Priorities"),
        status=form.status,
        clients=clients,
        client_id=chosen,
        cells=cells if isinstance(cells, Failed) else {(one["impact"], one["urgency"]): one for one in cells},
        extents=EXTENTS,
        priorities=[(code, gettext(name)) for code, name, _ in PRIORITIES],
        may_change=caller.has_role(*DISPATCH),
        f=form,
        form_key=str(new_id()),
        **side,
    )
