"""What a client company sees of how promises to it were kept. The client comes from the session, never from the address."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.periods import DatePeriod, month_of
from portal_gateway.language import gettext
from portal_gateway.pages import shown
from portal_gateway.pages.site import Failed, Site, page_route
from portal_gateway.scope import Visitor, need_client

router = APIRouter(prefix="/portal/reports")
MONTHS = 6


@page_route(router, "")
async def kept(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show how the promises of six months were kept, by month, priority and promise."""
    caller = need_client(visitor)
    months = _months()
    whole, *each = await site.parts(
        *(
            site.services.get(
                caller, "/compliance", **{"from": one.starts_on.isoformat(), "to": one.ends_on.isoformat()}
            )
            for one in (DatePeriod(months[-1].starts_on, shown.now().date() + timedelta(days=1)), *months)
        )
    )
    return site.page(
        "portal/reports.html",
        visitor=visitor,
        title=gettext("Reports"),
        whole=whole,
        months=[_line(month, found) for month, found in zip(months, each, strict=True)],
        client_name=await site.client_names(visitor.caller.client_id),
    )


def _months() -> list[DatePeriod]:
    """Return the last months with this one, the latest first."""
    months = [month_of(shown.now().date())]
    while len(months) < MONTHS:
        months.append(month_of(months[-1].starts_on - timedelta(days=1)))
    return months


def _line(month: DatePeriod, found: Any) -> dict[str, Any]:
    if isinstance(found, Failed):
        return {"month": month.starts_on, "found": None, "by": {}}
    by = {one["priority"]: one for one in found["by_priority"]}
    return {"month": month.starts_on, "found": found, "by": by}
