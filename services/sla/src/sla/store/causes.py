"""What was said of breaches: written once, read in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from msp_kit.database import Transaction
from sla.domain.causes import BreachCause, Cause
from sla.domain.clock import Clock


async def add_cause(tx: Transaction, clock: Clock, *, cause: Cause, comment: str, actor: str) -> None:
    """Keep what somebody says of the breach of a locked clock."""
    await tx.driver.execute(
        "INSERT INTO breach_causes (clock_id, number, client_id, cause, comment, set_by, set_at)"
        " SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6 FROM breach_causes WHERE clock_id = $1",
        clock.id,
        clock.client_id,
        cause,
        comment,
        actor,
        tx.now,
    )


async def causes_of(tx: Transaction, clock_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[BreachCause]]:
    """Return what was said of the breaches of some clocks, oldest first."""
    rows = await tx.fetch(
        "SELECT clock_id, number, cause, comment, set_by, set_at FROM breach_causes WHERE clock_id = ANY($1)"
        " ORDER BY clock_id, number",
        list(clock_ids),
    )
    found: dict[UUID, list[BreachCause]] = defaultdict(list)
    for row in rows:
        found[row["clock_id"]].append(BreachCause(**row))
    return found
