"""Alerts of monitoring systems over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from msp_kit.api import Tx, allows, guarded_router
from msp_kit.problems import NotFound
from tickets.actions import alerting
from tickets.schemas.alerts import HeardView, TellAlert

router: APIRouter = guarded_router(prefix="/alerts", tags=["alerts"])


@router.post("", openapi_extra=allows(staff=()))
async def tell(body: TellAlert, tx: Tx) -> HeardView:
    """Tell an alert: it opens, updates or resolves its ticket, once however often it is told."""
    client_id = body.client_id
    if client_id is None:
        if body.client_code is None:
            raise NotFound
        client_id = await alerting.client_of_code(tx, code=body.client_code)
    return HeardView.model_validate(await alerting.report(tx, body.to_alert(client_id=client_id, now=tx.now)))
