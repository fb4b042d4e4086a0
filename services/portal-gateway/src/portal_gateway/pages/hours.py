"""The client's hours: where they stand, each deduction of the days that are looked at, and the wish for more of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from msp_kernel.periods import DatePeriod, month_of
from portal_gateway.language import gettext, mark
from portal_gateway.pages import shown
from portal_gateway.pages.forms import Form
from portal_gateway.pages.site import Failed, Site, failure, form_of, go, page_route, statement_file
from portal_gateway.scope import Visitor, need_client
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter(prefix="/portal")
DAYS_SHOWN, MONTHS_MAX = 92, 12
LINES_SHOWN = 60
"""At once; the older ones follow on the next page."""
TOP_UP, TOP_UP_MINUTES_MAX = "top-up", 10_000 * 60
RAISERS = ("requester", "approver", "admin")
"""Who may raise tickets, and so ask for more hours."""
NOT_RAISED = mark("The ticket was not raised.")
WRONG_MONTH = mark("Choose a month, as 2026-10.")
_MONTH = re.compile(r"(2[01][0-9]{2})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Use:
    """What work of one job type took, as the lines of a statement say; ``job_type`` is ``None`` where none is known."""

    job_type: str | None
    used_minutes: int
    """From the bucket, what is on hold included; below zero where corrections gave back more than was taken."""
    beyond_minutes: int
    percent: float
    """Of what all job types took."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A statement in short: the opening balance less ``used_minutes`` plus ``other_minutes`` is the closing balance."""

    used_minutes: int
    held_minutes: int
    other_minutes: int
    """Funded, carried over, adjusted or expired."""
    beyond_minutes: int
    uses: tuple[Use, ...]
    """Job types, the one that took most first."""


@page_route(router, "/hours")
async def hours(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the balance and every deduction of the last days, or of the month that is chosen."""
    asked = request.query_params.get("month")
    month = _month_of(asked)
    if asked and month is None:
        return failure(site, visitor, status=422, detail=gettext(WRONG_MONTH))
    older = request.query_params.get("older", "")
    return await _page(site, visitor, month=month, skipped=int(older) if older.isdecimal() and len(older) < 7 else 0)


async def _page(
    site: Site, visitor: Visitor, *, month: DatePeriod | None = None, skipped: int = 0, form: Form | None = None
) -> Response:
    caller, form = need_client(visitor), form or Form()
    today = shown.now().date()
    days = {"from_": month.starts_on, "to_": month.ends_on} if month else last_days(DAYS_SHOWN)
    parts = await standing(site, visitor, days_shown=DAYS_SHOWN, statement_of=days)
    contract, statement = parts["contract"], parts["statement"]
    is_known = isinstance(contract, dict)
    lines = statement["items"][::-1] if isinstance(statement, dict) else []
    return site.page(
        "portal/hours.html",
        visitor=visitor,
        title=gettext("Hours"),
        status=form.status,
        summary=summary_of(statement) if isinstance(statement, dict) else None,
        lines=lines[skipped : skipped + LINES_SHOWN],
        skipped=skipped,
        older=skipped + LINES_SHOWN if len(lines) > skipped + LINES_SHOWN else None,
        month=month,
        months=months_of(date.fromisoformat(contract["starts_on"]), today) if is_known else [],
        files=f"?from={month.starts_on}&to={month.ends_on - timedelta(days=1)}" if month else "",
        f=form,
        key=str(new_id()),
        may_ask=is_known and has_bucket(contract) and caller.has_role(*RAISERS),
        topics=f"bucket-{contract['id']}" if is_known else "",
        client_name=await site.client_names(caller.client_id),
        **parts,
    )


async def contract_of(site: Site, visitor: Visitor) -> Any:
    """Return the client's current contract, ``None`` while there is none."""
    found = await site.services.get(visitor.caller, "/contracts", status="active", limit=10)
    return found["items"][0] if found["items"] else None


def has_bucket(contract: Mapping[str, Any]) -> bool:
    """Return whether a contract has hours that were paid before they are used."""
    return bool(contract["kind"] != "time_and_materials")


async def standing(
    site: Site, visitor: Visitor, *, days_shown: int, statement_of: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the contract, how its hours stand and until when they last; with ``statement_of`` also these days' lines.

    Each part fails alone, and is ``None`` where there is none.
    """
    contract = await site.part(contract_of(site, visitor))
    balance = burn = forecast = statement = None
    if contract and not isinstance(contract, Failed):
        path, get = f"/contracts/{contract['id']}", site.services.get
        balance, burn, forecast, statement = await site.parts(
            get(visitor.caller, f"{path}/balance"),
            get(visitor.caller, f"{path}/burn", **last_days(days_shown)),
            get(visitor.caller, f"{path}/forecast") if has_bucket(contract) else _nothing(),
            get(visitor.caller, f"{path}/statement", **statement_of) if statement_of else _nothing(),
        )
    return {"contract": contract, "balance": balance, "burn": burn, "forecast": forecast, "statement": statement}


async def _nothing() -> None:
    """Stand in for a part that is not there."""


def summary_of(statement: Mapping[str, Any]) -> Summary:
    """Return a statement in short, and what each job type took: the same lines summed up, corrections and holds, too."""
    worked = [one for one in statement["items"] if one["time_entry_id"]]
    by_kind: dict[str | None, list[Mapping[str, Any]]] = {}
    for one in worked:
        by_kind.setdefault(one["job_type"], []).append(one)
    # What was given back in sum stands with its sign, and has no share.
    whole = sum(max(0, _used(lines)) for lines in by_kind.values())
    uses = [
        Use(
            job_type=kind,
            used_minutes=_used(lines),
            beyond_minutes=_beyond(lines),
            percent=100 * max(0, _used(lines)) / whole if whole else 0.0,
        )
        for kind, lines in by_kind.items()
    ]
    return Summary(
        used_minutes=_used(worked),
        held_minutes=_used([one for one in worked if one["kind"] == "hold"]),
        other_minutes=sum(one["minutes"] for one in statement["items"] if not one["time_entry_id"]),
        beyond_minutes=_beyond(worked),
        uses=tuple(sorted(uses, key=lambda one: (-one.used_minutes, -one.beyond_minutes, one.job_type or ""))),
    )


def _used(lines: Sequence[Mapping[str, Any]]) -> int:
    return -sum(int(one["minutes"]) for one in lines)


def _beyond(lines: Sequence[Mapping[str, Any]]) -> int:
    return sum(int(one["overage_minutes"]) for one in lines)


def months_of(starts_on: date, today: date) -> list[date]:
    """Return the first days of the months since a contract began, newest first, as many as are offered at once."""
    found: list[date] = []
    first = today.replace(day=1)
    while first >= starts_on.replace(day=1) and len(found) < MONTHS_MAX:
        found.append(first)
        first = (first - timedelta(days=1)).replace(day=1)
    return found


def _month_of(text: str | None) -> DatePeriod | None:
    """Return the month of an address, ``None`` for what is none, and for one of a year nobody keeps books of."""
    found = _MONTH.fullmatch(text or "")
    return month_of(date(int(found[1]), int(found[2]), 1)) if found and int(found[1]) < 2199 else None


def last_days(count: int) -> dict[str, str]:
    """Return the days up to and including today, as services take them."""
    today = shown.now().date()
    return {"from_": (today - timedelta(days=count)).isoformat(), "to_": (today + timedelta(days=1)).isoformat()}


@page_route(router, "/hours/top-up", "POST")
async def ask_for_top_up(request: Request, site: Site, visitor: Visitor) -> Response:
    """Ask for more hours: a ticket about it, on the contract they are for."""
    caller = need_client(visitor)
    typed = await form_of(request, visitor)
    minutes = shown.exact_minutes(typed.get("hours", "").strip())
    if not minutes or minutes > TOP_UP_MINUTES_MAX:
        wrong = {"hours": gettext("Hours above zero, as 10, 7.5 or 7:30, at most 10,000.")}
        return await _page(site, visitor, form=_wrong(typed, wrong))
    try:
        contract = await contract_of(site, visitor)
        if contract is None or not has_bucket(contract):
            return failure(site, visitor, status=404)
        wish = await _wish(site, visitor, contract, minutes=minutes, note=typed.get("note", ""))
        if wish is None:
            wrong = {"": gettext("Nothing can be raised on this contract at the moment.")}
            return await _page(site, visitor, form=_wrong(typed, wrong))
        ticket = await site.services.post(caller, "/tickets", wish, key=typed.get("key") or None)
    except (Refused, ServiceAway) as error:
        places = {"title": "hours", "description": "note"}
        return await _page(
            site, visitor, form=Form.refused(TOP_UP, typed, error, said=gettext(NOT_RAISED), places=places)
        )
    return go(f"/portal/tickets/{segment(ticket['ref'])}")


def _wrong(typed: Mapping[str, str], errors: Mapping[str, str]) -> Form:
    return Form.wrong(TOP_UP, typed, errors, said=gettext(NOT_RAISED))


async def _wish(
    site: Site, visitor: Visitor, contract: Mapping[str, Any], *, minutes: int, note: str
) -> dict[str, Any] | None:
    """Return the wish for a ticket about more hours, ``None`` when the contract takes no tickets."""
    offer = await site.services.get(visitor.caller, "/tickets/offer")
    found = next((one for one in offer["contracts"] if one["contract_id"] == contract["id"]), None)
    if found is None or not found["job_types"] or not found["levels"]:
        return None
    wanted = {"hours": shown.hours(minutes), "ref": contract["ref"]}
    return {
        "contract_id": contract["id"],
        "title": gettext("Top-up of %(hours)s wanted for %(ref)s") % wanted,
        "description": note,
        "job_type": found["job_types"][0]["code"],
        # They sort as they rise: L1, L2, L3, SA.
        "level": min(found["levels"]),
        "priority": "low",
        "tags": [TOP_UP],
    }


@page_route(router, "/hours.{form}")
async def hours_file(request: Request, site: Site, visitor: Visitor, form: str) -> Response:
    """Download the statement of the page, or of other days, as a file."""
    need_client(visitor)
    contract = await contract_of(site, visitor)
    if contract is None:
        return failure(site, visitor, status=404)
    return await statement_file(request, site, visitor, f"/contracts/{contract['id']}", form, days=DAYS_SHOWN)
