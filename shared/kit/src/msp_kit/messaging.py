"""The broker's side of hearing: FastStream delivers, a batcher gathers, the inbox commits, then the message is acked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

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
START_SECONDS_MAX = 30.0
LOOK_SECONDS = 2.0


class Batcher:
    """Gathers what was delivered while the last transaction ran, and ``gather_seconds`` longer, and takes it in one."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.gather_seconds = inbox.consumers.gather_seconds
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
            if self.gather_seconds:
                await asyncio.sleep(self.gather_seconds)
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
    """The queues of one service, consumed.

    A connection that was lost is thrown away with its consumers, and everything is made anew: restoring consumers on a
    broker that is just starting can fail silently, and a worker that hears nothing looks healthy.
    """

    def __init__(self, *, service: str, amqp_url: str, database: Database, inbox: Inbox, prefetch: int) -> None:
        self.service = service
        self.amqp_url = amqp_url
        self.database = database
        self.batcher = Batcher(inbox)
        self.prefetch = prefetch

    async def run(self, stopping: asyncio.Event) -> None:
        """Consume until ``stopping``; what is unacked then goes back to the queue."""
        batches = asyncio.create_task(self.batcher.run(), name="batcher")
        patience_seconds = 0.2
        while not stopping.is_set():
            broker = self._broker()
            try:
                async with asyncio.timeout(START_SECONDS_MAX):
                    await broker.start()
                log.info("consuming")
                patience_seconds = 0.2
                await _lost_or(stopping, broker)
            except Exception as error:  # noqa: BLE001 - whatever it is, the broker may come back
                log.warning("cannot consume yet", error=repr(error)[:300])
            finally:
                await _stopped(broker, is_draining=stopping.is_set())
            await _pause(stopping, patience_seconds)
            patience_seconds = min(patience_seconds * 2, PATIENCE_SECONDS_MAX)
        batches.cancel()

    def _broker(self) -> RabbitBroker:
        broker = RabbitBroker(
            self.amqp_url,
            default_channel=Channel(prefetch_count=self.prefetch),
            graceful_timeout=10.0,
            app_id=self.service,
            logger=None,
        )
        handlers = {
            topology.events_queue(self.service): self._deliver,
            topology.replay_queue(self.service): self._deliver,
            topology.parked_queue(self.service): self._put_aside,
        }
        for name, function in handlers.items():
            # MANUAL: the default policy rejects on the first error, which would throw messages away in an outage.
            queue = RabbitQueue(name, declare=False)
            subscriber = broker.subscriber(queue, ack_policy=AckPolicy.MANUAL, decoder=_raw)
            subscriber(function)
            # Messages may come before the library has noted that it consumes; it would drop them, unacked and untold.
            subscriber.running = True
        return broker

    async def _deliver(self, message: RabbitMessage) -> None:
        raw = message.raw_message
        try:
            envelopes = parse(raw.body, content_type=raw.content_type or "", headers=raw.headers)
        except Unreadable as error:
            await self._park(message, reason=error.reason, detail=str(error))
            return
        try:
            await self.batcher.take(envelopes)
        except Exception:  # noqa: BLE001 - the batcher has told it
            # Unacked it would stay ours, untaken, for as long as the connection lives. The broker counts how often it
            # comes back, and parks it at the limit.
            await asyncio.sleep(PATIENCE_SECONDS_MAX)
            await message.nack(requeue=True)
        else:
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


async def _lost_or(stopping: asyncio.Event, broker: RabbitBroker) -> None:
    """Return when the worker stops, or when it would hear nothing more.

    A lost connection is told; a consumer that the broker cancels, as a queue does that moves to another leader, or a
    channel that closes alone is not: those are looked for.
    """
    transport = broker._connection.transport if broker._connection else None  # noqa: SLF001 - it has no public name
    assert transport is not None, "a started broker has a connection"
    consumers = [
        (await one._queue_obj.channel.get_underlay_channel(), one._consumer_tag)  # noqa: SLF001 - nor have these
        for one in cast("Any", broker.subscribers)
    ]
    stop = asyncio.ensure_future(stopping.wait())
    done: set[asyncio.Future[Any]] = set()
    while not done and all(not channel.is_closed and tag in channel.consumers for channel, tag in consumers):
        done, _ = await asyncio.wait(
            {transport.connection.closing, stop}, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
    if not done:
        log.warning("the broker ended a consumer, making it anew")
    stop.cancel()


async def _stopped(broker: RabbitBroker, *, is_draining: bool) -> None:
    """End a broker. Only a worker that stops waits for its consumers; lost ones would never answer."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(15):
            if not is_draining and broker._connection is not None:  # noqa: SLF001 - as above
                await broker._connection.close()  # noqa: SLF001
            await broker.stop()


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()


async def _raw(message: RabbitMessage) -> bytes:
    return message.body if isinstance(message.body, bytes) else bytes(message.body)


def _plain(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in headers.items()}
