"""From the bus to open pages: signals that something changed, never what. The page asks again by its normal address.

Each process has a queue of its own that lives as long as the process. A signal names a topic; who hears is asked anew
whenever anything is sent, a ping included. A page that comes back says the last signal it had; when what it missed is not known
(another process, too long ago, the broker was away, a page that did not read) it is told to look afresh. Signals are numbered by
when they came: a count would tell each page how much happens to everybody else (ADR 0067).

The tabs of one browser share a stream (ADR 0068): its topics are those of all of them, and whichever tab keeps it says where it goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from msp_events.catalog import HEARS
from msp_events.envelope import Envelope, Unreadable, parse
from msp_kit import amqp, telemetry, topology
from msp_kit.problems import Unauthenticated
from portal_gateway.actions import notes
from portal_gateway.pages.site import site_of
from portal_gateway.scope import Visitor

log = telemetry.logger(__name__)
router = APIRouter()
KEPT_MAX = 2000
WAITING_MAX = 500
PING_SECONDS = 15.0
TOPICS_MAX = 100
"""Of one stream; ``app.js`` asks for no more, and a tab whose topics are beyond looks by itself."""
RECONNECT_SECONDS = 2.0
STREAMS_MAX = 800
"""Open streams of one process: below the connections its server takes, so that requests always get through."""
STREAMS_OF_PERSON_MAX = 30
LOOK_AFRESH = "*"
THE_END = "."
INBOX = "inbox-"
"""Begins the topic of one person's own inbox."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Something of a client changed; ``client_id`` is ``None`` for what concerns staff only."""

    moment: int
    topic: str
    client_id: str | None


@dataclass(eq=False)
class Listener:
    """One open stream."""

    topics: frozenset[str]
    person_id: object = None
    signals: asyncio.Queue[Signal] = field(default_factory=lambda: asyncio.Queue(WAITING_MAX))

    def hear(self, signal: Signal) -> None:
        """Take a signal; a page that does not read is told to look afresh, and holds up nobody."""
        if self.signals.full():
            self.look_afresh(signal.moment)
        else:
            self.signals.put_nowait(signal)

    def look_afresh(self, moment: int) -> None:
        """Forget what waits: everything is looked at anyway."""
        self._only(Signal(moment, LOOK_AFRESH, None))

    def end(self, moment: int) -> None:
        """Hear no more."""
        self._only(Signal(moment, THE_END, None))

    def _only(self, signal: Signal) -> None:
        while not self.signals.empty():
            self.signals.get_nowait()
        self.signals.put_nowait(signal)


class Hub:
    """Takes events from the bus and hands signals to open pages."""

    def __init__(self, amqp_url: str) -> None:
        self.amqp_url = amqp_url
        self.listeners: set[Listener] = set()
        self.kept: deque[Signal] = deque()
        self.epoch = uuid4().hex[:8]
        """Moments of another process mean nothing here."""
        self._latest = 0
        self._whole_since = 0
        """What came after this moment is kept."""
        self.connection: AbstractConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self.is_leaving = False

    @property
    def is_listening(self) -> bool:
        """Return whether the broker is here."""
        return self.connection is not None

    @property
    def mark(self) -> str:
        """Return where the signals stand: a page made from here on has to hear only what comes after."""
        return f"{self.epoch}-{self._moment()}"

    def _moment(self) -> int:
        """Return the microseconds of a clock of our own; never the same moment twice."""
        self._latest = max(self._latest + 1, time.monotonic_ns() // 1000)
        return self._latest

    async def start(self) -> None:
        """Begin to listen; the broker may come later."""
        self._task = asyncio.create_task(self._run(), name="live")

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def leave(self) -> None:
        """End every stream: the process is about to end, and each page finds another one, or this one when it is back."""
        self.is_leaving = True
        for listener in self.listeners:
            listener.end(self._moment())

    def publish(self, topics: Iterable[str], client_id: str | None) -> None:
        """Hand a signal to every page that shows one of the topics."""
        for topic in topics:
            signal = Signal(self._moment(), topic, client_id)
            self.kept.append(signal)
            if len(self.kept) > KEPT_MAX:
                self._whole_since = self.kept.popleft().moment
            for listener in self.listeners:
                if topic in listener.topics:
                    listener.hear(signal)

    def missed(self, listener: Listener, last: str) -> list[Signal]:
        """Return what a page that comes back has not heard; ``last`` is the id of the last signal it had, or empty."""
        if not last:
            return []
        epoch, _, number = last.partition("-")
        moment = int(number[:18]) if epoch == self.epoch and number.isdecimal() else -1
        if not self._whole_since <= moment <= self._latest:
            return [Signal(self._moment(), LOOK_AFRESH, None)]
        return [signal for signal in self.kept if signal.moment > moment and signal.topic in listener.topics]

    def has_room_for(self, person_id: object) -> bool:
        """Return whether somebody may open one more stream."""
        own = sum(one.person_id == person_id for one in self.listeners)
        return not self.is_leaving and len(self.listeners) < STREAMS_MAX and own < STREAMS_OF_PERSON_MAX

    def _look_afresh(self) -> None:
        self.kept.clear()
        self._whole_since = self._moment()
        for listener in self.listeners:
            listener.look_afresh(self._whole_since)

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
                    # From here on nothing is missed; what happened before is not known.
                    self._look_afresh()
                    self.connection = connection
                    async with queue.iterator(no_ack=True) as messages:
                        async for message in messages:
                            self._take(message.body)
            except (OSError, AMQPError, ChannelInvalidStateError, TimeoutError) as error:
                log.warning("live updates wait for the broker", error=repr(error)[:200])
            self.connection = None
            await asyncio.sleep(RECONNECT_SECONDS)

    def _take(self, body: bytes) -> None:
        with contextlib.suppress(Unreadable):
            for envelope in parse(body):
                client = envelope.client_id
                may_know = client is not None and notes.is_for_clients(envelope.type, envelope.data)
                self.publish(topics_of(envelope), str(client) if may_know else None)


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
        case "approval":
            found = ["approvals"]
        case "inbox":
            found = [f"{INBOX}{data.get('person_id')}"]
        case "billing_run":
            found = [f"run-{data.get('run_id')}", "invoices"]
        case "worklog":
            found = ["approvals"]
        case "invoice":
            found = ["invoices", "ops"]
        case _:
            found = []
    return found


def may_hear(visitor: Visitor, signal: Signal) -> bool:
    """Return whether a signal concerns the visitor: staff hears all, a client's people what is their client's; of an inbox, its owner."""
    if signal.topic == LOOK_AFRESH:
        return True
    if signal.topic.startswith(INBOX):
        return signal.topic == f"{INBOX}{visitor.caller.id}" and not visitor.is_viewing
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
    hub: Hub = request.app.state.hub
    if not hub.has_room_for(visitor.caller.id):
        # The page looks by itself every now and then.
        return Response(status_code=503, headers={"retry-after": "30"})
    wanted = [topic for topic in request.query_params.get("topics", "").split(",") if topic][:TOPICS_MAX]
    listener = Listener(frozenset(wanted), visitor.caller.id)
    headers = {"cache-control": "no-cache", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}
    # A browser that connects again by itself says the header; a tab that takes over can only say it in the address.
    last = request.headers.get("last-event-id") or request.query_params.get("last", "")
    stream = _stream(request, listener, hub, last)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _stream(request: Request, listener: Listener, hub: Hub, last: str) -> AsyncIterator[bytes]:
    visitors = site_of(request).visitors
    hub.listeners.add(listener)
    try:
        yield b"retry: 2000\n\n"
        for signal in hub.missed(listener, last):
            if may_hear(await visitors.of(request, is_used=False), signal):
                yield _line(hub, signal)
        while not hub.is_leaving and not await request.is_disconnected():
            try:
                async with asyncio.timeout(PING_SECONDS):
                    signal = await listener.signals.get()
            except TimeoutError:
                mark = hub.mark
                await visitors.of(request, is_used=False)
                # Whoever takes over later goes on from here, not from the last signal an hour ago.
                yield f"id: {mark}\nevent: beat\ndata: -\n\n".encode()
                continue
            if signal.topic == THE_END:
                return
            # The session may have ended, or the person changed, since the page connected.
            if may_hear(await visitors.of(request, is_used=False), signal):
                yield _line(hub, signal)
    except Unauthenticated:
        return
    finally:
        hub.listeners.discard(listener)


def _line(hub: Hub, signal: Signal) -> bytes:
    event = "resync" if signal.topic == LOOK_AFRESH else "signal"
    topic = "".join(character for character in signal.topic if character.isalnum() or character in "-_")
    return f"id: {hub.epoch}-{signal.moment}\nevent: {event}\ndata: {topic}\n\n".encode()
