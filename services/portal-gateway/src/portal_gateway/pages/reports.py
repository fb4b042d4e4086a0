"""What a client company sees of our service, month by month. The client comes from the session, never from the address."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.periods import MONTHS_MAX, DatePeriod, month_of
from msp_kit.identity import Caller
from msp_kit.pdf import PdfResponse
from portal_gateway.documents import service_report
from portal_gateway.documents.service_report import HOURS, TICKETS, MonthOfService, ServiceReport
from portal_gateway.language import gettext
from portal_gateway.pages import shown
from portal_gateway.pages.site import Failed, Site, failure, page_route
from portal_gateway.scope import Visitor, need_client

router = APIRouter(prefix="/portal/reports")
MONTHS = 6
_TOLD = {
    name: getattr(service_report, name)
    for name in ("PRIORITIES", "TICKETS", "HOURS", "PROMISE_TOLD", "WORK_TOLD", "count", "late", "kept")
}
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


@page_route(router, "")
async def kept(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show what was promised, raised, resolved and worked in six months."""
    caller = need_client(visitor)
    found = await _report(site, caller, _last_months(MONTHS))
    return site.page(
        "portal/reports.html",
        visitor=visitor,
        title=gettext("Reports"),
        report=found,
        whole=found.whole,
        **_TOLD,
        first_on=await _first_report_on(site, caller) if found.is_empty else None,
        client_name=await site.client_names(caller.client_id),
    )


@page_route(router, ".pdf")
async def paper(request: Request, site: Site, visitor: Visitor) -> Response:
    """Download the report of six months, or of the one that is named, as PDF: with all of its figures, or not at all."""
    caller = need_client(visitor)
    months = _asked_for(request.query_params.get("month"))
    if months is None:
        return failure(site, visitor, status=HTTPStatus.NOT_FOUND)
    report = await _report(site, caller, months)
    missing = report.missing
    if missing is not None:
        return failure(site, visitor, status=HTTPStatus.SERVICE_UNAVAILABLE, detail=missing.detail)
    client_name = await site.client_names(caller.client_id)
    # Said in the reader's language now; laid out when it is sent, and nothing is held open meanwhile.
    values = service_report.values(replace(report, client_name=client_name or ""), site.look)
    answer = PdfResponse(partial(service_report.render, values), name=f"service-report-{report.name}")
    answer.headers["cache-control"] = "no-store"
    return answer


async def _report(site: Site, caller: Caller, months: Sequence[DatePeriod]) -> ServiceReport:
    """Return the figures of months, the latest first; each part that cannot be had is missing alone."""
    get, today = site.services.get, shown.now().date()
    tomorrow = today + timedelta(days=1)
    whole = DatePeriod(months[-1].starts_on, min(months[0].ends_on, tomorrow))
    span = DatePeriod(months[-1].starts_on, months[0].ends_on)
    promises, tickets, hours, *each = await asyncio.gather(
        site.early(get(caller, "/compliance", **_ends(whole))),
        site.early(get(caller, "/tickets/by-month", **_ends(span))),
        site.early(get(caller, "/hours/by-month", **_ends(span))),
        *(site.early(get(caller, "/compliance", **_ends(one))) for one in months),
    )
    of_tickets, of_hours = _by_month(tickets, TICKETS), _by_month(hours, HOURS)
    lines = [
        MonthOfService(one.starts_on, found, of_tickets.get(one.starts_on), of_hours.get(one.starts_on))
        for one, found in zip(months, each, strict=True)
    ]
    return ServiceReport(
        months=lines, whole=promises, tickets=tickets, hours=hours, is_running=months[0].ends_on > today
    )


def _by_month(found: Any, names: Sequence[str]) -> dict[date, dict[str, int]]:
    if isinstance(found, Failed):
        return {}
    return {date.fromisoformat(one["on"]): {name: one[name] for name in names} for one in found["months"]}


def _ends(period: DatePeriod) -> dict[str, str]:
    return {"from": period.starts_on.isoformat(), "to": period.ends_on.isoformat()}


def _last_months(count: int) -> list[DatePeriod]:
    """Return the last months with this one, the latest first."""
    months = [month_of(shown.now().date())]
    while len(months) < count:
        months.append(month_of(months[-1].starts_on - timedelta(days=1)))
    return months


def _asked_for(text: str | None) -> list[DatePeriod] | None:
    """Return the months of a paper: those of the page, or the one of two years that is named; ``None`` for any other."""
    if not text:
        return _last_months(MONTHS)
    named = _MONTH.fullmatch(text)
    month = month_of(date(int(named[1]), int(named[2]), 1)) if named else None
    return [month] if month in _last_months(MONTHS_MAX) else None


async def _first_report_on(site: Site, caller: Caller) -> date | None:
    """Return from when on there will be figures of a whole month, ``None`` while there is no contract."""
    found = await site.early(site.services.get(caller, "/contracts", status="active", limit=10))
    if isinstance(found, Failed) or not found["items"]:
        return None
    starts_on = min(date.fromisoformat(one["starts_on"]) for one in found["items"])
    return month_of(max(starts_on, shown.now().date())).ends_on
