"""Several processes post on one contract at once and are killed (SIGKILL) while they do: nothing is lost, half or double."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import teller

from contracts import reports
from contracts.testing import a_client_with_contract, time_told
from msp_kit.database import SYSTEM, Database
from msp_kit.provisioning import DatabaseUrls
from msp_kit.testing import Speaker, eventually, superuser_url

PROCESSES = 3
MINUTES = 700
"""Less than what is worked: the last entries are overage, and every one in between displaces them."""


def start(database: Database, ids: tuple[UUID, UUID], seed: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(teller.__file__)), database.url, *map(str, ids), str(seed)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ourselves


async def books(database: Database, contract_id: UUID) -> tuple[Any, ...]:
    """Return the balances of a contract and what became of its entries; the ledger holds."""
    async with database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == []
        bucket = await tx.fetchrow(
            "SELECT granted, available, held, consumed, overage FROM buckets WHERE contract_id = $1", contract_id
        )
        hours = await tx.fetch(
            "SELECT worked_from, status, bucket_minutes, overage_minutes FROM hours WHERE contract_id = $1 ORDER BY 1",
            contract_id,
        )
    return bucket, hours


@pytest.fixture
async def superuser(database: Database) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Give a connection that may look at, and lock, everything."""
    connection = await asyncpg.connect(superuser_url(DatabaseUrls(app=database.url, owner="")))
    yield connection
    await connection.close()


async def test_processes_that_are_killed_while_they_post_leave_the_ledger_of_an_undisturbed_one(
    database: Database, speaker: Speaker
) -> None:
    undisturbed = await a_client_with_contract(database, minutes=MINUTES)
    disturbed = await a_client_with_contract(database, code="MIL", minutes=MINUTES)
    for entry in teller.facts(undisturbed[1]):
        await speaker.say(time_told(entry, client_id=undisturbed[0], contract_id=undisturbed[1]))

    tellers = [start(database, disturbed, seed) for seed in range(PROCESSES)]
    for lines, process in enumerate(tellers, start=3):
        assert process.stdout is not None
        for _ in range(lines):
            assert process.stdout.readline() == "told\n"
    # All of them are in the middle of something: each has told a few facts of many.
    for process in tellers:
        process.kill()
        process.communicate()
    last = start(database, disturbed, 99)

    assert last.communicate()[0].count("told") == len(teller.facts(disturbed[1]))
    balances, hours = await books(database, disturbed[1])
    expected_balances, expected_hours = await books(database, undisturbed[1])
    assert balances == expected_balances
    assert [tuple(row) for row in hours] == [tuple(row) for row in expected_hours]
    assert balances["available"] == 0
    assert balances["overage"] > 0


async def test_who_is_killed_between_posting_and_commit_has_posted_nothing(
    database: Database, superuser: asyncpg.Connection[asyncpg.Record]
) -> None:
    ids = await a_client_with_contract(database, minutes=MINUTES)
    async with superuser.transaction():
        # What happened is recorded after the postings: whoever waits for this lock has written them already.
        await superuser.execute("LOCK TABLE bus.event_log IN SHARE MODE")
        process = start(database, ids, 1)

        async def waiting() -> int | None:
            found: int | None = await superuser.fetchval(
                "SELECT pid FROM pg_locks WHERE relation = 'bus.event_log'::regclass AND NOT granted"
            )
            return found

        backend = await eventually(waiting)
        has_written = await superuser.fetchval(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND relation = 'postings'::regclass"
            " AND mode = 'RowExclusiveLock' AND granted)",
            backend,
        )
        process.kill()
        process.communicate()
    await eventually(lambda: _is_gone(superuser, backend))

    assert has_written
    _, hours = await books(database, ids[1])
    assert hours == []
    assert await superuser.fetchval("SELECT count(*) FROM postings WHERE time_entry_id IS NOT NULL") == 0


async def _is_gone(superuser: asyncpg.Connection[asyncpg.Record], backend: int | None) -> bool:
    return not await superuser.fetchval("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", backend)
