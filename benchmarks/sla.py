"""The SLA engine as data grows: the cost of a timer tick, the compliance dashboard, and what-if.

Floors in the same run: an indexed look-up for an idle tick, and the same sums counted from the clocks for the dashboard.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from fastapi import FastAPI

from msp_kit import identity
from msp_kit.database import SYSTEM, Database
from msp_kit.settings import ServiceSettings
from msp_kit.testing import KEY, Requests, a_staff_person, drop_database, fresh_database, superuser_url
from sla import actions, api, store
from sla.testing import hours

OPEN_CLOCKS = (10_000, 100_000, 1_000_000)
DUE = 2_000
CLIENTS = 1_000
TICKETS = 1_000_000
WHAT_IF_CLOCKS = 100_000
DASHBOARD_ROUNDS = 20
TERMS = {
    "calendar": hours("24x7"),
    "targets": [
        {
            "rule_id": metric,
            "metric": metric,
            "priority": None,
            "level": None,
            "job_type": None,
            "budget_minutes": 10_080,
            "after_hours": False,
            "weekends": False,
            "holidays": False,
        }
        for metric in ("first_response", "resolution")
    ],
    "thresholds_percent": [50, 75, 90],
    "escalation": [],
    "pausing_statuses": ["waiting_on_client"],
    "first_response_pauses": False,
}
# Numbers become ids: client n, its contract, its tickets. md5 spreads them as real ids are spread.
_CLIENTS = """
INSERT INTO clients SELECT md5('client' || n)::uuid, 'C' || n, 'Client ' || n, 'Europe/London', 1 FROM generate_series(1, $1) n;
"""
_TERMS = """
INSERT INTO terms (contract_id, version, client_id, ref, terms)
SELECT md5('contract' || n)::uuid, 1, md5('client' || n)::uuid, 'C-' || n, $2::jsonb FROM generate_series(1, $1) n
"""
_TICKETS = """
INSERT INTO tickets (ticket_id, client_id, ref, status, cycle, is_answered, queue, assignee_id, raised_at, is_imported, heard_at)
SELECT md5('{name}' || n)::uuid, md5('client' || (n % $3 + 1))::uuid, 'T-' || n, 'open', 1, false, 'desk', NULL, now(), false, now()
  FROM generate_series($1::int, $2::int) n
"""
_CLOCKS = """
INSERT INTO clocks (id, client_id, ticket_id, contract_id, contract_version, metric, cycle, round, priority, level, job_type,
    rule_id, budget_minutes, status, started_at, running_since, carried_seconds, consumed_seconds, due_at, at_risk_at,
    next_step_at, breached_at, breach_reason, is_breach_carried, verdict, stopped_at, stop_reason, void_count, revision,
    fired, promises, intervals, queue, assignee_id, counted_on, counted_hour)
SELECT md5('{name}' || metric || n)::uuid, md5('client' || (n % $3 + 1))::uuid, md5('{name}' || n)::uuid,
       md5('contract' || (n % $3 + 1))::uuid, 1, metric, 1, 1,
       (array['critical', 'high', 'medium', 'low'])[n % 4 + 1], 'L' || (n % 3 + 1), 'type-' || (n % 6),
       metric, 10080, status, started_at, CASE status WHEN 'running' THEN started_at END, 0, used, due_at, at_risk_at,
       next_step_at, breached_at, CASE WHEN breached_at IS NULL THEN '' ELSE 'time' END, false, verdict, stopped_at,
       CASE WHEN stopped_at IS NULL THEN '' ELSE 'resolved' END, 0, 1,
       CASE status WHEN 'running' THEN '[]'::jsonb ELSE '["breach"]'::jsonb END,
       jsonb_build_array(jsonb_build_object('since', started_at, 'contract_id', md5('contract' || (n % $3 + 1))::uuid,
           'contract_version', 1, 'rule_id', metric, 'budget_minutes', 10080, 'flags', '[false, false, false]'::jsonb)),
       jsonb_build_array(jsonb_build_object('starts_at', started_at, 'ends_at', stopped_at, 'is_running', true, 'seconds', used,
           'promise', 0, 'reason', '', 'note', '', 'actor', '')),
       'queue-' || (n % 5), md5('agent' || (n % 12))::uuid,
       (coalesce(breached_at, stopped_at) AT TIME ZONE 'Europe/London')::date,
       extract(hour FROM coalesce(breached_at, stopped_at) AT TIME ZONE 'Europe/London')
  FROM ({source}) AS source
"""
_OPEN = """
SELECT n, 'resolution' AS metric, 'running' AS status, started_at, 0 AS used, started_at + interval '7 days' AS due_at,
       started_at + interval '126 hours' AS at_risk_at, started_at + interval '84 hours' AS next_step_at,
       NULL::timestamptz AS breached_at, NULL::text AS verdict, NULL::timestamptz AS stopped_at
  FROM (SELECT n, date_trunc('second', now() - make_interval(secs => {age})) AS started_at
          FROM generate_series($1::int, $2::int) n) AS opened
"""
# Stopped over the last year, one in ten missed.
_STOPPED = """
SELECT n, metric, 'stopped' AS status, started_at, used, NULL::timestamptz AS due_at, NULL::timestamptz AS at_risk_at,
       NULL::timestamptz AS next_step_at, CASE WHEN used > 604800 THEN started_at + interval '7 days' END AS breached_at,
       CASE WHEN used > 604800 THEN 'missed' ELSE 'met' END AS verdict, started_at + make_interval(secs => used) AS stopped_at
  FROM (SELECT n, metric, CASE WHEN n % 10 = 0 THEN 700000 ELSE 3600 * (n % 100 + 1) END AS used,
               date_trunc('second', now() - interval '9 days' - make_interval(secs => (n::bigint * 7919) % 31536000))
                   AS started_at
          FROM generate_series($1::int, $2::int) n, (VALUES ('first_response'), ('resolution')) AS m (metric)) AS ended
"""
_COUNTED_FROM_CLOCKS = """
SELECT client_id, count(*) FILTER (WHERE verdict = 'met'), count(*) FROM clocks
 WHERE counted_on >= current_date - 83 AND counted_on <= current_date GROUP BY client_id
"""


def run() -> dict[str, Any]:
    """Measure all three on databases of their own."""
    return asyncio.run(_run())


def goals(found: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return each goal in words and whether it was reached."""
    ticks = found["firing"]
    small, large = ticks[str(OPEN_CLOCKS[0])], ticks[str(OPEN_CLOCKS[-1])]
    grown = {name: round(large[name] / small[name], 2) for name in ("idle_tick_ms", "fired_clock_ms")}
    board, what_if = found["dashboard"], found["what_if"]
    return [
        (f"sla: a tick costs the same within 2x with 100 times the open clocks ({grown})", max(grown.values()) < 2),
        (
            f"sla: dashboard of {CLIENTS} clients and {TICKETS} tickets under 100 ms ({board['p50_ms']})",
            board["p50_ms"] < 100,
        ),
        (
            f"sla: what-if of {what_if['clocks']} clocks under 10 s ({what_if['seconds']})",
            what_if["seconds"] < 10 and what_if["clocks"] >= WHAT_IF_CLOCKS,
        ),
    ]


async def _run() -> dict[str, Any]:
    async with _a_database() as (database, superuser):
        firing = {}
        for count in OPEN_CLOCKS:
            firing[str(count)] = await _firing(database, superuser, count)
            _say(f"{count} open clocks: {firing[str(count)]}")
    async with _a_database() as (database, superuser):
        dashboard = await _dashboard(database, superuser)
        _say(f"dashboard: {dashboard}")
        what_if = await _what_if(database, superuser)
    return {"firing": firing, "dashboard": dashboard, "what_if": what_if}


def _say(line: str) -> None:
    sys.stderr.write(f"  {line}\n")
    sys.stderr.flush()


@asynccontextmanager
async def _a_database() -> AsyncIterator[tuple[Database, asyncpg.Connection[asyncpg.Record]]]:
    made = await fresh_database(database="sla", module="sla")
    database = Database(made.app, service="sla", database="sla", pool_size=4)
    superuser = await asyncpg.connect(superuser_url(made))
    try:
        await superuser.execute("SET session_replication_role = replica")
        await superuser.execute(_CLIENTS.replace("$1", str(CLIENTS)))
        await superuser.execute(_TERMS, CLIENTS, json.dumps(TERMS))
        yield database, superuser
    finally:
        await superuser.close()
        await database.close()
        await drop_database(made)


async def _fill(
    superuser: asyncpg.Connection[asyncpg.Record], name: str, source: str, *, first: int, last: int
) -> None:
    await superuser.execute(_TICKETS.format(name=name), first, last, CLIENTS, timeout=600)
    await superuser.execute(_CLOCKS.format(name=name, source=source), first, last, CLIENTS, timeout=600)


# ---- firing ---------------------------------------------------------------------------------------------------------


async def _firing(database: Database, superuser: asyncpg.Connection[asyncpg.Record], count: int) -> dict[str, Any]:
    """Bring the open clocks up to ``count``, none of them due; then let some fall due."""
    known = await superuser.fetchval("SELECT count(*) FROM clocks WHERE status = 'running'")
    calm = _OPEN.format(age="n % 172800")
    await _fill(superuser, "open", calm, first=known + 1, last=count)
    await superuser.execute("VACUUM ANALYZE clocks", timeout=600)
    await _ticks(database, 20)
    idle = await _ticks(database, 200)
    look_up = await _timed(200, lambda: superuser.fetch("SELECT id FROM clocks WHERE id = $1", UUID(int=1)))
    await _fill(superuser, f"due{count}", _OPEN.format(age="86400 * 8 + n % 3600"), first=1, last=DUE)
    started = time.perf_counter()
    ticks = 0
    has_more = True
    while has_more:
        async with database.transaction(SYSTEM) as tx:
            has_more = await actions.fire_due(tx)
        ticks += 1
    seconds = time.perf_counter() - started
    fired = await superuser.fetchval("SELECT count(*) FROM firings")
    assert fired == DUE * 4, f"{fired} steps fired, expected three warnings and a breach of each of {DUE} clocks"
    await superuser.execute("DELETE FROM firings")
    await superuser.execute("DELETE FROM clocks WHERE breached_at IS NOT NULL")
    return {
        "idle_tick_ms": round(1000 * statistics.median(idle), 3),
        "look_up_ms": round(1000 * statistics.median(look_up), 3),
        "fired_clock_ms": round(1000 * seconds / DUE, 3),
        "clocks_per_second": round(DUE / seconds),
        "steps_per_second": round(4 * DUE / seconds),
    }


async def _ticks(database: Database, count: int) -> list[float]:
    async def tick() -> None:
        async with database.transaction(SYSTEM) as tx:
            assert not await actions.fire_due(tx)

    return await _timed(count, tick)


async def _timed(count: int, work: Callable[[], Awaitable[object]]) -> list[float]:
    found = []
    for _ in range(count):
        started = time.perf_counter()
        await work()
        found.append(time.perf_counter() - started)
    return found


# ---- dashboard and what-if ------------------------------------------------------------------------------------------


async def _dashboard(database: Database, superuser: asyncpg.Connection[asyncpg.Record]) -> dict[str, Any]:
    step = TICKETS // 5
    for first in range(1, TICKETS + 1, step):
        await _fill(superuser, "past", _STOPPED, first=first, last=first + step - 1)
        _say(f"{first + step - 1} tickets made")
    await _fill(superuser, "open", _OPEN.format(age="(n * 7919) % 500000"), first=1, last=TICKETS // 50)
    started = time.perf_counter()
    async with database.transaction(SYSTEM) as tx:
        await tx.driver.execute("SET LOCAL statement_timeout = 0")
        sums = await store.rebuild_rollups(tx)
    rebuilt = time.perf_counter() - started
    await superuser.execute("VACUUM ANALYZE", timeout=600)
    requests = Requests(_app(database), "sla")
    manager = a_staff_person("manager")
    answers = []

    async def ask() -> None:
        answers.append(await requests.get(manager, "/compliance"))

    await ask()
    took = await _timed(DASHBOARD_ROUNDS, ask)
    answer = answers[-1].json()
    counted = await superuser.fetch(_COUNTED_FROM_CLOCKS)
    assert sum(row["count"] for row in counted) == answer["met"] + answer["missed"] + answer["open_overdue"]
    from_clocks = await _timed(3, lambda: superuser.fetch(_COUNTED_FROM_CLOCKS))
    return {
        "clocks": await superuser.fetchval("SELECT count(*) FROM clocks"),
        "sums": sums,
        "rebuild_seconds": round(rebuilt, 1),
        "p50_ms": round(1000 * statistics.median(took), 1),
        "max_ms": round(1000 * max(took), 1),
        "answer_kb": round(len(answers[-1].content) / 1024),
        "one_sum_from_clocks_ms": round(1000 * statistics.median(from_clocks), 1),
    }


async def _what_if(database: Database, superuser: asyncpg.Connection[asyncpg.Record]) -> dict[str, Any]:
    requests = Requests(_app(database), "sla")
    manager = a_staff_person("manager")
    until = await superuser.fetchval("SELECT current_date")
    # As many days back as hold the clocks asked for.
    days = await superuser.fetchval(
        "SELECT current_date - min(counted_on) FROM (SELECT counted_on FROM clocks WHERE counted_on < current_date"
        " ORDER BY counted_on DESC LIMIT $1) AS newest",
        WHAT_IF_CLOCKS,
    )
    body = {
        "from": (until - timedelta(days=days)).isoformat(),
        "to": until.isoformat(),
        "calendar": hours("08-18"),
        "flags": {"weekends": True},
    }
    started = time.perf_counter()
    answer = (await requests.post(manager, "/what-if", body)).json()
    seconds = time.perf_counter() - started
    return {
        "clocks": answer["clock_count"],
        "changed": answer["changed_count"],
        "seconds": round(seconds, 2),
        "microseconds_per_clock": round(1e6 * seconds / answer["clock_count"], 1),
    }


def _app(database: Database) -> FastAPI:
    settings = ServiceSettings.model_validate(
        {
            "database_url": database.url,
            "amqp_url": "amqp://nobody@127.0.0.1:1/",
            "identity_public_keys": json.dumps(identity.public_keys([KEY])),
        }
    )
    return api.create(settings, database)
