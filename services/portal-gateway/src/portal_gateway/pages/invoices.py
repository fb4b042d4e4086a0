"""Invoices as documents: the desk's pages with what can be done to them, and the client's."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway import words
from portal_gateway.language import gettext, spoken
from portal_gateway.pages import shown
from portal_gateway.pages.billing import BILLERS, account_of
from portal_gateway.pages.desk import nav
from portal_gateway.pages.lists import ROWS, Listing, client_options
from portal_gateway.pages.sign_in import house_of
from portal_gateway.pages.site import Failed, Site, failure, form_of, go, page_route
from portal_gateway.scope import Visitor, need_client, need_staff
from portal_gateway.services import Answer, Refused, segment

router = APIRouter()
FILES = {
    "pdf": ("/pdf", "application/pdf"),
    "csv": ("/csv", "text/csv; charset=utf-8"),
    "xml": ("/xml", "application/xml"),
    "json": ("", "application/json"),
}
CLIENT_ROWS = 40
"""Rows of a client's page: each has a download, some 40 kB together."""


# ---- the desk -----------------------------------------------------------------------------------------------------


@page_route(router, "/desk/billing/invoices")
async def invoices(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show invoices of every client."""
    caller = need_staff(visitor, *BILLERS)
    filters = ("client_id", "status", "kind", "from", "to")
    listing = Listing.of(request, *filters)
    found, clients, side = await site.parts(
        site.services.get(caller, "/invoices", **listing.query(*filters), limit=ROWS),
        client_options(site, visitor),
        nav(site, visitor),
    )
    return site.page(
        "desk/invoices.html",
        visitor=visitor,
        title=gettext("Invoices"),
        found=found,
        listing=listing,
        clients=clients,
        **side,
    )


@page_route(router, "/desk/billing/invoices/{number}.{form}")
async def invoice_file(request: Request, site: Site, visitor: Visitor, number: str, form: str) -> Response:
    """Download an invoice as PDF, CSV, JSON or e-invoice."""
    need_staff(visitor, *BILLERS)
    return await _file(request, site, visitor, number, form)


@page_route(router, "/desk/billing/invoices/{number}")
async def invoice(request: Request, site: Site, visitor: Visitor, number: str) -> Response:
    """Show an invoice or a draft, with what can be done to it."""
    return await _invoice(site, visitor, number, is_sent="sent" in request.query_params)


async def _invoice(
    site: Site,
    visitor: Visitor,
    number: str,
    *,
    problem: str = "",
    form: dict[str, str] | None = None,
    link: str = "",
    is_sent: bool = False,
) -> Response:
    caller = need_staff(visitor, *BILLERS)
    found = await site.services.get(caller, f"/invoices/{segment(number)}")
    path = f"/invoices/{found['id']}"
    notes, links, side = await site.parts(
        site.services.get(caller, f"{path}/credit-notes"),
        site.services.get(caller, f"{path}/links"),
        nav(site, visitor),
    )
    title = f"{_kind(found)} {found['number']}" if found["number"] else gettext("Draft invoice")
    return site.page(
        "desk/invoice.html",
        visitor=visitor,
        title=title,
        status=422 if problem else 200,
        invoice=found,
        standing=_standing(found, notes),
        notes=notes,
        links=links,
        link=link,
        is_sent=is_sent,
        methods=spoken(words.METHODS),
        today=shown.now().date(),
        form=form or {},
        key=str(new_id()),
        base=f"/desk/billing/invoices/{found['id']}",
        problem=problem,
        **side,
    )


def _kind(found: dict[str, Any]) -> str:
    return gettext("Credit note") if found["kind"] == "credit_note" else gettext("Invoice")


def _standing(found: dict[str, Any], notes: Any) -> tuple[str, str]:
    credited = 0 if isinstance(notes, Failed) else -sum(one["gross_minor"] for one in notes["items"])
    return shown.standing({**found, "credited_minor": credited}, shown.now().date())


@page_route(router, "/desk/billing/invoices/{number}/lines/{n}")
async def line(_request: Request, site: Site, visitor: Visitor, number: str, n: str) -> Response:
    """Show why a line is what it is: arithmetic, clause, rule, entries to the cent."""
    caller = need_staff(visitor, *BILLERS)
    found = await site.services.get(caller, f"/invoices/{segment(number)}/lines/{segment(n)}/explain")
    side = await nav(site, visitor)
    back = f"/desk/billing/invoices/{segment(number)}"
    return site.page(
        "desk/invoice_line.html", visitor=visitor, title=gettext("Line %(n)s") % {"n": n}, line=found, back=back, **side
    )


@page_route(router, "/desk/billing/invoices/{number}/payments", "POST")
async def record_payment(request: Request, site: Site, visitor: Visitor, number: str) -> Response:
    """Record a payment for an invoice; what is over stays with the client as credit."""
    caller = need_staff(visitor, *BILLERS)
    form = await form_of(request, visitor)
    found = await site.services.get(caller, f"/invoices/{segment(number)}")
    amount = shown.minor_units(form.get("amount", ""), found["currency"])
    if amount is None:
        return await _invoice(
            site, visitor, number, form=form, problem=gettext("The amount is a number above zero, as 1250.50.")
        )
    body = {
        "client_id": found["client_id"],
        "amount_minor": amount,
        "currency": found["currency"],
        "received_on": form.get("received_on", ""),
        "method": form.get("method", ""),
        "reference": form.get("reference", ""),
        "shares": [{"invoice_id": found["id"], "amount_minor": min(amount, found["open_minor"] or 0)}],
    }
    try:
        await site.services.post(caller, "/payments", body, key=form.get("key") or None)
    except Refused as refused:
        return await _invoice(site, visitor, number, form=form, problem=shown.why(gettext("Not recorded:"), refused))
    return go(f"/desk/billing/invoices/{segment(number)}")


@page_route(router, "/desk/billing/invoices/{number}/redraft", "POST")
async def redraft(request: Request, site: Site, visitor: Visitor, number: str) -> Response:
    """Make a draft anew with today's profile, charges and credits."""
    caller = need_staff(visitor, *BILLERS)
    await form_of(request, visitor)
    try:
        await site.services.post(caller, f"/invoices/{segment(number)}/redraft")
    except Refused as refused:
        return await _invoice(site, visitor, number, problem=shown.why(gettext("Not made anew:"), refused))
    return go(f"/desk/billing/invoices/{segment(number)}")


@page_route(router, "/desk/billing/invoices/{number}/links", "POST")
async def make_link(request: Request, site: Site, visitor: Visitor, number: str) -> Response:
    """Make a link for somebody without an account, or end one; a new one is shown this once."""
    caller = need_staff(visitor, *BILLERS)
    form = await form_of(request, visitor)
    try:
        if "revoke" in form:
            await site.services.post(caller, f"/invoice-links/{segment(form['revoke'])}/revoke")
            return go(f"/desk/billing/invoices/{segment(number)}")
        days = int(form["days"][:6]) if form.get("days", "").isdecimal() else 30
        found = await site.services.post(caller, f"/invoices/{segment(number)}/links", {"days": days})
    except Refused as refused:
        return await _invoice(site, visitor, number, problem=str(refused))
    return await _invoice(site, visitor, number, link=f"{house_of(request).public_url}/i/{found['token']}")


@page_route(router, "/desk/billing/invoices/{number}/send-again", "POST")
async def send_again(request: Request, site: Site, visitor: Visitor, number: str) -> Response:
    """Have the client told of the invoice once more."""
    caller = need_staff(visitor, *BILLERS)
    form = await form_of(request, visitor)
    try:
        await site.services.post(caller, f"/invoices/{segment(number)}/send-again", key=form.get("key") or None)
    except Refused as refused:
        return await _invoice(site, visitor, number, problem=shown.why(gettext("Not sent:"), refused))
    return go(f"/desk/billing/invoices/{segment(number)}?sent=1")


# ---- the portal ---------------------------------------------------------------------------------------------------


@page_route(router, "/portal/invoices")
async def client_invoices(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the client's issued invoices with how they stand."""
    caller = need_client(visitor)
    listing = Listing.of(request)
    found = await site.part(site.services.get(caller, "/invoices", **listing.query(), limit=CLIENT_ROWS))
    return site.page(
        "portal/invoices.html",
        visitor=visitor,
        title=gettext("Invoices"),
        found=found,
        listing=listing,
        **await _who(site, visitor),
    )


@page_route(router, "/portal/account")
async def client_account(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the client's statement of account."""
    caller = need_client(visitor)
    invoices = await site.services.get(caller, "/invoices", limit=100)
    currencies = sorted({one["currency"] for one in invoices["items"]}) or ["GBP"]
    currency = request.query_params.get("currency", currencies[0])
    found = await site.part(
        site.services.get(caller, "/receivables/statement", **account_of(str(caller.client_id), currency))
    )
    return site.page(
        "portal/account.html",
        visitor=visitor,
        title=gettext("Statement of account"),
        found=found,
        currencies=currencies,
        **await _who(site, visitor),
    )


@page_route(router, "/portal/invoices/{number}.{form}")
async def client_file(request: Request, site: Site, visitor: Visitor, number: str, form: str) -> Response:
    """Download an invoice as PDF, CSV, JSON or e-invoice."""
    need_client(visitor)
    return await _file(request, site, visitor, number, form)


@page_route(router, "/portal/invoices/{number}")
async def client_invoice(_request: Request, site: Site, visitor: Visitor, number: str) -> Response:
    """Show an invoice."""
    caller = need_client(visitor)
    found = await site.services.get(caller, f"/invoices/{segment(number)}")
    notes = await site.part(site.services.get(caller, f"/invoices/{found['id']}/credit-notes"))
    return site.page(
        "portal/invoice.html",
        visitor=visitor,
        title=_titled(found),
        invoice=found,
        standing=_standing(found, notes),
        notes=notes,
        base=f"/portal/invoices/{segment(found['number'])}",
        **await _who(site, visitor),
    )


@page_route(router, "/portal/invoices/{number}/lines/{n}")
async def client_line(_request: Request, site: Site, visitor: Visitor, number: str, n: str) -> Response:
    """Show why a line is what it is, down to its entries."""
    caller = need_client(visitor)
    found = await site.services.get(caller, f"/invoices/{segment(number)}/lines/{segment(n)}/explain")
    return site.page(
        "portal/invoice_line.html",
        visitor=visitor,
        title=gettext("Line %(n)s") % {"n": n},
        line=found,
        back=f"/portal/invoices/{segment(number)}",
        **await _who(site, visitor),
    )


def _titled(document: dict[str, Any]) -> str:
    text = gettext("Credit note %(number)s") if document["kind"] == "credit_note" else gettext("Invoice %(number)s")
    return text % {"number": document["number"]}


async def _who(site: Site, visitor: Visitor) -> dict[str, Any]:
    return {"client_name": await site.client_names(visitor.caller.client_id)}


# ---- files --------------------------------------------------------------------------------------------------------


async def _file(request: Request, site: Site, visitor: Visitor, number: str, form: str) -> Response:
    """Return a document of an invoice as the billing service keeps it."""
    if form not in FILES:
        return failure(site, visitor, status=404)
    suffix, media_type = FILES[form]
    syntax = "cii" if request.query_params.get("syntax") == "cii" else "ubl"
    target = f"/invoices/{segment(number)}{suffix}" + (f"?syntax={syntax}" if form == "xml" else "")
    answer = await site.services.send(visitor.caller, "GET", target)
    if answer.status != 200:
        return failure(site, visitor, status=404)
    return as_file(answer, media_type=media_type, name=f"{number}.{form}")


def as_file(answer: Answer, *, media_type: str, name: str) -> Response:
    """Return what a service keeps as a download that runs nothing."""
    headers = {
        "content-disposition": answer.headers.get(
            "content-disposition", f"attachment; filename*=UTF-8''{segment(name)}"
        ),
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "cache-control": "no-store",
    }
    return Response(answer.body, media_type=media_type, headers=headers)
