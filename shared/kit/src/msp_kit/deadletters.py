"""What could not be taken, for the person on call: list it, try it again, or discard it with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from msp_events.envelope import parse
from msp_kit.database import SYSTEM, Database, Transaction
from msp_kit.inbox import Inbox


@dataclass(frozen=True, slots=True)
class OpenMessage:
    """An event that is not settled."""

    source: str
    event_id: str
    type: str
    subject: str
    seq: int
    status: str
    attempts: int
    error_code: str | None
    error_text: str | None
    received_at: datetime


async def open_messages(database: Database, *, limit: int = 200) -> list[OpenMessage]:
    """Return what waits, retries or is parked, oldest first."""
    async with database.transaction(SYSTEM) as tx:
        return await open_messages_of(tx, limit=limit)


async def open_messages_of(tx: Transaction, *, limit: int) -> list[OpenMessage]:
    """Return what waits, retries or is parked, oldest first; for an endpoint of staff."""
    rows = await tx.fetch(
        "SELECT source, event_id, type, subject, seq, status, attempts, error_code, error_text, received_at"
        " FROM bus.inbox WHERE status IN ('waiting', 'retry', 'parked') ORDER BY received_at, event_id LIMIT $1",
        limit,
    )
    return [OpenMessage(**row) for row in rows]


async def unreadable_count(database: Database) -> int:
    """Return how many messages could not even be read and have not been resolved."""
    async with database.transaction(SYSTEM) as tx:
        count: int = await tx.fetchval("SELECT count(*) FROM bus.unreadable WHERE resolution IS NULL")
    return count


async def replay(database: Database, inbox: Inbox, *, event_id: str) -> int:
    """Try an open event again; return how many were found."""
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch(
            "SELECT envelope FROM bus.inbox WHERE event_id = $1 AND status IN ('waiting', 'retry', 'parked')", event_id
        )
    for row in rows:
        (envelope,) = parse(row["envelope"])
        await inbox.again(envelope)
    return len(rows)


async def discard(database: Database, *, event_id: str, reason: str) -> int:
    """Give an event up, with a reason; an ordered stream moves past it. Return how many were found."""
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch(
            "UPDATE bus.inbox SET status = 'discarded', next_at = NULL, error_text = $2"
            " WHERE event_id = $1 AND status IN ('waiting', 'retry', 'parked') RETURNING source, subject, epoch, seq",
            event_id,
            f"discarded: {reason}",
        )
        for row in rows:
            await tx.driver.execute(
                "UPDATE bus.stream_position SET next_seq = $4 + 1"
                " WHERE source = $1 AND subject = $2 AND epoch = $3 AND next_seq = $4",
                *row,
            )
    return len(rows)
