"""Routing rules as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msp_kit.database import Transaction


async def routing_rules(tx: Transaction) -> Sequence[dict[str, Any]]:
    """Return the routing rules by position."""
    rows = await tx.fetch(
        "SELECT id::text AS id, position, job_types, levels, priorities, queue FROM routing_rules ORDER BY position"
    )
    return [dict(row) for row in rows]
