"""Adjustments of lots: asked for by one person, decided by another."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import insert, select, update

from contracts.store.rows import Row, all_rows, maybe_row
from contracts.tables import adjustments
from msp_kernel.ids import new_id
from msp_kit.database import Transaction


async def insert_asked(
    tx: Transaction, *, client_id: UUID, contract_id: UUID, lot_id: UUID, minutes: int, reason: str
) -> UUID:
    """Save what somebody asks for and return its id."""
    adjustment_id: UUID = new_id()
    await tx.execute(
        insert(adjustments).values(
            id=adjustment_id,
            client_id=client_id,
            contract_id=contract_id,
            lot_id=lot_id,
            minutes=minutes,
            reason=reason,
            status="asked",
            asked_by=tx.scope.actor,
            asked_at=tx.now,
        )
    )
    return adjustment_id


async def adjustment(tx: Transaction, contract_id: UUID, adjustment_id: UUID, *, is_locked: bool = False) -> Row | None:
    """Return an adjustment of a contract, ``None`` when there is none; ``is_locked`` keeps others from deciding it."""
    statement = select(adjustments).where(adjustments.c.id == adjustment_id, adjustments.c.contract_id == contract_id)
    return maybe_row(await tx.execute(statement.with_for_update() if is_locked else statement))


async def of_contract(tx: Transaction, contract_id: UUID, *, limit: int) -> Sequence[Row]:
    """Return the adjustments of a contract, newest first."""
    rows = await tx.execute(
        select(adjustments)
        .where(adjustments.c.contract_id == contract_id)
        .order_by(adjustments.c.asked_at.desc(), adjustments.c.id)
        .limit(limit)
    )
    return all_rows(rows)


async def decide(tx: Transaction, adjustment_id: UUID, *, status: str) -> None:
    """Note who decided; the database refuses whoever asked."""
    await tx.execute(
        update(adjustments)
        .where(adjustments.c.id == adjustment_id)
        .values(status=status, decided_by=tx.scope.actor, decided_at=tx.now)
    )
