"""Search over everything the visitor may see. Each source is asked by itself: one that is away says so, the others answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kit.database import SYSTEM
from portal_gateway.actions import search as verbs
from portal_gateway.language import gettext
from portal_gateway.pages.desk import nav
from portal_gateway.pages.sign_in import database_of
from portal_gateway.pages.site import Failed, Site, go, page_route
from portal_gateway.pages.sla import all_of
from portal_gateway.scope import Visitor, need_client, need_staff
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter()
A_REF = re.compile(r"[A-Za-z0-9]+([-/][A-Za-z0-9]+)+")
HITS_MAX = 20
CLIENTS_WITH_INVOICES_MAX = 3
WORDS_MAX, TEXT_CHARACTERS_MAX = 10, 200
BILLERS, READERS = ("manager", "admin", "finance"), ("manager", "admin")


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found."""

    title: str
    sub: str
    href: str


@dataclass(frozen=True, slots=True)
class Source:
    """What one place had: hits, or why it could not be asked."""

    name: str
    icon: str
    found: list[Hit] | Failed


@page_route(router, "/desk/search")
async def search(request: Request, site: Site, visitor: Visitor) -> Response:
    """Find things by words; a reference leads straight to what it names."""
    caller = need_staff(visitor)
    text, words = _asked(request)
    if A_REF.fullmatch(text) and (address := await _named(site, visitor, text, at="/desk")):
        return go(address)
    tickets: Any = []
    sources: list[Source] = []
    if words:
        tickets = await site.part(site.services.get(caller, "/tickets/search", text=text, limit=50))
        sources = await _of_staff(request, site, visitor, words)
    return site.page(
        "desk/search.html",
        visitor=visitor,
        title=gettext("Search"),
        text=text,
        found=tickets,
        sources=sources,
        **await nav(site, visitor),
    )


@page_route(router, "/portal/search")
async def own_search(request: Request, site: Site, visitor: Visitor) -> Response:
    """Find what belongs to the client, as far as the visitor may see it."""
    caller = need_client(visitor)
    text, words = _asked(request)
    if A_REF.fullmatch(text) and (address := await _named(site, visitor, text, at="/portal")):
        return go(address)
    return site.page(
        "portal/search.html",
        visitor=visitor,
        title=gettext("Search"),
        text=text,
        sources=await _of_client(request, site, visitor, text, words) if words else [],
        client_name=await site.client_names(caller.client_id),
    )


def _asked(request: Request) -> tuple[str, list[str]]:
    text = request.query_params.get("text", "").replace("\0", "").strip()[:TEXT_CHARACTERS_MAX]
    return text, text.split()[:WORDS_MAX]


async def _named(site: Site, visitor: Visitor, text: str, *, at: str) -> str | None:
    """Return the page of what a reference names: a ticket, a project, a contract or an invoice, in this order."""
    ref = text.upper()
    for kind in ("tickets", "projects", "contracts", "invoices"):
        try:
            if kind in ("tickets", "invoices"):
                found = await site.services.get(visitor.caller, f"/{kind}/{segment(ref)}")
                name = found.get("number") if kind == "invoices" else found["ref"]
            else:
                listed = (await site.services.get(visitor.caller, f"/{kind}", **_only(kind, ref)))["items"]
                name = next((one["ref"] for one in listed if one["ref"] == ref), None)
        except (Refused, ServiceAway):
            continue
        if name:
            return _address(kind, name, at=at)
    return None


def _only(kind: str, ref: str) -> dict[str, str]:
    return {"ref": ref} if kind == "contracts" else {}


def _address(kind: str, name: str, *, at: str) -> str:
    if kind == "contracts" and at == "/portal":
        return "/portal/hours"
    folder = "billing/invoices" if kind == "invoices" and at == "/desk" else kind
    return f"{at}/{folder}/{segment(name)}"


async def _of_staff(request: Request, site: Site, visitor: Visitor, words: Sequence[str]) -> list[Source]:
    caller = visitor.caller
    async with database_of(request).transaction(SYSTEM) as tx:
        clients = await verbs.clients(tx, words, limit=HITS_MAX)
        persons = await verbs.persons(tx, words, limit=HITS_MAX) if caller.has_role(*READERS) else []
    projects, contracts, invoices = await site.parts(
        _allowed(site.services.get(caller, "/projects")),
        _allowed(all_of(site, caller, "/contracts")),
        _invoices_of(site, visitor, clients),
    )
    names = {str(one["client_id"]): one["name"] for one in clients}
    sources = [
        Source(
            gettext("Clients"),
            "users",
            [Hit(c["name"], c["code"], f"/desk/clients/{segment(c['code'])}") for c in clients],
        ),
        _source(gettext("Contracts"), "file-text", contracts, words, ("ref", "name"), at="/desk/contracts", also=names),
        _source(
            gettext("Projects"), "folder-kanban", projects, words, ("ref", "name", "client_name"), at="/desk/projects"
        ),
    ]
    if caller.has_role(*BILLERS):
        sources.append(_invoices(invoices, at="/desk/billing/invoices"))
    if caller.has_role(*READERS):
        people = [Hit(p["display_name"], p["email"], "/settings/people") for p in persons if p["kind"] == "staff"]
        sources.append(Source(gettext("People"), "user-round", people))
    return sources


async def _of_client(request: Request, site: Site, visitor: Visitor, text: str, words: Sequence[str]) -> list[Source]:
    caller, get = visitor.caller, site.services.get
    tickets, projects, invoices, contracts = await site.parts(
        _allowed(_listed(get(caller, "/tickets/search", text=text, limit=HITS_MAX))),
        _allowed(get(caller, "/projects")),
        _allowed(all_of(site, caller, "/invoices")),
        _allowed(get(caller, "/contracts", limit=100)),
    )
    sources = [
        _source(gettext("Tickets"), "ticket", tickets, (), ("title",), at="/portal/tickets"),
        _source(gettext("Projects"), "folder-kanban", projects, words, ("ref", "name"), at="/portal/projects"),
        _source(gettext("Contracts"), "hourglass", contracts, words, ("ref", "name"), at=""),
        _invoices(_matching(invoices, words, ("number",)), at="/portal/invoices"),
    ]
    if caller.has_role("admin") and not visitor.is_viewing:
        async with database_of(request).transaction(caller.scope) as tx:
            persons = await verbs.persons(tx, words, limit=HITS_MAX)
        people = [Hit(p["display_name"], p["email"], "/settings/people") for p in persons]
        sources.append(Source(gettext("People"), "user-round", people))
    return sources


async def _invoices_of(site: Site, visitor: Visitor, clients: Sequence[Any]) -> dict[str, Any]:
    """Return the newest invoices of the first clients found; by number an invoice is found as a reference."""
    if not visitor.caller.has_role(*BILLERS):
        return {"items": []}
    found: list[Any] = []
    for one in clients[:CLIENTS_WITH_INVOICES_MAX]:
        page = await site.services.get(visitor.caller, "/invoices", client_id=str(one["client_id"]), limit=HITS_MAX)
        found += page["items"]
    return {"items": found}


async def _allowed(fetched: Awaitable[Any]) -> Any:
    """Return what was fetched; what the visitor's role does not read is nothing."""
    try:
        return await fetched
    except Refused as refused:
        if refused.status in (403, 404):
            return {"items": []}
        raise


async def _listed(fetched: Awaitable[Any]) -> dict[str, Any]:
    return {"items": await fetched}


def _matching(found: Any, words: Iterable[str], fields: Sequence[str]) -> Any:
    if isinstance(found, Failed):
        return found
    kept = [one for one in found["items"] if _has(one, words, fields)]
    return {"items": kept[:HITS_MAX]}


def _has(one: Mapping[str, Any], words: Iterable[str], fields: Sequence[str]) -> bool:
    told = " ".join(str(one.get(name) or "") for name in fields).lower()
    return all(word.lower() in told for word in words)


def _source(
    name: str,
    icon: str,
    found: Any,
    words: Iterable[str],
    fields: Sequence[str],
    *,
    at: str,
    also: Mapping[str, str] | None = None,
) -> Source:
    if isinstance(found, Failed):
        return Source(name, icon, found)
    known = also or {}
    kept = [one for one in found["items"] if _has(one, words, fields) or str(one.get("client_id")) in known]
    hits = [
        Hit(
            str(one.get("title") or one.get("name") or one["ref"]),
            " · ".join(filter(None, (one["ref"], _whose(one, known) if at.startswith("/desk") else ""))),
            f"{at}/{segment(one['ref'])}" if at else "/portal/hours",
        )
        for one in kept[:HITS_MAX]
    ]
    return Source(name, icon, hits)


def _whose(one: Mapping[str, Any], known: Mapping[str, str]) -> str:
    return str(one.get("client_name") or known.get(str(one.get("client_id")), ""))


def _invoices(found: Any, *, at: str) -> Source:
    name = gettext("Invoices")
    if isinstance(found, Failed):
        return Source(name, "receipt", found)
    hits = [
        Hit(one["number"], one["client_name"] if at.startswith("/desk") else "", f"{at}/{segment(one['number'])}")
        for one in found["items"]
        if one["number"]
    ]
    return Source(name, "receipt", hits)
