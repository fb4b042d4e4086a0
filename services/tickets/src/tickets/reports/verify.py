"""Recomputes what must hold in this database, and names what does not."""

from __future__ import annotations

from collections.abc import Sequence

from msp_kit.database import Transaction
from tickets.domain.time_entry import checksum

_RULES = (
    (
        "refs of a client have a gap",
        (
            "SELECT c.client_id::text FROM ref_counters c LEFT JOIN tickets t USING (client_id)"
            " GROUP BY c.client_id, c.last_number HAVING count(t.id) <> c.last_number LIMIT 5"
        ),
    ),
    (
        "a ticket is at another revision than the last one said",
        (
            "SELECT t.ref FROM tickets t LEFT JOIN bus.stream_head h ON h.subject = 'ticket:' || t.id"
            " WHERE h.last_seq IS DISTINCT FROM t.revision LIMIT 5"
        ),
    ),
    (
        "a time entry is at another revision than the last one said",
        (
            "SELECT e.id::text FROM time_entries e LEFT JOIN bus.stream_head h ON h.subject = 'time_entry:' || e.id"
            " WHERE h.last_seq IS DISTINCT FROM e.revision LIMIT 5"
        ),
    ),
)


async def verify(tx: Transaction) -> Sequence[str]:
    """Return one sentence for everything that does not hold."""
    broken: list[str] = []
    for sentence, sql in _RULES:
        broken += [f"{sentence}: {row[0]}" for row in await tx.fetch(sql)]
    periods = await tx.fetch(
        "SELECT period_close_id, client_id, starts_on, entry_count, worked_minutes, checksum FROM sealed_periods"
        " ORDER BY sealed_at, period_close_id"
    )
    for period in periods:
        rows = await tx.fetch(
            "SELECT id::text AS id, worked_minutes FROM time_entries WHERE sealed_in = $1", period["period_close_id"]
        )
        entries = [(row["id"], row["worked_minutes"]) for row in rows]
        found = (len(entries), sum(minutes for _, minutes in entries), checksum(entries))
        if found != (period["entry_count"], period["worked_minutes"], period["checksum"]):
            broken.append(f"the sealed period from {period['starts_on']} of client {period['client_id']} has changed")
    return broken
