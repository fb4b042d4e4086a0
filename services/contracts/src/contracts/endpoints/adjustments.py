"""Corrections of lots by two people, and closed periods that are opened again."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from contracts.actions import adjustments as actions, periods as period_actions
from contracts.endpoints.clients import STAFF
from contracts.reports import adjustments as reports
from contracts.schemas.adjustments import AdjustmentView, NewAdjustment, PeriodCloseView, Reopening
from contracts.schemas.ids import AdjustmentId, ClientId, ContractId, PeriodCloseId
from msp_kit.api import Tx, allows, guarded_router
from msp_kit.pagination import Page

router = guarded_router(prefix="/contracts", tags=["contracts"])
periods = guarded_router(prefix="/period-closes", tags=["hours"])
ROUTERS = (router, periods)

FUNDERS = allows(staff=("manager", "finance", "admin"))
ListLimit = Annotated[int, Query(ge=1, le=200)]


@router.post("/{contract_id}/adjustments", status_code=201, openapi_extra=FUNDERS)
async def ask_for_adjustment(contract_id: ContractId, body: NewAdjustment, tx: Tx) -> AdjustmentView:
    """Ask for minutes to be added to a lot, or taken from it; somebody else confirms."""
    adjustment_id = await actions.ask(tx, contract_id, **body.model_dump())
    return AdjustmentView.model_validate(await reports.adjustment(tx, contract_id, adjustment_id))


@router.get("/{contract_id}/adjustments", openapi_extra=STAFF)
async def list_adjustments(contract_id: ContractId, tx: Tx, limit: ListLimit = 50) -> Page[AdjustmentView]:
    """List the adjustments of a contract, newest first."""
    rows = await reports.adjustments(tx, contract_id, limit=limit)
    return Page(items=[AdjustmentView.model_validate(row) for row in rows], next=None)


@router.post("/{contract_id}/adjustments/{adjustment_id}/confirm", openapi_extra=FUNDERS)
async def confirm_adjustment(contract_id: ContractId, adjustment_id: AdjustmentId, tx: Tx) -> AdjustmentView:
    """Confirm what somebody else asked for: it is posted."""
    await actions.confirm(tx, contract_id, adjustment_id)
    return AdjustmentView.model_validate(await reports.adjustment(tx, contract_id, adjustment_id))


@router.post("/{contract_id}/adjustments/{adjustment_id}/decline", openapi_extra=FUNDERS)
async def decline_adjustment(contract_id: ContractId, adjustment_id: AdjustmentId, tx: Tx) -> AdjustmentView:
    """Lay an adjustment aside."""
    await actions.decline(tx, contract_id, adjustment_id)
    return AdjustmentView.model_validate(await reports.adjustment(tx, contract_id, adjustment_id))


@periods.get("", openapi_extra=STAFF)
async def list_period_closes(
    tx: Tx, client_id: Annotated[ClientId, Query()], limit: ListLimit = 50
) -> Page[PeriodCloseView]:
    """List the closed periods of a client, newest first, and those that were opened again."""
    rows = await reports.period_closes(tx, client_id, limit=limit)
    return Page(items=[PeriodCloseView.model_validate(row) for row in rows], next=None)


@periods.post("/{period_close_id}/reopen", openapi_extra=FUNDERS)
async def reopen_period(period_close_id: PeriodCloseId, body: Reopening, tx: Tx) -> PeriodCloseView:
    """Open the last closed period of a client again, before its invoice is issued."""
    await period_actions.reopen(tx, period_close_id, reason=body.reason)
    return PeriodCloseView.model_validate(await reports.period_close(tx, period_close_id))
