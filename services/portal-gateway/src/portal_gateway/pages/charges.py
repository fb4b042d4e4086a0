"""What is agreed beside contracts, and what an hour costs the MSP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext, mark, spoken
from portal_gateway.pages import shown
from portal_gateway.pages.amounts import basis_points
from portal_gateway.pages.billing import BILLERS, SELLERS, client_of
from portal_gateway.pages.desk import nav
from portal_gateway.pages.forms import AMOUNT, Form
from portal_gateway.pages.lists import Listing
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment

router = APIRouter(prefix="/desk/admin")
KINDS = {"item": mark("An item"), "discount": mark("A discount"), "minimum": mark("A minimum")}
CHARGE_ROWS = 25
LEVELS = ("L1", "L2", "L3", "SA")
PERCENT = mark("a share above 0 and up to 100, as 12.5")
NOT_AGREED, NOT_SAVED = mark("Nothing was agreed."), mark("Nothing was saved.")


@page_route(router, "/billing/{client_id}/charges")
async def charges(request: Request, site: Site, visitor: Visitor, client_id: str) -> Response:
    """Show the items, discounts and minimums of a client, and a form for one more."""
    return await _charges(site, visitor, client_id, listing=Listing.of(request))


async def _charges(
    site: Site,
    visitor: Visitor,
    client_id: str,
    *,
    listing: Listing | None = None,
    form: Form | None = None,
) -> Response:
    caller, form = need_staff(visitor, *BILLERS), form or Form()
    client = await client_of(site, visitor, client_id)
    shown_from = listing or Listing()
    path = f"/billing-profiles/{segment(client_id)}/charges"
    found = await site.services.get(caller, path, **shown_from.query(), limit=CHARGE_ROWS)
    contracts, side = await site.parts(
        site.services.get(caller, "/contracts", client_id=client_id, limit=50), nav(site, visitor)
    )
    listed = [] if isinstance(contracts, Failed) else contracts["items"]
    return site.page(
        "desk/charges.html",
        visitor=visitor,
        title=gettext("Charges of %(name)s") % {"name": client["name"]},
        status=form.status,
        client=client,
        currency=client["currency"],
        found=found,
        listing=shown_from,
        contracts=contracts,
        refs={one["id"]: one["ref"] for one in listed},
        options=[(one["id"], f"{one['name']} ({one['ref']})") for one in listed if one["status"] != "draft"],
        kinds=spoken(KINDS),
        today=shown.now().date(),
        base=f"/desk/admin/billing/{segment(client_id)}/charges",
        form=form,
        key=str(new_id()),
        **side,
    )


@page_route(router, "/billing/{client_id}/charges", "POST")
async def agree(request: Request, site: Site, visitor: Visitor, client_id: str) -> Response:
    """Agree an item, a discount or a minimum; it counts from the next draft on."""
    caller = need_staff(visitor, *BILLERS)
    form = await form_of(request, visitor)
    client = await client_of(site, visitor, client_id)
    body, errors = charge_of(form, client["currency"])
    if errors:
        wrong = Form.wrong("charge", form, errors, said=gettext(NOT_AGREED))
        return await _charges(site, visitor, client_id, form=wrong)
    try:
        path = f"/billing-profiles/{segment(client_id)}/charges"
        await site.services.post(caller, path, body, key=form.get("key") or None)
    except Refused as refused:
        places = {"amount_minor": "amount", "basis_points": "percent", "not-found": "contract_id"}
        wrong = Form.refused("charge", form, refused, said=gettext(NOT_AGREED), places=places)
        return await _charges(site, visitor, client_id, form=wrong)
    return go(f"/desk/admin/billing/{segment(client_id)}/charges")


def charge_of(form: dict[str, str], currency: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a form as a charge, and what is wrong with its numbers."""
    errors: dict[str, str] = {}
    body: dict[str, Any] = {name: form.get(name, "") for name in ("contract_id", "kind", "frequency", "starts_on")}
    body |= {"text": form.get("text", "").strip(), "applies_to": form.get("applies_to", "all")}
    body |= {"ends_on": form["ends_on"]} if form.get("ends_on") else {}
    quantity, amount, percent = (form.get(name, "").strip() for name in ("quantity", "amount", "percent"))
    if quantity:
        body["quantity"] = int(quantity) if quantity.isascii() and quantity.isdigit() else quantity
    if amount:
        minor = shown.minor_units(amount, currency)
        errors |= {"amount": gettext(AMOUNT)} if minor is None else {}
        body["amount_minor"] = minor
    if percent:
        share = basis_points(percent)
        errors |= {} if share else {"percent": gettext(PERCENT)}
        body["basis_points"] = share
    return body, errors


@page_route(router, "/billing/{client_id}/charges/{charge_id}/end", "POST")
async def end(request: Request, site: Site, visitor: Visitor, client_id: str, charge_id: str) -> Response:
    """End a charge on a day."""
    caller = need_staff(visitor, *BILLERS)
    form = await form_of(request, visitor)
    try:
        body = {"ends_on": form.get("ends_on", "")}
        await site.services.post(caller, f"/billing-charges/{segment(charge_id)}/end", body)
    except Refused as refused:
        wrong = Form.refused("end", {}, refused, said=gettext("It was not ended."))
        return await _charges(site, visitor, client_id, form=wrong)
    return go(f"/desk/admin/billing/{segment(client_id)}/charges")


@page_route(router, "/cost-rates")
async def cost_rates(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show what an hour of each level costs the MSP."""
    return await _cost_rates(site, visitor)


async def _cost_rates(site: Site, visitor: Visitor, *, form: Form | None = None) -> Response:
    caller = need_staff(visitor, *SELLERS)
    found = await site.services.get(caller, "/cost-rates")
    clients, side = await site.parts(site.services.get(caller, "/clients", limit=200), nav(site, visitor))
    used = [] if isinstance(clients, Failed) else [one["currency"] for one in clients["items"]]
    saved = {
        f"{one['level']}-{one['currency']}": shown.plain(one["rate_minor"], one["currency"]) for one in found["rates"]
    }
    form = form or Form(values=saved)
    return site.page(
        "desk/cost_rates.html",
        visitor=visitor,
        title=gettext("Cost rates"),
        status=form.status,
        levels=LEVELS,
        currencies=sorted({*used, *(one["currency"] for one in found["rates"])}),
        form=form,
        **side,
    )


@page_route(router, "/cost-rates", "POST")
async def set_cost_rates(request: Request, site: Site, visitor: Visitor) -> Response:
    """Set what an hour of each level costs the MSP."""
    caller = need_staff(visitor, *SELLERS)
    form = await form_of(request, visitor)
    rates, errors = [], {}
    for name, text in form.items():
        level, dash, currency = name.partition("-")
        if level not in LEVELS or not dash or not text.strip():
            continue
        rate = shown.minor_units(text, currency) if currency.isalpha() and len(currency) == 3 else None
        if rate is None:
            errors[name] = gettext(AMOUNT)
        rates.append({"level": level, "currency": currency, "rate_minor": rate})
    if errors:
        return await _cost_rates(site, visitor, form=Form.wrong("rates", form, errors, said=gettext(NOT_SAVED)))
    try:
        await site.services.post(caller, "/cost-rates", {"rates": rates}, method="PUT")
    except Refused as refused:
        return await _cost_rates(site, visitor, form=Form.refused("rates", form, refused, said=gettext(NOT_SAVED)))
    return go("/desk/admin/cost-rates")
