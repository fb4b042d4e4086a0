"""Locked time: before which day of each client only managers still log, who locked it and why, and the way back."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext
from portal_gateway.pages import shown
from portal_gateway.pages.desk import nav
from portal_gateway.pages.forms import Form
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route
from portal_gateway.pages.time_approvals import APPROVERS
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter(prefix="/desk/time/locks")
PLACES = {"period-not-over": "locked_before", "not-found": "client_id"}


@page_route(router, "")
async def locks(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show whose time is locked, and what was locked and opened again lately."""
    return await _locks(site, visitor, Form())


@page_route(router, "", "POST")
async def lock(request: Request, site: Site, visitor: Visitor) -> Response:
    """Lock a client's time before a day."""
    typed = await form_of(request, visitor)
    client_id = typed.get("client_id", "")
    if not client_id:
        form = Form.wrong("lock", typed, {"client_id": gettext("choose a client")}, said=gettext("Nothing was locked."))
        return await _locks(site, visitor, form)
    body = {"locked_before": typed.get("locked_before", ""), "reason": typed.get("reason", "").strip()}
    return await _change(site, visitor, client_id, body, Form("lock", typed), said=gettext("Nothing was locked."))


@page_route(router, "/{client_id}/open", "POST")
async def unlock(request: Request, site: Site, visitor: Visitor, client_id: str) -> Response:
    """Open a client's locked time again."""
    typed = await form_of(request, visitor)
    body = {"locked_before": None, "reason": typed.get("reason", "").strip()}
    return await _change(site, visitor, client_id, body, Form(client_id, typed), said=gettext("It stays locked."))


async def _change(
    site: Site, visitor: Visitor, client_id: str, body: dict[str, Any], form: Form, *, said: str
) -> Response:
    caller = need_staff(visitor, *APPROVERS)
    path = f"/time-entries/locks/{segment(client_id)}"
    try:
        await site.services.post(caller, path, body, key=form.value("key") or None, method="PUT")
    except (Refused, ServiceAway) as error:
        return await _locks(site, visitor, Form.refused(form.name, form.values, error, said=said, places=PLACES))
    return go("/desk/time/locks")


async def _locks(site: Site, visitor: Visitor, form: Form) -> Response:
    caller = need_staff(visitor)
    found, changes, clients, side = await site.parts(
        site.services.get(caller, "/time-entries/locks"),
        site.services.get(caller, "/time-entries/locks/changes", limit=20),
        site.services.get(caller, "/clients", limit=200),
        nav(site, visitor),
    )
    return site.page(
        "desk/period_locks.html",
        visitor=visitor,
        title=gettext("Locked time"),
        status=form.status,
        form=form,
        found=found,
        changes=changes,
        clients=clients,
        options=[] if isinstance(clients, Failed) else [(one["id"], one["name"]) for one in clients["items"]],
        may_change=caller.has_role(*APPROVERS),
        today=shown.now().date().isoformat(),
        form_key=str(new_id()),
        **side,
    )
