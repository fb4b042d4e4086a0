"""Who bills and who is billed, on pages: the seller with its logo, and the profiles of clients."""

from __future__ import annotations

import base64
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response

from portal_gateway.language import gettext, mark
from portal_gateway.pages.amounts import basis_points, percent_text
from portal_gateway.pages.billing import BILLERS, SELLERS, client_of
from portal_gateway.pages.desk import nav
from portal_gateway.pages.forms import Form
from portal_gateway.pages.site import Failed, Site, form_and_file, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Answer, Refused, segment

router = APIRouter(prefix="/desk")
ADDRESS = ("line1", "line2", "line3", "city", "postcode", "country")
SELLER_FIELDS = ("name", "tax_id", "legal_id", "email", "phone", "iban", "bic", "brand_colour")
PROFILE_FIELDS = (
    "name",
    "tax_id",
    "legal_id",
    "tax_case",
    "exemption_reason",
    "purchase_order",
    "buyer_reference",
    "language",
    "email",
)
IN_FORMS = {"address": "line1", "tax_rate_basis_points": "tax_rate", "endpoint/scheme": "scheme"} | {
    f"address/{name}": name for name in ADDRESS[3:]
}
NUMBERS = ("payment_days",)
TAX_RATE = mark("a share from 0 to 100 with up to two decimals, as 20 or 12.5")
LOGO_BYTES_MAX = 200_000
NOT_SAVED = mark("Nothing was saved.")


@page_route(router, "/admin/billing")
async def admin(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the seller's profile and the clients with theirs."""
    return await _admin(site, visitor)


async def _admin(site: Site, visitor: Visitor, *, form: Form | None = None) -> Response:
    caller = need_staff(visitor, *BILLERS)
    seller, clients, side = await site.parts(
        site.services.get(caller, "/seller"), site.services.get(caller, "/clients", limit=200), nav(site, visitor)
    )
    form = form or Form()
    if not form.values and not isinstance(seller, Failed):
        form = replace(form, values=flat(seller))
    return site.page(
        "desk/billing_admin.html",
        visitor=visitor,
        title=gettext("Billing settings"),
        status=form.status,
        seller=seller,
        form=form,
        clients=clients,
        may_change=caller.has_role(*SELLERS),
        **side,
    )


@page_route(router, "/admin/billing", "POST")
async def change_seller(request: Request, site: Site, visitor: Visitor) -> Response:
    """Change who sends the invoices; issued ones keep what they say."""
    caller = need_staff(visitor, *SELLERS)
    form = await form_of(request, visitor)
    try:
        await site.services.post(caller, "/seller", nested(form, SELLER_FIELDS), method="PUT")
    except Refused as refused:
        return await _admin(site, visitor, form=_not_saved(form, refused))
    return go("/desk/admin/billing")


@page_route(router, "/admin/billing/logo")
async def logo(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the logo of the documents as the picture it is."""
    caller = need_staff(visitor, *BILLERS)
    return as_picture(await site.services.send(caller, "GET", "/seller/logo"))


@page_route(router, "/admin/billing/logo", "POST")
async def change_logo(request: Request, site: Site, visitor: Visitor) -> Response:
    """Put a logo on the documents from now on, or none."""
    caller = need_staff(visitor, *SELLERS)
    typed, file = await form_and_file(request, visitor, most=LOGO_BYTES_MAX)
    is_removed, content = "remove" in typed, file[1] if file else b""
    if not is_removed and not 1 <= len(content) <= LOGO_BYTES_MAX:
        wrong = {"logo": gettext("choose a PNG or SVG of up to 200 kB")}
        return await _admin(site, visitor, form=Form.wrong("logo", {}, wrong, said=gettext(NOT_SAVED)))
    try:
        if is_removed:
            await site.services.post(caller, "/seller/logo", method="DELETE")
        else:
            body = {"content": base64.b64encode(content).decode()}
            await site.services.post(caller, "/seller/logo", body, method="PUT")
    except Refused as refused:
        places = {"logo-not-usable": "logo", "content": "logo"}
        again = Form.refused("logo", {}, refused, said=gettext(NOT_SAVED), places=places)
        return await _admin(site, visitor, form=again)
    return go("/desk/admin/billing")


def as_picture(answer: Answer) -> Response:
    """Return a picture a service keeps, as one that runs nothing.

    Raises:
        Refused: the service has none.
    """
    if answer.status != HTTPStatus.OK:
        answer.json()
    headers = {
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "cache-control": "no-store",
    }
    kind = "image/svg+xml" if answer.content_type.startswith("image/svg") else "image/png"
    return Response(answer.body, media_type=kind, headers=headers)


@page_route(router, "/admin/billing/{client_id}")
async def profile(_request: Request, site: Site, visitor: Visitor, client_id: str) -> Response:
    """Show how a client is billed, and what its draft lacks."""
    return await _profile(site, visitor, client_id)


async def _profile(
    site: Site,
    visitor: Visitor,
    client_id: str,
    *,
    form: Form | None = None,
) -> Response:
    caller = need_staff(visitor, *BILLERS)
    client = await client_of(site, visitor, client_id)
    found = await site.services.get(caller, f"/billing-profiles/{segment(client_id)}")
    form = form or Form(values=flat(found["profile"]))
    drafts, side = await site.parts(
        site.services.get(caller, "/invoices", client_id=client_id, status="draft", limit=5), nav(site, visitor)
    )
    listed = [] if isinstance(drafts, Failed) else drafts["items"]
    whole = await site.parts(*(site.services.get(caller, f"/invoices/{one['id']}") for one in listed))
    return site.page(
        "desk/billing_profile.html",
        visitor=visitor,
        title=gettext("Billing of %(name)s") % {"name": client["name"]},
        status=form.status,
        client=client,
        form=form,
        findings=[finding for one in whole if not isinstance(one, Failed) for finding in one["findings"]],
        **side,
    )


@page_route(router, "/admin/billing/{client_id}", "POST")
async def change_profile(request: Request, site: Site, visitor: Visitor, client_id: str) -> Response:
    """Change how a client is billed; its drafts are made anew."""
    caller = need_staff(visitor, *BILLERS)
    form = await form_of(request, visitor)
    body = nested(form, PROFILE_FIELDS)
    if form.get("tax_rate", "").strip():
        body["tax_rate_basis_points"] = basis_points(form["tax_rate"])
        if body["tax_rate_basis_points"] is None:
            wrong = Form.wrong("profile", form, {"tax_rate": gettext(TAX_RATE)}, said=gettext(NOT_SAVED))
            return await _profile(site, visitor, client_id, form=wrong)
    try:
        await site.services.post(caller, f"/billing-profiles/{segment(client_id)}", body, method="PUT")
    except Refused as refused:
        return await _profile(site, visitor, client_id, form=_not_saved(form, refused))
    return go(f"/desk/admin/billing/{segment(client_id)}")


def _not_saved(typed: dict[str, str], refused: Refused) -> Form:
    return Form.refused("profile", typed, refused, said=gettext(NOT_SAVED), places=IN_FORMS)


def flat(profile: dict[str, Any]) -> dict[str, str]:
    """Return a profile as the fields of its form."""
    found = {name: str(value) for name, value in profile.items() if isinstance(value, (str, int))}
    if "tax_rate_basis_points" in profile:
        found["tax_rate"] = percent_text(profile["tax_rate_basis_points"])
    address, endpoint = profile.get("address") or {}, profile.get("endpoint") or {}
    for number, line in enumerate(address.get("lines", []), start=1):
        found[f"line{number}"] = line
    found |= {name: address[name] for name in ("city", "postcode", "country") if address.get(name)}
    return found | ({"scheme": endpoint["scheme"], "endpoint": endpoint["id"]} if endpoint else {})


def nested(form: dict[str, str], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of a form as a profile; what is empty is left out."""
    given = {name: value.strip() for name, value in form.items() if value.strip()}
    found: dict[str, Any] = {name: given[name] for name in names if name in given}
    found |= {name: int(given[name]) if given[name].isdecimal() else given[name] for name in NUMBERS if name in given}
    if any(name in given for name in ADDRESS):
        lines = [given[name] for name in ADDRESS[:3] if name in given]
        rest = {name: given[name] for name in ("city", "postcode", "country") if name in given}
        found["address"] = {"lines": lines, **rest}
    if "endpoint" in given:
        found["endpoint"] = {"scheme": given.get("scheme", ""), "id": given["endpoint"]}
    return found
