"""From the bus to open pages: signals that something changed, never what. The page asks again by its normal address.

Each process has a queue of its own that lives as long as the process. A signal names a topic; who may hear a topic is
checked when the page connects and again whenever a signal is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aio_pika.exceptions import AMQPError
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from msp_events.catalog import HEARS
from msp_events.envelope import Envelope, Unreadable, parse
from msp_kit import amqp, telemetry, topology
from msp_kit.problems import Unauthenticated
from portal_gateway.pages.site import site_of
from portal_gateway.scope import Visitor

log = telemetry.logger(__name__)
router = APIRouter()
KEPT_MAX = 2000
WAITING_MAX = 500
PING_SECONDS = 15.0
TOPICS_MAX = 20
RECONNECT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Signal:
    """Something of a client changed; ``client_id`` is ``None`` for what concerns staff only."""

    number: int
    topic: str
    client_id: str | None


@dataclass(eq=False)
class Listener:
    """One open page."""

    topics: frozenset[str]
    signals: asyncio.Queue[Signal] = field(default_factory=lambda: asyncio.Queue(WAITING_MAX))


class Hub:
    """Takes events from the bus and hands signals to open pages."""

    def __init__(self, amqp_url: str) -> None:
        self.amqp_url = amqp_url
        self.listeners: set[Listener] = set()
        self.kept: deque[Signal] = deque(maxlen=KEPT_MAX)
        self._number = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen; the broker may come later."""
        self._task = asyncio.create_task(self._run(), name="live")

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def publish(self, topics: Iterable[str], client_id: str | None) -> None:
        """Hand a signal to every page that shows one of the topics."""
        for topic in topics:
            self._number += 1
            signal = Signal(self._number, topic, client_id)
            self.kept.append(signal)
            for listener in self.listeners:
                if topic in listener.topics:
                    # A page that does not read is told to look afresh, and holds up nobody.
                    with contextlib.suppress(asyncio.QueueFull):
                        listener.signals.put_nowait(signal)

    async def _run(self) -> None:
        while True:
            try:
                connection = await amqp.connect(self.amqp_url)
                async with connection:
                    channel = await connection.channel()
                    await channel.set_qos(prefetch_count=500)
                    name = f"portal-gateway.live.{uuid4().hex[:12]}"
                    queue = await channel.declare_queue(name, exclusive=True, auto_delete=True)
                    for stream in HEARS["portal-gateway"]:
                        await queue.bind(topology.EVENTS_EXCHANGE, routing_key=f"{stream}.v1.#")
                    async with queue.iterator(no_ack=True) as messages:
                        async for message in messages:
                            self._take(message.body)
            except (OSError, AMQPError, TimeoutError) as error:
                log.warning("live updates wait for the broker", error=repr(error)[:200])
            await asyncio.sleep(RECONNECT_SECONDS)

    def _take(self, body: bytes) -> None:
        with contextlib.suppress(Unreadable):
            for envelope in parse(body):
                client = None if envelope.client_id is None else str(envelope.client_id)
                self.publish(topics_of(envelope), client)


def topics_of(envelope: Envelope) -> list[str]:
    """Return the topics an event concerns."""
    data: Any = envelope.data
    match envelope.stream:
        case "ticket":
            found = [f"ticket-{data.get('ticket_id')}", f"queue-{data.get('queue')}", "tickets", "ops"]
        case "clock":
            found = [f"ticket-{data.get('ticket_id')}", "tickets", "ops"]
        case "bucket":
            found = [f"bucket-{data.get('contract_id')}", "buckets", "ops"]
        case "invoice":
            found = ["invoices", "ops"]
        case _:
            found = []
    return found


def may_hear(visitor: Visitor, signal: Signal) -> bool:
    """Return whether a signal concerns the visitor: staff hears all, a client's people what is their client's."""
    return visitor.caller.kind == "staff" or (
        signal.client_id is not None and signal.client_id == str(visitor.caller.client_id)
    )


@router.get("/ui/events", include_in_schema=False)
async def events(request: Request) -> Response:
    """Stream signals for the topics of a page."""
    site = site_of(request)
    try:
        visitor = await site.visitors.of(request)
    except Unauthenticated:
        return Response(status_code=401)
    wanted = [topic for topic in request.query_params.get("topics", "").split(",") if topic][:TOPICS_MAX]
    listener = Listener(frozenset(wanted))
    hub: Hub = request.app.state.hub
    last = request.headers.get("last-event-id", "")
    headers = {"cache-control": "no-cache", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}
    stream = _stream(request, visitor, listener, hub, int(last) if last.isdecimal() else None)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _stream(
    request: Request, visitor: Visitor, listener: Listener, hub: Hub, last: int | None
) -> AsyncIterator[bytes]:
    hub.listeners.add(listener)
    try:
        yield b"retry: 2000\n\n"
        for signal in _missed(hub, listener, last):
            if may_hear(visitor, signal):
                yield _line(signal)
        while not await request.is_disconnected():
            try:
                async with asyncio.timeout(PING_SECONDS):
                    signal = await listener.signals.get()
            except TimeoutError:
                yield b": ping\n\n"
                continue
            # The session may have ended, or the person changed, since the page connected.
            visitor = await site_of(request).visitors.of(request)
            if may_hear(visitor, signal):
                yield _line(signal)
    except Unauthenticated:
        return
    finally:
        hub.listeners.discard(listener)


def _missed(hub: Hub, listener: Listener, last: int | None) -> list[Signal]:
    if last is None:
        return []
    if hub.kept and last + 1 < hub.kept[0].number:
        return [Signal(hub.kept[-1].number, topic, None) for topic in listener.topics]
    return [signal for signal in hub.kept if signal.number > last and signal.topic in listener.topics]


def _line(signal: Signal) -> bytes:
    topic = "".join(character for character in signal.topic if character.isalnum() or character in "-_")
    return f"id: {signal.number}\nevent: signal\ndata: {topic}\n\n".encode()
