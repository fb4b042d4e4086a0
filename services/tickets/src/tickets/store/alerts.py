"""Alerts of monitoring systems."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction


async def hold(tx: Transaction, *, client_id: UUID, system: str, dedup_key: str) -> None:
    """Let one transaction at a time speak of an alert, also of one that is not there yet."""
    await tx.fetchval("SELECT pg_advisory_xact_lock(hashtextextended($1, 7241))", f"{client_id}\n{system}\n{dedup_key}")


async def alert(tx: Transaction, *, client_id: UUID, system: str, dedup_key: str) -> dict[str, Any] | None:
    """Return what is known of an alert."""
    row = await tx.fetchrow(
        "SELECT ticket_id, state, severity, title, told_count, last_at FROM alerts"
        " WHERE client_id = $1 AND system = $2 AND dedup_key = $3",
        client_id,
        system,
        dedup_key,
    )
    return None if row is None else dict(row)


async def save(
    tx: Transaction,
    *,
    client_id: UUID,
    system: str,
    dedup_key: str,
    ticket_id: UUID | None,
    state: str,
    severity: str,
    title: str,
    at: datetime,
) -> None:
    """Save the newest telling of an alert."""
    await tx.driver.execute(
        "INSERT INTO alerts AS a (client_id, system, dedup_key, ticket_id, state, severity, title, told_count, first_at,"
        " last_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8) ON CONFLICT (client_id, system, dedup_key)"
        " DO UPDATE SET ticket_id = $4, state = $5, severity = $6, title = $7, told_count = a.told_count + 1, last_at = $8",
        client_id,
        system,
        dedup_key,
        ticket_id,
        state,
        severity,
        title,
        at,
    )


async def count(tx: Transaction, *, client_id: UUID, system: str, dedup_key: str) -> None:
    """Count a telling that was old news."""
    await tx.driver.execute(
        "UPDATE alerts SET told_count = told_count + 1 WHERE client_id = $1 AND system = $2 AND dedup_key = $3",
        client_id,
        system,
        dedup_key,
    )
