"""Jobs: a worker that stops finishes what only it can finish, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from msp_kit import jobs
from msp_kit.database import Database, Transaction
from msp_kit.jobs import Job


class Pairs:
    """Begins something with one tick and finishes it with the next, without end; is told to stop while the first one runs."""

    def __init__(self, *, failing_tick: int) -> None:
        self.stopping, self.failing_tick = asyncio.Event(), failing_tick
        self.ticks, self.is_begun = 0, False

    def has_begun(self) -> bool:
        return self.is_begun

    async def tick(self, _tx: Transaction) -> bool:
        self.stopping.set()
        self.ticks += 1
        if self.ticks == self.failing_tick:
            raise ConnectionError
        self.is_begun = not self.is_begun
        return True


@pytest.mark.parametrize(("failing_tick", "is_left_open"), [(0, False), (2, True)])
async def test_a_worker_that_stops_finishes_what_it_has_begun(
    database: Database, failing_tick: int, *, is_left_open: bool
) -> None:
    pairs = Pairs(failing_tick=failing_tick)

    async with asyncio.timeout(10):
        await jobs.run(Job("pairs", 60, pairs.tick, has_begun=pairs.has_begun), database, stopping=pairs.stopping)

    assert (pairs.ticks, pairs.is_begun) == (2, is_left_open)
