"""Every client at once: the managers' page, and the one on the wall."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request, Response

from msp_kernel.periods import month_of
from portal_gateway.language import gettext
from portal_gateway.pages import shown
from portal_gateway.pages.clocks import escalates
from portal_gateway.pages.desk import nav
from portal_gateway.pages.site import Failed, Site, page_route
from portal_gateway.pages.sla import BROKEN, DAYS, WEEKS, all_of, link
from portal_gateway.scope import Visitor, need_staff

router = APIRouter(prefix="/desk")
MANAGERS = ("manager", "admin", "finance", "dispatcher")


@page_route(router, "/ops")
async def operations(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show every client at once; each card fails alone. With ``wall=1`` for a screen on the wall: large, and no money."""
    caller = need_staff(visitor, *MANAGERS)
    get = site.services.get
    month = month_of(shown.now().date())
    period = {"from": month.starts_on.isoformat(), "to": month.ends_on.isoformat()}
    until = shown.now().date() + timedelta(days=1)
    lately = {"from": (until - timedelta(weeks=WEEKS)).isoformat(), "to": until.isoformat()}
    risk, kept, weeks, balances, workload, waiting, summary, tickets, clients, side = await site.parts(
        get(caller, "/at-risk", which="running", limit=8),
        get(caller, "/compliance", **period),
        get(caller, "/compliance", **lately),
        get(caller, "/contracts/balances"),
        get(caller, "/workload"),
        get(caller, "/time-entries/waiting"),
        get(caller, "/billing-summary"),
        get(caller, "/tickets", status="open_any", sort="time_left", limit=100),
        all_of(site, caller, "/clients"),
        nav(site, visitor),
    )
    names = {} if isinstance(clients, Failed) else {one["id"]: one["name"] for one in clients["items"]}
    rows = {} if isinstance(tickets, Failed) else {one["id"]: one for one in tickets["items"]}
    return site.page(
        "desk/operations.html",
        visitor=visitor,
        title=gettext("Operations"),
        month=month,
        period=period,
        risk=risk,
        kept=kept,
        weeks=weeks,
        days=[gettext(day) for day in DAYS],
        escalates=escalates,
        link=lambda **more: link({**period, **more}),
        still_open=link({**lately, "outcome": "open_overdue"}),
        broken=lambda **more: link({**lately, **more, "outcome": list(BROKEN)}),
        hour=lambda weekday, at: link({**lately, "weekday": weekday, "hour": at, "outcome": list(BROKEN)}),
        balances=balances,
        workload=workload,
        waiting=waiting,
        summary=summary,
        names=names,
        rows=rows,
        topics="ops",
        wall=request.query_params.get("wall") == "1",
        **side,
    )
