"""What falls due by itself, and what people do about it."""

from __future__ import annotations

from uuid import UUID

from msp_kit.database import Transaction
from msp_kit.outbox import record
from msp_kit.problems import NotFound
from sla import store
from sla.actions.saying import fired_event, terms_key, timed
from sla.domain import escalation
from sla.domain.causes import Cause, refuse_unbroken
from sla.domain.clock import Clock
from sla.store import Firing, TimedClock

FIRED_AT_ONCE_MAX = 200
FOLDED_AT_ONCE_MAX = 2000


async def fire_due(tx: Transaction) -> bool:
    """Fire every step that has fallen due, each once; return whether more may be due at once."""
    clocks = await store.lock_due_clocks(tx, limit=FIRED_AT_ONCE_MAX)
    if not clocks:
        return False
    terms = await store.terms_of(tx, {terms_key(clock) for clock in clocks})
    firings: list[Firing] = []
    changed: list[TimedClock] = []
    for found in clocks:
        clock = found
        steps = escalation.steps_of(terms[terms_key(clock)], clock.metric)
        for due_at, step in escalation.due(found, steps, now=tx.now):
            clock = escalation.fired(clock, step, now=tx.now)
            firings.append(Firing(clock=clock, step=step, due_at=due_at))
        changed.append(timed(clock, terms))
    await store.save_clocks(tx, changed)
    fresh = await store.save_firings(tx, firings)
    await record(tx, *(fired_event(one, terms) for one in firings if one.key in fresh))
    return len(clocks) == FIRED_AT_ONCE_MAX


async def acknowledge(tx: Transaction, clock_id: UUID, *, actor: str) -> Clock:
    """Stop the escalation chain of a clock; once is enough.

    Raises:
        NotFound: there is no such clock.
        ClockStopped: the clock has its verdict.
    """
    clock = await store.lock_clock(tx, clock_id)
    if clock is None:
        raise NotFound
    acknowledged = clock.acknowledged(tx.now, actor=actor)
    if acknowledged is not clock:
        terms = await store.terms_of(tx, {terms_key(clock)})
        await store.save_clocks(tx, [timed(acknowledged, terms)])
    return acknowledged


async def say_cause(tx: Transaction, clock_id: UUID, *, cause: Cause, comment: str, actor: str) -> None:
    """Keep why a promise was broken; what was said before stays.

    Raises:
        NotFound: there is no such clock.
        ClockNotBreached: its budget has not ended.
    """
    clock = await store.lock_clock(tx, clock_id)
    if clock is None:
        raise NotFound
    refuse_unbroken(clock, now=tx.now)
    await store.add_cause(tx, clock, cause=cause, comment=comment, actor=actor)


async def fold_rollups(tx: Transaction) -> bool:
    """Fold what changed into the sums of compliance; return whether more waits."""
    return await store.fold_changes(tx, limit=FOLDED_AT_ONCE_MAX) == FOLDED_AT_ONCE_MAX
