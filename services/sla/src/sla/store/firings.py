"""What fired, once per clock, step and episode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msp_kit.database import Transaction
from sla.domain.clock import Clock
from sla.domain.escalation import Step
from sla.store.text import json_text

FiringKey = tuple[UUID, str, int]
_SAVE_FIRINGS = """
    INSERT INTO firings (clock_id, step, episode, client_id, kind, percent, escalation_step, to_level, to_queue,
                         to_priority, notify, due_at, fired_at)
    SELECT clock_id, step, episode, client_id, kind, percent, escalation_step, to_level, to_queue, to_priority, notify,
           due_at, $2
      FROM jsonb_populate_recordset(NULL::firings, $1::jsonb)
    ON CONFLICT DO NOTHING
    RETURNING clock_id, step, episode
"""
_VOID_FIRINGS = """
    UPDATE firings f SET voided_at = $2, voided_because = v.voided_because
      FROM jsonb_populate_recordset(NULL::firings, $1::jsonb) AS v
     WHERE f.clock_id = v.clock_id AND f.episode = v.episode AND f.kind <> 'at_risk' AND f.percent >= 100
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """A step that fired for a clock; ``episode`` counts the voided breaches before it."""

    clock: Clock
    step: Step
    due_at: datetime

    @property
    def key(self) -> FiringKey:
        """Return what may exist once."""
        return self.clock.id, self.step.key, self.clock.void_count


async def save_firings(tx: Transaction, firings: Sequence[Firing]) -> set[FiringKey]:
    """Note what fired and return the keys that had not fired before: only these may be told."""
    if not firings:
        return set()
    documents = [
        {
            "clock_id": one.clock.id,
            "step": one.step.key,
            "episode": one.clock.void_count,
            "client_id": one.clock.client_id,
            "kind": one.step.kind,
            "percent": one.step.percent,
            "escalation_step": one.step.step,
            "to_level": one.step.to_level,
            "to_queue": one.step.to_queue,
            "to_priority": one.step.to_priority,
            "notify": one.step.notify,
            "due_at": one.due_at,
        }
        for one in firings
    ]
    rows = await tx.fetch(_SAVE_FIRINGS, json_text(documents), tx.now)
    return {(row["clock_id"], row["step"], row["episode"]) for row in rows}


async def void_firings(tx: Transaction, voided: Sequence[tuple[Clock, str]]) -> None:
    """Mark the breach (and what hung on it) of the episode before as unjustified, with the reason."""
    if voided:
        documents = [
            {"clock_id": clock.id, "episode": clock.void_count - 1, "voided_because": because}
            for clock, because in voided
        ]
        await tx.driver.execute(_VOID_FIRINGS, json_text(documents), tx.now)
