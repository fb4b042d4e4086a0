"""What has been imported from other systems, so that importing again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from msp_kit.database import Transaction


async def known_tickets(tx: Transaction, *, source: str, external_refs: Sequence[str]) -> dict[str, UUID]:
    """Return the tickets of external refs that were imported before."""
    rows = await tx.fetch(
        "SELECT external_ref, ticket_id FROM imported_tickets WHERE source = $1 AND external_ref = ANY($2)",
        source,
        external_refs,
    )
    return {row["external_ref"]: row["ticket_id"] for row in rows}


async def claim_ticket(tx: Transaction, *, client_id: UUID, source: str, external_ref: str, ticket_id: UUID) -> bool:
    """Note that a ticket is imported; ``False`` when another import was faster (this waits for it)."""
    return bool(
        await tx.fetchval(
            "INSERT INTO imported_tickets (client_id, source, external_ref, ticket_id) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT DO NOTHING RETURNING true",
            client_id,
            source,
            external_ref,
            ticket_id,
        )
    )


async def known_updates(tx: Transaction, *, source: str, external_ref: str) -> set[int]:
    """Return the numbers of the updates of a ticket that were imported before; the caller holds the ticket's row."""
    rows = await tx.fetch(
        "SELECT seq FROM imported_updates WHERE source = $1 AND external_ref = $2", source, external_ref
    )
    return {row["seq"] for row in rows}


async def add_updates(tx: Transaction, *, client_id: UUID, source: str, external_ref: str, seqs: Sequence[int]) -> None:
    """Note updates as imported."""
    await tx.driver.execute(
        "INSERT INTO imported_updates (client_id, source, external_ref, seq) SELECT $1, $2, $3, unnest($4::int[])",
        client_id,
        source,
        external_ref,
        seqs,
    )
