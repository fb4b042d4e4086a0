"""The tests of a contract, for a screen."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from contracts.store import cases as store, contracts
from msp_kit.database import Transaction
from msp_kit.problems import NotFound


async def of_contract(tx: Transaction, contract_id: UUID) -> list[dict[str, Any]]:
    """Return the tests of a contract by name.

    Raises:
        NotFound: there is no such contract.
    """
    if await contracts.head(tx, contract_id) is None:
        raise NotFound
    return [view(row) for row in await store.of_contract(tx, contract_id)]


def view(row: Any) -> dict[str, Any]:
    """Return a stored test as it was written."""
    return {"id": row["id"], **row["document"]}
