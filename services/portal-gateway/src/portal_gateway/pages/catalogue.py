"""What contracts are made of: job types and levels, and rate cards. Calendars have a module of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from msp_events.base import LEVELS, RATE_CONDITIONS
from msp_kernel.ids import new_id
from portal_gateway.language import gettext, mark, spoken
from portal_gateway.pages import shown
from portal_gateway.pages.amounts import price
from portal_gateway.pages.desk import nav
from portal_gateway.pages.drafts import boxes_of
from portal_gateway.pages.forms import Form
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment

router = APIRouter(prefix="/desk/admin")
KEEPERS = ("manager", "finance", "admin")
TABS = {
    "calendars": mark("Calendars"),
    "job-types": mark("Job types and levels"),
    "rate-cards": mark("Rate cards"),
}
LEVEL_WORDS = {
    "L1": mark("First line: takes every ticket, solves what is known"),
    "L2": mark("Second line: what needs more time or rights"),
    "L3": mark("Specialists and suppliers"),
    "SA": mark("Solution architects: design, projects, advice"),
}
PARTS = ("rates", "overage_rates")
KEYS = ("job_type", "level", "condition")
ROWS_MAX, ROWS_SPARE = 40, 4
NOT_SAVED = mark("Nothing was saved.")
PLACES = {"job-type-code-taken": "code", "ambiguous-rates": "rates"}


async def catalogue_page(
    site: Site, visitor: Visitor, template: str, tab: str, *, title: str, form: Form | None = None, **context: Any
) -> Response:
    """Show a page of the catalogue, with its form as it was typed and why it was not taken."""
    form = form or Form()
    return site.page(
        template,
        visitor=visitor,
        title=title,
        status=form.status,
        tab=tab,
        tabs=list(spoken(TABS).items()),
        form=form,
        key=str(new_id()),
        **context,
        **await nav(site, visitor),
    )


# ---- job types and levels ------------------------------------------------------------------------------------------


@page_route(router, "/job-types")
async def job_types(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the job type categories, and the levels."""
    return await _job_types(site, visitor, Form())


@page_route(router, "/job-types", "POST")
async def save_job_type(request: Request, site: Site, visitor: Visitor) -> Response:
    """Add a job type, or change one."""
    caller = need_staff(visitor, *KEEPERS)
    form = await form_of(request, visitor)
    body: dict[str, Any] = {"name": form.get("name", "").strip(), "is_billable": form.get("is_billable") == "yes"}
    try:
        if form.get("id"):
            path, revision = f"/job-types/{segment(form['id'])}", form.get("revision")
            await site.services.post(caller, path, body, method="PATCH", revision=revision)
        else:
            body["code"] = form.get("code", "").strip()
            await site.services.post(caller, "/job-types", body, key=form.get("key") or None)
    except Refused as refused:
        of = form.get("id") or "new"
        return await _job_types(site, visitor, Form.refused(of, form, refused, said=gettext(NOT_SAVED), places=PLACES))
    return go("/desk/admin/job-types")


async def _job_types(site: Site, visitor: Visitor, form: Form) -> Response:
    caller = need_staff(visitor, *KEEPERS)
    found = await site.part(site.services.get(caller, "/job-types", limit=200))
    return await catalogue_page(
        site,
        visitor,
        "desk/job_types.html",
        "job-types",
        title=gettext("Job types and levels"),
        form=form,
        found=found,
        levels=spoken(LEVEL_WORDS),
    )


# ---- rate cards ----------------------------------------------------------------------------------------------------


@page_route(router, "/rate-cards")
async def rate_cards(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the newest version of every rate card."""
    caller = need_staff(visitor, *KEEPERS)
    found = await site.part(site.services.get(caller, "/rate-cards", limit=200))
    return await catalogue_page(
        site, visitor, "desk/rate_cards.html", "rate-cards", title=gettext("Rate cards"), found=found
    )


@page_route(router, "/rate-cards/new")
async def new_rate_card(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the form of a new rate card."""
    return await _rate_card(site, visitor, [], Form())


@page_route(router, "/rate-cards/new", "POST")
async def add_rate_card(request: Request, site: Site, visitor: Visitor) -> Response:
    """Save a rate card."""
    caller = need_staff(visitor, *KEEPERS)
    form = await form_of(request, visitor)
    body, places = _card(form, currency=form.get("currency", "").strip().upper(), known=None)
    try:
        made = await site.services.post(caller, "/rate-cards", body, key=form.get("key") or None)
    except Refused as refused:
        return await _rate_card(site, visitor, [], _not_saved(form, refused, places))
    return go(f"/desk/admin/rate-cards/{segment(made['id'])}")


@page_route(router, "/rate-cards/{card_id}")
async def rate_card(request: Request, site: Site, visitor: Visitor, card_id: str) -> Response:
    """Show a rate card with its versions, and the form of the next one."""
    versions = await _versions(site, visitor, card_id)
    form = Form(values=_filled(versions[-1]))
    return await _rate_card(site, visitor, versions, form, looked_at=request.query_params.get("version", ""))


@page_route(router, "/rate-cards/{card_id}", "POST")
async def add_version(request: Request, site: Site, visitor: Visitor, card_id: str) -> Response:
    """Save a new version of a rate card."""
    caller = need_staff(visitor, *KEEPERS)
    form = await form_of(request, visitor)
    versions = await _versions(site, visitor, card_id)
    body, places = _card(form, currency=versions[-1]["currency"], known=versions[-1])
    path = f"/rate-cards/{segment(card_id)}/versions"
    try:
        await site.services.post(caller, path, body, key=form.get("key") or None)
    except Refused as refused:
        return await _rate_card(site, visitor, versions, _not_saved(form, refused, places))
    return go(f"/desk/admin/rate-cards/{segment(card_id)}")


async def _versions(site: Site, visitor: Visitor, card_id: str) -> list[dict[str, Any]]:
    found = await site.services.get(need_staff(visitor, *KEEPERS), f"/rate-cards/{segment(card_id)}/versions")
    versions: list[dict[str, Any]] = found["items"]
    return versions


def _not_saved(typed: dict[str, str], refused: Refused, places: dict[str, str]) -> Form:
    return Form.refused("card", typed, refused, said=gettext(NOT_SAVED), places={**places, **PLACES})


async def _rate_card(
    site: Site, visitor: Visitor, versions: list[dict[str, Any]], form: Form, *, looked_at: str = ""
) -> Response:
    caller = need_staff(visitor, *KEEPERS)
    card = versions[-1] if versions else None
    earlier = versions[-2:-7:-1]
    newest = earlier[0]["version"] if earlier else None
    job_types = await site.part(site.services.get(caller, "/job-types", limit=200))
    return await catalogue_page(
        site,
        visitor,
        "desk/rate_card.html",
        "rate-cards",
        title=card["name"] if card else gettext("New rate card"),
        form=form,
        card=card,
        earlier=earlier,
        looked_at=next((one["version"] for one in earlier if str(one["version"]) == looked_at), newest),
        is_long=card is not None and any(len(card[part]) > ROWS_MAX for part in PARTS),
        rows={part: range(_rows(form.values, part) + ROWS_SPARE) for part in PARTS},
        job_types=[] if isinstance(job_types, Failed) else boxes_of(job_types),
        levels=LEVELS,
        conditions=[(one, shown.word(one)) for one in RATE_CONDITIONS],
    )


def _rows(form: Mapping[str, str], part: str) -> int:
    """Return how many rows of a part of the form hold anything, up to the last one that does."""
    used = [n for n in range(ROWS_MAX + ROWS_SPARE) if any(form.get(f"{part}-{n}-{key}") for key in (*KEYS, "price"))]
    return min(max(used, default=-1) + 1, ROWS_MAX)


def _filled(card: dict[str, Any]) -> dict[str, str]:
    """Return a rate card as the form takes it."""
    filled = {"name": card["name"]}
    for part in PARTS:
        for n, rate in enumerate(card[part][:ROWS_MAX]):
            filled |= {f"{part}-{n}-{key}": rate[key] or "" for key in KEYS}
            filled[f"{part}-{n}-price"] = shown.plain(rate["rate_minor"], card["currency"])
    return filled


def _card(
    form: dict[str, str], *, currency: str, known: dict[str, Any] | None
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the rate card a form describes, and the row of each of its rates; a rate that stays keeps its rule."""
    body: dict[str, Any] = {"name": form.get("name", "").strip(), "currency": currency}
    places = {}
    for part in PARTS:
        rules = {tuple(one[key] for key in KEYS): one["rule_id"] for one in (known or {}).get(part, ())}
        rates: list[dict[str, Any]] = []
        for n in range(ROWS_MAX + ROWS_SPARE):
            row = {key: form.get(f"{part}-{n}-{key}", "").strip() for key in (*KEYS, "price")}
            if any(row.values()):
                keys = tuple(row[key] or None for key in KEYS)
                places[f"{part}/{len(rates)}"] = f"{part}-{n}"
                rate_minor = price(row["price"], currency)
                rates.append(
                    {**dict(zip(KEYS, keys, strict=True)), "rule_id": rules.get(keys), "rate_minor": rate_minor}
                )
        body[part] = rates
    return body, places
