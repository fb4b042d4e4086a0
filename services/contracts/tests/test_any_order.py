"""The same facts in any order, in any batches, from several workers at once: the same ledger, on a real database."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from contracts import reports
from contracts.domain.allocation import Level
from contracts.domain.entry import TimeEntry
from contracts.testing import START, a_client_with_contract, an_entry, time_told
from msp_events.base import Event
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database
from msp_kit.testing import Speaker

ROUNDING = {"increment_minutes": 15, "minimum_minutes": 0, "direction": "up", "level": "ticket_day"}
WEIGHTS = [{"level": None, "job_type": None, "condition": "after_hours", "percent": 150}]
LEVELS: tuple[Level, ...] = ("L1", "L1", "L2", "SA")


def some_history(seed: int, *, size: int) -> list[TimeEntry]:
    """Return entries with what became of them later, a fact per telling; every instant is worked once."""
    chance = random.Random(seed)  # noqa: S311 - a history, not a secret
    tickets = [new_id() for _ in range(4)]
    told: list[TimeEntry] = []
    for quarter in chance.sample(range(4 * 24 * 5), k=size):
        entry = an_entry(
            chance.randint(1, 120),
            START + timedelta(minutes=15 * quarter),
            level=chance.choice(LEVELS),
            ticket_id=chance.choice(tickets),
        )
        told.append(entry)
        if chance.random() < 0.3:
            entry = replace(entry, revision=2, work=replace(entry.work, worked_minutes=chance.randint(1, 120)))
            told.append(entry)
        decision = chance.choice(("submitted", "approved", "approved", "rejected", "voided"))
        if decision != "submitted":
            told.append(replace(entry, revision=entry.revision + 1, decision=decision))  # type: ignore[arg-type]
    return told


async def outcome(database: Database, contract_id: UUID) -> tuple[object, ...]:
    """Return the balances of a contract and the split of each of its entries, by worked instant."""
    async with database.transaction(SYSTEM) as tx:
        bucket = await tx.fetchrow(
            "SELECT available, held, consumed, overage, excluded FROM buckets WHERE contract_id = $1", contract_id
        )
        hours = await tx.fetch(
            "SELECT worked_from, status, billed_minutes, bucket_minutes, overage_minutes FROM hours"
            " WHERE contract_id = $1 ORDER BY worked_from",
            contract_id,
        )
        assert await reports.verify(tx) == []
    assert bucket is not None
    return tuple(bucket), [tuple(row) for row in hours]


def renamed(history: Sequence[TimeEntry]) -> list[TimeEntry]:
    """Return the same facts about other entries, for another contract to take."""
    names = {entry.id: new_id() for entry in history}
    return [replace(entry, id=names[entry.id]) for entry in history]


@pytest.mark.parametrize("seed", range(6))
async def test_facts_shuffled_repeated_and_batched_make_the_same_ledger(
    database: Database, speaker: Speaker, seed: int
) -> None:
    terms = {"minutes": 900, "rounding": ROUNDING, "weights": WEIGHTS}
    in_order = await a_client_with_contract(database, **terms)
    shuffled = await a_client_with_contract(database, code="MIL", **terms)
    history = some_history(seed, size=30)
    chance = random.Random(seed)  # noqa: S311

    for entry in history:
        await speaker.say(time_told(entry, client_id=in_order[0], contract_id=in_order[1]))
    again = renamed(history)
    again += chance.sample(again, k=10)
    chance.shuffle(again)
    while again:
        size = chance.randint(1, 9)
        batch, again = again[:size], again[size:]
        await speaker.say(*(time_told(one, client_id=shuffled[0], contract_id=shuffled[1]) for one in batch))

    assert await outcome(database, in_order[1]) == await outcome(database, shuffled[1])


async def test_workers_at_once_on_one_contract_lose_nothing_and_overdraw_nothing(
    database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=500)
    history = [entry for entry in some_history(7, size=60) if entry.work.level != "SA"]
    told: list[Event] = [time_told(one, client_id=client_id, contract_id=contract_id) for one in history]

    await asyncio.gather(*(speaker.say(*told[n::6]) for n in range(6)))

    _, hours = await outcome(database, contract_id)
    assert isinstance(hours, list)
    assert len(hours) == len({entry.id for entry in history})
