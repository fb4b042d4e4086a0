"""Bank statements on a page: importing them, deciding about their lines, and deciding anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext, mark
from portal_gateway.pages.billing import BILLERS
from portal_gateway.pages.desk import nav
from portal_gateway.pages.forms import Form
from portal_gateway.pages.lists import ROWS, Listing, client_options
from portal_gateway.pages.site import Failed, Site, form_and_file, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment

router = APIRouter(prefix="/desk/billing/bank")
STATEMENT_BYTES_MAX = 1_000_000
NOT_IMPORTED, NOT_CHANGED = mark("Nothing was imported."), mark("Nothing was changed.")
COUNTS = ("imported", "matched", "unmatched", "outgoing", "known_before")
STATES = {
    "unmatched": (mark("To decide"), "risk", "hand"),
    "matched": (mark("Matched"), "ok", "check"),
    "ignored": (mark("No payment"), "", ""),
}


@page_route(router, "")
async def bank(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show bank lines, those that wait for a decision first, and a form to import a statement."""
    return await _bank(request, site, visitor, told=told(request.query_params.get("done", "")))


async def _bank(
    request: Request, site: Site, visitor: Visitor, *, told: str = "", form: Form | None = None
) -> Response:
    caller, form = need_staff(visitor, *BILLERS), form or Form()
    filters = ("status", "client_id", "from", "to")
    listing = Listing.of(request, *filters)
    if "status" not in request.query_params:
        listing = replace(listing, asked={**listing.asked, "status": "unmatched"})
    status = listing.asked.get("status", "")
    wanted = {**listing.query(*filters), "status_": status if status in STATES else None}
    found, clients, side = await site.parts(
        site.services.get(caller, "/bank-lines", **wanted, limit=ROWS),
        client_options(site, visitor),
        nav(site, visitor),
    )
    return site.page(
        "desk/bank.html",
        visitor=visitor,
        title=gettext("Bank statements"),
        status=form.status,
        found=found,
        wanted=status,
        listing=listing,
        clients=clients,
        states=STATES,
        told=told,
        form=form,
        **side,
    )


@page_route(router, "", "POST")
async def import_statement(request: Request, site: Site, visitor: Visitor) -> Response:
    """Import a statement; a line that is known changes nothing."""
    caller = need_staff(visitor, *BILLERS)
    _, file = await form_and_file(request, visitor, most=STATEMENT_BYTES_MAX)
    if file is None:
        return await _not_imported(request, site, visitor, gettext("choose a file first"))
    name, content = file
    if len(content) > STATEMENT_BYTES_MAX:
        return await _not_imported(request, site, visitor, gettext("the file is larger than 1 MB; export fewer days"))
    try:
        body = {"name": name[-100:], "body": content.decode("utf-8-sig")}
        done = await site.services.post(caller, "/bank-statements", body)
    except UnicodeDecodeError:
        return await _not_imported(request, site, visitor, gettext("the file is not text in UTF-8"))
    except Refused as refused:
        places = {"not-a-bank-statement": "file", "body": "file", "name": "file"}
        wrong = Form.refused("statement", {}, refused, said=gettext(NOT_IMPORTED), places=places)
        return await _bank(request, site, visitor, form=wrong)
    return go(f"/desk/billing/bank?done={'-'.join(str(done[name]) for name in COUNTS)}")


async def _not_imported(request: Request, site: Site, visitor: Visitor, why: str) -> Response:
    return await _bank(
        request, site, visitor, form=Form.wrong("statement", {}, {"file": why}, said=gettext(NOT_IMPORTED))
    )


def told(done: str) -> str:
    """Return what became of a statement from its counts in an address; nothing when there are none."""
    parts = done.split("-")
    if len(parts) != len(COUNTS) or not all(one.isascii() and one.isdigit() for one in parts):
        return ""
    fresh, matched, waiting, gone, known = (int(one) for one in parts)
    sentence = gettext(
        "%(fresh)s new lines: %(matched)s paid invoices, %(waiting)s wait for a decision, %(gone)s went out."
        " %(known)s were known before."
    )
    return sentence % {"fresh": fresh, "matched": matched, "waiting": waiting, "gone": gone, "known": known}


@page_route(router, "/{line_id}")
async def line(_request: Request, site: Site, visitor: Visitor, line_id: str) -> Response:
    """Show a bank line: what it is, or what it may be."""
    return await _line(site, visitor, line_id)


async def _line(
    site: Site,
    visitor: Visitor,
    line_id: str,
    *,
    form: Form | None = None,
) -> Response:
    caller, form = need_staff(visitor, *BILLERS), form or Form()
    found = await site.services.get(caller, f"/bank-lines/{segment(line_id)}")
    clients, side = await site.parts(site.services.get(caller, "/clients", limit=200), nav(site, visitor))
    listed = [] if isinstance(clients, Failed) else clients["items"]
    return site.page(
        "desk/bank_line.html",
        visitor=visitor,
        title=gettext("Bank line"),
        status=form.status,
        line=found,
        clients=clients,
        options=[("", gettext("Nobody")), *((one["id"], one["name"]) for one in listed)],
        states=STATES,
        base=f"/desk/billing/bank/{found['id']}",
        form=form,
        key=str(new_id()),
        **side,
    )


@page_route(router, "/{line_id}/assign", "POST")
async def assign(request: Request, site: Site, visitor: Visitor, line_id: str) -> Response:
    """Say which invoices a line pays, or whose credit it is."""
    caller = need_staff(visitor, *BILLERS)
    form = await form_of(request, visitor)
    found = await site.services.get(caller, f"/bank-lines/{segment(line_id)}")
    numbers = form.get("invoices", "").upper().replace(",", " ").replace(";", " ").split()
    try:
        invoices = [await _invoice(site, visitor, number) for number in dict.fromkeys(numbers)]
    except Refused as refused:
        wrong = Form.wrong("line", form, {"invoices": str(refused)}, said=gettext(NOT_CHANGED))
        return await _line(site, visitor, line_id, form=wrong)
    clients = {one["client_id"] for one in invoices} or {form.get("client_id", "")}
    if clients == {""} or len(clients) > 1:
        said = (
            gettext("give an invoice, or choose the client")
            if clients == {""}
            else gettext("the invoices are of several clients")
        )
        wrong = Form.wrong("line", form, {"invoices": said}, said=gettext(NOT_CHANGED))
        return await _line(site, visitor, line_id, form=wrong)
    body = {"client_id": clients.pop(), "shares": shares_of(found["amount_minor"], invoices)}
    places = {"more-than-there-is": "invoices", "currency-differs": "invoices", "shares": "invoices"}
    return await _decide(site, visitor, line_id, "assign", body, form=form, places=places)


async def _invoice(site: Site, visitor: Visitor, number: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = await site.services.get(visitor.caller, f"/invoices/{segment(number)}")
    except Refused as refused:
        raise Refused(
            refused.status, {"detail": gettext("there is no invoice %(number)s") % {"number": number}}
        ) from refused
    if found["kind"] != "invoice" or not found["open_minor"]:
        raise Refused(422, {"detail": gettext("nothing is open on %(number)s") % {"number": number}})
    return found


def shares_of(amount_minor: int, invoices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return how much of an amount each invoice gets, the first one first; what is over stays with the payment."""
    shares = []
    for one in invoices:
        part = min(amount_minor, one["open_minor"])
        if part > 0:
            shares.append({"invoice_id": one["id"], "amount_minor": part})
            amount_minor -= part
    return shares


@page_route(router, "/{line_id}/ignore", "POST")
async def ignore(request: Request, site: Site, visitor: Visitor, line_id: str) -> Response:
    """Say that a line is no payment of a client."""
    need_staff(visitor, *BILLERS)
    form = await form_of(request, visitor)
    return await _decide(site, visitor, line_id, "ignore", {"note": form.get("note", "").strip()}, form=form)


@page_route(router, "/{line_id}/take-back", "POST")
async def take_back(request: Request, site: Site, visitor: Visitor, line_id: str) -> Response:
    """Let a line wait for a decision again; what it paid is open again."""
    need_staff(visitor, *BILLERS)
    form = await form_of(request, visitor)
    return await _decide(site, visitor, line_id, "take-back", {"reason": form.get("reason", "").strip()}, form=form)


async def _decide(
    site: Site,
    visitor: Visitor,
    line_id: str,
    verb: str,
    body: dict[str, Any],
    *,
    form: dict[str, str],
    places: dict[str, str] | None = None,
) -> Response:
    path = f"/bank-lines/{segment(line_id)}/{verb}"
    try:
        await site.services.post(visitor.caller, path, body, key=form.get("key") or None)
    except Refused as refused:
        wrong = Form.refused("line", form, refused, said=gettext(NOT_CHANGED), places=places)
        return await _line(site, visitor, line_id, form=wrong)
    return go(f"/desk/billing/bank/{segment(line_id)}")
