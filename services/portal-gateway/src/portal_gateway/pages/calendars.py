"""Calendars: a week of opening hours in one zone, holidays a country can fill in, and days with hours of their own."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response

from portal_gateway.language import gettext, mark, spoken
from portal_gateway.pages import shown
from portal_gateway.pages.catalogue import KEEPERS, NOT_SAVED, catalogue_page
from portal_gateway.pages.forms import Form
from portal_gateway.pages.site import Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment
from portal_gateway.words import WEEKDAYS

router = APIRouter(prefix="/desk/admin/calendars")
PLACES = {
    **{f"weekly/{day}": day for day in WEEKDAYS},
    "query/country": "country",
    "query/subdivision": "subdivision",
    "query/year": "years",
}
CODES = {
    "unknown-timezone": "timezone",
    "calendar-without-hours": "mon",
    "bad-day": "holidays",
    "bad-window": "overrides",
    "unknown-holidays": "country",
}
CLOSED = mark("closed")
YEARS_MAX = 5
SHOWN = 40


@page_route(router, "")
async def calendars(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the calendars."""
    caller = need_staff(visitor, *KEEPERS)
    found = await site.part(
        site.services.get(caller, "/calendars", limit=SHOWN, after=request.query_params.get("after"))
    )
    return await catalogue_page(
        site,
        visitor,
        "desk/calendars.html",
        "calendars",
        title=gettext("Calendars"),
        found=found,
        weekdays=spoken(WEEKDAYS),
    )


@page_route(router, "/new")
async def new_calendar(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the form of a new calendar, with usual office hours in it."""
    usual = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-17:00")
    return await _form(site, visitor, None, Form(values={"timezone": "Europe/London", **usual}))


@page_route(router, "/new", "POST")
async def add(request: Request, site: Site, visitor: Visitor) -> Response:
    """Save a calendar, or fill holidays into its form."""
    form = await form_of(request, visitor)
    return await _save(site, visitor, None, form)


@page_route(router, "/{calendar_id}")
async def calendar(_request: Request, site: Site, visitor: Visitor, calendar_id: str) -> Response:
    """Show a calendar in its form."""
    found = await _calendar(site, visitor, calendar_id)
    return await _form(site, visitor, found, Form(values=_filled(found)))


@page_route(router, "/{calendar_id}", "POST")
async def change(request: Request, site: Site, visitor: Visitor, calendar_id: str) -> Response:
    """Change a calendar, or fill holidays into its form."""
    form = await form_of(request, visitor)
    return await _save(site, visitor, await _calendar(site, visitor, calendar_id), form)


async def _calendar(site: Site, visitor: Visitor, calendar_id: str) -> dict[str, Any]:
    caller = need_staff(visitor, *KEEPERS)
    found: dict[str, Any] = await site.services.get(caller, f"/calendars/{segment(calendar_id)}")
    return found


async def _save(site: Site, visitor: Visitor, known: dict[str, Any] | None, form: dict[str, str]) -> Response:
    caller = need_staff(visitor, *KEEPERS)
    try:
        if form.get("intent") == "fill":
            form["holidays"] = await _with_holidays(site, visitor, form)
            return await _form(site, visitor, known, Form(values=form))
        if known is None:
            await site.services.post(caller, "/calendars", _document(form), key=form.get("key") or None)
        else:
            path, revision = f"/calendars/{segment(known['id'])}", form.get("revision")
            await site.services.post(caller, path, _document(form), method="PUT", revision=revision)
    except Refused as refused:
        return await _form(site, visitor, known, _not_saved(form, refused))
    return go("/desk/admin/calendars")


async def _form(site: Site, visitor: Visitor, known: dict[str, Any] | None, form: Form) -> Response:
    need_staff(visitor, *KEEPERS)
    this_year = shown.now().year
    return await catalogue_page(
        site,
        visitor,
        "desk/calendar.html",
        "calendars",
        title=known["name"] if known else gettext("New calendar"),
        form=replace(form, values={"years": f"{this_year}, {this_year + 1}", **form.values}),
        known=known,
        weekdays=spoken(WEEKDAYS),
    )


async def _with_holidays(site: Site, visitor: Visitor, form: dict[str, str]) -> str:
    """Return the holidays of a form with those of a country in some years, each day once and in order."""
    lines = {shown.typed_day(line.split()[0]): line for line in _lines(form, "holidays")}
    place = {"country": form.get("country", "").strip().upper()}
    if form.get("subdivision", "").strip():
        place["subdivision"] = form["subdivision"].strip().upper()
    for year in [one for one in re.split(r"[\s,]+", form.get("years", "")) if one][:YEARS_MAX]:
        found = await site.services.get(visitor.caller, "/calendars/holidays", **place, year=year)
        lines |= {one["on"]: f"{shown.as_typed(one['on'])} {one['name']}" for one in found["items"]}
    return "\n".join(lines[on] for on in sorted(lines))


def _filled(known: dict[str, Any]) -> dict[str, str]:
    """Return a calendar as the form takes it."""
    document = known["calendar"]
    overrides = document["overrides"].items()
    return {
        "name": known["name"],
        "timezone": document["timezone"],
        **{day: _text(document["weekly"].get(day, [])) for day in WEEKDAYS},
        "holidays": "\n".join(shown.as_typed(on) for on in sorted(document["holidays"])),
        "overrides": "\n".join(
            f"{shown.as_typed(on)} {_text(windows) or gettext(CLOSED)}" for on, windows in sorted(overrides)
        ),
    }


def _document(form: dict[str, str]) -> dict[str, Any]:
    """Return the calendar a form describes; after a holiday its line may say what it is called."""
    overrides: dict[str, list[list[str]]] = {}
    for line in _lines(form, "overrides"):
        typed, _, text = line.partition(" ")
        on = shown.typed_day(typed)
        windows, before = _windows(text), overrides.get(on)
        # A day that is said to be closed and open is for the service to refuse.
        is_both = before is not None and bool(before) != bool(windows)
        overrides[on] = [*(before or []), *([[CLOSED]] if is_both else []), *windows]
    return {
        "name": form.get("name", "").strip(),
        "timezone": form.get("timezone", "").strip(),
        "weekly": {day: windows for day in WEEKDAYS if (windows := _windows(form.get(day, "")))},
        "holidays": [shown.typed_day(line.split()[0]) for line in _lines(form, "holidays")],
        "overrides": overrides,
    }


def _windows(text: str) -> list[list[str]]:
    """Return ``09:00-12:00, 13:00-17:00`` as pairs; what is no pair stays one, for the service to say what it wants."""
    if text.strip().lower() in (CLOSED, gettext(CLOSED)):
        return []
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return [[end.strip() for end in re.split("[-–]", part, maxsplit=1)] for part in parts]


def _text(windows: list[list[str]]) -> str:
    return ", ".join("-".join(pair) for pair in windows)


def _lines(form: dict[str, str], name: str) -> list[str]:
    return [line.strip() for line in form.get(name, "").splitlines() if line.strip()]


def _not_saved(typed: dict[str, str], refused: Refused) -> Form:
    """Return what is wrong by field: rules of the calendar name the day they are about, lists the line."""
    codes = dict(CODES)
    detail, code = str(refused.document.get("detail", "")), refused.document.get("code")
    day = detail.removeprefix("weekly/")[:3]
    if code == "bad-window" and day in WEEKDAYS:
        codes["bad-window"] = day
    elif code == "bad-day" and detail.startswith("overrides"):
        codes["bad-day"] = "overrides"
    elif code == "unknown-holidays" and "subdivision" in detail:
        codes["unknown-holidays"] = "subdivision"
    form = Form.refused("calendar", typed, refused, said=gettext(NOT_SAVED), places={**PLACES, **codes})
    for one in refused.document.get("errors") or []:
        name, _, number = one["pointer"].removeprefix("/body/").partition("/")
        lines = _lines(typed, "holidays")
        if name == "holidays" and number.isdecimal() and int(number) < len(lines):
            return replace(form, errors={**form.errors, "holidays": f"{lines[int(number)]}: {one['detail']}"})
    return form
