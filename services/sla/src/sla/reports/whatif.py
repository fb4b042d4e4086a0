"""What-if: the clocks of a period replayed under other terms. Nothing is written."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from sla import store
from sla.domain.compliance import Outcome, Tally
from sla.domain.whatif import Change, Replayed, replayed
from sla.reports.compliance import PeriodNotAnswerable, answerable

TICKETS_AT_ONCE = 1000
CHANGED_SHOWN_MAX = 1000
TICKETS_MAX = 100_000

# Read once: asking for the next stretch would look at the whole period each time. With every clock of a ticket, as earlier
# cycles carry over into later ones; in order of the id, as the rows of one ticket lie together.
_TICKETS = """
SELECT DISTINCT ticket_id
  FROM clocks
 WHERE counted_on >= $1 AND counted_on < $2 AND ($3::uuid IS NULL OR client_id = $3)
   AND ($4::uuid IS NULL OR contract_id = $4)
 ORDER BY ticket_id
 LIMIT $5
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which clocks are replayed: those that counted in ``[starts_on, ends_on)``."""

    starts_on: date
    ends_on: date
    client_id: UUID | None = None
    contract_id: UUID | None = None


@dataclass(slots=True, kw_only=True)
class WhatIf:
    """What a change would have done. ``changed`` holds the first of the clocks that would count otherwise."""

    clock_count: int = 0
    before: Tally = field(default_factory=Tally)
    after: Tally = field(default_factory=Tally)
    changed_count: int = 0
    changed: list[Replayed] = field(default_factory=list)
    refs: Mapping[UUID, str] = field(default_factory=dict)


async def what_if(tx: Transaction, asked: Asked, change: Change) -> WhatIf:
    """Replay the clocks that counted in a period under a change.

    Raises:
        PeriodNotAnswerable: as for ``compliance``, or more tickets counted in the period than are replayed at once.
    """
    answerable(asked.starts_on, asked.ends_on)
    found = WhatIf()
    before: Counter[Outcome | None] = Counter()
    after: Counter[Outcome | None] = Counter()
    async for clocks, counted in _stretches(tx, asked):
        terms = await store.terms_of(
            tx, {(one.contract_id, one.contract_version) for clock in clocks for one in clock.promises}
        )
        for _, of_ticket in groupby(clocks, key=lambda clock: clock.ticket_id):
            for one in replayed(of_ticket, change, terms=terms, now=tx.now):
                if one.before.id not in counted:
                    continue
                found.clock_count += 1
                before[one.outcome_before] += 1
                after[one.outcome_after] += 1
                if one.is_changed:
                    found.changed_count += 1
                    if len(found.changed) < CHANGED_SHOWN_MAX:
                        found.changed.append(one)
        # Others who ask this process are answered in between.
        await asyncio.sleep(0)
    found.before, found.after = _tally(before), _tally(after)
    found.refs = await _refs(tx, found.changed)
    return found


async def _stretches(tx: Transaction, asked: Asked) -> AsyncIterator[tuple[Sequence[Any], set[UUID]]]:
    period = (asked.starts_on, asked.ends_on)
    rows = await tx.fetch(_TICKETS, *period, asked.client_id, asked.contract_id, TICKETS_MAX + 1)
    if len(rows) > TICKETS_MAX:
        message = (
            f"more than {TICKETS_MAX:,} tickets counted in the period; a shorter one, or one client, can be replayed"
        )
        raise PeriodNotAnswerable(message)
    for first in range(0, len(rows), TICKETS_AT_ONCE):
        ids = [row["ticket_id"] for row in rows[first : first + TICKETS_AT_ONCE]]
        yield await store.clocks_with_place(tx, ids, starts_on=asked.starts_on, ends_on=asked.ends_on)


def _tally(counts: Counter[Outcome | None]) -> Tally:
    return Tally(counts["met"], counts["missed"], counts["open_overdue"])


async def _refs(tx: Transaction, changed: Sequence[Replayed]) -> Mapping[UUID, str]:
    rows = await tx.fetch(
        "SELECT ticket_id, ref FROM tickets WHERE ticket_id = ANY($1)", [one.before.ticket_id for one in changed]
    )
    return {row["ticket_id"]: row["ref"] for row in rows}
