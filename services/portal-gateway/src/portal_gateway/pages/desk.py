"""The agents' pages: queues, one ticket, my tickets, a new ticket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext
from portal_gateway.pages import shown
from portal_gateway.pages.forms import Form
from portal_gateway.pages.raising import foreseen, from_template, keep, wish_of
from portal_gateway.pages.site import Failed, Site, form_and_file, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter(prefix="/desk")
DISPATCH = ("dispatcher", "manager", "admin")


async def nav(site: Site, visitor: Visitor) -> dict[str, Any]:
    """Return what the side bar shows; it works without it, too."""
    caller = need_staff(visitor)
    queues, counts = await site.parts(
        site.services.get(caller, "/queues"), site.services.get(caller, "/tickets/counts")
    )
    return {
        "queues": [] if isinstance(queues, Failed) else queues["items"],
        "counts": None if isinstance(counts, Failed) else counts,
    }


@page_route(router, "")
async def desk(_request: Request, _site: Site, visitor: Visitor) -> Response:
    """Send staff to their first page."""
    need_staff(visitor)
    return go("/desk/queues")


@page_route(router, "/tickets/new")
async def new_ticket(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the form to raise a ticket on behalf of a client, filled in from a template when one is chosen."""
    query = request.query_params
    return await _raise_form(
        site, visitor, client_id=query.get("client_id"), template_id=query.get("template_id") or None, asked=query
    )


@page_route(router, "/tickets/new", "POST")
async def raise_ticket(request: Request, site: Site, visitor: Visitor) -> Response:
    """Raise a ticket on behalf of a client."""
    caller = need_staff(visitor)
    typed, file = await form_and_file(request, visitor)
    body = {**wish_of(typed), "client_id": typed.get("client_id", ""), "contact_name": typed.get("contact_name", "")}
    try:
        ticket = await site.services.post(caller, "/tickets", body, key=typed.get("key") or None)
    except (Refused, ServiceAway) as error:
        form = Form.refused("ticket", typed, error, said=gettext("The ticket was not raised."))
        return await _raise_form(site, visitor, client_id=typed.get("client_id"), form=form)
    if file is not None:
        try:
            await keep(site, visitor, f"/tickets/{ticket['id']}", file)
        except Refused as refused:
            return await refuse(
                site, visitor, ticket["ref"], refused, form={}, prefix=gettext("The file was not kept.")
            )
    return go(f"/desk/tickets/{segment(ticket['ref'])}")


async def _raise_form(
    site: Site,
    visitor: Visitor,
    *,
    client_id: str | None,
    template_id: str | None = None,
    form: Form | None = None,
    asked: Mapping[str, str] | None = None,
) -> Response:
    caller, form = need_staff(visitor), form or Form()
    clients, templates, side = await site.parts(
        site.services.get(caller, "/clients", limit=200),
        site.services.get(caller, "/ticket-templates"),
        nav(site, visitor),
    )
    offer = await site.part(site.services.get(caller, "/tickets/offer", client_id=client_id)) if client_id else None
    filled = from_template(templates, template_id)
    return site.page(
        "desk/new_ticket.html",
        visitor=visitor,
        title=gettext("New ticket"),
        status=form.status,
        clients=clients,
        client_id=client_id,
        offer=offer,
        f=form,
        **filled,
        **await foreseen(site, caller, offer, {**filled["start"], **(asked or form.values)}),
        key=str(new_id()),
        **side,
    )


@page_route(router, "/tickets/{ref}")
async def ticket(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Show one ticket with its clocks, thread, time and bucket."""
    query = request.query_params
    form = {name: query[name] for name in ("duration", "job_type", "level") if name in query}
    return await show_ticket(site, visitor, ref, form=form)


async def show_ticket(
    site: Site,
    visitor: Visitor,
    ref: str,
    *,
    form: dict[str, str] | None = None,
    problem: str = "",
    refused: Refused | None = None,
    warnings: Sequence[str] = (),
    status: int = 200,
) -> Response:
    """Render the page of a ticket, with what was typed and why it was refused, or what to know of what was done."""
    caller = need_staff(visitor)
    found = await site.services.get(caller, f"/tickets/{segment(ref)}")
    form = form or {}
    clocks, balance, offer, effect, timer, canned, agents, clients, side = await site.parts(
        site.services.get(caller, "/clocks", ticket_id=found["id"]),
        site.services.get(caller, f"/contracts/{found['contract_id']}/balance"),
        site.services.get(caller, "/tickets/offer", client_id=found["client_id"]),
        site.services.post(caller, "/coverage/preview", _preview(found, form)),
        site.services.get(caller, "/time-entries/timer"),
        site.services.get(caller, "/canned-replies"),
        site.services.get(caller, "/agents"),
        _clients(site, visitor),
        nav(site, visitor),
    )
    return site.page(
        "desk/ticket.html",
        visitor=visitor,
        title=f"{found['ref']} {found['title']}",
        status=status,
        ticket=found,
        clocks=clocks,
        balance=balance,
        offer=offer,
        effect=effect,
        timer_now=None if isinstance(timer, Failed) else timer,
        canned=[] if isinstance(canned, Failed) else canned["items"],
        agents=[] if isinstance(agents, Failed) else agents["items"],
        clients=[] if isinstance(clients, Failed) else clients,
        is_watching=any(one["person_id"] == str(caller.id) for one in found["watchers"]),
        form=form,
        problem=problem,
        warnings=warnings,
        errors=refused.document.get("errors", []) if refused else [],
        thread=_thread(found),
        key=str(new_id()),
        topics=f"ticket-{found['id']}",
        **side,
    )


def _preview(ticket: dict[str, Any], form: dict[str, str]) -> dict[str, Any]:
    return {
        "contract_id": ticket["contract_id"],
        "job_type": form.get("job_type") or ticket["job_type"],
        "level": form.get("level") or ticket["level"],
        "worked_from": shown.now().isoformat(),
        "worked_minutes": shown.parse_duration(form.get("duration", "15m")) or 15,
    }


async def _with_canned(site: Site, visitor: Visitor, ref: str, form: dict[str, str]) -> dict[str, str]:
    """Put a canned reply below what was typed already."""
    ticket = await site.services.get(need_staff(visitor), f"/tickets/{segment(ref)}")
    path = f"/tickets/{ticket['id']}/canned-replies/{segment(form.get('canned') or '-')}"
    reply = await site.services.get(visitor.caller, path)
    typed = form.get("body", "").strip()
    kind = "reply" if reply["is_public"] else "note"
    body = f"{typed}\n\n{reply['body']}" if typed else reply["body"]
    return {**form, "body": body, "kind": kind, "set_status": reply["set_status"] or form.get("set_status", "")}


async def _clients(site: Site, visitor: Visitor) -> list[dict[str, Any]]:
    """Return where a ticket may be moved to, nothing for those who may not move it."""
    if not visitor.caller.has_role(*DISPATCH):
        return []
    found = await site.services.get(visitor.caller, "/clients", limit=200)
    return list(found["items"])


def _thread(ticket: dict[str, Any]) -> list[dict[str, Any]]:
    """Return messages and history in one line of time."""
    shown_kinds = {"routing", "assignment", "status", "time", "change", "escalation", "import"}
    messages = [{"is_message": True, **one} for one in ticket["messages"]]
    events = [{"is_message": False, **one} for one in ticket["activity"] if one["kind"] in shown_kinds]
    return sorted([*messages, *events], key=lambda one: str(one["at"]))


@page_route(router, "/tickets/{ref}/reply", "POST")
async def reply(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Send an answer or keep an internal note, and set the status in the same step; or fill in a canned reply first."""
    form = await form_of(request, visitor)
    if form.get("intent") == "fill":
        return await show_ticket(site, visitor, ref, form=await _with_canned(site, visitor, ref, form))
    is_public = form.get("kind", "reply") == "reply"
    body: dict[str, Any] = {"body": form.get("body", ""), "is_public": is_public}
    if form.get("set_status"):
        body["set_status"] = form["set_status"]
    return await act(
        site, visitor, ref, "messages", body, form=form, problem_prefix=gettext("The message was not sent.")
    )


@page_route(router, "/tickets/{ref}/status", "POST")
async def set_status(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Set another status."""
    form = await form_of(request, visitor)
    body = {"status": form.get("status", ""), "reason": form.get("reason", "")}
    return await act(
        site, visitor, ref, "status", body, form=form, problem_prefix=gettext("The status was not changed.")
    )


@page_route(router, "/tickets/{ref}/take", "POST")
async def take(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Take the ticket."""
    form = await form_of(request, visitor)
    return await act(site, visitor, ref, "take", {}, form=form, problem_prefix=gettext("The ticket was not assigned."))


@page_route(router, "/tickets/{ref}/escalate", "POST")
async def escalate(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Move the handling one level up."""
    form = await form_of(request, visitor)
    body = {"reason": form.get("reason", "")}
    return await act(
        site, visitor, ref, "escalate", body, form=form, problem_prefix=gettext("The ticket was not escalated.")
    )


async def act(
    site: Site,
    visitor: Visitor,
    ref: str,
    verb: str,
    body: dict[str, Any],
    *,
    form: dict[str, str],
    problem_prefix: str,
    method: str = "POST",
) -> Response:
    """Do something to a ticket; refused, its page says why and keeps what was typed. An empty verb is the ticket itself."""
    caller = need_staff(visitor)
    found = await site.services.get(caller, f"/tickets/{segment(ref)}")
    path = f"/tickets/{found['id']}/{verb}".rstrip("/")
    given = {"key": form.get("key") or None, "revision": form.get("revision")}
    try:
        await site.services.post(caller, path, body, method=method, **given)
    except (Refused, ServiceAway) as error:
        return await refuse(site, visitor, ref, error, form=form, prefix=problem_prefix)
    return go(f"/desk/tickets/{segment(ref)}")


async def refuse(
    site: Site, visitor: Visitor, ref: str, error: Refused | ServiceAway, *, form: dict[str, str], prefix: str
) -> Response:
    """Show a ticket with what was typed and why it was not taken."""
    refused = error if isinstance(error, Refused) else None
    status = refused.status if refused else 503
    return await show_ticket(site, visitor, ref, form=form, problem=f"{prefix} {error}", refused=refused, status=status)
