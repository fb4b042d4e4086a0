"""The broker's side of hearing: FastStream delivers, a batcher gathers, the inbox commits, then the message is acked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitMessage, RabbitQueue

from msp_events.envelope import BATCH_BYTES_MAX, Envelope, Unreadable, parse
from msp_kit import telemetry, topology
from msp_kit.database import SYSTEM, Database, is_unavailable
from msp_kit.inbox import Inbox

log = telemetry.logger(__name__)

BATCH_MAX = 200
PATIENCE_SECONDS_MAX = 5.0


class Batcher:
    """Gathers what was delivered while the last transaction ran, and takes it in one."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self._waiting: asyncio.Queue[tuple[list[Envelope], asyncio.Future[None]]] = asyncio.Queue()

    async def take(self, envelopes: list[Envelope]) -> None:
        """Return when the events are durably taken."""
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._waiting.put((envelopes, taken))
        await taken

    async def run(self) -> None:
        """Take batches for ever; when the database is away, hold on to them and try again."""
        while True:
            gathered = [await self._waiting.get()]
            while not self._waiting.empty() and sum(len(one) for one, _ in gathered) < BATCH_MAX:
                gathered.append(self._waiting.get_nowait())
            envelopes = [envelope for one, _ in gathered for envelope in one]
            error: BaseException | None = None
            try:
                await self._accept(envelopes)
            except Exception as raised:
                error = raised
                log.exception("batch could not be taken")
            for _, taken in gathered:
                if not taken.done():
                    taken.set_result(None) if error is None else taken.set_exception(error)

    async def _accept(self, envelopes: Sequence[Envelope]) -> None:
        patience_seconds = 0.2
        while True:
            try:
                await self.inbox.accept(envelopes)
            except Exception as error:
                if not is_unavailable(error):
                    raise
                # Unacked messages stay ours; no attempt is charged to them for the outage.
                log.warning("database is away, messages wait", error=repr(error), patience_seconds=patience_seconds)
                await asyncio.sleep(patience_seconds)
                patience_seconds = min(patience_seconds * 2, PATIENCE_SECONDS_MAX)
            else:
                return


class Subscriber:
    """The queues of one service, consumed."""

    def __init__(self, *, service: str, amqp_url: str, database: Database, inbox: Inbox, prefetch: int) -> None:
        self.service = service
        self.database = database
        self.batcher = Batcher(inbox)
        self.broker = RabbitBroker(
            amqp_url,
            default_channel=Channel(prefetch_count=prefetch),
            graceful_timeout=10.0,
            app_id=service,
            logger=None,
        )
        for name in (topology.events_queue(service), topology.replay_queue(service)):
            self._subscribe(name, self._deliver)
        self._subscribe(topology.parked_queue(service), self._put_aside)
        self._task: asyncio.Task[None] | None = None

    def _subscribe(self, queue: str, function: Any) -> None:
        # MANUAL: the default policy rejects on the first error, which would throw messages away in an outage.
        self.broker.subscriber(RabbitQueue(queue, declare=False), ack_policy=AckPolicy.MANUAL, decoder=_raw)(function)

    async def start(self) -> None:
        """Connect and consume.

        Raises:
            OSError, aio_pika.exceptions.AMQPError: the broker is away or the topology is not declared.
        """
        self._task = self._task or asyncio.create_task(self.batcher.run(), name="batcher")
        await self.broker.start()

    async def stop(self) -> None:
        """Stop consuming; what is unacked goes back to the queue."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(15):
                await self.broker.stop()
        if self._task is not None:
            self._task.cancel()

    async def is_connected(self) -> bool:
        """Return whether the broker answers."""
        return bool(await self.broker.ping(timeout=2.0))

    async def _deliver(self, message: RabbitMessage) -> None:
        raw = message.raw_message
        try:
            envelopes = parse(raw.body, content_type=raw.content_type or "", headers=raw.headers)
        except Unreadable as error:
            await self._park(message, reason=error.reason, detail=str(error))
        else:
            await self.batcher.take(envelopes)
            await message.ack()

    async def _put_aside(self, message: RabbitMessage) -> None:
        await self._park(message, reason="crash-loop", detail="the process died again and again on this message")

    async def _park(self, message: RabbitMessage, *, reason: str, detail: str) -> None:
        raw = message.raw_message
        patience_seconds = 0.2
        while True:
            try:
                async with self.database.transaction(SYSTEM) as tx:
                    await tx.driver.execute(
                        "INSERT INTO bus.unreadable (queue, reason, detail, headers, body) VALUES ($1, $2, $3, $4, $5)",
                        raw.routing_key or "",
                        reason,
                        detail[:2000].replace("\x00", ""),
                        orjson.dumps(_plain(raw.headers), default=repr).decode().replace("\\u0000", ""),
                        raw.body[:BATCH_BYTES_MAX],
                    )
                break
            except Exception as error:
                if not is_unavailable(error):
                    raise
                await asyncio.sleep(patience_seconds)
                patience_seconds = min(patience_seconds * 2, PATIENCE_SECONDS_MAX)
        telemetry.EVENTS_HEARD.labels(self.service, "unreadable", "parked").inc()
        log.warning("unreadable message parked", reason=reason, detail=detail[:200], routing_key=raw.routing_key)
        await message.ack()


async def _raw(message: RabbitMessage) -> bytes:
    return message.body if isinstance(message.body, bytes) else bytes(message.body)


def _plain(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in headers.items()}
