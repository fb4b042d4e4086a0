"""The ledger by itself: postings a second beside a bare loop of the same SQL, allocation, balances and the proof.

``python -m benchmarks.ledger SIZE`` runs a share of the full size: 0.01 is a hundredth. Needs ``MSP_POSTGRES_URL``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import uvloop

from contracts import reports
from contracts.actions import hours
from contracts.domain.allocation import allocate
from contracts.domain.book import Book
from contracts.domain.entry import Change
from contracts.reports import balances
from contracts.reports.statements import balance_as_known
from contracts.store import books as store
from contracts.testing import START, a_client, a_fact, a_lot, an_active_contract, an_entry, time_told
from msp_events.tickets import TimeEntryState
from msp_kit.database import SYSTEM, Database
from msp_kit.testing import a_database

POSTINGS, CONTRACTS, BATCH = 2000, 1000, 100
ALLOCATED = 10_000
BALANCE_SIZES = (1_000, 100_000, 1_000_000)
VERIFIED = 1_000_000
LOADED_AT_ONCE = 2000
ASKED = 200
BUCKET_MINUTES = 10_000_000


def run(size: float = 1.0) -> dict[str, Any]:
    """Measure everything at a share of the full size."""
    return uvloop.run(_run(size))


def goals(found: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return each goal in words and whether it was reached."""
    hot, many, batch = found["hot_contract"], found["many_contracts"], found["backlog"]
    times = [each["p50_ms"] for each in found["balance"].values()]
    return [
        (f"hot contract: half of the bare loop ({hot['to_bare']})", hot["to_bare"] >= 0.5),
        (f"{many['contracts']} contracts: half of the bare loop ({many['to_bare']})", many["to_bare"] >= 0.5),
        (
            f"backlog: 6 times one per transaction ({batch['to_one_per_transaction']})",
            batch["to_one_per_transaction"] >= 6,
        ),
        (f"allocation of {found['allocation']['entries']} entries under 1 s", found["allocation"]["seconds"] < 1),
        (f"balance flat in the number of entries ({times} ms)", max(times) < 2 * min(times) + 0.5),
        (f"verify of {found['verify']['entries']} entries under 60 s", found["verify"]["seconds"] < 60),
    ]


async def _run(size: float) -> dict[str, Any]:
    count = max(50, round(POSTINGS * size))
    async with a_database(service="contracts", database="contracts", module="contracts") as database:
        hot = await _made(database, 1)
        ours_hot = await _one_per_transaction(database, hot, count)
        many = await _made(database, max(10, round(CONTRACTS * size)))
        ours_many = await _one_per_transaction(database, many, max(count, len(many)))
        batched = await _batched(database, hot, 10 * count)
        found = {
            "hot_contract": _beside(ours_hot, await _bare(database, hot, count)),
            "many_contracts": {
                "contracts": len(many),
                **_beside(ours_many, await _bare(database, many, max(count, len(many)))),
            },
            "backlog": {"per_second": round(batched), "to_one_per_transaction": round(batched / ours_hot, 1)},
            "allocation": _allocation(max(100, round(ALLOCATED * size))),
        }
    async with a_database(service="contracts", database="contracts", module="contracts") as database:
        return {**found, **await _grown(database, size)}


def _beside(ours: float, bare: float) -> dict[str, Any]:
    return {"per_second": round(ours), "bare_per_second": round(bare), "to_bare": round(ours / bare, 2)}


async def _made(database: Database, count: int) -> list[tuple[UUID, UUID]]:
    made = []
    async with database.transaction(SYSTEM) as tx:
        taken = await tx.fetchval("SELECT count(*) FROM clients")
        for number in range(taken, taken + count):
            code = "".join(chr(ord("A") + number // 26**place % 26) for place in range(4))
            client_id = await a_client(tx, code=code)
            made.append((client_id, await an_active_contract(tx, client_id, minutes=BUCKET_MINUTES)))
    return made


def _told(whose: Sequence[tuple[UUID, UUID]], count: int, *, since_minutes: int = 0) -> list[TimeEntryState]:
    """Return entries in order of work, spread over contracts."""
    told = []
    for number in range(count):
        client_id, contract_id = whose[number % len(whose)]
        at = START + timedelta(seconds=number + 60 * since_minutes)
        told.append(time_told(an_entry(1, at), client_id=client_id, contract_id=contract_id))
    return told


async def _one_per_transaction(database: Database, whose: Sequence[tuple[UUID, UUID]], count: int) -> float:
    """Return holds a second, each in a transaction of its own."""
    told = _told(whose, count)
    started = time.perf_counter()
    for event in told:
        async with database.transaction(SYSTEM) as tx:
            await hours.take(tx, [event])
    return count / (time.perf_counter() - started)


async def _batched(database: Database, whose: Sequence[tuple[UUID, UUID]], count: int) -> float:
    """Return holds a second under backlog: one lock, one commit, and a running balance after every posting."""
    told = _told(whose, count, since_minutes=60 * 24)
    started = time.perf_counter()
    for start in range(0, count, BATCH):
        async with database.transaction(SYSTEM) as tx:
            await hours.take(tx, told[start : start + BATCH])
    return count / (time.perf_counter() - started)


async def _bare(database: Database, whose: Sequence[tuple[UUID, UUID]], count: int) -> float:
    """Return what a loop does that sends the same statements with the same values and thinks nothing.

    The statements of one hold are recorded from the service itself and sent again. As they can be written only once, each
    is rolled back and followed by an empty commit: one round trip more than the service needs.
    """
    sent = await _recorded(database, whose[0])
    connection = await asyncpg.connect(database.url)
    try:
        started = time.perf_counter()
        for _ in range(count):
            transaction = connection.transaction()
            await transaction.start()
            for sql, arguments in sent:
                await connection.fetch(sql, *arguments)
            # What was recorded cannot be written twice; the work is done, its commit is an empty one more.
            await transaction.rollback()
            await connection.execute("SELECT txid_current()")
        return count / (time.perf_counter() - started)
    finally:
        await connection.close()


class _Recorder:
    """Stands before the driver of one transaction and notes what is sent."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.sent: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        called = getattr(self.driver, name)
        if name not in ("fetch", "fetchrow", "fetchval", "execute"):
            return called

        async def noted(sql: str, *arguments: Any, **more: Any) -> Any:
            self.sent.append((sql, arguments))
            return await called(sql, *arguments, **more)

        return noted


async def _recorded(database: Database, whose: tuple[UUID, UUID]) -> list[tuple[str, tuple[Any, ...]]]:
    (event,) = _told([whose], 1, since_minutes=60 * 24 * 300)
    opening = "SELECT clock_timestamp(), set_config('role', $1, true)"
    try:
        async with database.transaction(SYSTEM) as tx:
            recorder = _Recorder(tx.driver)
            tx.driver = recorder
            await hours.take(tx, [event])
            raise _Enough
    except _Enough:
        return [(opening, ("contracts_staff",)), *recorder.sent]


class _Enough(Exception):
    """What was sent is known; nothing of it is kept."""


def _allocation(count: int) -> dict[str, Any]:
    lots = [a_lot(minutes=30 * count // 20, sequence=n) for n in range(1, 21)]
    facts = [a_fact(30 + n % 90, START + timedelta(minutes=n)) for n in range(count)]
    started = time.perf_counter()
    allocate(lots, facts)
    return {"entries": count, "seconds": round(time.perf_counter() - started, 3)}


async def _grown(database: Database, size: float) -> dict[str, Any]:
    """Ask for a balance as a ledger grows, and prove the whole of it at the end."""
    ((_, contract_id),) = await _made(database, 1)
    found: dict[str, Any] = {}
    loaded = 0
    for wanted in (max(200, round(each * size)) for each in BALANCE_SIZES):
        while loaded < wanted:
            more = min(LOADED_AT_ONCE, wanted - loaded)
            await _load(database, contract_id, start=loaded, count=more)
            loaded += more
        async with database.transaction(SYSTEM) as tx:
            await tx.driver.execute("SET LOCAL statement_timeout = 0")
            found[str(loaded)] = await _asked(database, contract_id)
    async with database.transaction(SYSTEM, is_snapshot=True) as tx:
        started = time.perf_counter()
        broken = await reports.verify(tx)
        seconds = time.perf_counter() - started
        postings = await tx.fetchval("SELECT count(*) FROM postings")
    assert list(broken) == [], broken
    return {
        "balance": found,
        "verify": {"entries": loaded, "postings": postings, "seconds": round(seconds, 2)},
    }


async def _load(database: Database, contract_id: UUID, *, start: int, count: int) -> None:
    """Add entries as the service does, without saying events."""
    async with database.transaction(SYSTEM) as tx:
        book: Book = (await store.open_books(tx, [contract_id]))[contract_id]
        entries = [an_entry(1, START + timedelta(seconds=start + n)) for n in range(count)]
        book.settle(book.plan([Change(one) for one in entries]))
        await store.save(tx, [book])


async def _asked(database: Database, contract_id: UUID) -> dict[str, float]:
    live, known = [], []
    for _ in range(ASKED):
        async with database.transaction(SYSTEM) as tx:
            started = time.perf_counter()
            await balances.balance(tx, contract_id)
            live.append(time.perf_counter() - started)
            started = time.perf_counter()
            await balance_as_known(tx, contract_id, at=tx.now, known_at=tx.now)
            known.append(time.perf_counter() - started)
    return {
        "p50_ms": round(1000 * sorted(live)[ASKED // 2], 2),
        "p99_ms": round(1000 * sorted(live)[ASKED * 99 // 100], 2),
        "as_known_now_p50_ms": round(1000 * sorted(known)[ASKED // 2], 2),
    }


if __name__ == "__main__":
    measured = run(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
    sys.stdout.write(json.dumps(measured, indent=2) + "\n")
    for goal, is_reached in goals(measured):
        sys.stdout.write(f"  {'reached' if is_reached else 'MISSED '}  {goal}\n")
