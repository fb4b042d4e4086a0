"""Where minutes went and what clients are worth, over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from billing.endpoints.who import BILLERS, READERS
from billing.reports import explain, health as financial
from billing.schemas.ids import ClientId, TimeEntryId
from billing.schemas.invoices import ClientHealthView, CoverageView, HealthView, WhereaboutsView
from msp_kit.api import Tx, guarded_router
from msp_kit.pagination import After, Limit, Page
from msp_kit.problems import NotFound

router: APIRouter = guarded_router(tags=["billing reports"])
From = Annotated[date, Query(alias="from", ge=date(2000, 1, 1))]
To = Annotated[date, Query(alias="to", le=date(2199, 12, 31))]


@router.get("/whereabouts/{time_entry_id}", openapi_extra=READERS)
async def whereabouts(time_entry_id: TimeEntryId, tx: Tx) -> WhereaboutsView:
    """Return where a time entry went: its minutes, its invoice, its lines and its cents."""
    found = await explain.whereabouts(tx, time_entry_id=time_entry_id)
    if found is None:
        raise NotFound
    return WhereaboutsView(**found)


@router.get("/billing-coverage", openapi_extra=READERS)
async def coverage(tx: Tx, client_id: ClientId, from_on: From, to_on: To) -> CoverageView:
    """Return the worked minutes of a client by place; every minute is in exactly one."""
    return CoverageView(**await explain.coverage(tx, client_id=client_id, from_on=from_on, to_on=to_on))


@router.get("/financial-health", openapi_extra=BILLERS)
async def healths(tx: Tx, from_on: From, to_on: To, limit: Limit = 50, after: After = None) -> Page[ClientHealthView]:
    """Return a page of clients by name with their financial health."""
    rows, cursor = await financial.of_all(tx, from_on=from_on, to_on=to_on, limit=limit, after=after)
    return Page[ClientHealthView](items=[ClientHealthView.model_validate(row) for row in rows], next=cursor)


@router.get("/financial-health/{client_id}", openapi_extra=BILLERS)
async def health(client_id: ClientId, tx: Tx, from_on: From, to_on: To) -> Page[HealthView]:
    """Return the financial health of a client, one row for each currency."""
    found = await financial.of_clients(tx, client_ids=[client_id], from_on=from_on, to_on=to_on)
    return Page[HealthView](items=[HealthView(**one) for one in found[client_id]])
