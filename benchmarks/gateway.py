"""The door: what a forwarded request costs it, and how long a mix of fifty a second takes through it.

``python -m benchmarks.gateway [REQUESTS]`` (1000 where no number is given). Behind it stands a service that answers at once, so what
is measured is the gateway's own: reading, who asks, limits, signing, forwarding.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from benchmarks.streams import a_gateway, tokens

REQUESTS = 1000
PER_SECOND = 50
MIX = (
    ("GET", "/tickets?limit=20"),
    ("GET", "/tickets/counts"),
    ("GET", "/tickets/T-100"),
    ("POST", "/time-entries"),
    ("GET", "/queues"),
)
ANSWER = json.dumps({"items": [{"id": number, "title": "Printer jams"} for number in range(20)], "next": None})
ENTRY = {"ticket_id": "T-100", "worked_minutes": 15, "note": "Looked at it"}


def run(requests: int = REQUESTS) -> dict[str, Any]:
    """Measure so many requests, flat out and at a steady rate."""
    return asyncio.run(_measured(requests))


def goals(found: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return each goal in words and whether it was reached."""
    return [
        (
            f"a forwarded request costs at most 1.5 ms of processor time ({found['cpu_ms_per_request']})",
            found["cpu_ms_per_request"] <= 1.5,
        ),
        (f"{PER_SECOND} requests a second: p95 at most 25 ms ({found['steady_p95_ms']})", found["steady_p95_ms"] <= 25),
    ]


async def _measured(requests: int) -> dict[str, Any]:
    service = await _service()
    address = f"http://127.0.0.1:{service.addresses[0][1]}"
    try:
        async with a_gateway(MSP_TICKETS_URL=address, MSP_RATE_LIMIT_FACTOR="100000") as (url, pid, _, database):
            (token,) = await tokens(url, database, 1)
            headers = {"authorization": f"Bearer {token}"}
            async with aiohttp.ClientSession(headers=headers) as session:
                await asyncio.gather(*(_ask(session, url, number) for number in range(50)))
                before, started = _cpu_seconds(pid), time.perf_counter()
                for first in range(0, requests, 16):
                    await asyncio.gather(
                        *(_ask(session, url, number) for number in range(first, min(first + 16, requests)))
                    )
                cpu, wall = _cpu_seconds(pid) - before, time.perf_counter() - started
                steady = await _steady(session, url, requests)
    finally:
        await service.cleanup()
    return {
        "requests": requests,
        "cpu_ms_per_request": round(1000 * cpu / requests, 2),
        "requests_per_second": round(requests / wall),
        "steady_p50_ms": round(1000 * statistics.median(steady), 1),
        "steady_p95_ms": round(1000 * statistics.quantiles(steady, n=20)[-1], 1),
    }


async def _service() -> web.AppRunner:
    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(text=ANSWER, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


async def _ask(session: aiohttp.ClientSession, url: str, number: int) -> float:
    method, path = MIX[number % len(MIX)]
    started = time.perf_counter()
    body = ENTRY if method == "POST" else None
    async with session.request(method, f"{url}/api/v1{path}", json=body) as answer:
        text = await answer.text()
        assert answer.status == 200, text
    return time.perf_counter() - started


async def _steady(session: aiohttp.ClientSession, url: str, requests: int) -> list[float]:
    asked = []
    for number in range(requests):
        asked.append(asyncio.create_task(_ask(session, url, number)))
        await asyncio.sleep(1 / PER_SECOND)
    return list(await asyncio.gather(*asked))


def _cpu_seconds(pid: int) -> float:
    """Return the processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Print what was measured."""
    found = run(int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
