"""The client's pages. The client is never in the address: it comes from the session."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext, mark
from portal_gateway.pages import shown
from portal_gateway.pages.forms import Form
from portal_gateway.pages.raising import foreseen, from_template, keep, wish_of
from portal_gateway.pages.site import Failed, Site, failure, form_and_file, form_of, go, page_route, statement_file
from portal_gateway.scope import Visitor, need_client
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter(prefix="/portal")
SCORES = {"5": mark("Very good"), "4": mark("Good"), "3": mark("All right"), "2": mark("Poor"), "1": mark("Bad")}


async def contract_of(site: Site, visitor: Visitor) -> Any:
    """Return the client's current contract, ``None`` while there is none."""
    found = await site.services.get(visitor.caller, "/contracts", status="active", limit=10)
    return found["items"][0] if found["items"] else None


@page_route(router, "")
async def home(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show whether anything is on me: hours, open tickets, promises, invoices."""
    caller = need_client(visitor)
    get = site.services.get
    contract, tickets, kept, invoices = await site.parts(
        contract_of(site, visitor),
        get(caller, "/tickets", status="open_any", sort="updated", limit=6),
        get(caller, "/compliance", **_quarter()),
        get(caller, "/invoices", limit=5),
    )
    balance = burn = None
    if contract and not isinstance(contract, Failed):
        balance, burn = await site.parts(
            get(caller, f"/contracts/{contract['id']}/balance"),
            get(caller, f"/contracts/{contract['id']}/burn", **_last_days(90)),
        )
    return site.page(
        "portal/home.html",
        visitor=visitor,
        title=gettext("Home"),
        client_name=await site.client_names(caller.client_id),
        contract=contract,
        balance=balance,
        burn=burn,
        tickets=tickets,
        kept=kept,
        invoices=invoices,
    )


@page_route(router, "/tickets")
async def tickets(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the client's tickets."""
    caller = need_client(visitor)
    query = request.query_params
    tab, text = query.get("tab", "open"), query.get("text", "").strip()
    status = {"open": "open_any", "waiting": "waiting_on_client", "resolved": "resolved"}.get(tab)
    wanted = {"status": status, "text": text or None, "sort": "updated"}
    found = await site.part(site.services.get(caller, "/tickets", **wanted, limit=50, after=query.get("after")))
    return site.page(
        "portal/tickets.html",
        visitor=visitor,
        title=gettext("Tickets"),
        tab=tab,
        text=text,
        found=found,
        link=lambda **more: "?" + _query({"tab": tab, "text": text, **more}),
        csv="/api/v1/tables/tickets.csv?" + _query(wanted),
        **await _who(site, visitor),
    )


def _query(given: dict[str, str | None]) -> str:
    return urlencode({name: value for name, value in given.items() if value})


@page_route(router, "/tickets/new")
async def new_ticket(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the form: only what the contract allows can be chosen. It is filled in from a template when one is chosen."""
    query = request.query_params
    return await _raise_form(site, visitor, template_id=query.get("template_id") or None, asked=query)


@page_route(router, "/tickets/new", "POST")
async def raise_ticket(request: Request, site: Site, visitor: Visitor) -> Response:
    """Raise a ticket."""
    caller = need_client(visitor)
    typed, file = await form_and_file(request, visitor)
    try:
        ticket = await site.services.post(caller, "/tickets", wish_of(typed), key=typed.get("key") or None)
    except (Refused, ServiceAway) as error:
        form = Form.refused("ticket", typed, error, said=gettext("The ticket was not raised."))
        return await _raise_form(site, visitor, form=form)
    if file is not None:
        try:
            await keep(site, visitor, f"/tickets/{ticket['id']}", file)
        except Refused as refused:
            return await show_ticket(site, visitor, ticket["ref"], refused=refused)
    return go(f"/portal/tickets/{segment(ticket['ref'])}")


async def _raise_form(
    site: Site,
    visitor: Visitor,
    *,
    template_id: str | None = None,
    form: Form | None = None,
    asked: Mapping[str, str] | None = None,
) -> Response:
    caller, form = need_client(visitor), form or Form()
    offer, templates = await site.parts(
        site.services.get(caller, "/tickets/offer"), site.services.get(caller, "/ticket-templates")
    )
    filled = from_template(templates, template_id)
    return site.page(
        "portal/new_ticket.html",
        visitor=visitor,
        title=gettext("New ticket"),
        status=form.status,
        offer=offer,
        f=form,
        **filled,
        **await foreseen(site, caller, offer, {**filled["start"], **(asked or form.values)}),
        key=_key(),
        **await _who(site, visitor),
    )


@page_route(router, "/tickets/{ref}")
async def ticket(_request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Show one ticket."""
    return await show_ticket(site, visitor, ref)


async def show_ticket(
    site: Site, visitor: Visitor, ref: str, *, refused: Refused | None = None, text: str = ""
) -> Response:
    """Render the page of a ticket, with what was typed and why it was refused."""
    caller = need_client(visitor)
    found = await site.services.get(caller, f"/tickets/{segment(ref)}")
    return site.page(
        "portal/ticket.html",
        visitor=visitor,
        title=f"{found['ref']} {found['title']}",
        status=refused.status if refused else 200,
        ticket=found,
        refused=refused,
        text=text,
        scores=SCORES,
        key=_key(),
        topics=f"ticket-{found['id']}",
        **await _who(site, visitor),
    )


@page_route(router, "/tickets/{ref}/reply", "POST")
async def reply(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Answer, confirm the resolution, or open the ticket again."""
    caller = need_client(visitor)
    form = await form_of(request, visitor)
    found = await site.services.get(caller, f"/tickets/{segment(ref)}")
    wanted = form.get("set_status", "")
    try:
        if form.get("body", "").strip():
            body: dict[str, Any] = {"body": form["body"]}
            if wanted == "resolved":
                body["set_status"] = wanted
            await site.services.post(caller, f"/tickets/{found['id']}/messages", body, key=form.get("key") or None)
        elif wanted:
            await site.services.post(caller, f"/tickets/{found['id']}/status", {"status": wanted})
    except Refused as refused:
        return await show_ticket(site, visitor, ref, refused=refused, text=form.get("body", ""))
    return go(f"/portal/tickets/{segment(ref)}")


@page_route(router, "/tickets/{ref}/rating", "POST")
async def rate(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Say what one thinks of the work."""
    caller = need_client(visitor)
    form = await form_of(request, visitor)
    found = await site.services.get(caller, f"/tickets/{segment(ref)}")
    score = form.get("score", "")
    body = {"score": int(score) if score in SCORES else 0, "comment": form.get("comment", "")}
    try:
        await site.services.post(caller, f"/tickets/{found['id']}/rating", body)
    except Refused as refused:
        return await show_ticket(site, visitor, ref, refused=refused)
    return go(f"/portal/tickets/{segment(ref)}")


@page_route(router, "/hours")
async def hours(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the balance and every deduction."""
    caller = need_client(visitor)
    contract = await site.part(contract_of(site, visitor))
    balance = statement = burn = forecast = None
    if contract and not isinstance(contract, Failed):
        path = f"/contracts/{contract['id']}"
        balance, statement, burn, forecast = await site.parts(
            site.services.get(caller, f"{path}/balance"),
            site.services.get(caller, f"{path}/statement", **_last_days(92)),
            site.services.get(caller, f"{path}/burn", **_last_days(92)),
            _forecast(site, visitor, contract),
        )
    return site.page(
        "portal/hours.html",
        visitor=visitor,
        title=gettext("Hours"),
        contract=contract,
        balance=balance,
        statement=statement,
        burn=burn,
        forecast=forecast,
        topics=f"bucket-{contract['id']}" if isinstance(contract, dict) else "",
        **await _who(site, visitor),
    )


async def _forecast(site: Site, visitor: Visitor, contract: dict[str, Any]) -> Any:
    """Return when the bucket will be empty, ``None`` when there is no bucket."""
    if contract["kind"] == "time_and_materials":
        return None
    return await site.services.get(visitor.caller, f"/contracts/{contract['id']}/forecast")


@page_route(router, "/hours.{form}")
async def hours_file(request: Request, site: Site, visitor: Visitor, form: str) -> Response:
    """Download the statement of the page, or of other days, as a file."""
    need_client(visitor)
    contract = await contract_of(site, visitor)
    if contract is None:
        return failure(site, visitor, status=404)
    return await statement_file(request, site, visitor, f"/contracts/{contract['id']}", form, days=92)


async def _who(site: Site, visitor: Visitor) -> dict[str, Any]:
    return {"client_name": await site.client_names(visitor.caller.client_id)}


def _key() -> str:
    # One key per rendered form: a double click raises one ticket.
    return str(new_id())


def _quarter() -> dict[str, str]:
    today = shown.now().date()
    return {"from_": date(today.year, 3 * ((today.month - 1) // 3) + 1, 1).isoformat(), "to_": _tomorrow(today)}


def _last_days(count: int) -> dict[str, str]:
    today = shown.now().date()
    return {"from_": (today - timedelta(days=count)).isoformat(), "to_": _tomorrow(today)}


def _tomorrow(today: date) -> str:
    return (today + timedelta(days=1)).isoformat()
