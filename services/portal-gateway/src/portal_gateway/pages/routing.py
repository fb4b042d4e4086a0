"""Routing rules: which ticket goes to which queue, and what rules would have done with the tickets of the last days."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext
from portal_gateway.pages import shown
from portal_gateway.pages.desk import DISPATCH, nav
from portal_gateway.pages.forms import Form
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter(prefix="/desk/admin/routing")
LISTS = ("job_types", "levels", "priorities", "client_ids", "words", "tags")
DAYS = 31


@page_route(router, "")
async def rules(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the rules in the order they are tried."""
    return await _rules(site, visitor)


@page_route(router, "", "POST")
async def add_rule(request: Request, site: Site, visitor: Visitor) -> Response:
    """Add a rule, or show first what it would have done together with those in force."""
    caller = need_staff(visitor, *DISPATCH)
    typed = await form_of(request, visitor)
    rule = rule_of(typed)
    try:
        if typed.get("intent") == "try":
            found = await site.services.get(caller, "/routing-rules")
            given = {"rules": [*map(_plain, found["items"]), rule], "days": DAYS}
            trial = await site.services.post(caller, "/routing-rules/dry-run", given)
            return await _rules(site, visitor, form=Form("rule", typed), trial=trial)
        saved = await site.services.post(caller, "/routing-rules", rule, key=typed.get("key") or None)
    except (Refused, ServiceAway) as error:
        form = Form.refused("rule", typed, error, said=gettext("The rule was not taken."))
        return await _rules(site, visitor, form=form)
    if saved["warnings"]:
        return await _rules(site, visitor, warnings=saved["warnings"])
    return go("/desk/admin/routing")


@page_route(router, "/dry-run", "POST")
async def dry_run(request: Request, site: Site, visitor: Visitor) -> Response:
    """Route the tickets of the last days again by the rules in force, without changing any."""
    caller = need_staff(visitor)
    await form_of(request, visitor)
    trial = await site.part(site.services.post(caller, "/routing-rules/dry-run", {"days": DAYS}))
    if isinstance(trial, Failed):
        return await _rules(
            site, visitor, form=Form(problem=shown.why(gettext("Nothing was tried."), trial.detail), status=503)
        )
    return await _rules(site, visitor, trial=trial)


@page_route(router, "/queues", "POST")
async def add_queue(request: Request, site: Site, visitor: Visitor) -> Response:
    """Add a queue."""
    caller = need_staff(visitor, *DISPATCH)
    typed = await form_of(request, visitor)
    body = {"key": typed.get("queue_key", "").strip(), "name": typed.get("queue_name", "").strip()}
    try:
        await site.services.post(caller, "/queues", body, key=typed.get("key") or None)
    except (Refused, ServiceAway) as error:
        form = Form.refused("queue", typed, error, said=gettext("The queue was not added."))
        errors = {f"queue_{name}": detail for name, detail in form.errors.items()}
        return await _rules(site, visitor, form=replace(form, errors=errors))
    return go("/desk/admin/routing")


@page_route(router, "/{rule_id}/delete", "POST")
async def delete_rule(request: Request, site: Site, visitor: Visitor, rule_id: str) -> Response:
    """Take a rule away."""
    caller = need_staff(visitor, *DISPATCH)
    await form_of(request, visitor)
    try:
        await site.services.post(caller, f"/routing-rules/{segment(rule_id)}", method="DELETE")
    except Refused as refused:
        return await _rules(site, visitor, form=Form.refused("gone", {}, refused, said=gettext("The rule stays.")))
    return go("/desk/admin/routing")


def rule_of(form: dict[str, str]) -> dict[str, Any]:
    """Return the rule somebody typed: lists with commas, an empty one matches anything."""
    position = form.get("position", "").strip()
    lists = {name: [one.strip() for one in form.get(name, "").split(",") if one.strip()] for name in LISTS}
    given = int(position) if position.isascii() and position.isdecimal() else 0
    return {**lists, "position": given, "queue": form.get("queue", "")}


def _plain(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if name not in ("id", "warnings")}


async def _rules(
    site: Site,
    visitor: Visitor,
    *,
    form: Form | None = None,
    trial: dict[str, Any] | None = None,
    warnings: list[str] | None = None,
) -> Response:
    caller, form = need_staff(visitor), form or Form()
    found, clients, side = await site.parts(
        site.services.get(caller, "/routing-rules"),
        site.services.get(caller, "/clients", limit=200),
        nav(site, visitor),
    )
    return site.page(
        "desk/routing.html",
        visitor=visitor,
        title=gettext("Routing"),
        status=form.status,
        found=found,
        clients=[] if isinstance(clients, Failed) else [(one["id"], one["name"]) for one in clients["items"]],
        may_change=caller.has_role(*DISPATCH),
        trial=trial,
        days=DAYS,
        warnings=warnings or [],
        f=form,
        form_key=str(new_id()),
        **side,
    )
