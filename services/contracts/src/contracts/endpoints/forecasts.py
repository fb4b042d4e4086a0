"""When buckets will be empty."""

from __future__ import annotations

from contracts.endpoints.clients import EVERYBODY, STAFF
from contracts.reports import forecasts as reports
from contracts.schemas.forecasts import ForecastBandView, ForecastsView
from contracts.schemas.ids import ContractId
from msp_kit.api import Tx, guarded_router
from msp_kit.pagination import Limit

router = guarded_router(prefix="/contracts", tags=["hours"])
ROUTERS = (router,)


@router.get("/forecasts", openapi_extra=STAFF)
async def list_forecasts(tx: Tx, limit: Limit = 200) -> ForecastsView:
    """List when the buckets of all active contracts will be empty, the first one first."""
    return ForecastsView.model_validate({"items": await reports.forecasts(tx, limit=limit)})


@router.get("/{contract_id}/forecast", openapi_extra=EVERYBODY)
async def read_forecast(contract_id: ContractId, tx: Tx) -> ForecastBandView:
    """Read when a bucket will be empty, day by day, and how often such forecasts held."""
    return ForecastBandView.model_validate(await reports.forecast_of(tx, contract_id))
