"""The balance of a contract, live and as it was known, and its statements."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Query, Response
from pydantic import AfterValidator, AwareDatetime

from contracts.documents.statement import render
from contracts.endpoints.clients import EVERYBODY
from contracts.reports import balances, statements as reports
from contracts.schemas.fields import sane_year
from contracts.schemas.hours import BalanceAsKnownView, BalanceView, StatementLineView, StatementView
from contracts.schemas.ids import ContractId
from msp_kit.api import Tx, guarded_router
from msp_kit.export import CsvResponse
from msp_kit.pdf import PdfResponse

router = guarded_router(prefix="/contracts", tags=["hours"])
ROUTERS = (router,)


At = Annotated[AwareDatetime | None, Query(), AfterValidator(sane_year)]
From = Annotated[date | None, Query(alias="from"), AfterValidator(sane_year)]
To = Annotated[date | None, Query(), AfterValidator(sane_year)]


@router.get("/{contract_id}/balance", openapi_extra=EVERYBODY)
async def read_balance(
    contract_id: ContractId, tx: Tx, at: At = None, known_at: At = None
) -> BalanceView | BalanceAsKnownView:
    """Read the live balance, or the one of work done by ``at`` as it was known at ``known_at``."""
    if at is None and known_at is None:
        return BalanceView.model_validate(await balances.balance(tx, contract_id))
    found = await reports.balance_as_known(tx, contract_id, at=at, known_at=known_at)
    return BalanceAsKnownView.model_validate(found)


@router.get("/{contract_id}/statement", openapi_extra=EVERYBODY)
async def read_statement(
    contract_id: ContractId, tx: Tx, starts_on: From = None, to: To = None, known_at: At = None
) -> StatementView:
    """Read the lines of a period with the running balance; ``to`` is exclusive."""
    found = await reports.statement(tx, contract_id, starts_on=starts_on, ends_on=to, known_at=known_at)
    return StatementView.model_validate(found)


@router.get("/{contract_id}/statement.csv", openapi_extra=EVERYBODY, response_class=CsvResponse)
async def download_statement(
    contract_id: ContractId, tx: Tx, starts_on: From = None, to: To = None, known_at: At = None
) -> Response:
    """Download the lines of a statement; ``to`` is exclusive."""
    found = await reports.statement(tx, contract_id, starts_on=starts_on, ends_on=to, known_at=known_at)
    lines = [StatementLineView.model_validate(one) for one in found["items"]]
    return CsvResponse(StatementLineView, lines, name=_name(found))


@router.get("/{contract_id}/statement.pdf", openapi_extra=EVERYBODY, response_class=PdfResponse)
async def print_statement(
    contract_id: ContractId, tx: Tx, starts_on: From = None, to: To = None, known_at: At = None
) -> Response:
    """Download a statement as PDF, the same to the byte while nothing is recorded; ``to`` is exclusive."""
    found = await reports.statement(tx, contract_id, starts_on=starts_on, ends_on=to, known_at=known_at)
    return PdfResponse(partial(render, found), name=_name(found))


def _name(found: dict[str, Any]) -> str:
    """Return the name of a file: the contract and the first local day."""
    return f"{found['ref']}-{found['starts_at'].astimezone(ZoneInfo(found['timezone'])):%Y-%m-%d}"
