"""The contract tests of a contract, as they were written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from contracts.store.rows import Row, all_rows
from contracts.tables import contract_tests
from msp_kit.database import Transaction


async def of_contract(tx: Transaction, contract_id: UUID) -> list[Row]:
    """Return the tests of a contract by name."""
    rows = await tx.execute(
        select(contract_tests).where(contract_tests.c.contract_id == contract_id).order_by(contract_tests.c.name)
    )
    return all_rows(rows)


async def insert_case(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Save a new test."""
    await tx.execute(insert(contract_tests).values(**row))


async def replace_case(tx: Transaction, case_id: UUID, *, name: str, document: Mapping[str, Any]) -> None:
    """Replace what a test says."""
    statement = update(contract_tests).where(contract_tests.c.id == case_id)
    await tx.execute(statement.values(name=name, document=document, actor=tx.scope.actor))


async def delete_case(tx: Transaction, case_id: UUID) -> None:
    """Remove a test."""
    await tx.execute(delete(contract_tests).where(contract_tests.c.id == case_id))
