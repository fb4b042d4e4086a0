"""What if other hours, targets or flags had been promised: the clocks of a period replayed, nothing changed.

Everything asked is in the address, so that an answer can be sent to a colleague.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from msp_kit.export import CsvResponse
from portal_gateway.language import gettext, mark, spoken
from portal_gateway.pages import shown
from portal_gateway.pages.desk import nav
from portal_gateway.pages.site import HEADERS, Failed, Site, page_route
from portal_gateway.pages.sla import CHOICES_MAX, DAYS, MANAGERS, OUTCOMES, all_of, days_of
from portal_gateway.prose import refusal
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment
from portal_gateway.words import WEEKDAYS

router = APIRouter(prefix="/desk/sla/what-if")
FLAGS = ("after_hours", "weekends", "holidays")
FLAG_WORDS = {"after_hours": mark("After hours"), "weekends": mark("Weekends"), "holidays": mark("Holidays")}
DAY_CODES = tuple(WEEKDAYS)
OWN_HOURS = "own"
ANY = "-"
SHOWN_MAX = 100
KEYS = ("metric", "priority", "level", "job_type")


class NotUnderstood(Exception):
    """A field of the form is not what it asks for."""


class ChangedRow(BaseModel):
    """A clock that would count otherwise, as a row of a file."""

    ticket: str
    client: str
    promise: str
    outcome_before: str
    outcome_after: str
    target_minutes_before: int
    target_minutes_after: int | None
    used_minutes_before: int
    used_minutes_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the form can choose from; empty where the contracts service is away."""

    clients: list[dict[str, Any]]
    contracts: list[dict[str, Any]]
    calendars: list[dict[str, Any]]
    contract: dict[str, Any] | None

    @property
    def names(self) -> dict[str, str]:
        """Return client names by id."""
        return {one["id"]: one["name"] for one in self.clients}

    @property
    def targets(self) -> list[dict[str, Any]]:
        """Return the targets of the chosen contract; without one, a line for each promise and priority, without a target."""
        if self.contract is not None:
            return list(self.contract["targets"])
        none = dict.fromkeys(FLAGS, False) | {"level": None, "job_type": None, "budget_minutes": None}
        return [
            {"metric": metric, "priority": priority, **none}
            for metric in shown.METRIC
            for priority in ("critical", "high", "medium", "low")
        ]

    @property
    def calendar(self) -> dict[str, Any]:
        """Return the hours to begin with: of the contract, or else of the first calendar."""
        if self.contract is not None:
            return dict(self.contract["calendar"])
        if self.calendars:
            return dict(self.calendars[0]["calendar"])
        return {"timezone": "Europe/London", "weekly": {}, "holidays": [], "overrides": {}}


@page_route(router, "")
async def what_if(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the form, and what the change would have done once it is asked for."""
    caller = need_staff(visitor, *MANAGERS)
    known = await _known(site, visitor, request.query_params)
    found, problem = None, ""
    if request.query_params.get("run"):
        try:
            found = await site.part(site.services.post(caller, "/what-if", _body(request, known)))
        except NotUnderstood as error:
            problem = refusal(str(error))
        if isinstance(found, Failed) and not found.service:
            problem, found = found.detail, None
    side = await nav(site, visitor)
    return site.page(
        "desk/what_if.html",
        visitor=visitor,
        title=gettext("SLA what-if"),
        status=422 if problem else 200,
        known=known,
        choices_max=CHOICES_MAX,
        asked={**days_of(request), **request.query_params},
        rows=_rows(_written_targets(request.query_params), known),
        weekly=_weekly_texts(request.query_params if request.query_params.get("run") else {}, known),
        day_codes=[(code, gettext(day)) for code, day in zip(DAY_CODES, DAYS, strict=True)],
        flag_words=spoken(FLAG_WORDS),
        outcomes=spoken(OUTCOMES),
        found=found,
        shown_max=SHOWN_MAX,
        problem=problem,
        csv=f"/desk/sla/what-if/changed.csv?{urlencode(list(request.query_params.multi_items()))}",
        **side,
    )


@page_route(router, "/changed.csv")
async def changed_csv(request: Request, site: Site, visitor: Visitor) -> Response:
    """Return the clocks that would count otherwise as a file, up to 1,000."""
    caller = need_staff(visitor, *MANAGERS)
    known = await _known(site, visitor, request.query_params)
    try:
        found = await site.services.post(caller, "/what-if", _body(request, known))
    except NotUnderstood as error:
        raise Refused(400, {"detail": refusal(str(error))}) from error
    response = CsvResponse(ChangedRow, [_row(one, known.names) for one in found["changed"]], name="what-if")
    response.headers["cache-control"] = HEADERS["cache-control"]
    return response


async def _known(site: Site, visitor: Visitor, query: Mapping[str, str]) -> Known:
    get, caller = site.services.get, visitor.caller
    clients, contracts, calendars = await site.parts(
        all_of(site, caller, "/clients"), all_of(site, caller, "/contracts"), all_of(site, caller, "/calendars")
    )
    wanted, contract = query.get("contract_id"), None
    items = [[] if isinstance(one, Failed) else one["items"] for one in (clients, contracts, calendars)]
    if wanted:
        contract = next((one for one in items[1] if one["id"] == wanted), None)
        contract = contract or await get(caller, f"/contracts/{segment(wanted)}")
    return Known(clients=items[0], contracts=items[1], calendars=items[2], contract=contract)


# ---- what is asked ------------------------------------------------------------------------------------------------


def _body(request: Request, known: Known) -> dict[str, Any]:
    """Return the question for the sla service; what is as it was is left out.

    Raises:
        NotUnderstood: a field is not what the form asks for.
    """
    query = request.query_params
    body: dict[str, Any] = {**days_of(request)}
    body |= {name: query[name] for name in ("client_id", "contract_id") if query.get(name)}
    hours = query.get("calendar", "")
    if hours == OWN_HOURS:
        body["calendar"] = _own_hours(query, known)
    elif hours:
        chosen = next((one for one in known.calendars if one["id"] == hours), None)
        if chosen is None:
            raise NotUnderstood(gettext("There is no such calendar. Choose one of the list."))
        body["calendar"] = chosen["calendar"]
    if query.get("flags") == "all":
        body["flags"] = {name: name in query for name in FLAGS}
    targets = _targets(_written_targets(query), known)
    if targets is not None:
        body["targets"] = targets
    return body


def _own_hours(query: Mapping[str, str], known: Known) -> dict[str, Any]:
    weekly = {}
    for code, day in zip(DAY_CODES, DAYS, strict=True):
        windows = [one.strip() for one in query.get(code, "").replace("\N{EN DASH}", "-").split(",") if one.strip()]
        pairs = [[end.strip() for end in window.split("-")] for window in windows]
        if any(len(pair) != 2 for pair in pairs):
            raise NotUnderstood(
                gettext("Write the hours of %(day)s as 09:00-12:30, 13:30-17:00; leave a closed day empty.")
                % {"day": gettext(day)}
            )
        if pairs:
            weekly[code] = pairs
    return {**known.calendar, "weekly": weekly}


def name_of(target: Mapping[str, Any]) -> str:
    """Return the field of a target: ``t.resolution.high.-.-``."""
    return ".".join(["t", *(target.get(key) or ANY for key in KEYS)])


def _written_targets(query: Mapping[str, str]) -> Mapping[str, str]:
    """Return the fields that hold targets: none while a contract is only loaded, or when they are those of another one."""
    wanted = query.get("contract_id", "")
    return query if query.get("run") and query.get("targets_of", wanted) == wanted else {}


def _targets(query: Mapping[str, str], known: Known) -> list[dict[str, Any]] | None:
    """Return every target when any of them differs, ``None`` when all are as they were."""
    made, is_changed = [], False
    for target in known.targets:
        minutes = _minutes(query.get(name_of(target)), target)
        is_changed = is_changed or minutes != target["budget_minutes"]
        made.append({**{name: target[name] for name in (*KEYS, *FLAGS)}, "budget_minutes": minutes})
    return made if is_changed else None


def _minutes(text: str | None, target: Mapping[str, Any]) -> int | None:
    if text is None:
        minutes: int | None = target["budget_minutes"]
        return minutes
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 7 and int(text)):
        raise NotUnderstood(
            gettext("Write targets in whole minutes of at least 1; leave a line empty to promise nothing there.")
        )
    return int(text)


# ---- what is shown ------------------------------------------------------------------------------------------------


def _rows(query: Mapping[str, str], known: Known) -> list[dict[str, Any]]:
    return [
        {
            "name": name_of(target),
            "promise": shown.word(target["metric"]),
            "for": ", ".join(target[key] for key in KEYS[1:] if target.get(key)) or gettext("every ticket"),
            "flags": [shown.inside(gettext(FLAG_WORDS[name])) for name in FLAGS if target[name]],
            "now": target["budget_minutes"],
            "value": query.get(name_of(target), target["budget_minutes"] or ""),
        }
        for target in known.targets
    ]


def _weekly_texts(query: Mapping[str, str], known: Known) -> dict[str, str]:
    weekly = known.calendar["weekly"]
    return {code: query.get(code, ", ".join("-".join(window) for window in weekly.get(code, ()))) for code in DAY_CODES}


def _row(one: Mapping[str, Any], names: Mapping[str, str]) -> ChangedRow:
    after = one["consumed_seconds_after"]
    return ChangedRow(
        ticket=one["ticket_ref"],
        client=names.get(one["client_id"], one["client_id"]),
        promise=shown.word(one["metric"]),
        outcome_before=one["outcome_before"] or gettext("does not count"),
        outcome_after=one["outcome_after"] or gettext("does not count"),
        target_minutes_before=one["budget_minutes_before"],
        target_minutes_after=one["budget_minutes_after"],
        used_minutes_before=one["consumed_seconds_before"] // 60,
        used_minutes_after=None if after is None else after // 60,
    )
