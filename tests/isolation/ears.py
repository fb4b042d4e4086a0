"""Open pages that listen, and what they heard."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import aio_pika
import aiohttp
import orjson

from msp_events.envelope import Envelope
from msp_kernel.ids import new_id
from msp_kit import topology
from msp_kit.testing import eventually
from portal_gateway.live import topics_of

STREAMS = {
    "tickets.ticket.v1.TicketUpdated": ("ticket_id", "queue"),
    "sla.clock.v1.ClockStarted": ("ticket_id",),
    "contracts.bucket.v1.BucketBalanceChanged": ("contract_id",),
    "contracts.approval.v1.ApprovalRequested": (),
    "billing.invoice.v1.InvoiceIssued": (),
    "portal-gateway.inbox.v1.InboxChanged": ("person_id",),
}
"""What open pages are told of: a type of event of every stream, and what of its data is part of a topic."""
COMMON = ("tickets", "ops", "queue-desk", "buckets", "approvals", "invoices", "*")


@dataclass(eq=False)
class Ear:
    """One open page."""

    name: str
    topics: tuple[str, ...]
    heard: list[str] = field(default_factory=list)
    """The topics, in the order in which they came; ``resync`` where it was told to look afresh."""
    last: str = ""
    raw: bytes = b""
    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, url: str, headers: dict[str, str]) -> None:
        """Take what comes until cancelled."""
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session,
            session.get(f"{url}/ui/events", params={"topics": ",".join(self.topics)}, headers=headers) as answer,
        ):
            assert answer.status == 200, f"{self.name}: {answer.status}"
            self.is_open.set()
            async for line in answer.content:
                self.raw += line
                kind, _, value = line.decode().rstrip("\n").partition(": ")
                if kind == "id":
                    self.last = value
                elif kind == "event":
                    is_resync = value == "resync"
                elif kind == "data":
                    self.heard.append("resync" if is_resync else value)


@contextlib.asynccontextmanager
async def listening(url: str, ears: dict[Ear, dict[str, str]]) -> AsyncIterator[None]:
    """Keep pages open, each with its headers."""
    tasks = [asyncio.create_task(ear.listen(url, headers)) for ear, headers in ears.items()]

    async def all_open() -> bool:
        for task in tasks:
            if task.done():
                task.result()
        return all(ear.is_open.is_set() for ear in ears)

    try:
        await eventually(all_open)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def say(amqp_url: str, kind: str, client_id: UUID | str | None, **data: Any) -> list[str]:
    """Say an event on the bus, as the relay of a service does; return the topics it has."""
    owner, stream, _, _ = kind.split(".")
    document = {
        "specversion": "1.0",
        "id": str(new_id()),
        "source": f"/msp/{owner}",
        "type": f"msp.{kind}",
        "subject": f"{stream}:{new_id()}",
        "time": "2026-03-02T09:00:00+00:00",
        **({"mspclient": str(client_id)} if client_id else {}),
        "datacontenttype": "application/json",
        "data": data,
    }
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        exchange = await (await connection.channel()).get_exchange(topology.EVENTS_EXCHANGE, ensure=False)
        await exchange.publish(aio_pika.Message(orjson.dumps(document)), routing_key=kind)
    return topics_of(cast("Envelope", SimpleNamespace(stream=stream, data=data)))
