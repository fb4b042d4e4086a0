"""A payment of a client that names no invoice: recorded on account, allocated later on its own page."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway import words
from portal_gateway.language import gettext, mark, spoken
from portal_gateway.pages import shown
from portal_gateway.pages.billing import BILLERS
from portal_gateway.pages.desk import nav
from portal_gateway.pages.forms import AMOUNT, Form
from portal_gateway.pages.lists import CLIENTS_MAX
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment

router = APIRouter(prefix="/desk/billing")
NOT_RECORDED = mark("The payment was not recorded.")


@page_route(router, "/payments/new")
async def new_payment(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show a form for money that came and names no invoice."""
    return await _new(site, visitor, Form("payment", {"client_id": request.query_params.get("client_id", "")}))


async def _new(site: Site, visitor: Visitor, form: Form) -> Response:
    caller = need_staff(visitor, *BILLERS)
    clients, side = await site.parts(site.services.get(caller, "/clients", limit=CLIENTS_MAX), nav(site, visitor))
    listed: list[dict[str, Any]] = [] if isinstance(clients, Failed) else clients["items"]
    return site.page(
        "desk/new_payment.html",
        visitor=visitor,
        title=gettext("Record a payment"),
        status=form.status,
        clients=clients,
        options=[
            ("", gettext("Choose a client")),
            *((one["id"], f"{one['name']} ({one['currency']})") for one in listed),
        ],
        currencies=[
            ("", gettext("The client's own")),
            *((one, one) for one in sorted({c["currency"] for c in listed})),
        ],
        methods=list(spoken(words.METHODS).items()),
        today=shown.now().date(),
        form=form,
        key=form.value("key") or str(new_id()),
        **side,
    )


@page_route(router, "/payments", "POST")
async def record(request: Request, site: Site, visitor: Visitor) -> Response:
    """Record a payment on account, and go to the page on which it is allocated."""
    caller = need_staff(visitor, *BILLERS)
    typed = await form_of(request, visitor)
    clients = await site.services.get(caller, "/clients", limit=CLIENTS_MAX)
    client = next((one for one in clients["items"] if one["id"] == typed.get("client_id")), None)
    if client is None:
        wrong = {"client_id": gettext("choose the client it came from")}
        return await _new(site, visitor, Form.wrong("payment", typed, wrong, said=gettext(NOT_RECORDED)))
    currency = typed.get("currency") or client["currency"]
    amount = shown.minor_units(typed.get("amount", ""), currency)
    if amount is None:
        return await _new(
            site, visitor, Form.wrong("payment", typed, {"amount": gettext(AMOUNT)}, said=gettext(NOT_RECORDED))
        )
    body = {
        "client_id": client["id"],
        "amount_minor": amount,
        "currency": currency,
        **{name: typed.get(name, "").strip() for name in ("received_on", "method", "reference")},
    }
    try:
        made = await site.services.post(caller, "/payments", body, key=typed.get("key") or None)
    except Refused as refused:
        places = {"amount_minor": "amount"}
        return await _new(
            site, visitor, Form.refused("payment", typed, refused, said=gettext(NOT_RECORDED), places=places)
        )
    return go(f"/desk/billing/payments/{segment(made['id'])}")
