"""Corrections by hand and closed periods, as screens show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from contracts.store import adjustments as store
from contracts.store.rows import Row
from msp_kit.database import Transaction
from msp_kit.problems import NotFound

_CLOSES = """
    SELECT p.*,
           (SELECT max(coalesce(i.number, i.invoice_id::text)) FROM invoiced_periods i
             WHERE i.client_id = p.client_id AND i.starts_on < p.ends_on AND i.ends_on > p.starts_on) AS invoice
      FROM period_closes p
"""


async def adjustment(tx: Transaction, contract_id: UUID, adjustment_id: UUID) -> Row:
    """Return one adjustment.

    Raises:
        NotFound: there is none.
    """
    row = await store.adjustment(tx, contract_id, adjustment_id)
    if row is None:
        raise NotFound
    return row


async def adjustments(tx: Transaction, contract_id: UUID, *, limit: int) -> Sequence[Row]:
    """Return the adjustments of a contract, newest first."""
    return await store.of_contract(tx, contract_id, limit=limit)


async def period_closes(tx: Transaction, client_id: UUID, *, limit: int) -> list[dict[str, Any]]:
    """Return the closed periods of a client, newest first."""
    rows = await tx.fetch(
        f"{_CLOSES} WHERE p.client_id = $1 ORDER BY p.ends_on DESC, p.closing DESC LIMIT $2", client_id, limit
    )
    return [dict(row) for row in rows]


async def period_close(tx: Transaction, period_close_id: UUID) -> dict[str, Any]:
    """Return a period as it was closed last.

    Raises:
        NotFound: there is none.
    """
    row = await tx.fetchrow(f"{_CLOSES} WHERE p.period_close_id = $1 ORDER BY p.closing DESC LIMIT 1", period_close_id)
    if row is None:
        raise NotFound
    return dict(row)
