"""A payment of a client that names no invoice: recorded on account, allocated later on its own page."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext
from portal_gateway.pages import shown
from portal_gateway.pages.billing import BILLERS
from portal_gateway.pages.desk import nav
from portal_gateway.pages.fields import AMOUNT, beside
from portal_gateway.pages.invoices import METHODS
from portal_gateway.pages.lists import CLIENTS_MAX
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment

router = APIRouter(prefix="/desk/billing")


@page_route(router, "/payments/new")
async def new_payment(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show a form for money that came and names no invoice."""
    return await _new(site, visitor, form={"client_id": request.query_params.get("client_id", "")})


async def _new(site: Site, visitor: Visitor, *, form: dict[str, str], errors: dict[str, str] | None = None) -> Response:
    caller = need_staff(visitor, *BILLERS)
    clients, side = await site.parts(site.services.get(caller, "/clients", limit=CLIENTS_MAX), nav(site, visitor))
    listed: list[dict[str, Any]] = [] if isinstance(clients, Failed) else clients["items"]
    return site.page(
        "desk/new_payment.html",
        visitor=visitor,
        title=gettext("Record a payment"),
        status=422 if errors else 200,
        clients=clients,
        options=[
            ("", gettext("Choose a client")),
            *((one["id"], f"{one['name']} ({one['currency']})") for one in listed),
        ],
        currencies=[
            ("", gettext("The client's own")),
            *((one, one) for one in sorted({c["currency"] for c in listed})),
        ],
        methods=[(one, one.capitalize()) for one in METHODS],
        today=shown.now().date(),
        form=form,
        errors=errors or {},
        key=form.get("key") or str(new_id()),
        **side,
    )


@page_route(router, "/payments", "POST")
async def record(request: Request, site: Site, visitor: Visitor) -> Response:
    """Record a payment on account, and go to the page on which it is allocated."""
    caller = need_staff(visitor, *BILLERS)
    form = await form_of(request, visitor)
    clients = await site.services.get(caller, "/clients", limit=CLIENTS_MAX)
    client = next((one for one in clients["items"] if one["id"] == form.get("client_id")), None)
    if client is None:
        return await _new(site, visitor, form=form, errors={"client_id": gettext("choose the client it came from")})
    currency = form.get("currency") or client["currency"]
    amount = shown.minor_units(form.get("amount", ""), currency)
    if amount is None:
        return await _new(site, visitor, form=form, errors={"amount": AMOUNT})
    body = {
        "client_id": client["id"],
        "amount_minor": amount,
        "currency": currency,
        **{name: form.get(name, "").strip() for name in ("received_on", "method", "reference")},
    }
    try:
        made = await site.services.post(caller, "/payments", body, key=form.get("key") or None)
    except Refused as refused:
        return await _new(site, visitor, form=form, errors=beside(refused, {"amount_minor": "amount"}))
    return go(f"/desk/billing/payments/{segment(made['id'])}")
