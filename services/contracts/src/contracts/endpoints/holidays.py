"""Public holidays, to look at before a calendar is saved with them."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import StringConstraints

from contracts.actions.public_holidays import public_holidays
from contracts.endpoints.clients import STAFF
from msp_kit.api import View, guarded_router

router = guarded_router(prefix="/calendars/holidays", tags=["calendars"])
ROUTERS = (router,)


class HolidayView(View):
    """A day off, and what it is called there."""

    on: date
    name: str


class HolidaysView(View):
    """The public holidays of a year."""

    country: str
    subdivision: str | None
    year: int
    items: list[HolidayView]


@router.get("", openapi_extra=STAFF)
async def list_holidays(
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")],
    year: Annotated[int, Query(ge=2000, le=2100)],
    subdivision: Annotated[str | None, StringConstraints(pattern=r"^[A-Z0-9-]{1,10}$")] = None,
) -> HolidaysView:
    """List the public holidays of a country or a part of one, such as DE and BY, in a year."""
    found = public_holidays(country, subdivision=subdivision, years=[year])
    items = [HolidayView(on=on, name=name) for on, name in found]
    return HolidaysView(country=country, subdivision=subdivision, year=year, items=items)
