"""How promises were kept: every number with the clocks behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from msp_kernel.periods import month_of
from msp_kit.export import CsvResponse
from msp_kit.identity import Caller
from portal_gateway import words
from portal_gateway.language import gettext, mark, spoken
from portal_gateway.pages import shown
from portal_gateway.pages.desk import nav
from portal_gateway.pages.site import HEADERS, Failed, Site, form_of, go, page_route, safe_next
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import segment

router = APIRouter(prefix="/desk/sla")
MANAGERS = ("manager", "admin", "finance", "dispatcher")
WEEKS = 12
ROWS = 22
PARTS_MAX = 5
PAGES_MAX = 10
CHOICES_MAX = 200
DAYS = words.DAYS
BROKEN = ("missed", "open_overdue")
PERIOD = ("from", "to")
WHOLE = ("client_id", "metric")
"""What a whole dashboard can be narrowed to."""
FILTERS = {
    "client_id": mark("Client"),
    "metric": mark("Promise"),
    "outcome": mark("Outcome"),
    "priority": mark("Priority"),
    "level": mark("Level"),
    "job_type": mark("Job type"),
    "queue": mark("Queue"),
    "agent_id": mark("Agent"),
    "weekday": mark("Weekday"),
    "hour": mark("Hour"),
}
"""What the clocks behind a number can be narrowed to."""
OUTCOMES = {"met": mark("Met"), "missed": mark("Missed"), "open_overdue": mark("Open, breached")}
CAUSES = {
    "capacity": mark("Capacity"),
    "waiting-on-vendor": mark("Waiting on vendor"),
    "wrong-priority": mark("Wrong priority"),
    "process": mark("Process"),
    "client": mark("Client"),
    "other": mark("Other"),
}
"""Why a promise was broken, as the sla service knows it."""
JUDGES = ("manager", "admin")
"""Who says why."""
REFUSED = {
    "parked": mark("Needs a person"),
    "retry": mark("Is tried again"),
    "waiting": mark("Waits for an earlier event"),
}
"""What becomes of an event that could not be taken, as the sla service says it."""
KINDS = (
    ("by_priority", "priority"),
    ("by_metric", "metric"),
    ("by_level", "level"),
    ("by_job_type", "job_type"),
    ("by_queue", "queue"),
    ("by_client", "client_id"),
    ("by_agent", "agent_id"),
)
ALWAYS = ("priority", "metric", "client_id")
"""Parts of the page that are always there; one of the others is added when it is asked for, or all of them."""
EVERY_PART = "all"
COUNTS = ("met", "missed", "open_overdue")


class PartRow(BaseModel):
    """One part of compliance as a row of a file."""

    part: str
    name: str
    met: int
    missed: int
    open_overdue: int
    percent: float | None


@page_route(router, "")
async def kept(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show compliance of a period by everything it can be taken apart by."""
    asked = {**days_of(request), **_asked(request, *WHOLE)}
    found, names, side = await _compliance(site, visitor, asked)
    also = request.query_params.get("by", "")
    return site.page(
        "desk/sla.html",
        visitor=visitor,
        title=gettext("SLA compliance"),
        found=found,
        tables=[]
        if isinstance(found, Failed)
        else [one for one in _tables(found, names) if one["field"] in (*ALWAYS, also) or also == EVERY_PART],
        others=[
            (gettext(FILTERS[field]), f"/desk/sla?{urlencode({**asked, 'by': field})}#t-{field}")
            for _, field in KINDS
            if field not in (*ALWAYS, also)
        ],
        is_all=also == EVERY_PART,
        all_link=f"/desk/sla?{urlencode({**asked, 'by': EVERY_PART})}",
        shortened=shortened,
        choices=choices,
        names=names,
        asked=asked,
        periods=_periods(shown.now().date()),
        days=[gettext(day) for day in DAYS],
        link=lambda **more: link({**asked, **more}),
        week=lambda monday, **more: link({**asked, **_week(monday, asked), **more}),
        hour=lambda weekday, hour: link({**asked, "weekday": weekday, "hour": hour, "outcome": list(BROKEN)}),
        csv=f"/desk/sla/parts.csv?{urlencode(asked)}",
        may_judge=any(visitor.caller.has_role(role) for role in JUDGES),
        **side,
    )


@page_route(router, "/parts.csv")
async def parts_csv(request: Request, site: Site, visitor: Visitor) -> Response:
    """Return every table of the page as one file."""
    asked = {**days_of(request), **_asked(request, *WHOLE)}
    caller = need_staff(visitor, *MANAGERS)
    found = await site.services.get(caller, "/compliance", **asked)
    names = await _names(site, visitor)
    whole = {"title": gettext("All"), "rows": [{"name": gettext("All"), **found}]}
    weeks = {"title": gettext("Week"), "rows": [{"name": one["week"], **one} for one in found["by_week"]]}
    rows = [
        PartRow(part=table["title"], name=row["name"], percent=row["percent"], **{name: row[name] for name in COUNTS})
        for table in (whole, *_tables(found, names), weeks)
        for row in table["rows"]
    ]
    response = CsvResponse(PartRow, rows, name=f"sla-{found['from']}-to-{found['to']}")
    response.headers["cache-control"] = HEADERS["cache-control"]
    return response


@page_route(router, "/verdicts")
async def verdicts(request: Request, site: Site, visitor: Visitor) -> Response:
    """List the clocks behind a number."""
    return await _clocks(request, site, visitor, title=gettext("SLA verdicts"), outcomes=tuple(OUTCOMES))


@page_route(router, "/breaches")
async def breaches(request: Request, site: Site, visitor: Visitor) -> Response:
    """List the promises that were not kept: how late, why, and whose they were."""
    return await _clocks(request, site, visitor, title=gettext("SLA breaches"), outcomes=BROKEN)


@page_route(router, "/breaches/{clock_id}/cause", "POST")
async def say_cause(request: Request, site: Site, visitor: Visitor, clock_id: str) -> Response:
    """Say why a promise was broken, and go back to the list."""
    caller = need_staff(visitor, *JUDGES)
    form = await form_of(request, visitor)
    said = {"cause": form.get("cause", ""), "comment": form.get("comment", "")}
    await site.services.post(caller, f"/clocks/{segment(clock_id)}/breach-cause", said)
    return go(safe_next(form.get("next"), "/desk/sla/breaches"))


@page_route(router, "/refusals")
async def refusals(_request: Request, site: Site, visitor: Visitor) -> Response:
    """List the events the SLA engine could not take, each with its reason."""
    caller = need_staff(visitor, *JUDGES)
    found, side = await site.parts(site.services.get(caller, "/sla-refusals"), nav(site, visitor))
    return site.page(
        "desk/sla_refusals.html",
        visitor=visitor,
        title=gettext("SLA events not taken"),
        found=found,
        kinds=spoken(REFUSED),
        **side,
    )


async def _clocks(request: Request, site: Site, visitor: Visitor, *, title: str, outcomes: Sequence[str]) -> Response:
    caller = need_staff(visitor, *MANAGERS)
    days, asked = days_of(request), _asked(request, *FILTERS)
    wanted = [one for one in _list(asked.get("outcome", ())) if one in outcomes]
    query = {**days, **asked, "outcome": wanted or list(outcomes)}
    found, names, side = await site.parts(
        site.services.get(caller, "/verdicts", **query, after=request.query_params.get("after"), limit=ROWS),
        _names(site, visitor),
        nav(site, visitor),
    )
    return site.page(
        "desk/verdicts.html",
        visitor=visitor,
        title=title,
        path=request.url.path,
        found=found,
        names=names,
        choices=choices,
        asked={**days, **asked},
        outcomes={name: gettext(OUTCOMES[name]) for name in outcomes},
        causes=spoken(CAUSES) if outcomes == BROKEN else {},
        may_judge=any(caller.has_role(role) for role in JUDGES),
        here=_here(request),
        saying=request.query_params.get("say"),
        say=lambda clock_id: f"{_here(request, say=clock_id)}#c-{clock_id}",
        chips=_chips({**days, **asked}, names),
        is_first=not request.query_params.get("after"),
        older=lambda after: "?" + urlencode({**days, **asked, "after": after}, doseq=True),
        csv=f"/api/v1/verdicts.csv?{urlencode(query, doseq=True)}",
        **side,
    )


def _here(request: Request, **more: str) -> str:
    """Return the address of the list, with the form of at most one clock open."""
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "say"]
    asked = urlencode([*query, *more.items()])
    return f"{request.url.path}?{asked}" if asked else request.url.path


# ---- what is asked ------------------------------------------------------------------------------------------------


def link(asked: dict[str, Any]) -> str:
    """Return the page of the clocks behind a number: breaches, which are of both outcomes unless told, when only those are asked for."""
    outcomes = set(_list(asked.get("outcome", ())))
    is_broken = bool(outcomes) and outcomes <= set(BROKEN)
    if outcomes == set(BROKEN):
        asked = {name: value for name, value in asked.items() if name != "outcome"}
    return f"/desk/sla/{'breaches' if is_broken else 'verdicts'}?{urlencode(asked, doseq=True)}"


def days_of(request: Request) -> dict[str, str]:
    """Return the period of a request, by default the last twelve weeks with today."""
    until = shown.now().date() + timedelta(days=1)
    days = {"from": (until - timedelta(weeks=WEEKS)).isoformat(), "to": until.isoformat()}
    return days | {name: one for name in PERIOD if (one := request.query_params.get(name))}


def _asked(request: Request, *names: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in names:
        values = [one for one in request.query_params.getlist(name) if one]
        if values:
            found[name] = values if len(values) > 1 else values[0]
    return found


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _periods(today: date) -> list[tuple[str, dict[str, str]]]:
    tomorrow = today + timedelta(days=1)
    this_month = month_of(today)
    last_month = month_of(this_month.starts_on - timedelta(days=1))
    quarter = date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    return [
        (name, {"from": starts_on.isoformat(), "to": ends_on.isoformat()})
        for name, starts_on, ends_on in (
            (gettext("12 weeks"), tomorrow - timedelta(weeks=WEEKS), tomorrow),
            (gettext("4 weeks"), tomorrow - timedelta(weeks=4), tomorrow),
            (gettext("This month"), this_month.starts_on, this_month.ends_on),
            (gettext("Last month"), last_month.starts_on, last_month.ends_on),
            (gettext("This quarter"), quarter, tomorrow),
        )
    ]


def _week(monday: str, asked: dict[str, Any]) -> dict[str, str]:
    """Return the part of a week that lies in the period."""
    ends_on = (date.fromisoformat(monday) + timedelta(days=7)).isoformat()
    return {"from": max(monday, asked["from"]), "to": min(ends_on, asked["to"])}


# ---- what is shown ------------------------------------------------------------------------------------------------


async def _compliance(site: Site, visitor: Visitor, asked: dict[str, Any]) -> tuple[Any, Any, Any]:
    caller = need_staff(visitor, *MANAGERS)
    found, names, side = await site.parts(
        site.services.get(caller, "/compliance", **asked), _names(site, visitor), nav(site, visitor)
    )
    return found, names, side


async def _names(site: Site, visitor: Visitor) -> dict[str, dict[str, str]]:
    """Return the names people know of what compliance is taken apart by; codes where a service is away."""
    get = site.services.get
    clients, agents, queues, job_types = await site.parts(
        all_of(site, visitor.caller, "/clients"),
        get(visitor.caller, "/agents"),
        get(visitor.caller, "/queues"),
        all_of(site, visitor.caller, "/job-types"),
    )
    return {
        "client_id": _by(clients, "id"),
        "agent_id": _by(agents, "id"),
        "queue": _by(queues, "key"),
        "job_type": _by(job_types, "code"),
        "metric": spoken(shown.METRIC),
        "outcome": spoken(OUTCOMES),
        "weekday": {str(number): gettext(day) for number, day in enumerate(DAYS)},
        "hour": {str(hour): f"{hour:02}:00" for hour in range(24)},
        "priority": spoken(shown.PRIORITY),
    }


async def all_of(site: Site, caller: Caller, path: str) -> dict[str, Any]:
    """Return a whole list, page by page; of more than 2,000 the first."""
    found: dict[str, Any] = {"items": [], "next": None}
    for _ in range(PAGES_MAX):
        page = await site.services.get(caller, path, limit=200, after=found["next"])
        found = {"items": [*found["items"], *page["items"]], "next": page["next"]}
        if not page["next"]:
            break
    return found


def choices(names: dict[str, str], chosen: Any) -> dict[str, str]:
    """Return what a drop-down bears, and what is chosen in any case."""
    return {code: name for number, (code, name) in enumerate(names.items()) if number < CHOICES_MAX or code == chosen}


def _by(found: Any, key: str) -> dict[str, str]:
    return {} if isinstance(found, Failed) else {one[key]: one["name"] for one in found["items"]}


def named(names: dict[str, dict[str, str]], field: str, value: str | None) -> str:
    """Return a name, or the code itself where none is known."""
    if value is None or value == "nobody":
        return gettext("Nobody")
    unknown = {"client_id": gettext("A client"), "agent_id": gettext("Somebody")}.get(field, value)
    return names.get(field, {}).get(value, unknown)


def _tables(found: dict[str, Any], names: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    """Return each kind of parts with the names people know and the filter that leads to its clocks."""
    tables: list[dict[str, Any]] = []
    for parts, field in KINDS:
        rows = [
            {**part, "name": named(names, field, part[field]), "only": {field: part[field] or "nobody"}}
            for part in found[parts]
            if any(part[name] for name in COUNTS)
        ]
        if field in ("client_id", "agent_id"):
            rows.sort(key=lambda row: (row["percent"], row["name"]))
        tables.append({"title": gettext(FILTERS[field]), "field": field, "rows": rows})
    return tables


def shortened(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return as many rows as a page bears, and the sum of the others in a last one without links."""
    if len(rows) <= PARTS_MAX + 1:
        return list(rows)
    sums = {name: sum(row[name] for row in rows[PARTS_MAX:]) for name in COUNTS}
    total = sum(sums.values())
    percent = round(100 * sums["met"] / total, 1) if total else None
    rest = {
        **sums,
        "percent": percent,
        "name": gettext("%(number)s others") % {"number": len(rows) - PARTS_MAX},
        "only": None,
    }
    return [*rows[:PARTS_MAX], rest]


def _chips(asked: dict[str, Any], names: dict[str, dict[str, str]]) -> list[dict[str, str]]:
    """Return each filter with its name, and the address without it."""
    return [
        {
            "title": gettext(title),
            "value": gettext(" or ").join(named(names, field, one) for one in _list(asked[field])),
            "without": "?" + urlencode({name: value for name, value in asked.items() if name != field}, doseq=True),
        }
        for field, title in FILTERS.items()
        if field in asked
    ]
