"""Time on a ticket: logged by hand or by a timer, and corrected."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from portal_gateway.language import gettext, mark
from portal_gateway.pages import shown
from portal_gateway.pages.desk import refuse, show_ticket
from portal_gateway.pages.site import Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter(prefix="/desk/tickets/{ref}")
SPELLING = mark("Write the duration as 45m, 1h15, 1.25 or 14:00-14:45; 1 minute to 24 hours.")


@page_route(router, "/time", "POST")
async def log_time(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Log time, or show its effect first."""
    form = await form_of(request, visitor)
    if shown.parse_duration(form.get("duration", "")) is None:
        return await show_ticket(site, visitor, ref, form=form, problem=gettext(SPELLING), status=422)
    if form.get("intent") == "preview":
        return await show_ticket(site, visitor, ref, form=form)
    found = await site.services.get(need_staff(visitor), f"/tickets/{segment(ref)}")
    body = {
        "ticket_id": found["id"],
        "time": form["duration"],
        "job_type": form.get("job_type") or None,
        "level": form.get("level") or None,
        "note": form.get("note", ""),
        "internal_note": form.get("internal_note", ""),
    }
    return await _done(site, visitor, ref, "/time-entries", body, form=form, prefix=gettext("Time was not logged."))


@page_route(router, "/timer", "POST")
async def timer(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Start the visitor's timer here, stop it and log what it shows, or forget it."""
    form = await form_of(request, visitor)
    path, prefix = "/time-entries/timer", gettext("The timer was not changed.")
    what = form.get("what", "start")
    if what == "start":
        found = await site.services.get(need_staff(visitor), f"/tickets/{segment(ref)}")
        return await _done(site, visitor, ref, path, {"ticket_id": found["id"]}, form=form, prefix=prefix)
    if what == "stop":
        body = {"note": form.get("timer_note") or None}
        return await _done(site, visitor, ref, f"{path}/stop", body, form=form, prefix=prefix)
    return await _done(site, visitor, ref, path, {}, form=form, prefix=prefix, method="DELETE")


@page_route(router, "/time/{entry_id}/correct", "POST")
async def correct(request: Request, site: Site, visitor: Visitor, ref: str, entry_id: str) -> Response:
    """Log a new entry in the place of one that was wrong."""
    form = await form_of(request, visitor)
    body: dict[str, Any] = {"reason": form.get("correct_reason", "")}
    if form.get("correct_time"):
        body["time"] = form["correct_time"]
    if form.get("correct_note"):
        body["note"] = form["correct_note"]
    path = f"/time-entries/{segment(entry_id)}/correct"
    return await _done(site, visitor, ref, path, body, form=form, prefix=gettext("The entry was not corrected."))


async def _done(
    site: Site,
    visitor: Visitor,
    ref: str,
    path: str,
    body: dict[str, Any],
    *,
    form: dict[str, str],
    prefix: str,
    method: str = "POST",
) -> Response:
    try:
        done = await site.services.post(need_staff(visitor), path, body, key=form.get("key") or None, method=method)
    except (Refused, ServiceAway) as error:
        return await refuse(site, visitor, ref, error, form=form, prefix=prefix)
    # Sent again by a reload, the form has the same key: nothing is logged twice.
    warnings = (done or {}).get("warnings")
    if warnings:
        return await show_ticket(site, visitor, ref, warnings=warnings)
    return go(f"/desk/tickets/{segment(ref)}")
