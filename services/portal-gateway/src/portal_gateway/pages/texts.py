"""Canned replies and ticket templates: what is written once and used often."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext, mark
from portal_gateway.pages import shown
from portal_gateway.pages.agents import LEVELS, items_of
from portal_gateway.pages.desk import DISPATCH, nav
from portal_gateway.pages.forms import Form
from portal_gateway.pages.raising import PRIORITIES
from portal_gateway.pages.site import Failed, Site, failure, form_of, go, page_route
from portal_gateway.pages.ticket_changes import tags_of
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter(prefix="/desk/texts")
REPLIES, TEMPLATES = "replies", "templates"
PATHS = {REPLIES: "/canned-replies", TEMPLATES: "/ticket-templates"}
FORMS = {REPLIES: "desk/text_reply.html", TEMPLATES: "desk/text_template.html"}
NEW = {REPLIES: mark("New reply"), TEMPLATES: mark("New template")}
KEPT = {REPLIES: mark("The reply stays."), TEMPLATES: mark("The template stays.")}
LOST = {REPLIES: mark("The reply was not saved."), TEMPLATES: mark("The template was not saved.")}
STATUSES = ("open", "waiting_on_client", "waiting_on_vendor", "scheduled", "resolved")


@page_route(router, "")
async def texts(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show all replies and templates."""
    caller = need_staff(visitor)
    replies, templates, side = await site.parts(
        site.services.get(caller, PATHS[REPLIES]), site.services.get(caller, PATHS[TEMPLATES]), nav(site, visitor)
    )
    return site.page(
        "desk/texts.html",
        visitor=visitor,
        title=gettext("Replies and templates"),
        replies=replies,
        templates=templates,
        may_change=caller.has_role(*DISPATCH),
        **side,
    )


@page_route(router, "/{kind}/new")
async def new(_request: Request, site: Site, visitor: Visitor, kind: str) -> Response:
    """Show the form of a new reply or template."""
    return await _form(site, visitor, kind, None)


@page_route(router, "/{kind}/{text_id}")
async def one(_request: Request, site: Site, visitor: Visitor, kind: str, text_id: str) -> Response:
    """Show the form of one reply or template."""
    return await _form(site, visitor, kind, text_id)


@page_route(router, "/{kind}/new", "POST")
async def add(request: Request, site: Site, visitor: Visitor, kind: str) -> Response:
    """Add a reply or template."""
    return await _save(request, site, visitor, kind, None)


@page_route(router, "/{kind}/{text_id}", "POST")
async def save(request: Request, site: Site, visitor: Visitor, kind: str, text_id: str) -> Response:
    """Save a reply or template."""
    return await _save(request, site, visitor, kind, text_id)


@page_route(router, "/{kind}/{text_id}/delete", "POST")
async def delete(request: Request, site: Site, visitor: Visitor, kind: str, text_id: str) -> Response:
    """Forget a reply or template."""
    caller = _may(visitor, kind)
    typed = await form_of(request, visitor)
    try:
        await site.services.post(caller, f"{PATHS[kind]}/{segment(text_id)}", method="DELETE")
    except (Refused, ServiceAway) as error:
        form = Form.refused(kind, typed, error, said=gettext(KEPT[kind]))
        return await _form(site, visitor, kind, text_id, form=form)
    return go("/desk/texts")


def _may(visitor: Visitor, kind: str) -> Any:
    """Return the caller: every agent keeps replies, templates are for those who dispatch."""
    if kind not in PATHS:
        raise Refused(404, {})
    return need_staff(visitor, *(DISPATCH if kind == TEMPLATES else ()))


async def _save(request: Request, site: Site, visitor: Visitor, kind: str, text_id: str | None) -> Response:
    caller = _may(visitor, kind)
    typed = await form_of(request, visitor)
    body = _reply(typed) if kind == REPLIES else _template(typed)
    path = PATHS[kind] if text_id is None else f"{PATHS[kind]}/{segment(text_id)}"
    method = "POST" if text_id is None else "PUT"
    try:
        await site.services.post(caller, path, body, key=typed.get("key") or None, method=method)
    except (Refused, ServiceAway) as error:
        form = Form.refused(kind, typed, error, said=gettext(LOST[kind]))
        return await _form(site, visitor, kind, text_id, form=form)
    return go("/desk/texts")


def _reply(typed: dict[str, str]) -> dict[str, Any]:
    return {
        "name": typed.get("name", "").strip(),
        "body": typed.get("body", ""),
        "is_public": bool(typed.get("is_public")),
        "set_status": typed.get("set_status") or None,
    }


def _template(typed: dict[str, str]) -> dict[str, Any]:
    chosen = {name: typed.get(name) or None for name in ("job_type", "level", "priority")}
    return {
        "name": typed.get("name", "").strip(),
        "title": typed.get("title", ""),
        "description": typed.get("description", ""),
        "tags": tags_of(typed.get("tags", "")),
        "is_for_clients": bool(typed.get("is_for_clients")),
        **chosen,
    }


async def _form(site: Site, visitor: Visitor, kind: str, text_id: str | None, *, form: Form | None = None) -> Response:
    caller, form = _may(visitor, kind), form or Form()
    text: dict[str, Any] | None = None
    if text_id is not None:
        listed = await site.services.get(caller, PATHS[kind])
        text = next((each for each in listed["items"] if each["id"] == text_id), None)
        if text is None:
            return failure(site, visitor, status=404)
    job_types, side = await site.parts(site.services.get(caller, "/job-types"), nav(site, visitor))
    kinds = [] if isinstance(job_types, Failed) else [(each["code"], each["name"]) for each in items_of(job_types)]
    return site.page(
        FORMS[kind],
        visitor=visitor,
        title=text["name"] if text else gettext(NEW[kind]),
        status=form.status,
        kind=kind,
        text=text,
        f=form,
        job_types=kinds,
        levels=[(each, each) for each in LEVELS],
        priorities=[(code, gettext(name)) for code, name, _ in PRIORITIES],
        statuses=[(code, gettext(shown.STATUS[code][0])) for code in STATUSES],
        form_key=str(new_id()),
        **side,
    )
