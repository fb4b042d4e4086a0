"""The load on both sides of a comparison: a flood, and a steady fifty a second. It knows only two addresses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

MINUTES = 15
POLL_SECONDS = 0.005


@dataclass
class Target:
    """A platform under load: how to log time on a contract, and how to see what is held."""

    url: str
    headers: dict[str, str]
    post_path: str
    bodies: list[dict[str, Any]]
    """One per contract; logging it adds ``MINUTES``."""
    balance_paths: list[str]
    held: Callable[[aiohttp.ClientSession], Awaitable[int]]
    """Return the minutes held over all contracts."""


async def flood(target: Target, *, seconds: float, concurrency: int = 32) -> dict[str, float]:
    """Log time as fast as answers come; the clock stops when every minute can be read as held."""
    async with _session(target) as session:
        before = await target.held(session)
        count = 0
        ends_at = time.perf_counter() + seconds

        async def work(index: int) -> None:
            nonlocal count
            turn = index
            while time.perf_counter() < ends_at:
                await _post(session, target, target.bodies[turn % len(target.bodies)])
                count += 1
                turn += concurrency

        started = time.perf_counter()
        await asyncio.gather(*(work(index) for index in range(concurrency)))
        posted = time.perf_counter()
        while await target.held(session) < before + count * MINUTES:
            await asyncio.sleep(0.02)
        done = time.perf_counter()
    return {
        "entries": count,
        "posted_per_second": round(count / (posted - started), 1),
        "readable_per_second": round(count / (done - started), 1),
        "lag_seconds": round(done - posted, 2),
    }


async def steady(target: Target, *, seconds: float, per_second: int = 50) -> dict[str, float]:
    """Log time at a steady rate; each entry is timed until its contract's balance has changed."""
    async with _session(target) as session:
        waits: list[float] = []
        answers: list[float] = []

        async def one(index: int) -> None:
            path = target.balance_paths[index]
            before = await _held(session, target.url + path)
            started = time.perf_counter()
            await _post(session, target, target.bodies[index])
            answers.append(time.perf_counter() - started)
            while await _held(session, target.url + path) < before + MINUTES:
                # Asking without a pause would measure the asking: on two cores it takes the platform's time.
                await asyncio.sleep(POLL_SECONDS)
            waits.append(time.perf_counter() - started)

        tasks: list[asyncio.Task[None]] = []
        for number in range(int(seconds * per_second)):
            # A contract is used again only after all others: nobody else changes the balance that is watched.
            tasks.append(asyncio.create_task(one(number % len(target.bodies))))
            await asyncio.sleep(1 / per_second)
        await asyncio.gather(*tasks)
    return {
        "p50_ms": round(_percentile(waits, 50) * 1000, 1),
        "p99_ms": round(_percentile(waits, 99) * 1000, 1),
        "answer_p50_ms": round(_percentile(answers, 50) * 1000, 1),
        "answer_p99_ms": round(_percentile(answers, 99) * 1000, 1),
    }


def _session(target: Target) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers=target.headers, connector=aiohttp.TCPConnector(limit=200))


async def _post(session: aiohttp.ClientSession, target: Target, body: dict[str, Any]) -> None:
    async with session.post(
        target.url + target.post_path, data=orjson.dumps(body), headers={"content-type": "application/json"}
    ) as answer:
        text = await answer.read()
        assert answer.status == 201, text


async def _held(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url) as answer:
        return int(orjson.loads(await answer.read())["held_minutes"])


def _percentile(values: list[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
