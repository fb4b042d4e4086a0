"""Contracts, their amendments, lots and balances."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import AfterValidator

from contracts.actions import amendments, contracts as actions, terms
from contracts.domain.lint import refusals
from contracts.endpoints.clients import EVERYBODY, MANAGERS, STAFF, ClientNotNamed
from contracts.reports import balances, contracts as reports
from contracts.schemas.contracts import (
    Amendment,
    ClientContractView,
    ContractView,
    DraftChanges,
    End,
    NewContract,
    NewLot,
)
from contracts.schemas.fields import sane_year
from contracts.schemas.hours import BalancesView, BurnView
from contracts.schemas.ids import ClientId, ContractId
from contracts.schemas.terms import ProposalView
from msp_kit import ids
from msp_kit.api import CallerNow, Tx, allows, guarded_router
from msp_kit.pagination import After, Limit, Page, page_of, position
from msp_kit.revisions import IfMatch, tag

router = guarded_router(prefix="/contracts", tags=["contracts"])
ROUTERS = (router,)

_HEAD = {"id", "client_id", "ref", "name", "kind", "starts_on", "ends_on", "currency", "rate_card_id", "priority"}
_OF_DRAFT = {"name", "ends_on", "priority", "rate_card_id"}
_OF_AMENDMENT = {
    *("name", "priority", "rate_card_version", "kind", "currency", "rate_card_id"),
    *("grant_minutes", "grant_price_minor"),
}
_DAYS = {"effective_from", "effective_to", "after_version"}
From = Annotated[date | None, Query(alias="from"), AfterValidator(sane_year)]
To = Annotated[date | None, Query(), AfterValidator(sane_year)]
Shown = ContractView | ClientContractView
FUNDERS = allows(staff=("manager", "finance", "admin"), step_up=True)


@router.post("", status_code=201, openapi_extra=MANAGERS)
async def draft_contract(body: NewContract, tx: Tx) -> ContractView:
    """Draft a contract."""
    head = body.model_dump(include=_HEAD)
    bucket = None if body.bucket is None else body.bucket.model_dump()
    contract_id = await actions.draft(tx, head, _terms(body, exclude={*_HEAD, "bucket"}), bucket)
    return await _linted(tx, contract_id)


@router.patch("/{contract_id}", openapi_extra=MANAGERS)
async def change_draft(contract_id: ContractId, body: DraftChanges, tx: Tx, if_revision: IfMatch) -> ContractView:
    """Change a draft; what is in force is amended instead."""
    changes = _given(body, _OF_DRAFT)
    if "ends_on" in body.model_fields_set:
        changes["ends_on"] = body.ends_on
    await actions.redraft(tx, contract_id, changes, _terms(body, exclude=_OF_DRAFT), if_revision=if_revision)
    return await _linted(tx, contract_id)


@router.get("", openapi_extra=EVERYBODY)
async def list_contracts(
    tx: Tx,
    caller: CallerNow,
    client_id: ClientId | None = None,
    status: Literal["draft", "active", "ended"] | None = None,
    ref: Annotated[str | None, Query(max_length=20)] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[Shown]:
    """List contracts by ref."""
    rows = await reports.contracts_page(
        tx, client_id=client_id, status=status, ref=ref, after=position(after, of=2), limit=limit
    )
    page, following = page_of(rows, limit=limit, key=lambda row: (row["ref"], str(row["id"])))
    return Page(items=[_shown(caller, one) for one in await reports.contract_views(tx, page)], next=following)


@router.get("/current", openapi_extra=EVERYBODY)
async def current_contracts(caller: CallerNow, tx: Tx, client_id: ClientId | None = None) -> Page[Shown]:
    """List a client's contracts that are in force today."""
    wanted = caller.client_id or client_id
    if wanted is None:
        raise ClientNotNamed("client_id is missing")
    return Page(items=[_shown(caller, one) for one in await reports.current_contracts(tx, wanted)])


@router.get("/balances", openapi_extra=STAFF)
async def list_balances(tx: Tx, limit: Limit = 200) -> BalancesView:
    """List the balances of all contracts with a bucket, soonest empty first."""
    return BalancesView.model_validate({"items": await balances.balances(tx, limit=limit)})


@router.get("/{contract_id}", openapi_extra=EVERYBODY)
async def read_contract(contract_id: ContractId, caller: CallerNow, tx: Tx, response: Response) -> Shown:
    """Read one contract."""
    found = await reports.contract_view(tx, contract_id)
    tag(response, found["revision"])
    return _shown(caller, found)


@router.post("/{contract_id}/activate", openapi_extra=MANAGERS)
async def activate_contract(contract_id: ContractId, tx: Tx) -> ContractView:
    """Bring a draft into force."""
    await actions.activate(tx, contract_id)
    return await _linted(tx, contract_id)


@router.post("/{contract_id}/amend/preview", openapi_extra=MANAGERS)
async def preview_amendment(contract_id: ContractId, body: Amendment, tx: Tx) -> ProposalView:
    """Say what an amendment would change and what speaks against it; nothing is saved."""
    found = await amendments.proposed(tx, contract_id, *_amendment(body), **_days(body))
    is_held = all(one.is_passed for one in found.outcomes)
    document = {
        "contract_id": contract_id,
        **found.version,
        "changes": found.changes,
        "lint": found.findings,
        "tests": found.outcomes,
        "is_refused": bool(refusals(found.findings)) or not is_held,
    }
    return ProposalView.model_validate(document)


@router.post("/{contract_id}/amend", openapi_extra=MANAGERS)
async def amend_contract(contract_id: ContractId, body: Amendment, tx: Tx) -> ContractView:
    """Add a version that changes some terms from a day on."""
    await amendments.amend(tx, contract_id, *_amendment(body), **_days(body))
    return await _linted(tx, contract_id)


@router.post("/{contract_id}/end", openapi_extra=MANAGERS)
async def end_contract(contract_id: ContractId, body: End, tx: Tx) -> ContractView:
    """End a contract."""
    await actions.end(tx, contract_id, ends_on=body.ends_on)
    return await _view(tx, contract_id)


@router.post("/{contract_id}/lots", status_code=201, openapi_extra=FUNDERS)
async def top_up(contract_id: ContractId, body: NewLot, tx: Tx) -> ContractView:
    """Fund a bucket with another lot."""
    await actions.top_up(tx, contract_id, body.model_dump())
    return await _view(tx, contract_id)


@router.get("/{contract_id}/burn", openapi_extra=EVERYBODY)
async def read_burn(contract_id: ContractId, tx: Tx, starts_on: From = None, to: To = None) -> BurnView:
    """Read how the bucket was used up, day by day; ``to`` is exclusive."""
    return BurnView.model_validate(await balances.burn(tx, contract_id, starts_on=starts_on, ends_on=to))


def _terms(body: Any, *, exclude: set[str]) -> dict[str, Any]:
    """Return the terms a body gives; what it leaves out, or sets to null, stays as it is."""
    given: dict[str, Any] = ids.stored(body, exclude=exclude, exclude_none=False)
    return {name: value for name, value in given.items() if value is not None}


def _amendment(body: Amendment) -> tuple[dict[str, Any], dict[str, Any]]:
    return _given(body, _OF_AMENDMENT), _terms(body, exclude=_OF_AMENDMENT | _DAYS)


def _days(body: Amendment) -> dict[str, Any]:
    return body.model_dump(include=_DAYS)


def _given(body: Any, names: set[str]) -> dict[str, Any]:
    given: dict[str, Any] = body.model_dump(include=names, exclude_none=True)
    return given


def _shown(caller: CallerNow, found: dict[str, Any]) -> Shown:
    """Return what a caller may see of a contract."""
    view = ContractView if caller.kind == "staff" else ClientContractView
    return view.model_validate(found)


async def _view(tx: Tx, contract_id: UUID) -> ContractView:
    return ContractView.model_validate(await reports.contract_view(tx, contract_id))


async def _linted(tx: Tx, contract_id: UUID) -> ContractView:
    """Return a contract after a change, with what the linter says about it."""
    _, findings = await terms.examined(tx, contract_id)
    return ContractView.model_validate({**await reports.contract_view(tx, contract_id), "lint": findings})
