"""The terms of contracts: versions and their differences, the linter, and contract tests."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from contracts.actions import cases as case_actions, terms as actions
from contracts.endpoints.clients import MANAGERS, STAFF
from contracts.reports import cases, versions as reports
from contracts.schemas.ids import ContractId, ContractTestId
from contracts.schemas.terms import (
    CaseBody,
    CasesView,
    CaseView,
    DiffView,
    LintView,
    OutcomesView,
    VersionTermsView,
    VersionView,
)
from msp_kit.api import Tx, guarded_router
from msp_kit.pagination import Page

router = guarded_router(prefix="/contracts/{contract_id}", tags=["terms"])
ROUTERS = (router,)

Number = Annotated[int, Query(ge=1, le=10_000)]
MaybeNumber = Annotated[int | None, Query(ge=1, le=10_000)]


@router.get("/versions", openapi_extra=STAFF)
async def list_versions(contract_id: ContractId, tx: Tx) -> Page[VersionView]:
    """List the versions of a contract, oldest first, with what each changed."""
    rows = await reports.versions(tx, contract_id)
    return Page(items=[VersionView.model_validate(row) for row in rows])


@router.get("/versions/{version}", openapi_extra=STAFF)
async def read_version(contract_id: ContractId, version: int, tx: Tx) -> VersionTermsView:
    """Read the whole terms of one version."""
    return VersionTermsView.model_validate(dict(await reports.version(tx, contract_id, version)))


@router.get("/diff", openapi_extra=STAFF)
async def read_diff(
    contract_id: ContractId, tx: Tx, before: Annotated[int, Query(alias="from", ge=1, le=10_000)], to: Number
) -> DiffView:
    """Say what changed between two versions, in words and as data."""
    return DiffView.model_validate(await reports.diff(tx, contract_id, before=before, after=to))


@router.get("/lint", openapi_extra=STAFF)
async def read_lint(contract_id: ContractId, tx: Tx) -> LintView:
    """Say what the linter thinks of the newest terms."""
    version, findings = await actions.examined(tx, contract_id)
    is_refused = any(one.severity == "refusal" for one in findings)
    return LintView.model_validate(
        {"contract_id": contract_id, "version": version, "is_refused": is_refused, "items": findings}
    )


@router.get("/tests", openapi_extra=STAFF)
async def list_tests(contract_id: ContractId, tx: Tx) -> CasesView:
    """List the tests of a contract by name."""
    return CasesView.model_validate({"items": await cases.of_contract(tx, contract_id)})


@router.post("/tests", status_code=201, openapi_extra=MANAGERS)
async def write_test(contract_id: ContractId, body: CaseBody, tx: Tx) -> CaseView:
    """Add a test; it is run when the contract is activated or amended."""
    return CaseView.model_validate(await case_actions.write(tx, contract_id, body.document()))


@router.post("/tests/run", openapi_extra=STAFF)
async def run_tests(contract_id: ContractId, tx: Tx, version: MaybeNumber = None) -> OutcomesView:
    """Run the tests of a contract on its newest version, or on the one named."""
    number, outcomes = await actions.tried_on(tx, contract_id, version=version)
    is_passed = all(one.is_passed for one in outcomes)
    return OutcomesView.model_validate(
        {"contract_id": contract_id, "version": number, "is_passed": is_passed, "items": outcomes}
    )


@router.put("/tests/{test_id}", openapi_extra=MANAGERS)
async def rewrite_test(contract_id: ContractId, test_id: ContractTestId, body: CaseBody, tx: Tx) -> CaseView:
    """Replace a test."""
    return CaseView.model_validate(await case_actions.rewrite(tx, contract_id, test_id, body.document()))


@router.delete("/tests/{test_id}", status_code=204, openapi_extra=MANAGERS)
async def remove_test(contract_id: ContractId, test_id: ContractTestId, tx: Tx) -> None:
    """Remove a test."""
    await case_actions.remove(tx, contract_id, test_id)
