"""The clients: who they are, their people, their contracts and what is open."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from portal_gateway.language import gettext
from portal_gateway.pages import shown
from portal_gateway.pages.desk import nav
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment

router = APIRouter(prefix="/desk")
SHOWN = 30


@page_route(router, "/clients")
async def clients(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the clients with their contracts and balances."""
    caller = need_staff(visitor)
    found, contracts, balances, side = await site.parts(
        site.services.get(caller, "/clients", limit=SHOWN, after=request.query_params.get("after")),
        site.services.get(caller, "/contracts", limit=200),
        site.services.get(caller, "/contracts/balances"),
        nav(site, visitor),
    )
    return site.page(
        "desk/clients.html",
        visitor=visitor,
        title=gettext("Clients and contracts"),
        found=found,
        contracts=_by_client(contracts),
        balances=_by_contract(balances),
        **side,
    )


@page_route(router, "/clients/{code}")
async def client(_request: Request, site: Site, visitor: Visitor, code: str) -> Response:
    """Show one client."""
    return await _client(site, visitor, code)


@page_route(router, "/clients/{code}/contacts", "POST")
async def add_contact(request: Request, site: Site, visitor: Visitor, code: str) -> Response:
    """Add a person at a client."""
    caller = need_staff(visitor)
    form = await form_of(request, visitor)
    found = await _found(site, visitor, code)
    body = {"client_id": found["id"], "name": form.get("name", ""), "email": form.get("email", "")}
    try:
        await site.services.post(caller, "/contacts", body | ({"phone": form["phone"]} if form.get("phone") else {}))
    except Refused as refused:
        return await _client(
            site, visitor, code, form=form, problem=shown.why(gettext("The contact was not added."), refused)
        )
    return go(f"/desk/clients/{segment(code)}")


async def _found(site: Site, visitor: Visitor, code: str) -> dict[str, Any]:
    found = await site.services.get(need_staff(visitor), "/clients", code=code.upper())
    if not found["items"]:
        raise Refused(404, {})
    one: dict[str, Any] = found["items"][0]
    return one


async def _client(
    site: Site, visitor: Visitor, code: str, *, form: dict[str, str] | None = None, problem: str = ""
) -> Response:
    caller = need_staff(visitor)
    found = await _found(site, visitor, code)
    of_client = {"client_id": found["id"]}
    contacts, contracts, balances, tickets, waiting, side = await site.parts(
        site.services.get(caller, "/contacts", limit=50, **of_client),
        site.services.get(caller, "/contracts", limit=50, **of_client),
        site.services.get(caller, "/contracts/balances"),
        site.services.get(caller, "/tickets", status="open_any", sort="time_left", limit=10, **of_client),
        site.services.get(caller, "/approvals", limit=20, **of_client),
        nav(site, visitor),
    )
    return site.page(
        "desk/client.html",
        visitor=visitor,
        title=found["name"],
        status=422 if problem else 200,
        client=found,
        contacts=contacts,
        contracts=contracts,
        balances=_by_contract(balances),
        tickets=tickets,
        waiting=waiting,
        form=form or {},
        problem=problem,
        **side,
    )


def _by_client(contracts: Any) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    if not isinstance(contracts, Failed):
        for one in contracts["items"]:
            found.setdefault(one["client_id"], []).append(one)
    return found


def _by_contract(balances: Any) -> dict[str, dict[str, Any]]:
    if isinstance(balances, Failed):
        return {}
    items = balances["items"] if isinstance(balances, dict) else balances
    return {one["contract_id"]: one for one in items}
