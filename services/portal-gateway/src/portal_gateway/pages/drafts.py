"""New clients, drafts of contracts, and what their forms have in common with those of amendments."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import product
from typing import Any

from fastapi import APIRouter, Request, Response

from msp_events.base import LEVELS, PRIORITIES
from portal_gateway.language import decimal, gettext, mark, spoken
from portal_gateway.pages import shown
from portal_gateway.pages.amounts import price
from portal_gateway.pages.desk import nav
from portal_gateway.pages.forms import Form
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment

router = APIRouter(prefix="/desk")
"""Under ``/desk``, with the pages of the clients."""
AUTHORS = ("manager", "admin")
_NUMBER = re.compile(r"-?[0-9]{1,12}([.,][0-9]{1,2})?")
LEVEL_BOXES = [(level, level) for level in LEVELS]
ROWS = (*PRIORITIES, "any")
METRICS = tuple(shown.METRIC)
KINDS = {
    "bucket": mark("Bucket of hours"),
    "retainer": mark("Retainer, hours each month"),
    "time_and_materials": mark("Time and materials"),
}
POLICIES = {
    "overage": mark("Further work is billed as overage"),
    "next_lot": mark("The next lot pays ahead of its time"),
    "needs_approval": mark("The client approves each entry"),
    "reject": mark("Further work is refused"),
}
CODES = {
    "unknown-job-types": "job_types",
    "client-code-taken": "code",
    "currencies-differ": "rate_card_id",
    "bucket-does-not-fit": "hours",
}
OF_BUCKET = {
    "bucket/minutes": "hours",
    "bucket/price_minor": "price",
    "bucket/expires_on": "expires_on",
    "bucket/valid_from": "starts_on",
    "billing_address/country": "country",
    "billing_address/lines": "line",
}


@page_route(router, "/new-client")
async def new_client(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the form to register a client."""
    need_staff(visitor, *AUTHORS)
    return await _client_form(site, visitor, Form())


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
        said = gettext("The client was not saved.")
        wrong = Form.refused("client", form, refused, said=said, places={**OF_BUCKET, **CODES})
        return await _client_form(site, visitor, wrong)
    return go(f"/desk/clients/{segment(made['code'])}")


async def _client_form(site: Site, visitor: Visitor, form: Form) -> Response:
    return site.page(
        "desk/new_client.html",
        visitor=visitor,
        title=gettext("New client"),
        status=form.status,
        form=form,
        **await nav(site, visitor),
    )


@page_route(router, "/clients/{code}/new-contract")
async def new_contract(_request: Request, site: Site, visitor: Visitor, code: str) -> Response:
    """Show the form to draft a contract."""
    need_staff(visitor, *AUTHORS)
    return await _contract_form(site, visitor, await _client(site, visitor, code), Form())


@page_route(router, "/clients/{code}/new-contract", "POST")
async def draft(request: Request, site: Site, visitor: Visitor, code: str) -> Response:
    """Save a draft and show what the linter says of it."""
    caller = need_staff(visitor, *AUTHORS)
    form = await form_of(request, visitor)
    client = await _client(site, visitor, code)
    body, places = _draft(form, client)
    try:
        made = await site.services.post(caller, "/contracts", body)
    except Refused as refused:
        said = gettext("The draft was not saved.")
        wrong = Form.refused("contract", form, refused, said=said, places={**places, **CODES})
        return await _contract_form(site, visitor, client, wrong)
    return go(f"/desk/contracts/{segment(made['ref'])}/lint")


async def _contract_form(site: Site, visitor: Visitor, client: dict[str, Any], form: Form) -> Response:
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
        title=gettext("New contract"),
        status=form.status,
        client=client,
        job_types=job_types,
        job_options=boxes_of(job_types),
        calendars=calendars,
        cards=cards,
        kinds=spoken(KINDS),
        policies=list(spoken(POLICIES).items()),
        levels=LEVEL_BOXES,
        priorities=ROWS,
        metrics=METRICS,
        form=form,
        **side,
    )


async def _client(site: Site, visitor: Visitor, code: str) -> dict[str, Any]:
    found = await site.services.get(need_staff(visitor), "/clients", code=code.upper())
    if not found["items"]:
        raise Refused(404, {})
    one: dict[str, Any] = found["items"][0]
    return one


def boxes_of(job_types: Any) -> list[tuple[str, str]]:
    """Return job types as boxes to tick."""
    return [] if isinstance(job_types, Failed) else [(one["code"], one["name"]) for one in job_types["items"]]


def _draft(form: dict[str, str], client: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the draft a form describes, and where its parts stand there; what is empty is left to the service."""
    body: dict[str, Any] = {"client_id": client["id"], "currency": client["currency"]}
    names = ("name", "kind", "starts_on", "ends_on", "calendar_id", "rate_card_id", "exhaustion_policy")
    body |= {name: form[name] for name in names if form.get(name)}
    body |= {name: chosen(form, name) for name in ("job_types", "levels")}
    if form.get("priority"):
        body["priority"] = whole(form["priority"])
    body["targets"], places = promises(form, [])
    if form.get("hours"):
        body["bucket"] = {
            "minutes": whole(form["hours"], times=60),
            "price_minor": price(form.get("price") or "0", client["currency"]),
            "valid_from": form.get("starts_on", ""),
            **({"expires_on": form["expires_on"]} if form.get("expires_on") else {}),
        }
    return body, {**OF_BUCKET, **places}


def promises(form: dict[str, str], known: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the targets a form's table tells, and the cell of each; known ones of a level or job type stay.

    A target that is known keeps what the table does not show: its rule, and which hours count.
    """
    left = {key: text for row, metric in product(ROWS, METRICS) if (text := form.get(key := f"{row}-{metric}", ""))}
    made, cells = [], {}
    for target in known:
        cell = cell_of(target)
        if cell is None:
            made.append(target)
        elif cell in left:
            cells[f"targets/{len(made)}"] = cell
            made.append({**target, "budget_minutes": budget(left.pop(cell))})
    for key, text in left.items():
        row, _, metric = key.partition("-")
        cells[f"targets/{len(made)}"] = key
        made.append({"priority": None if row == "any" else row, "metric": metric, "budget_minutes": budget(text)})
    return made, cells


def cell_of(target: dict[str, Any]) -> str | None:
    """Return the cell of a target in a form's table, ``None`` when it is of one level or job type only."""
    if target.get("level") or target.get("job_type"):
        return None
    return f"{target['priority'] or 'any'}-{target['metric']}"


def budget_text(minutes: int | None) -> str:
    """Return a budget as the form's table takes it: ``1.5`` hours, ``50m``, ``none``."""
    if minutes is None:
        return "none"
    return f"{minutes}m" if minutes % 3 else decimal(f"{Decimal(minutes) / 60:f}")


def budget(text: str) -> int | str | None:
    """Return minutes of what ``budget_text`` writes, ``None`` for none; what is no number as it is."""
    if text.strip().lower() == "none":
        return None
    is_minutes = text.strip().lower().endswith("m")
    return whole(text.strip()[:-1]) if is_minutes else whole(text, times=60)


def chosen(form: dict[str, str], name: str) -> list[str]:
    """Return the boxes of a name that are ticked."""
    return [one for one in form.get(name, "").split(",") if one]


def whole(text: str, *, times: int = 1) -> int | str:
    """Return ``times`` a number as typed when that is whole (1.5 hours are 90 minutes).

    What is no such number is returned as it is: the service says where, and what it would accept. ``1,000`` is none, and
    neither is ``1.000``: each means one to some and a thousand to others.
    """
    if not _NUMBER.fullmatch(text.strip()):
        return text
    made = Decimal(text.strip().replace(",", ".")) * times
    return int(made) if made == made.to_integral_value() else text
