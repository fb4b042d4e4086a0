"""What wakes by itself: ticks, each one transaction, run by any number of workers."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from msp_kit import telemetry
from msp_kit.database import SYSTEM, Database, Transaction, is_unavailable

log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A tick: ``tick(tx)`` returns ``True`` when more is due at once, ``False`` to sleep ``every_seconds``.

    Workers share the work through ``FOR UPDATE SKIP LOCKED`` in the tick's own SELECT; there is no leader. What a tick has
    begun and only the next one of the same worker can finish is finished before the worker stops: ``has_begun`` says so.
    """

    name: str
    every_seconds: float
    tick: Callable[[Transaction], Awaitable[bool]]
    has_begun: Callable[[], bool] = lambda: False


async def run(job: Job, database: Database, *, stopping: asyncio.Event) -> None:
    """Tick until ``stopping``; a failing tick is logged and tried again."""
    has_failed = False
    while not stopping.is_set() or (job.has_begun() and not has_failed):
        has_more = has_failed = False
        started = time.perf_counter()
        try:
            async with database.transaction(SYSTEM) as tx:
                has_more = await job.tick(tx)
        except Exception as error:
            has_failed = True
            if is_unavailable(error):
                log.warning("database is away, the job waits", job=job.name, error=repr(error)[:300])
            else:
                log.exception("job tick failed", job=job.name)
        telemetry.JOB_SECONDS.labels(database.service, job.name).observe(time.perf_counter() - started)
        if not has_more:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(job.every_seconds):
                    await stopping.wait()
