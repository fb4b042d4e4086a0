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
from portal_gateway.pages.hours import standing
from portal_gateway.pages.raising import foreseen, from_template, keep, wish_of
from portal_gateway.pages.site import Site, form_and_file, form_of, go, page_route
from portal_gateway.scope import Visitor, need_client
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter(prefix="/portal")
STEPS = (
    ("new", mark("Received")),
    ("open", mark("In progress")),
    ("waiting_on_client", mark("Waiting for you")),
    ("resolved", mark("Solved")),
    ("closed", mark("Closed")),
)
SCORES = {"5": mark("Very good"), "4": mark("Good"), "3": mark("All right"), "2": mark("Poor"), "1": mark("Bad")}


@page_route(router, "")
async def home(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show whether anything is on me: hours, open tickets, promises, projects, invoices."""
    caller = need_client(visitor)
    get = site.services.get
    hours, tickets, kept, invoices, projects = await site.parts(
        standing(site, visitor, days_shown=90),
        get(caller, "/tickets", status="open_any", sort="updated", limit=6),
        get(caller, "/compliance", **_quarter()),
        get(caller, "/invoices", limit=5),
        get(caller, "/projects"),
    )
    return site.page(
        "portal/home.html",
        visitor=visitor,
        title=gettext("Home"),
        client_name=await site.client_names(caller.client_id),
        tickets=tickets,
        kept=kept,
        invoices=invoices,
        projects=projects,
        **hours,
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
        steps=steps_of(found["status"]),
        scores=SCORES,
        key=_key(),
        topics=f"ticket-{found['id']}",
        **await _who(site, visitor),
    )


def steps_of(status: str) -> list[tuple[str, str]]:
    """Return the way of a ticket as the client sees it: each step's word, and whether it is done, now or to come.

    That it waits for the client is a step only while it does; what else keeps it from going on is our work.
    """
    listed = [one for one in STEPS if one[0] in (status, "new", "open", "resolved", "closed")]
    codes = [code for code, _ in listed]
    now = codes.index(status if status in codes else "open")
    return [
        (word, "done" if place < now else "now" if place == now else "next") for place, (_, word) in enumerate(listed)
    ]


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


async def _who(site: Site, visitor: Visitor) -> dict[str, Any]:
    return {"client_name": await site.client_names(visitor.caller.client_id)}


def _key() -> str:
    # One key per rendered form: a double click raises one ticket.
    return str(new_id())


def _quarter() -> dict[str, str]:
    today = shown.now().date()
    return {"from_": date(today.year, 3 * ((today.month - 1) // 3) + 1, 1).isoformat(), "to_": _tomorrow(today)}


def _tomorrow(today: date) -> str:
    return (today + timedelta(days=1)).isoformat()
