"""The message process of a service: consumers, jobs, relay, sweeper."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence

from msp_kit import jobs, relay, telemetry
from msp_kit.consumers import Consumers
from msp_kit.database import SYSTEM, Database, Transaction, is_unavailable
from msp_kit.inbox import Inbox
from msp_kit.jobs import Job
from msp_kit.messaging import Subscriber
from msp_kit.settings import ServiceSettings

log = telemetry.logger(__name__)

SWEEP_SECONDS = 0.5
IDEMPOTENCY_HOURS = 72


class Worker:
    """Everything of a service that is not an HTTP request."""

    def __init__(
        self,
        *,
        service: str,
        database_name: str,
        settings: ServiceSettings,
        consumers: Consumers,
        jobs: Sequence[Job] = (),
        database: Database | None = None,
    ) -> None:
        url = settings.database_url.get_secret_value()
        amqp_url = settings.amqp_url.get_secret_value()
        self.service = service
        self.database = database or Database(url, service=service, database=database_name, pool_size=settings.pool_size)
        self.inbox = Inbox(self.database, consumers)
        self.jobs = (*jobs, Job("forget-answers", 600, _forget_answers), Job("gauges", 5, self._gauges))
        self.relay = relay.Relay(
            service=service,
            database=database_name,
            database_url=url,
            amqp_url=amqp_url,
            # Commits of this process wake its own relay without asking the database to say so.
            woken=self.database.recorded,
        )
        self.subscriber = Subscriber(
            service=service,
            amqp_url=amqp_url,
            database=self.database,
            inbox=self.inbox,
            prefetch=settings.consumer_prefetch,
        )
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start all parts; the broker may come later."""
        stopping = self._stopping
        self._tasks = [
            asyncio.create_task(self.relay.run(stopping), name="relay"),
            asyncio.create_task(self.subscriber.run(stopping), name="subscribe"),
            asyncio.create_task(self._sweep(), name="sweep"),
            *(asyncio.create_task(jobs.run(job, self.database, stopping=stopping), name=job.name) for job in self.jobs),
        ]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """End the process when a part of it has died: a worker that does half of its work looks healthy."""
        if not self._stopping.is_set() and not task.cancelled():
            log.error("a part of the worker ended; ending the process", part=task.get_name(), exc_info=task.exception())
            os.kill(os.getpid(), signal.SIGTERM)

    async def stop(self) -> None:
        """Drain: no new messages, finish what runs, let the relay end its batch."""
        self._stopping.set()
        self.database.recorded.set()
        _, late = await asyncio.wait(self._tasks, timeout=15)
        for task in late:
            task.cancel()
        await self.database.close()

    async def _sweep(self) -> None:
        while not self._stopping.is_set():
            try:
                tried = await self.inbox.sweep()
            except Exception as error:
                tried = 0
                if not is_unavailable(error):
                    log.exception("sweep failed")
            if not tried:
                await asyncio.sleep(SWEEP_SECONDS)

    async def _gauges(self, tx: Transaction) -> bool:
        row = await tx.fetchrow(
            "SELECT count(*) AS unsent, coalesce(extract(epoch FROM clock_timestamp() - min(added_at)), 0) AS oldest"
            " FROM bus.outbox"
        )
        assert row is not None
        telemetry.OUTBOX_ROWS.labels(self.service).set(row["unsent"])
        telemetry.OUTBOX_OLDEST_SECONDS.labels(self.service).set(row["oldest"])
        counts = await tx.fetch(
            "SELECT status, count(*) AS n FROM bus.inbox WHERE status IN ('waiting', 'retry', 'parked') GROUP BY status"
        )
        found = {row["status"]: row["n"] for row in counts}
        for status in ("waiting", "retry", "parked"):
            telemetry.INBOX_OPEN.labels(self.service, status).set(found.get(status, 0))
        return False


async def _forget_answers(tx: Transaction) -> bool:
    assert tx.scope == SYSTEM
    await tx.driver.execute(
        "DELETE FROM bus.idempotency WHERE created_at < clock_timestamp() - make_interval(hours => $1)",
        IDEMPOTENCY_HOURS,
    )
    return False
