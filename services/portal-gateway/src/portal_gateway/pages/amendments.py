"""Amending a contract: the form, what the change would do, and bringing it into force. Nothing is kept before that."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext, spoken
from portal_gateway.pages import shown
from portal_gateway.pages.amounts import price
from portal_gateway.pages.contracts import MANAGERS, contract_of, contract_page
from portal_gateway.pages.drafts import (
    LEVEL_BOXES,
    METRICS,
    POLICIES,
    ROWS,
    boxes_of,
    budget,
    budget_text,
    cell_of,
    chosen,
    promises,
    whole,
)
from portal_gateway.pages.forms import Form
from portal_gateway.pages.site import Failed, Site, as_json, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment

router = APIRouter(prefix="/desk/contracts")
ROUNDING = ("minimum_minutes", "increment_minutes")
CODES = {
    "versions-overlap": "effective_from",
    "versions-leave-gap": "effective_from",
    "amendment-too-early": "effective_from",
    "unknown-job-types": "job_types",
}
AHEAD = ("effective_from", "effective_to", "after_version")
"""What says when and on what an amendment builds; everything else changes something."""


@page_route(router, "/{ref}/amend")
async def amend(_request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Show the form with the newest terms in it."""
    need_staff(visitor, *MANAGERS)
    contract = await contract_of(site, visitor, ref)
    terms = await _terms(site, visitor, contract)
    return await _form(site, visitor, contract, terms, Form(values=_filled(contract, terms)))


@page_route(router, "/{ref}/amend", "POST")
async def propose(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Show what a change would do, or bring it into force."""
    caller = need_staff(visitor, *MANAGERS)
    form = await form_of(request, visitor)
    contract = await contract_of(site, visitor, ref)
    terms = await _terms(site, visitor, contract)
    body, places = _amendment(form, contract, terms)
    path = f"/contracts/{contract['id']}/amend"
    try:
        if form.get("intent") == "activate":
            # What was looked at is what comes into force, however the terms stand by now.
            await site.services.post(caller, path, _looked_at(form) or body, key=form.get("key") or None)
            return go(f"/desk/contracts/{segment(contract['ref'])}/history")
        proposal = await site.services.post(caller, f"{path}/preview", body)
    except Refused as refused:
        # What was typed stays; looked at again, it builds on what is the newest version by now.
        form["version"] = str(contract["version"])
        failed = (
            gettext("The change was not made.")
            if form.get("intent") == "activate"
            else gettext("The change was not tried.")
        )
        wrong = Form.refused("amendment", form, refused, said=failed, places={**places, **CODES})
        return await _form(site, visitor, contract, terms, wrong)
    return await _form(
        site,
        visitor,
        contract,
        terms,
        Form(values=form),
        proposal=proposal,
        body=as_json(body),
        is_change=bool(body.keys() - {*AHEAD}),
    )


def _looked_at(form: dict[str, str]) -> Any:
    """Return the amendment as it was shown, ``None`` when the form does not carry one."""
    try:
        return json.loads(form.get("body", ""))
    except ValueError:
        return None


async def _terms(site: Site, visitor: Visitor, contract: dict[str, Any]) -> dict[str, Any]:
    """Return the newest terms as they were written, without what follows from lots and the retainer."""
    found = await site.services.get(visitor.caller, f"/contracts/{contract['id']}/versions/{contract['version']}")
    terms: dict[str, Any] = found["terms"]
    return terms


async def _form(
    site: Site,
    visitor: Visitor,
    contract: dict[str, Any],
    terms: dict[str, Any],
    form: Form,
    *,
    proposal: dict[str, Any] | None = None,
    **context: Any,
) -> Response:
    caller = visitor.caller
    job_types, calendars, cards = await site.parts(
        site.services.get(caller, "/job-types", limit=200),
        site.services.get(caller, "/calendars", limit=200),
        site.services.get(caller, f"/rate-cards/{contract['rate_card_id']}/versions"),
    )
    newer = (
        []
        if isinstance(cards, Failed)
        else [one for one in cards["items"] if one["version"] > terms["rate_card_version"]]
    )
    return await contract_page(
        site,
        visitor,
        contract,
        "amend",
        template="desk/contract_amend.html",
        terms=terms,
        form=form,
        problem=form.problem,
        proposal=proposal,
        job_types=job_types,
        job_options=boxes_of(job_types),
        calendars=calendars,
        cards=[
            (
                one["version"],
                gettext("Version %(version)s, %(name)s") % {"version": one["version"], "name": one["name"]},
            )
            for one in reversed(newer)
        ],
        policies=list(spoken(POLICIES).items()),
        levels=LEVEL_BOXES,
        priorities=ROWS,
        metrics=METRICS,
        kept=[one for one in terms["targets"] if cell_of(one) is None],
        key=str(new_id()),
        **context,
    )


def _filled(contract: dict[str, Any], terms: dict[str, Any]) -> dict[str, str]:
    """Return the newest terms as the form takes them."""
    cells = {key: one["budget_minutes"] for one in terms["targets"] if (key := cell_of(one)) is not None}
    currency = contract["currency"]
    return {
        "version": str(contract["version"]),
        "name": contract["name"],
        "priority": str(contract["priority"]),
        "job_types": ",".join(terms["job_types"]),
        "levels": ",".join(terms["levels"]),
        "exhaustion_policy": terms["exhaustion_policy"],
        **{key: budget_text(minutes) for key, minutes in cells.items()},
        **{name: str(terms["rounding"][name]) for name in ROUNDING},
        **{f"item-{n}": shown.plain(one["unit_minor"], currency) for n, one in enumerate(terms["fixed_items"])},
        "grant_minutes": budget_text(terms["grant_minutes"]),
        "grant_price": shown.plain(terms["grant_price_minor"], currency),
    }


def _amendment(
    form: dict[str, str], contract: dict[str, Any], terms: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the amendment a form describes, only with what differs from the terms, and where its parts stand there."""
    targets, places = promises(form, terms["targets"])
    items, item_places = _items(form, terms["fixed_items"], contract["currency"])
    wanted: dict[str, Any] = {
        "name": form.get("name", "").strip(),
        "priority": whole(form.get("priority", "")),
        "job_types": chosen(form, "job_types"),
        "levels": chosen(form, "levels"),
        "exhaustion_policy": form.get("exhaustion_policy", ""),
        "targets": targets,
        "rounding": {**terms["rounding"], **{name: whole(form.get(name, "")) for name in ROUNDING}},
        "fixed_items": items,
    }
    if contract["kind"] == "retainer":
        wanted["grant_minutes"] = budget(form.get("grant_minutes", ""))
        wanted["grant_price_minor"] = price(form.get("grant_price", ""), contract["currency"])
    known = {**terms, "name": contract["name"], "priority": contract["priority"]}
    body = {name: value for name, value in wanted.items() if _differs(value, known[name])}
    body |= {name: form[name] for name in ("calendar_id",) if form.get(name)}
    if form.get("rate_card_version"):
        body["rate_card_version"] = whole(form["rate_card_version"])
    body |= {"effective_from": form.get("effective_from", ""), "after_version": whole(form.get("version", ""))}
    rounding = {f"rounding/{name}": name for name in ROUNDING}
    return body, {"grant_price_minor": "grant_price", **rounding, **places, **item_places}


def _items(
    form: dict[str, str], known: list[dict[str, Any]], currency: str
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the monthly and one-off items a form tells: other prices, one left out when its price is empty, a new one."""
    made: list[dict[str, Any]] = []
    places = {}
    for n, item in enumerate(known):
        if text := form.get(f"item-{n}", "").strip():
            places[f"fixed_items/{len(made)}"] = f"item-{n}"
            made.append({**item, "unit_minor": price(text, currency)})
    if form.get("item-text", "").strip():
        places[f"fixed_items/{len(made)}"] = "item-text"
        new = {"text": form["item-text"].strip(), "frequency": form.get("item-frequency", "monthly")}
        unit_minor = price(form.get("item-price", ""), currency)
        made.append({**new, "unit_minor": unit_minor, "starts_on": form.get("effective_from", "")})
    return made, places


def _differs(wanted: Any, known: Any) -> bool:
    is_set = isinstance(wanted, list) and all(isinstance(one, str) for one in wanted)
    return bool(set(wanted) != set(known) if is_set and wanted else wanted != known)
