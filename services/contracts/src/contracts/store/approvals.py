"""What clients decided about work beyond their buckets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import insert

from contracts.tables import approvals
from msp_kit.database import Transaction

WAITING = "h.policy = 'needs_approval' AND h.status = 'held' AND h.overage_minutes > h.consented_minutes"


async def waiting(tx: Transaction, time_entry_id: UUID) -> asyncpg.Record | None:
    """Return the hours of an entry that waits for its client, ``None`` when it does not, or may not be seen."""
    return await tx.fetchrow(f"SELECT * FROM hours h WHERE h.time_entry_id = $1 AND {WAITING}", time_entry_id)


async def waiting_refs(tx: Transaction, client_id: UUID, *, before: datetime, limit: int) -> list[UUID]:
    """Return entries the MSP has approved and the client has not, worked before an instant."""
    rows = await tx.fetch(
        f"SELECT h.time_entry_id FROM hours h WHERE h.client_id = $1 AND h.worked_from < $2 AND {WAITING}"
        " AND h.decision = 'approved' ORDER BY h.worked_from, h.time_entry_id LIMIT $3",
        client_id,
        before,
        limit,
    )
    return [row["time_entry_id"] for row in rows]


async def is_known(tx: Transaction, time_entry_id: UUID) -> bool:
    """Return whether there is such an entry that may be seen."""
    found: bool = await tx.fetchval("SELECT EXISTS (SELECT FROM hours WHERE time_entry_id = $1)", time_entry_id)
    return found


async def has_unsettled(tx: Transaction, time_entry_id: UUID) -> bool:
    """Return whether a decision about an entry is still to be settled."""
    found: bool = await tx.fetchval(
        "SELECT EXISTS (SELECT FROM approvals WHERE time_entry_id = $1 AND settled_at IS NULL)", time_entry_id
    )
    return found


async def insert_approval(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Save a decision; it is kept for good."""
    await tx.execute(insert(approvals).values(**row))


async def unsettled(tx: Transaction, *, limit: int) -> Sequence[asyncpg.Record]:
    """Return decisions to be settled, oldest first, and lock them."""
    return await tx.fetch(
        "SELECT * FROM approvals WHERE settled_at IS NULL ORDER BY decided_at, id LIMIT $1 FOR UPDATE SKIP LOCKED",
        limit,
    )


async def settle(tx: Transaction, approval_id: UUID, *, outcome: str) -> None:
    """Note what became of a decision."""
    await tx.driver.execute(
        "UPDATE approvals SET settled_at = $2, outcome = $3 WHERE id = $1", approval_id, tx.now, outcome
    )
