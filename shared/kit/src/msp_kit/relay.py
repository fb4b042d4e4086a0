"""The relay: takes recorded events from the outbox to the broker, in order per subject, until the broker has confirmed.

Any number of relays may run: shards are locked, so one subject is sent by one relay at a time. There is no failed state:
an event that happened must go out. A crash between confirm and commit sends a prefix again; the inbox knows those.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import aio_pika
import asyncpg
from aio_pika.abc import AbstractExchange
from aio_pika.exceptions import DeliveryError

from msp_events import envelope
from msp_events.catalog import hearers
from msp_kit import amqp, telemetry, topology
from msp_kit.database import Database, connect

log = telemetry.logger(__name__)

POLL_SECONDS = 1.0
CONFIRM_SECONDS_MAX = 10.0
CONNECT_SECONDS_MAX = 15.0
ROWS_MAX = 1000
CHANNEL_NOTIFY = "msp_outbox"
BUSY_SECONDS = 0.02
SHARDS = 8
"""As ``bus.record`` numbers them."""
# Advisory locks cost no write; 7707 is only a name space of our own.
_TAKE_SHARDS = "SELECT coalesce(array_agg(n), '{}') FROM generate_series(0, $1::int - 1) AS n WHERE pg_try_advisory_xact_lock(7707, n)"
# OFFSET 0 keeps the log from being merged with the outbox from its first row on: one look-up per unsent event.
_UNSENT = """
    SELECT o.pos, e.* FROM (SELECT pos FROM bus.outbox WHERE shard = ANY($1) ORDER BY pos LIMIT $2) AS o
     CROSS JOIN LATERAL (SELECT routing_key, event_id::text AS event_id, envelope AS text
                           FROM bus.event_log WHERE event_log.pos = o.pos OFFSET 0) AS e
     ORDER BY o.pos
"""


@dataclass(frozen=True, slots=True)
class _Unsent:
    pos: int
    routing_key: str
    event_id: str
    text: str

    @property
    def stream(self) -> str:
        owner, stream, *_ = self.routing_key.split(".")
        return f"{owner}.{stream}"


class Unroutable(Exception):
    """The broker has no queue for a stream that the manifest says somebody hears."""


async def poke(database: Database, *, stopping: asyncio.Event) -> None:
    """Wake the relays after commits of this process.

    ``NOTIFY`` is sent outside business transactions (inside, it would take a cluster-wide lock at commit), and
    coalesced: losing one costs at most ``POLL_SECONDS``.
    """
    while not stopping.is_set():
        try:
            connection = await connect(database.url, application=f"{database.service}-poke")
            try:
                while not stopping.is_set():
                    await database.recorded.wait()
                    database.recorded.clear()
                    await connection.execute(f"NOTIFY {CHANNEL_NOTIFY}")
            finally:
                await _close(connection)
        except Exception as error:  # noqa: BLE001 - as below: it must go on
            log.warning("cannot wake the relay", error=repr(error))
            await _pause(stopping, POLL_SECONDS)


class Relay:
    """Publishes the outbox of one service on a database and a broker connection of its own."""

    def __init__(
        self, *, service: str, database: str, database_url: str, amqp_url: str, woken: asyncio.Event | None = None
    ) -> None:
        self.service = service
        self.database = database
        self.database_url = database_url
        self.amqp_url = amqp_url
        self._woken = woken or asyncio.Event()
        """Set by notifications of other processes, and by commits of this one when it is ``Database.recorded``."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Publish until ``stopping``; reconnect with growing patience whenever something is down."""
        patience_seconds = 0.2
        while not stopping.is_set():
            try:
                async with contextlib.AsyncExitStack() as stack:
                    sql = await connect(self.database_url, application=f"{self.service}-relay")
                    stack.push_async_callback(_close, sql)
                    async with asyncio.timeout(CONNECT_SECONDS_MAX):
                        exchange = await self._exchange(stack)
                    await sql.execute(f"SET ROLE {self.database}_staff")
                    await sql.add_listener(CHANNEL_NOTIFY, self._on_notify)
                    patience_seconds = 0.2
                    while not stopping.is_set():
                        if not await self._publish_some(sql, exchange):
                            await self._wait()
            except Exception as error:  # noqa: BLE001 - a relay that dies is silence: whatever happened, connect anew
                telemetry.RELAY_FAILURES.labels(self.service, type(error).__name__).inc()
                log.warning("relay waits", error=repr(error), patience_seconds=patience_seconds)
                await _pause(stopping, patience_seconds)
                patience_seconds = min(patience_seconds * 2, 5.0)

    async def _exchange(self, stack: contextlib.AsyncExitStack) -> AbstractExchange:
        broker = await amqp.connect(self.amqp_url)
        # Not closing would leave a dead connection holding what the broker has not confirmed.
        stack.push_async_callback(_close_broker, broker)
        channel = await broker.channel(publisher_confirms=True, on_return_raises=True)
        return await channel.get_exchange(topology.EVENTS_EXCHANGE, ensure=False)

    def _on_notify(self, *_: object) -> None:
        self._woken.set()

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._woken.wait()
        self._woken.clear()

    async def _publish_some(self, sql: asyncpg.Connection[asyncpg.Record], exchange: AbstractExchange) -> bool:
        """Send one batch; return whether there may be more."""
        async with sql.transaction():
            # A statement of its own: the next one must not see rows that another relay has just sent.
            shards = await sql.fetchval(_TAKE_SHARDS, SHARDS)
            rows = await sql.fetch(_UNSENT, shards, ROWS_MAX)
            is_shared = len(shards) < SHARDS
            if not rows:
                # What woke us may lie behind the locks of another relay, which looked before it was there.
                await asyncio.sleep(BUSY_SECONDS if is_shared else 0)
                return is_shared
            unsent: dict[str, list[_Unsent]] = defaultdict(list)
            for row in rows:
                one = _Unsent(**row)
                unsent[one.stream].append(one)
            sent = await asyncio.gather(
                *(self._publish_stream(exchange, stream, events) for stream, events in unsent.items()),
                return_exceptions=True,
            )
            done = [pos for result in sent if isinstance(result, list) for pos in result]
            await sql.execute("DELETE FROM bus.outbox WHERE pos = ANY($1)", done)
        for result in sent:
            if isinstance(result, BaseException):
                raise result
        return is_shared or len(rows) == ROWS_MAX

    async def _publish_stream(self, exchange: AbstractExchange, stream: str, events: list[_Unsent]) -> list[int]:
        """Send the events of one stream in order and return the positions that are done.

        Raises:
            Unroutable: nothing is bound although somebody should hear the stream.
        """
        done: list[int] = []
        for chunk in _chunks(events):
            if hearers(*stream.split(".")):
                await self._publish_chunk(exchange, stream, chunk)
            done += [event.pos for event in chunk]
        telemetry.EVENTS_PUBLISHED.labels(self.service, stream).inc(len(done))
        return done

    async def _publish_chunk(self, exchange: AbstractExchange, stream: str, chunk: Sequence[_Unsent]) -> None:
        first = chunk[0]
        is_single = len(chunk) == 1
        message = aio_pika.Message(
            (first.text if is_single else f"[{','.join(event.text for event in chunk)}]").encode(),
            content_type=envelope.CONTENT_TYPE if is_single else envelope.BATCH_CONTENT_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=first.event_id,
            app_id=self.service,
        )
        # Listeners bind whole streams, so a batch may travel under a key of its own.
        key = first.routing_key if is_single else f"{stream}.v1.Batch"
        try:
            await exchange.publish(message, routing_key=key, mandatory=True, timeout=CONFIRM_SECONDS_MAX)
        except DeliveryError as error:
            raise Unroutable(f"{key}: {error}") from error


def _chunks(events: list[_Unsent]) -> list[list[_Unsent]]:
    chunks: list[list[_Unsent]] = []
    size = 0
    for event in events:
        if (
            not chunks
            or size + len(event.text) > envelope.BATCH_BYTES_MAX // 2
            or (len(chunks[-1]) == envelope.BATCH_EVENTS_MAX)
        ):
            chunks.append([])
            size = 0
        chunks[-1].append(event)
        size += len(event.text)
    return chunks


async def _close(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    with contextlib.suppress(Exception):
        await connection.close(timeout=2)


async def _close_broker(connection: aio_pika.abc.AbstractConnection) -> None:
    with contextlib.suppress(Exception):
        async with asyncio.timeout(2):
            await connection.close()


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
