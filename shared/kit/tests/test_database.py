"""One place that opens transactions: it does not fall over what a restarted server leaves in the pool."""

from __future__ import annotations

import asyncio
import threading

import asyncpg

from msp_kit.database import SYSTEM, Database
from msp_kit.testing import admin_url


async def test_connections_lost_in_the_pool_fail_nobody(database: Database) -> None:
    await asyncio.gather(*(one_look(database) for _ in range(5)))
    await cut(database)

    found = [await one_look(database) for _ in range(6)]

    assert found == [1] * 6


async def test_a_loss_found_by_the_first_statement_fails_nobody(database: Database) -> None:
    await asyncio.gather(*(one_look(database) for _ in range(5)))
    # This loop stands still meanwhile: it cannot know of the loss when the connection is taken.
    cutting = threading.Thread(target=lambda: asyncio.run(cut(database)))
    cutting.start()
    cutting.join()

    assert await one_look(database) == 1


async def one_look(database: Database) -> int:
    async with database.transaction(SYSTEM) as tx:
        await asyncio.sleep(0)
        found: int = await tx.fetchval("SELECT 1")
    return found


async def cut(database: Database) -> None:
    """End every connection of a database, as a restart of the server does."""
    connection = await asyncpg.connect(admin_url())
    try:
        await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
            database.url.rpartition("/")[2],
        )
    finally:
        await connection.close()
