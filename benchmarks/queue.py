"""The queue page, the ticket page and the search with ever more tickets, on a database of its own.

``python -m benchmarks.queue [TICKETS…]`` (1000 10000 where none are given; the goals speak of 1000 100000 1000000). Times are
the server's: from the request's arrival in the application to its answer, without a network.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import SecretStr

from msp_kernel.ids import new_id
from msp_kit import identity
from msp_kit.database import Database
from msp_kit.testing import KEY, Requests, a_staff_person, drop_database, fresh_database, superuser_url
from tickets import api
from tickets.settings import Settings

SIZES = (1000, 10_000)
ROUNDS = 200
CLIENTS = 100
OPEN_EVERY = 20
"""One ticket of so many is open, as at a desk that has worked for years."""

_FILL = (
    """
    INSERT INTO clients (client_id, revision, code, name, timezone, is_active)
    SELECT md5('client' || n)::uuid, 1, 'C' || chr(65 + n / 26) || chr(65 + n % 26), 'Client ' || n, 'Europe/London', true
      FROM generate_series(0, $1 - 1) AS n
    """,
    """
    INSERT INTO contracts (client_id, contract_id, revision, ref, name, kind, version, status, starts_on, job_types, levels)
    SELECT md5('client' || n)::uuid, md5('contract' || n)::uuid, 1, 'C-' || n, 'Bucket', 'bucket', 1, 'active', '2020-01-01',
           '{network,server}', '{L1,L2,L3}' FROM generate_series(0, $1 - 1) AS n
    """,
    """
    INSERT INTO balances SELECT md5('client' || n)::uuid, md5('contract' || n)::uuid, 1, 6000, 3000
      FROM generate_series(0, $1 - 1) AS n
    """,
)
_TICKETS = """
    INSERT INTO tickets (client_id, id, ref, revision, contract_id, contract_version, contact_name, title, description,
                         job_type, priority, level, handling_level, status, queue, assignee_id, assignee_name, raised_at,
                         resolved_at, closed_at, cycle, updated_at, clock_metric, clock_status, clock_due_at,
                         clock_remaining_seconds, clock_budget_minutes, due_at, tags)
    SELECT md5('client' || n % $2)::uuid, md5('ticket' || n)::uuid, 'T-' || n, 1, md5('contract' || n % $2)::uuid, 1, 'Priya',
           'Printer ' || n || CASE WHEN n % 1000 = 0 THEN ' smoulders' ELSE ' jams' END,
           CASE WHEN n > 0.9 * $1 THEN 'The fax is' ELSE 'Seen' END || ' on floor ' || n % 30 || ' by ' || md5(n::text), 'network',
           (ARRAY['critical', 'high', 'medium', 'low'])[1 + n % 4], 'L1', 'L1',
           CASE WHEN n % $3 = 0 THEN 'open' ELSE 'closed' END, 'queue-' || n % 10, md5('agent' || n % 50)::uuid, 'Agent',
           now() - n * interval '1 minute', CASE WHEN n % $3 <> 0 THEN now() END, CASE WHEN n % $3 <> 0 THEN now() END, 1,
           now() - n * interval '30 seconds', 'resolution', CASE WHEN n % $3 = 0 THEN 'running' ELSE 'stopped' END,
           now() + n * interval '1 second', 3600, 240, now() + n * interval '1 second', CASE WHEN n % 2000 = 0 THEN ARRAY['rare'] ELSE '{}' END
      FROM generate_series(1, $1) AS n
"""
_MESSAGES = """
    INSERT INTO messages (client_id, id, ticket_id, posted_at, author_kind, author_id, author_name, is_public, body)
    SELECT md5('client' || n % $2)::uuid, gen_random_uuid(), md5('ticket' || n)::uuid, now(), 'client', 'x', 'Priya', true,
           'It happened ' || m || ' times ' || md5((n * 7 + m)::text)
      FROM generate_series(1, $1) AS n, generate_series(1, 2) AS m
"""
_CLOCKS = """
    INSERT INTO clocks (client_id, clock_id, ticket_id, revision, metric, cycle, status, budget_minutes, remaining_seconds,
                        due_at, is_breached, as_of)
    SELECT md5('client' || n % $2)::uuid, md5('clock' || n)::uuid, md5('ticket' || n)::uuid, 1, 'resolution', 1, 'running', 240,
           3600, now(), false, now() FROM generate_series(1, $1) AS n
"""

_INDEXES = """
    SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename IN ('tickets', 'messages', 'clocks')
       AND indexdef LIKE 'CREATE INDEX%' ORDER BY indexname
"""


def run(sizes: tuple[int, ...] | int = SIZES) -> dict[str, Any]:
    """Measure every size on a fresh database; a single one beside the smallest, to see what grows."""
    sizes = (SIZES[0], sizes) if isinstance(sizes, int) else sizes
    return {str(size): asyncio.run(_measured(size)) for size in sizes}


def goals(found: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return each goal in words and whether it was reached, of the sizes that were measured."""
    small, large = found[min(found, key=int)], found[max(found, key=int)]
    size = max(map(int, found))
    grown = round(large["queue"]["p95_ms"] / small["queue"]["p95_ms"], 2)
    return [
        (f"queue: p95 under 50 ms with {size} tickets ({large['queue']['p95_ms']})", large["queue"]["p95_ms"] < 50),
        (f"queue: flat, at most 1.5 times from the smallest size ({grown})", grown <= 1.5),
        (f"ticket: p95 under 80 ms with {size} tickets ({large['ticket']['p95_ms']})", large["ticket"]["p95_ms"] < 80),
        *(
            (
                f"search: {kind} word p95 under 200 ms with {size} tickets ({large[name]['p95_ms']})",
                large[name]["p95_ms"] < 200,
            )
            for kind, name in (("rare", "search_rare"), ("common", "search_common"), ("formerly common", "search_old"))
        ),
    ]


async def _measured(size: int) -> dict[str, Any]:
    made = await fresh_database(database="tickets", module="tickets")
    try:
        await _fill(superuser_url(made), size)
        database = Database(made.app, service="tickets", database="tickets", pool_size=4)
        try:
            return await _timed(database, size)
        finally:
            await database.close()
    finally:
        await drop_database(made)


async def _fill(url: str, size: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'")
        for statement in _FILL:
            await connection.execute(statement, CLIENTS)
        # Built once at the end, an index costs a fraction of what it costs row by row.
        indexes = [row["indexdef"] for row in await connection.fetch(_INDEXES)]
        await connection.execute("".join(f"DROP INDEX {one.split()[2]};" for one in indexes))
        await connection.execute(_TICKETS, size, CLIENTS, OPEN_EVERY, timeout=3600)
        for statement in (_MESSAGES, _CLOCKS):
            await connection.execute(statement, size, CLIENTS, timeout=3600)
        for statement in indexes:
            await connection.execute(statement, timeout=3600)
        await connection.execute("VACUUM ANALYZE", timeout=3600)
    finally:
        await connection.close()


async def _timed(database: Database, size: int) -> dict[str, Any]:
    settings = Settings(
        database_url=SecretStr(database.url),
        amqp_url=SecretStr("amqp://none"),
        identity_public_keys=json.dumps(identity.public_keys([KEY])),
    )
    requests, agent = Requests(api.create(settings, database), "tickets"), a_staff_person("agent")
    numbers = iter(range(1, 10**9))

    async def get(path: str) -> None:
        answer = await requests.get(agent, path)
        assert answer.status_code == 200, answer.text

    async def some_ticket() -> None:
        number = (next(numbers) * 7919) % size + 1
        await get(f"/tickets/{_id(f'ticket{number}')}")

    client, assignee = _id("client7"), _id("agent7")
    return {
        "queue": await _percentiles(lambda: get("/tickets?status=open_any&queue=queue-0&limit=20")),
        "all_queues": await _percentiles(lambda: get("/tickets?limit=20")),
        "by_update": await _percentiles(lambda: get("/tickets?sort=updated&limit=20")),
        "words": await _percentiles(lambda: get("/tickets?status=open_any&text=printer&limit=20")),
        "rare_words": await _percentiles(lambda: get("/tickets?text=smoulders&sort=updated&limit=20")),
        "old_words": await _percentiles(lambda: get("/tickets?text=fax&sort=updated&limit=20")),
        "of_client": await _percentiles(lambda: get(f"/tickets?status=open_any&client_id={client}&limit=20")),
        "of_agent": await _percentiles(lambda: get(f"/tickets?status=open_any&assignee_id={assignee}&limit=20")),
        "tag": await _percentiles(lambda: get("/tickets?status=open_any&tag=rare&limit=20")),
        "queues": await _percentiles(lambda: get("/queues")),
        "counts": await _percentiles(lambda: get("/tickets/counts")),
        "ticket": await _percentiles(some_ticket),
        "search_rare": await _percentiles(lambda: get("/tickets/search?text=smoulders")),
        "search_common": await _percentiles(lambda: get("/tickets/search?text=printer")),
        "search_old": await _percentiles(lambda: get("/tickets/search?text=fax")),
        "search_nothing": await _percentiles(lambda: get(f"/tickets/search?text={new_id().hex}")),
    }


def _id(name: str) -> UUID:
    """Return the id that the filling gives to a name."""
    return UUID(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest())


async def _percentiles(ask: Callable[[], Awaitable[None]]) -> dict[str, float]:
    for _ in range(5):
        await ask()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        await ask()
        times.append(1000 * (time.perf_counter() - started))
    return {"p50_ms": round(statistics.median(times), 1), "p95_ms": round(statistics.quantiles(times, n=20)[-1], 1)}


def main() -> int:
    """Print what was measured."""
    found = run(tuple(map(int, sys.argv[1:])) or SIZES)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    for goal, is_reached in goals(found):
        sys.stdout.write(f"  {'reached' if is_reached else 'MISSED '}  {goal}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
