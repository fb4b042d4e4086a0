"""Open pages: how many streams one gateway carries, what each costs, and how late the last one hears.

``python -m benchmarks.streams [STREAMS]`` (500 where no number is given). One signal is for all of them: the
lag is from the event on the bus to the last page.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aio_pika
import aiohttp

from msp_kernel.ids import new_id
from msp_kit import topology
from msp_kit.database import SYSTEM, Database
from msp_kit.testing import a_broker, drop_database, fresh_database, set_service_environment
from portal_gateway.actions import people
from portal_gateway.live import STREAMS_OF_PERSON_MAX

STREAMS = 500
SIGNALS = 20
PASSWORD = "correct horse battery staple"
NOWHERE = "http://127.0.0.1:1"


def run(streams: int = STREAMS) -> dict[str, Any]:
    """Measure so many open streams."""
    return asyncio.run(_measured(streams))


def goals(found: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return each goal in words and whether it was reached."""
    return [
        (f"{found['streams']} streams stay open ({found['open']})", found["open"] == found["streams"]),
        (f"a stream takes at most 64 KiB ({found['kib_per_stream']})", found["kib_per_stream"] <= 64),
        (f"the last page hears within 500 ms, p95 ({found['lag_p95_ms']})", found["lag_p95_ms"] <= 500),
    ]


@asynccontextmanager
async def a_gateway(**more: str) -> AsyncIterator[tuple[str, int, str, Database]]:
    """Start one gateway process on a database and a virtual host of its own; give its address, process, broker and database."""
    made = await fresh_database(database="portal_gateway", module="portal_gateway")
    database = Database(made.app, service="portal-gateway", database="portal_gateway", pool_size=2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with a_broker() as amqp_url:
        own = set_service_environment(
            made,
            MSP_AMQP_URL=amqp_url,
            MSP_HTTP_PORT=str(port),
            **{f"MSP_{name}_URL": NOWHERE for name in ("TICKETS", "SLA", "CONTRACTS", "BILLING")},
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "portal_gateway", "api", env={**os.environ, **own, **more}
        )
        url = f"http://127.0.0.1:{port}"
        try:
            await _ready(url)
            yield url, process.pid, amqp_url, database
        finally:
            process.terminate()
            await process.wait()
            await database.close()
            await drop_database(made)


async def tokens(url: str, database: Database, count: int) -> list[str]:
    """Make so many agents, and sign each of them in."""
    found = []
    async with aiohttp.ClientSession() as session:
        for number in range(count):
            email = f"agent{number}@bench.example"
            async with database.transaction(SYSTEM) as tx:
                await people.add_person(
                    tx,
                    kind="staff",
                    client_id=None,
                    email=email,
                    display_name=f"Agent {number}",
                    roles=("agent",),
                    password=PASSWORD,
                    actor="bench",
                )
            async with session.post(f"{url}/api/v1/sessions", json={"email": email, "password": PASSWORD}) as answer:
                found.append((await answer.json())["token"])
    return found


async def _measured(streams: int) -> dict[str, Any]:
    async with a_gateway() as (url, pid, amqp_url, database):
        known = await tokens(url, database, -(-streams // STREAMS_OF_PERSON_MAX))
        before = _kib(pid)
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            opened = []
            for number in range(streams):
                headers = {"authorization": f"Bearer {known[number // STREAMS_OF_PERSON_MAX]}"}
                answer = await session.get(f"{url}/ui/events?topics=tickets", headers=headers)
                if answer.status == 200:
                    await answer.content.readuntil(b"\n\n")
                    opened.append(answer)
            grown = _kib(pid) - before
            lags = [await _lag(amqp_url, opened) for _ in range(SIGNALS)]
            for answer in opened:
                answer.close()
    return {
        "streams": streams,
        "open": len(opened),
        "kib_per_stream": round(grown / streams, 1),
        "lag_p50_ms": round(1000 * statistics.median(lags), 1),
        "lag_p95_ms": round(1000 * statistics.quantiles(lags, n=20)[-1], 1),
    }


async def _lag(amqp_url: str, opened: list[aiohttp.ClientResponse]) -> float:
    document = {
        "specversion": "1.0",
        "id": str(new_id()),
        "source": "/msp/sla",
        "type": "msp.sla.clock.v1.ClockStarted",
        "subject": f"clock:{new_id()}",
        "time": "2026-01-05T10:30:00+00:00",
        "mspclient": str(new_id()),
        "data": {"ticket_id": str(new_id())},
    }
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        exchange = await (await connection.channel()).get_exchange(topology.EVENTS_EXCHANGE, ensure=False)
        started = time.perf_counter()
        message = aio_pika.Message(json.dumps(document).encode())
        await exchange.publish(message, routing_key="sla.clock.v1.ClockStarted")
        while b"data: tickets" not in await opened[-1].content.readuntil(b"\n\n"):
            pass
        await asyncio.gather(*(_heard(one) for one in opened[:-1]))
        return time.perf_counter() - started


async def _heard(one: aiohttp.ClientResponse) -> None:
    while b"data: tickets" not in await one.content.readuntil(b"\n\n"):
        pass


async def _ready(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        while True:
            try:
                async with session.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


def _kib(pid: int) -> int:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def main() -> int:
    """Print what was measured."""
    found = run(int(sys.argv[1]) if len(sys.argv) > 1 else STREAMS)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
