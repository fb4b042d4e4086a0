"""Clocks with their tape, and what is at risk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from msp_kit.problems import BadCursor, NotFound
from sla import store
from sla.domain.clock import Clock
from sla.domain.tape import ClockReport, FiredStep

_RUNNING = """
SELECT id
  FROM clocks
 WHERE status = 'running' AND {condition} AND ($5::uuid IS NULL OR client_id = $5)
   AND ($2::timestamptz IS NULL OR (due_at, id) > ($2, $3::uuid))
 ORDER BY due_at, id
 LIMIT $4
"""


async def clocks_of_ticket(tx: Transaction, ticket_id: UUID) -> list[ClockReport]:
    """Return the clocks of a ticket with what fired, oldest first; empty for a ticket the caller may not see."""
    return await with_tape(tx, await store.clocks_of_ticket(tx, ticket_id))


async def one_clock(tx: Transaction, clock_id: UUID) -> ClockReport:
    """Return a clock with what fired.

    Raises:
        NotFound: there is no such clock, or it is another client's.
    """
    found = await store.clocks_by_id(tx, [clock_id])
    if clock_id not in found:
        raise NotFound
    (report,) = await with_tape(tx, [found[clock_id]])
    return report


async def at_risk(
    tx: Transaction, *, limit: int, after: Sequence[Any] | None, is_every_running: bool, client_id: UUID | None = None
) -> list[ClockReport]:
    """Return up to ``limit + 1`` running clocks at risk or overdue, soonest due first; or every running clock.

    Raises:
        BadCursor: ``after`` is not the position of a clock.
    """
    try:
        due_after, id_after = (None, None) if after is None else (datetime.fromisoformat(after[0]), UUID(after[1]))
    except (ValueError, TypeError, AttributeError) as error:
        message = "take the cursor from `next` of the previous page"
        raise BadCursor(message) from error
    rows = await tx.fetch(
        _RUNNING.format(condition="$1::timestamptz IS NOT NULL" if is_every_running else "at_risk_at <= $1"),
        tx.now,
        due_after,
        id_after,
        limit + 1,
        client_id,
    )
    ids = [row["id"] for row in rows]
    clocks = await store.clocks_by_id(tx, ids)
    return await with_tape(tx, [clocks[one] for one in ids])


async def with_tape(tx: Transaction, clocks: Sequence[Clock]) -> list[ClockReport]:
    """Return clocks with their terms and what fired, as the caller may see them."""
    if not clocks:
        return []
    terms = await store.terms_of(tx, {(one.promise.contract_id, one.promise.contract_version) for one in clocks})
    fired: dict[UUID, list[FiredStep]] = defaultdict(list)
    rows = await tx.fetch(
        "SELECT clock_id, kind, percent, escalation_step AS step, to_level, to_queue, to_priority, notify, due_at, fired_at,"
        " voided_at, voided_because FROM firings WHERE clock_id = ANY($1) ORDER BY fired_at, due_at, percent, step",
        [clock.id for clock in clocks],
    )
    for row in rows:
        fired[row["clock_id"]].append(FiredStep(**row))
    rows = await tx.fetch(
        "SELECT ticket_id, ref FROM tickets WHERE ticket_id = ANY($1)", [clock.ticket_id for clock in clocks]
    )
    refs = {row["ticket_id"]: row["ref"] for row in rows}
    is_client = tx.scope.role == "client"
    causes = {} if is_client else await store.causes_of(tx, [clock.id for clock in clocks])
    made = [
        ClockReport(
            clock=clock,
            terms=terms[clock.promise.contract_id, clock.promise.contract_version],
            now=tx.now,
            fired=fired[clock.id],
            causes=causes.get(clock.id, ()),
            ticket_ref=refs[clock.ticket_id],
        )
        for clock in clocks
    ]
    return [report.for_client() for report in made] if is_client else made
