"""Numbers without gaps: eight processes that roll back, and are killed while they write."""

from __future__ import annotations

import asyncio
import os
import pathlib
import random
import subprocess
import sys
from functools import partial

from office import Office

from msp_kit.database import SYSTEM
from msp_kit.testing import eventually

WRITER = pathlib.Path(__file__).parent / "helpers" / "number_writer.py"
WRITERS, NUMBERS, KILLS = 8, 10_000, 12


async def test_ten_thousand_numbers_of_eight_writers_have_no_gap_whatever_fails(office: Office) -> None:
    chance = random.Random(6)
    seeds = iter(range(10_000))

    def a_writer() -> subprocess.Popen[bytes]:
        arguments = [sys.executable, str(WRITER), office.database.url, str(next(seeds)), str(NUMBERS)]
        return subprocess.Popen(arguments, env=os.environ.copy())

    async def last() -> int:
        async with office.database.transaction(SYSTEM) as tx:
            found: int = await tx.fetchval("SELECT coalesce(max(last_number), 0) FROM series")
            return found

    async def has_reached(number: int) -> bool:
        return await last() >= number

    writers = [a_writer() for _ in range(WRITERS)]
    try:
        for kill in range(1, KILLS + 1):
            await eventually(partial(has_reached, kill * NUMBERS // (KILLS + 1)), within_seconds=60)
            victim = chance.randrange(WRITERS)
            writers[victim].kill()
            await asyncio.to_thread(writers[victim].wait)
            writers[victim] = a_writer()
        codes = [await asyncio.to_thread(writer.wait) for writer in writers]
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()

    assert codes == [0] * WRITERS
    async with office.database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT series_number, number, previous_sha256 FROM invoices ORDER BY series_number")
    assert [row["series_number"] for row in rows] == list(range(1, NUMBERS + 1))
    # Every invoice follows the one before it.
    assert [row["previous_sha256"] for row in rows] == [None, *(row["number"] for row in rows[:-1])]
    assert await last() == NUMBERS
