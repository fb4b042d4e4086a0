"""What staff do to a ticket beside answering: its fields, watching, handing over, links, merging, splitting, moving."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from portal_gateway.language import gettext
from portal_gateway.pages.desk import act, refuse
from portal_gateway.pages.site import Site, form_of, go, page_route
from portal_gateway.scope import Visitor
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter(prefix="/desk/tickets/{ref}")
FIELDS = ("title", "priority", "level", "handling_level", "job_type")


def tags_of(text: str) -> list[str]:
    """Return the tags somebody typed, with commas or spaces between them."""
    return text.lower().replace(",", " ").split()


@page_route(router, "/change", "POST")
async def change(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Change fields and tags, unless somebody else did so in the meantime."""
    form = await form_of(request, visitor)
    body: dict[str, Any] = {name: form[name] for name in FIELDS if form.get(name)}
    body |= {"tags": tags_of(form.get("tags", "")), "reason": form.get("reason", "")}
    return await act(
        site, visitor, ref, "", body, form=form, problem_prefix=gettext("The ticket was not changed."), method="PATCH"
    )


@page_route(router, "/watch", "POST")
async def watch(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Watch the ticket, or stop it."""
    form = await form_of(request, visitor)
    method = "DELETE" if form.get("stop") else "PUT"
    return await act(
        site, visitor, ref, "watch", {}, form=form, problem_prefix=gettext("Nothing was changed."), method=method
    )


@page_route(router, "/assign", "POST")
async def assign(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Give the ticket to a colleague with a note, or to an agent, nobody or another queue."""
    form = await form_of(request, visitor)
    agent, note = form.get("assignee_id") or None, form.get("note", "").strip()
    verb: str
    body: dict[str, Any]
    if agent and note:
        verb, body = "hand-over", {"to_id": agent, "note": note}
    else:
        verb, body = "assign", {"assignee_id": agent, "queue": form.get("queue") or None, "reason": note}
    return await act(site, visitor, ref, verb, body, form=form, problem_prefix=gettext("The ticket was not assigned."))


@page_route(router, "/link", "POST")
async def link(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Link the ticket to another one, or take a link away; a duplicate is closed."""
    form = await form_of(request, visitor)
    prefix = gettext("The link was not changed.")
    kind = form.get("kind", "")
    if form.get("remove"):
        verb = f"links/{segment(kind)}/{segment(form['remove'])}"
        return await act(site, visitor, ref, verb, {}, form=form, problem_prefix=prefix, method="DELETE")
    try:
        other = await _id_of(site, visitor, form.get("other", ""))
    except (Refused, ServiceAway) as error:
        return await refuse(site, visitor, ref, error, form=form, prefix=prefix)
    return await act(site, visitor, ref, "links", {"other_id": other, "kind": kind}, form=form, problem_prefix=prefix)


@page_route(router, "/merge", "POST")
async def merge(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Merge the ticket into an older one, whose page comes next."""
    form = await form_of(request, visitor)
    prefix = gettext("The tickets were not merged.")
    try:
        into = await _id_of(site, visitor, form.get("into", ""))
    except (Refused, ServiceAway) as error:
        return await refuse(site, visitor, ref, error, form=form, prefix=prefix)
    body = {"into_id": into, "reason": form.get("merge_reason", "")}
    return await act(site, visitor, ref, "merge", body, form=form, problem_prefix=prefix)


@page_route(router, "/split", "POST")
async def split(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Make a second ticket of some messages and go there."""
    form = await form_of(request, visitor)
    ids = [one for one in form.get("message_ids", "").split(",") if one]
    body = {"title": form.get("split_title", ""), "message_ids": ids}
    return await _to_new(site, visitor, ref, "split", body, form=form, prefix=gettext("The ticket was not split."))


@page_route(router, "/move", "POST")
async def move(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Raise the ticket anew at the client it belongs to and go there."""
    form = await form_of(request, visitor)
    body = {"client_id": form.get("client_id", ""), "reason": form.get("move_reason", "")}
    return await _to_new(site, visitor, ref, "move", body, form=form, prefix=gettext("The ticket was not moved."))


async def _to_new(
    site: Site, visitor: Visitor, ref: str, verb: str, body: dict[str, Any], *, form: dict[str, str], prefix: str
) -> Response:
    found = await site.services.get(visitor.caller, f"/tickets/{segment(ref)}")
    try:
        made = await site.services.post(
            visitor.caller, f"/tickets/{found['id']}/{verb}", body, key=form.get("key") or None
        )
    except (Refused, ServiceAway) as error:
        return await refuse(site, visitor, ref, error, form=form, prefix=prefix)
    return go(f"/desk/tickets/{segment(made['ref'])}")


async def _id_of(site: Site, visitor: Visitor, ref: str) -> str:
    """Return the id of a ticket by its ref, as people type it."""
    wanted = ref.strip().upper()
    try:
        found = await site.services.get(visitor.caller, f"/tickets/{segment(wanted or '-')}", follow="false")
    except Refused as refused:
        raise Refused(
            422, {"detail": gettext("There is no ticket %(reference)s.") % {"reference": wanted or "–"}}
        ) from refused
    return str(found["id"])
