"""Profiles and charges as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from billing.domain.items import Charge
from billing.reports import cursors
from billing.store import intake
from billing.store.profiles import CHARGE, profile
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.pagination import page_of


async def profile_for(tx: Transaction, caller: Caller, *, client_id: UUID) -> dict[str, Any] | None:
    """Return how a client is billed, empty where it has nothing of its own; ``None`` when the caller knows no such client."""
    if caller.kind == "client":
        is_known = caller.client_id == client_id
    else:
        is_known = await intake.client(tx, client_id=client_id) is not None
    return await profile(tx, client_id=client_id) if is_known else None


async def list_charges(
    tx: Transaction, *, client_id: UUID, limit: int, after: str | None
) -> tuple[Sequence[Charge], str | None]:
    """Return a page of what was agreed beside a client's contracts, the latest beginning first.

    Raises:
        BadCursor: ``after`` is not a cursor of this list.
    """
    rows = await tx.fetch(
        f"SELECT {CHARGE} FROM charges WHERE client_id = $1 AND ($2::date IS NULL OR (starts_on, id) < ($2, $3::uuid))"
        " ORDER BY starts_on DESC, id DESC LIMIT $4",
        client_id,
        *cursors.place(after, cursors.on_day, cursors.an_id),
        limit + 1,
    )
    found, cursor = page_of(rows, limit=limit, key=cursors.keys_of("starts_on", "id"))
    return [Charge(**row) for row in found], cursor
