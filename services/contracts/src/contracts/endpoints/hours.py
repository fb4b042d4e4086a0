"""What became of the work that was logged."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime

from contracts.endpoints.clients import EVERYBODY, STAFF
from contracts.reports import hours as reports
from contracts.schemas.fields import sane_year
from contracts.schemas.hours import HoursByMonthView, HoursTotalsView, HoursView
from contracts.schemas.ids import ClientId, ContractId, TimeEntryId
from msp_kernel.periods import midnight
from msp_kit.api import CallerNow, Tx, guarded_router
from msp_kit.pagination import After, Limit, Page, page_of, position
from msp_kit.problems import NotFound

router = guarded_router(prefix="/hours", tags=["hours"])
ROUTERS = (router,)

FromAt = Annotated[date | AwareDatetime | None, Query(alias="from"), AfterValidator(sane_year)]
ToAt = Annotated[date | AwareDatetime | None, Query(), AfterValidator(sane_year)]
FromDay = Annotated[date | None, Query(alias="from"), AfterValidator(sane_year)]
FirstDay = Annotated[date, Query(alias="from"), AfterValidator(sane_year)]
LastDay = Annotated[date, Query(), AfterValidator(sane_year)]
ToDay = Annotated[date | None, Query(), AfterValidator(sane_year)]


@router.get("/totals", openapi_extra=STAFF)
async def read_totals(
    tx: Tx, client_id: ClientId | None = None, starts_on: FromDay = None, to: ToDay = None
) -> HoursTotalsView:
    """Read the control totals of hours in the ledger; days are the client's, ``to`` is exclusive."""
    found = await reports.totals(tx, client_id=client_id, starts_on=starts_on, ends_on=to)
    return HoursTotalsView.model_validate(found)


@router.get("/by-month", openapi_extra=EVERYBODY)
async def read_by_month(
    caller: CallerNow, tx: Tx, starts_on: FirstDay, to: LastDay, client_id: ClientId | None = None
) -> HoursByMonthView:
    """Read what was worked for a client in each month of its time zone, over all contracts; ``to`` is exclusive."""
    wanted = caller.client_id or client_id
    if wanted is None or client_id not in (None, wanted):
        raise NotFound
    return HoursByMonthView.model_validate(
        await reports.by_month(tx, client_id=wanted, starts_on=starts_on, ends_on=to)
    )


@router.get("/{time_entry_id}", openapi_extra=EVERYBODY)
async def read_hours(time_entry_id: TimeEntryId, tx: Tx) -> HoursView:
    """Read what became of one time entry."""
    return HoursView.model_validate(await reports.hours(tx, time_entry_id))


@router.get("", openapi_extra=EVERYBODY)
async def list_hours(
    tx: Tx,
    contract_id: ContractId | None = None,
    starts_at: FromAt = None,
    to: ToAt = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[HoursView]:
    """List hours by worked instant; days begin in UTC, ``to`` is exclusive."""
    rows = await reports.hours_page(
        tx,
        contract_id=contract_id,
        starts_at=_instant(starts_at),
        ends_at=_instant(to),
        after=position(after, of=2),
        limit=limit,
    )
    page, following = page_of(rows, limit=limit, key=lambda row: (row["worked_from"], str(row["time_entry_id"])))
    return Page(items=[HoursView.model_validate(row) for row in page], next=following)


def _instant(at: date | datetime | None) -> datetime | None:
    return at if at is None or isinstance(at, datetime) else midnight(at, "UTC")
