"""Pricing and drafting against one SQL aggregate that prices the same rows; memory; and documents per minute and core.

The floor does nothing but multiply and add: it expands the stamps of all entries and prices them by a join on the rates,
once for the whole table. The run does everything a month end does: three control totals, entry by entry, the most specific
rate, lines with the entries behind them, taxes, the canonical content, the binding of every entry, the event.
Both are asked in the same database, one after the other; the run has what waits for its invoice in a queue of its own,
which is filled when stamps arrive, here by the statement that filled it once for those that were there before it.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import multiprocessing
import resource
import time
import uuid
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from billing.actions import runs
from billing.documents import made_for
from billing.domain.pricing import PricedLine, price_work
from billing.jobs import DRAFTERS
from billing.testing import CONTRACT, MONDAY, SELLER, a_client, a_contract, an_invoice, posted, some_terms, some_work
from msp_events.contracts import RateTerms
from msp_kernel.money import Money
from msp_kit.database import SYSTEM, Database
from msp_kit.provisioning import with_database
from msp_kit.testing import a_database, admin_url

ENTRIES = 1_000_000
ENTRIES_PER_CLIENT = 1000
DOCUMENTS = 30
STARTS_ON, ENDS_ON = date(2026, 10, 1), date(2026, 11, 1)
LEVELS = ("L1", "L2", "L3")
RATES = tuple(
    RateTerms(rule_id=f"rate-{level}", level=level, rate_minor=8000 + 1000 * n) for n, level in enumerate(LEVELS)
)

FILL = importlib.import_module("billing.migrations.versions.20261125_work_waits_in_a_queue").FILL

AGGREGATE = """
    SELECT count(*), sum(net) FROM (
        SELECT h.client_id, h.contract_id, h.state->>'level' AS level, s->>'condition' AS condition, r.rate_minor,
               round(sum((s->>'overage_minutes')::bigint + (s->>'time_and_materials_minutes')::bigint) * r.rate_minor / 60.0)
               AS net
          FROM hours h
          CROSS JOIN LATERAL jsonb_array_elements(h.state->'spans') AS s
          JOIN (SELECT v.contract_id, v.version, r->>'level' AS level, (r->>'rate_minor')::bigint AS rate_minor
                  FROM contract_versions v CROSS JOIN LATERAL jsonb_array_elements(v.state->'rates') AS r) AS r
            ON r.contract_id = h.contract_id AND r.version = (h.state->>'contract_version')::int
           AND r.level = h.state->>'level'
         WHERE h.status = 'posted'
         GROUP BY 1, 2, 3, 4, 5) AS lines
"""

# What the queue alone could answer: no stamp is opened. It is no goal, only told.
QUEUE_AGGREGATE = """
    SELECT count(*), sum(net) FROM (
        SELECT u.client_id, u.contract_id, u.ask, r.rate_minor, round(sum(u.minutes) * r.rate_minor / 60.0) AS net
          FROM (SELECT client_id, contract_id, contract_version, asks[k] AS ask, sum(minutes[k]) AS minutes
                  FROM unbilled, generate_subscripts(asks, 1) AS s (k) GROUP BY 1, 2, 3, 4) AS u
          JOIN (SELECT v.contract_id, v.version, r->>'level' AS level, (r->>'rate_minor')::bigint AS rate_minor
                  FROM contract_versions v CROSS JOIN LATERAL jsonb_array_elements(v.state->'rates') AS r) AS r
            ON r.contract_id = u.contract_id AND r.version = u.contract_version AND r.level = u.ask::jsonb->>4
         GROUP BY 1, 2, 3, 4) AS lines
"""


def run(size: int = ENTRIES) -> dict[str, Any]:
    """Measure, with ``size`` time entries."""
    return {**asyncio.run(_drafting(size)), **_memory(size), **_documents()}


def goals(found: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return what the figures should show."""
    return [
        ("pricing and drafting takes under 3 times the SQL aggregate", found["times_the_aggregate"] < 3),
        ("1000 invoices with e-invoice per minute and core", found["documents_per_minute"] >= 1000),
        ("memory does not grow with the number of clients", found["grown_mb_second_half"] < 20),
        ("memory does not grow with the entries of a client", found["worker_mb"][1] - found["worker_mb"][0] < 20),
    ]


async def _drafting(size: int) -> dict[str, Any]:
    async with a_database(service="billing", database="billing", module="billing") as database:
        admin = await asyncpg.connect(with_database(admin_url(), database=database.url.rpartition("/")[2]))
        try:
            await _fill(admin, clients=max(size // ENTRIES_PER_CLIENT, 1), entries=ENTRIES_PER_CLIENT)
            lines, net, aggregate_seconds = await _timed(admin, AGGREGATE)
            *same, queue_seconds = await _timed(admin, QUEUE_AGGREGATE)
            drafting_seconds, grown = await _draft_all(database, size)
            drafted = await admin.fetchrow(
                "SELECT count(*), sum(net_minor)::bigint, sum(worked_minutes)::bigint FROM invoices WHERE status = 'draft'"
            )
            unbound = await admin.fetchval("SELECT count(*) FROM unbilled")
        finally:
            await admin.close()
    assert unbound == 0, "every entry is on an invoice"
    assert same == [lines, net], "stamps and queue say the same"
    assert drafted[1] == net, f"the aggregate says {net}, the drafts {drafted[1]}"
    return {
        "entries": size,
        "clients": drafted[0],
        "lines": lines,
        "aggregate_seconds": round(aggregate_seconds, 2),
        "queue_aggregate_seconds": round(queue_seconds, 2),
        "drafting_seconds": round(drafting_seconds, 2),
        "entries_per_second": round(size / drafting_seconds),
        "times_the_aggregate": round(drafting_seconds / aggregate_seconds, 2),
        "grown_mb_second_half": grown,
    }


async def _timed(admin: Any, sql: str) -> tuple[int, int, float]:
    """Return what an aggregate answers the second time, and the seconds it takes."""
    await admin.fetchrow(sql)
    started = time.perf_counter()
    lines, net = await admin.fetchrow(sql)
    return lines, net, time.perf_counter() - started


async def _draft_all(database: Database, size: int) -> tuple[float, int]:
    """Draft every client as a worker does; return the seconds, and by how many MB the peak grew in the second half."""
    half, done, at_half = size // ENTRIES_PER_CLIENT // 2, 0, 0

    async def draft() -> None:
        nonlocal done, at_half
        is_busy = True
        while is_busy:
            async with database.transaction(SYSTEM) as tx:
                is_busy = await runs.draft_next(tx, default_seller=SELLER)
            done += 1
            if done == half:
                at_half = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    started = time.perf_counter()
    await asyncio.gather(*(draft() for _ in range(DRAFTERS)))
    seconds = time.perf_counter() - started
    return seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - at_half) // 1024


def _memory(size: int) -> dict[str, Any]:
    """Return the peak memory of a worker, in MB, that drafts one client of a hundredth, and one of a tenth of the entries."""
    entries = (size // 100, size // 10)
    return {"worker_entries": entries, "worker_mb": [asyncio.run(_peak(count)) for count in entries]}


async def _peak(entries: int) -> int:
    async with a_database(service="billing", database="billing", module="billing") as database:
        admin = await asyncpg.connect(with_database(admin_url(), database=database.url.rpartition("/")[2]))
        try:
            await _fill(admin, clients=1, entries=entries)
        finally:
            await admin.close()
        # A process of its own: this one made the entries.
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as workers:
            return await asyncio.get_running_loop().run_in_executor(workers, _draft_one, database.url)


def _draft_one(url: str) -> int:
    async def draft() -> None:
        database = Database(url, service="billing", database="billing")
        async with database.transaction(SYSTEM) as tx:
            await runs.draft_next(tx, default_seller=SELLER)
            assert await tx.fetchval("SELECT count(*) FROM invoices") == 1, "there is a draft"
        await database.close()

    asyncio.run(draft())
    # Not ru_maxrss: that remembers the process this one was started from.
    (peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) // 1024


async def _fill(admin: Any, *, clients: int, entries: int) -> None:
    run_id = uuid.uuid4()
    await admin.execute("INSERT INTO billing_runs VALUES ($1, $2, $3, now())", run_id, STARTS_ON, ENDS_ON)
    for number in range(clients):
        client_id, contract_id = uuid.uuid4(), uuid.uuid4()
        client = a_client(client_id, f"Client {number}")
        contract = a_contract(client_id, contract_id, ref=f"C-{number:05}", rates=RATES, fixed_items=())
        await admin.execute(
            "INSERT INTO clients VALUES ($1, 1, $2, $3, $4)",
            client_id,
            client.name,
            client.timezone,
            client.model_dump_json(),
        )
        await admin.execute(
            "INSERT INTO contract_versions VALUES ($1, $2, 1, 1, 'active', $3)",
            client_id,
            contract_id,
            contract.model_dump_json(),
        )
        control = await _hours(admin, client_id, contract_id, entries)
        text = json.dumps(control)
        await admin.execute(
            "INSERT INTO billing_run_items (client_id, run_id, period_close_id, status, changed_at, sealed, closed)"
            " VALUES ($1, $2, $3, 'closed', now(), $4, $5)",
            client_id,
            run_id,
            uuid.uuid4(),
            text,
            json.dumps({**control, "statement": []}),
        )
    await admin.execute(FILL)
    await admin.execute("VACUUM ANALYZE")


async def _hours(admin: Any, client_id: uuid.UUID, contract_id: uuid.UUID, entries: int) -> dict[str, Any]:
    """Fill in the entries of a client and return their control totals."""
    template = posted(client_id, contract_id, minutes=60, overage=60).model_dump(mode="json")
    rows, listed = [], []
    for number in range(entries):
        entry_id = uuid.uuid4()
        minutes, worked_from = 5 + number % 115, MONDAY + timedelta(minutes=number * 25 % 30_000)
        span = {
            **template["spans"][0],
            "worked_minutes": minutes,
            "billed_minutes": minutes,
            "overage_minutes": minutes,
        }
        state = {
            **template,
            "time_entry_id": str(entry_id),
            "worked_from": worked_from.isoformat(),
            "worked_minutes": minutes,
            "billed_minutes": minutes,
            "overage_minutes": minutes,
            "level": LEVELS[number % 3],
            "agent_name": "Tom Okafor",
            "note": f"Replaced the access point on floor {number % 9}, tested with two laptops",
            "spans": [span],
        }
        posted_at = datetime(2026, 11, 1, tzinfo=UTC)
        rows.append((client_id, entry_id, contract_id, 2, "posted", worked_from, minutes, posted_at, json.dumps(state)))
        listed.append((str(entry_id), minutes))
    columns = "client_id, time_entry_id, contract_id, revision, status, worked_from, worked_minutes, posted_at, state"
    await admin.copy_records_to_table("hours", records=rows, columns=columns.split(", "))
    digest = hashlib.sha256("".join(f"{entry}:{minutes}\n" for entry, minutes in sorted(listed)).encode())
    return {
        "entry_count": len(listed),
        "worked_minutes": sum(minutes for _, minutes in listed),
        "checksum": digest.hexdigest(),
    }


def _documents() -> dict[str, Any]:
    """Measure PDFs with e-invoices of ten lines and twenty entries, each different."""
    works = [some_work(overage=30, note=f"Entry {n}: looked after the printer") for n in range(20)]
    taken: dict[str, float] = defaultdict(float)
    for number in range(DOCUMENTS + 1):
        lines = [
            PricedLine(
                "fixed", CONTRACT, f"Service {n} of {number}", Money(1000 + n, "GBP"), "S", 2000, "fee", quantity=n + 1
            )
            for n in range(9)
        ]
        lines += price_work(works, {(CONTRACT, 1): some_terms()})
        invoice = an_invoice(lines=lines, works=works, number=f"INV-2026-{number:04}")
        started = time.process_time()
        made_for(invoice)
        # The first one loads fonts and templates.
        taken["seconds"] += time.process_time() - started if number else 0
    return {"documents_per_minute": round(DOCUMENTS * 60 / taken["seconds"])}
