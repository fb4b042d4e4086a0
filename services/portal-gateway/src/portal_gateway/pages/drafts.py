"""New clients and drafts of contracts, as plain forms."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from itertools import product
from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.money import exponent
from portal_gateway.pages import shown
from portal_gateway.pages.desk import nav
from portal_gateway.pages.site import Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment

router = APIRouter(prefix="/desk")
"""Under ``/desk``, with the pages of the clients."""
AUTHORS = ("manager", "admin")
LEVELS = ("L1", "L2", "L3", "SA")
PRIORITIES = ("critical", "high", "normal", "low")
METRICS = ("first_response", "resolution")
KINDS = {
    "bucket": "Bucket of hours",
    "retainer": "Retainer, hours each month",
    "time_and_materials": "Time and materials",
}
NO_NUMBER = -1
"""Stands for text that is no number: the service refuses it with its place."""


@page_route(router, "/new-client")
async def new_client(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the form to register a client."""
    need_staff(visitor, *AUTHORS)
    return await _client_form(site, visitor, {}, "")


@page_route(router, "/new-client", "POST")
async def register(request: Request, site: Site, visitor: Visitor) -> Response:
    """Register a client."""
    caller = need_staff(visitor, *AUTHORS)
    form = await form_of(request, visitor)
    body: dict[str, Any] = {name: form.get(name, "").strip() for name in ("name", "timezone")}
    body |= {name: form.get(name, "").strip().upper() for name in ("code", "currency")}
    body |= {name: form[name] for name in ("tax_id", "purchase_order") if form.get(name)}
    body["billing_address"] = {
        "lines": [line for line in (form.get("line", "").strip(),) if line],
        **{name: form.get(name, "").strip() for name in ("city", "postcode")},
        "country": form.get("country", "").strip().upper(),
    }
    try:
        made = await site.services.post(caller, "/clients", body)
    except Refused as refused:
        return await _client_form(site, visitor, form, f"The client was not saved. {shown.said(refused)}")
    return go(f"/desk/clients/{segment(made['code'])}")


async def _client_form(site: Site, visitor: Visitor, form: dict[str, str], problem: str) -> Response:
    return site.page(
        "desk/new_client.html",
        visitor=visitor,
        title="New client",
        status=422 if problem else 200,
        form=form,
        problem=problem,
        **await nav(site, visitor),
    )


@page_route(router, "/clients/{code}/new-contract")
async def new_contract(_request: Request, site: Site, visitor: Visitor, code: str) -> Response:
    """Show the form to draft a contract."""
    need_staff(visitor, *AUTHORS)
    return await _contract_form(site, visitor, await _client(site, visitor, code), {}, "")


@page_route(router, "/clients/{code}/new-contract", "POST")
async def draft(request: Request, site: Site, visitor: Visitor, code: str) -> Response:
    """Save a draft and show what the linter says of it."""
    caller = need_staff(visitor, *AUTHORS)
    form = await form_of(request, visitor)
    client = await _client(site, visitor, code)
    try:
        made = await site.services.post(caller, "/contracts", _draft(form, client))
    except Refused as refused:
        problem = f"The draft was not saved. {shown.said(refused)}"
        return await _contract_form(site, visitor, client, form, problem)
    return go(f"/desk/contracts/{segment(made['ref'])}/lint")


async def _contract_form(
    site: Site, visitor: Visitor, client: dict[str, Any], form: dict[str, str], problem: str
) -> Response:
    caller = need_staff(visitor)
    job_types, calendars, cards, side = await site.parts(
        site.services.get(caller, "/job-types", limit=200),
        site.services.get(caller, "/calendars", limit=200),
        site.services.get(caller, "/rate-cards", limit=200),
        nav(site, visitor),
    )
    return site.page(
        "desk/new_contract.html",
        visitor=visitor,
        title="New contract",
        status=422 if problem else 200,
        client=client,
        job_types=job_types,
        calendars=calendars,
        cards=cards,
        kinds=KINDS,
        levels=LEVELS,
        priorities=PRIORITIES,
        metrics=METRICS,
        form=form,
        problem=problem,
        **side,
    )


async def _client(site: Site, visitor: Visitor, code: str) -> dict[str, Any]:
    found = await site.services.get(need_staff(visitor), "/clients", code=code.upper())
    if not found["items"]:
        raise Refused(404, {})
    one: dict[str, Any] = found["items"][0]
    return one


def _draft(form: dict[str, str], client: dict[str, Any]) -> dict[str, Any]:
    """Return the draft a form describes; what it leaves empty is left to the service's defaults."""
    body: dict[str, Any] = {"client_id": client["id"], "currency": client["currency"]}
    names = ("name", "kind", "starts_on", "ends_on", "calendar_id", "rate_card_id", "exhaustion_policy")
    body |= {name: form[name] for name in names if form.get(name)}
    body |= {name: [one for one in form.get(name, "").split(",") if one] for name in ("job_types", "levels")}
    if form.get("priority"):
        body["priority"] = _whole(form["priority"])
    body["targets"] = [
        {"priority": priority, "metric": metric, "budget_minutes": _whole(form[key], times=60)}
        for priority, metric in product(PRIORITIES, METRICS)
        if form.get(key := f"{priority}-{metric}")
    ]
    if form.get("hours"):
        body["bucket"] = {
            "minutes": _whole(form["hours"], times=60),
            "price_minor": _whole(form.get("price") or "0", times=10 ** exponent(client["currency"])),
            "valid_from": form.get("starts_on", ""),
            **({"expires_on": form["expires_on"]} if form.get("expires_on") else {}),
        }
    return body


def _whole(text: str, *, times: int = 1) -> int:
    """Return ``times`` a number as typed when that is whole: 1.5 hours are 90 minutes."""
    try:
        made = Decimal(text.strip().replace(",", ".")) * times
    except InvalidOperation:
        return NO_NUMBER
    return int(made) if made.is_finite() and made == made.to_integral_value() else NO_NUMBER
