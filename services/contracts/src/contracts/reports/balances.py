"""The balance of a bucket, how it came about, and where it goes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from contracts.domain.contract import Contract
from contracts.reports.statements import bounds
from contracts.store import contracts as store
from msp_kernel.periods import day_of
from msp_kit.database import Transaction
from msp_kit.problems import NotFound

_BALANCE = """
    SELECT b.contract_id, b.client_id, c.kind, c.ref, c.name, b.granted AS granted_minutes,
           b.available AS available_minutes, b.held AS held_minutes, b.consumed AS consumed_minutes,
           b.overage AS overage_minutes, b.expired AS expired_minutes, b.carried_in AS carried_in_minutes,
           b.carried_out AS carried_out_minutes, b.adjusted AS adjusted_minutes, b.excluded AS excluded_minutes,
           b.time_and_materials AS time_and_materials_minutes, b.revision
      FROM buckets b JOIN contracts c ON c.id = b.contract_id
"""
_LOTS = """
    SELECT id, contract_id, minutes, left_minutes - expired_minutes - carried_out_minutes AS left_minutes, origin, priority, valid_from, expires_on
      FROM lots WHERE contract_id = ANY($1) AND is_granted
     ORDER BY priority, ends_at NULLS LAST, starts_at, sequence
"""
_OPENING = """
    SELECT coalesce(sum(CASE WHEN to_account = 'available' THEN minutes
                             WHEN from_account = 'available' THEN -minutes ELSE 0 END), 0)::bigint
      FROM postings WHERE contract_id = $1 AND client_id = $2 AND effective_at < $3
"""
_DAYS = """
    SELECT (effective_at AT TIME ZONE $5)::date AS on,
           sum(CASE WHEN to_account = 'available' THEN minutes
                    WHEN from_account = 'available' THEN -minutes ELSE 0 END)::bigint AS minutes
      FROM postings WHERE contract_id = $1 AND client_id = $2 AND effective_at >= $3 AND effective_at < $4
     GROUP BY 1 ORDER BY 1
"""


async def balance(tx: Transaction, contract_id: UUID) -> dict[str, Any]:
    """Return the live balance of a contract with its lots; holds have left ``available`` already.

    Raises:
        NotFound: there is no such contract, it is not the caller's, or it was never active.
    """
    row = await tx.fetchrow(f"{_BALANCE} WHERE b.contract_id = $1", contract_id)
    if row is None:
        raise NotFound
    return _with_lots(tx, row, await tx.fetch(_LOTS, [contract_id]))


async def balances(tx: Transaction, *, limit: int) -> list[dict[str, Any]]:
    """Return the balances of all active contracts with a bucket, soonest empty first."""
    rows = await tx.fetch(
        f"{_BALANCE} WHERE c.status = 'active' AND c.kind <> 'time_and_materials'"
        " ORDER BY b.available::numeric / greatest(b.granted + b.carried_in, 1), c.ref LIMIT $1",
        limit,
    )
    lots = await tx.fetch(_LOTS, [row["contract_id"] for row in rows])
    return [_with_lots(tx, row, [lot for lot in lots if lot["contract_id"] == row["contract_id"]]) for row in rows]


async def burn(tx: Transaction, contract_id: UUID, *, starts_on: date | None, ends_on: date | None) -> dict[str, Any]:
    """Return what was available at the end of each day of a period, and the capacity of the lots open in it.

    Raises:
        NotFound: there is no such contract, or it is not the caller's.
    """
    contract = await _contract(tx, contract_id)
    timezone = contract.versions[-1].calendar.timezone
    starts_at, ends_at = bounds(tx, contract, starts_on, ends_on)
    running: int = await tx.fetchval(_OPENING, contract.id, contract.client_id, starts_at)
    rows = await tx.fetch(_DAYS, contract.id, contract.client_id, starts_at, ends_at, timezone)
    moved = {row["on"]: row["minutes"] for row in rows}
    capacity = await tx.fetchval(
        "SELECT coalesce(sum(minutes), 0)::bigint FROM lots WHERE contract_id = $1 AND is_granted"
        " AND starts_at < $3 AND (ends_at IS NULL OR ends_at > $2)",
        contract_id,
        starts_at,
        ends_at,
    )
    days = []
    on, last = day_of(starts_at, timezone), day_of(ends_at, timezone)
    while on < last:
        running += moved.get(on, 0)
        days.append({"on": on, "available_minutes": running})
        on += timedelta(days=1)
    return {"contract_id": contract_id, "capacity_minutes": capacity, "days": days}


async def _contract(tx: Transaction, contract_id: UUID) -> Contract:
    contract = await store.contract(tx, contract_id)
    if contract is None:
        raise NotFound
    return contract


def _with_lots(tx: Transaction, row: asyncpg.Record, lots: Sequence[asyncpg.Record]) -> dict[str, Any]:
    return {**row, "as_of": tx.now, "lots": [dict(lot) for lot in lots]}
