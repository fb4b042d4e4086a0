"""Writing contract tests, and running them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from contracts.actions.contracts import locked
from contracts.actions.terms import UnknownJobTypes
from contracts.store import cases as store, clients
from contracts.store.rows import Row
from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from msp_kit.problems import NotFound

CASES_MAX = 200


class ContractTestNameTaken(Exception):
    """The contract has a test of this name."""


class TooManyContractTests(Exception):
    """A contract has at most 200 tests: they are run whenever it is amended."""


async def write(tx: Transaction, contract_id: UUID, document: Mapping[str, Any]) -> Row:
    """Add a test to a contract and return it.

    Raises:
        NotFound: there is no such contract.
        UnknownJobTypes: the test speaks of a job type that is not in the catalogue.
        ContractTestNameTaken, TooManyContractTests: why it cannot be added.
    """
    head = await locked(tx, contract_id)
    known = await store.of_contract(tx, contract_id)
    await _refuse_unknown_job_type(tx, document)
    _refuse_taken(known, document["name"])
    if len(known) >= CASES_MAX:
        raise TooManyContractTests(f"{head['ref']} has {len(known)} tests")
    row = {
        "id": new_id(),
        "client_id": head["client_id"],
        "contract_id": contract_id,
        "name": document["name"],
        "document": dict(document),
        "created_at": tx.now,
        "actor": tx.scope.actor,
    }
    await store.insert_case(tx, row)
    return {"id": row["id"], **document}


async def rewrite(tx: Transaction, contract_id: UUID, case_id: UUID, document: Mapping[str, Any]) -> Row:
    """Replace a test and return it.

    Raises:
        NotFound: there is no such contract or test.
        UnknownJobTypes: the test speaks of a job type that is not in the catalogue.
        ContractTestNameTaken: another test has the name.
    """
    await locked(tx, contract_id)
    known = await store.of_contract(tx, contract_id)
    case = _found(known, case_id)
    await _refuse_unknown_job_type(tx, document)
    _refuse_taken([one for one in known if one["id"] != case_id], document["name"])
    await store.replace_case(tx, case_id, name=document["name"], document=document)
    return {"id": case["id"], **document}


async def remove(tx: Transaction, contract_id: UUID, case_id: UUID) -> None:
    """Remove a test.

    Raises:
        NotFound: there is no such contract or test.
    """
    await locked(tx, contract_id)
    _found(await store.of_contract(tx, contract_id), case_id)
    await store.delete_case(tx, case_id)


async def _refuse_unknown_job_type(tx: Transaction, document: Mapping[str, Any]) -> None:
    code = document["when"]["job_type"]
    if not await clients.job_types_of(tx, [code]):
        raise UnknownJobTypes(f"not in the catalogue: {code}")


def _found(known: list[Row], case_id: UUID) -> Row:
    for one in known:
        if one["id"] == case_id:
            return one
    raise NotFound


def _refuse_taken(known: list[Row], name: str) -> None:
    if any(one["name"] == name for one in known):
        raise ContractTestNameTaken(f"there is a test {name!r} already; change it, or choose another name")
