"""Proof that what is stored follows from intervals, promises and clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from sla import store
from sla.domain.clock import Clock
from sla.domain.proof import recomputed

VERIFIED_AT_ONCE = 2000


async def verify(tx: Transaction) -> list[str]:
    """Recompute every clock from its promises and intervals, and name each stored value that does not follow."""
    broken: list[str] = []
    after: UUID | None = None
    while rows := await store.clocks_after(tx, after=after, limit=VERIFIED_AT_ONCE):
        after = rows[-1]["id"]
        clocks = await store.clocks_from_rows(tx, rows)
        for row, clock in zip(rows, clocks, strict=True):
            broken += [f"clock {clock.id} of ticket {clock.ticket_id}: {what}" for what in _differences(row, clock)]
        broken += await _unmatched_firings(tx, clocks)
    return broken + await _wrong_sums(tx) + await _wrong_credits(tx)


async def _wrong_credits(tx: Transaction) -> list[str]:
    found = []
    for month in await store.settled_months(tx):
        known = await store.credits_of(tx, month)
        derived = {one.id: one for one in await store.derived_credits(tx, month, known)}
        earned = {one.id: one for one in known.values() if one.status == "earned"}
        where = f"of contract {month.contract_id} in the month of {month.starts_on}"
        found += [
            f"credit {one} {where}: rule {derived[one].rule.rule_id} gives it, it was never said"
            for one in sorted(derived.keys() - earned.keys())
        ]
        found += [
            f"credit {one} {where}: rule {earned[one].rule_id} was said to give it, the clocks do not"
            for one in sorted(earned.keys() - derived.keys())
        ]
    return found


async def _wrong_sums(tx: Transaction) -> list[str]:
    return [
        f"sum of {one['dimension']} {one['value']!r} in the {one['grain']} of {one['starts_on']}, {one['metric']}, client"
        f" {one['client_id']}: {one['met']} met, {one['missed']} missed, {one['open_overdue']} open are kept, the clocks say"
        f" {one['derived_met']}, {one['derived_missed']}, {one['derived_open_overdue']}; `rebuild-rollups` makes them anew"
        for one in await store.rollup_differences(tx)
    ]


def _differences(row: Mapping[str, Any], clock: Clock) -> list[str]:
    derived = recomputed(clock)
    expected = {
        "verdict": derived.verdict,
        "breached_at": derived.breached_at,
        "breach_reason": derived.breach_reason,
        "consumed_seconds": derived.settled_seconds,
        "due_at": derived.due_at,
        "running_since": derived.running_since,
        "budget_minutes": derived.promise.budget_minutes,
        "rule_id": derived.promise.rule_id,
    }
    found = [
        f"{name} is {row[name]}, its intervals say {value}" for name, value in expected.items() if row[name] != value
    ]
    for number, (stored, made) in enumerate(zip(clock.intervals, derived.intervals, strict=True), 1):
        if stored.seconds != made.seconds:
            found.append(f"interval {number} counts {stored.seconds} s, the calendar says {made.seconds} s")
    last_ends_at = clock.intervals[-1].ends_at
    if clock.stopped_at != last_ends_at:
        found.append(f"stopped_at is {clock.stopped_at}, its last interval ends {last_ends_at}")
    return found


async def _unmatched_firings(tx: Transaction, clocks: Sequence[Clock]) -> list[str]:
    """Name breaches that were never told, and told breaches that are none."""
    rows = await tx.fetch(
        "SELECT clock_id, count(*) AS fired FROM firings"
        " WHERE clock_id = ANY($1) AND kind = 'breach' AND voided_at IS NULL GROUP BY clock_id",
        [clock.id for clock in clocks],
    )
    fired = {row["clock_id"]: row["fired"] for row in rows}
    found = []
    for clock in clocks:
        told = int(clock.is_breached and not clock.is_breach_carried)
        if fired.get(clock.id, 0) != told:
            found.append(
                f"clock {clock.id} of ticket {clock.ticket_id}: {told} breaches, {fired.get(clock.id, 0)} fired"
            )
    return found
