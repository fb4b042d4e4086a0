"""Work beyond buckets that waits for its client, and what clients decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from contracts.domain.pricing import priced
from contracts.reports.cursors import instant_and_id
from contracts.store import contracts as store
from contracts.store.approvals import WAITING
from contracts.store.book_rows import hours_from
from msp_kit.database import Transaction

_WAITING = f"""
    SELECT h.*, c.ref AS contract_ref, c.name AS contract_name, c.currency, c.revision AS contract_revision,
           a.decision
      FROM hours h
      JOIN contracts c ON c.id = h.contract_id
      LEFT JOIN approvals a ON a.time_entry_id = h.time_entry_id AND a.settled_at IS NULL
     WHERE {WAITING}
       AND ($1::uuid IS NULL OR h.client_id = $1)
       AND ($2::timestamptz IS NULL OR (h.worked_from, h.time_entry_id) > ($2, $3::uuid))
     ORDER BY h.worked_from, h.time_entry_id
     LIMIT $4
"""
_DECIDED = """
    SELECT a.*, c.ref AS contract_ref
      FROM approvals a JOIN contracts c ON c.id = a.contract_id
     WHERE ($1::uuid IS NULL OR a.client_id = $1)
       AND ($2::timestamptz IS NULL OR (a.decided_at, a.id) < ($2, $3::uuid))
     ORDER BY a.decided_at DESC, a.id DESC
     LIMIT $4
"""


async def waiting_page(
    tx: Transaction, *, client_id: UUID | None, after: Sequence[Any] | None, limit: int
) -> list[dict[str, Any]]:
    """Return entries that wait for their client, oldest work first, with what they would cost; ``limit + 1`` at most."""
    position = (None, None) if after is None else instant_and_id(after)
    rows = await tx.fetch(_WAITING, client_id, *position, limit + 1)
    contracts = await store.parsed(tx, {row["contract_id"]: row["contract_revision"] for row in rows})
    views = []
    for row in rows:
        terms = contracts[row["contract_id"]].terms_at(row["worked_from"])
        prices = priced(hours_from(row).split.parts, terms, job_type=row["job_type"], level=row["level"])
        views.append({**row, "price_minor": prices.overage_minor, "state": row["decision"] or "waiting"})
    return views


async def decided_page(
    tx: Transaction, *, client_id: UUID | None, after: Sequence[Any] | None, limit: int
) -> list[dict[str, Any]]:
    """Return decisions of clients, newest first, ``limit + 1`` at most."""
    position = (None, None) if after is None else instant_and_id(after)
    return [dict(row) for row in await tx.fetch(_DECIDED, client_id, *position, limit + 1)]
