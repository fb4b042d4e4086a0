"""Profiles and charges as they are shown."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from billing.store import intake
from billing.store.profiles import charges, profile
from msp_kit.database import Transaction
from msp_kit.identity import Caller

__all__ = ["charges", "profile_for"]


async def profile_for(tx: Transaction, caller: Caller, *, client_id: UUID) -> dict[str, Any] | None:
    """Return how a client is billed, empty where it has nothing of its own; ``None`` when the caller knows no such client."""
    if caller.kind == "client":
        is_known = caller.client_id == client_id
    else:
        is_known = await intake.client(tx, client_id=client_id) is not None
    return await profile(tx, client_id=client_id) if is_known else None
