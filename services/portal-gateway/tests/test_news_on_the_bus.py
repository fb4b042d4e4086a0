"""From the bus to an open page and a mailbox: a real broker, database, worker, socket and SMTP server."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import aiohttp
from door import ADA, PRIYA, Door, a_door
from news import now, posted, raised
from post import Postbox
from pydantic import SecretStr

from msp_kit import identity, server, topology
from msp_kit.database import Database
from msp_kit.testing import KEY, Speaker, a_broker, a_socket, eventually
from portal_gateway import worker
from portal_gateway.settings import Settings


@contextlib.asynccontextmanager
async def a_worker(door: Door, amqp_url: str, smtp_url: str) -> AsyncIterator[Any]:
    nowhere = "http://127.0.0.1:1"
    settings = Settings(
        database_url=SecretStr(door.database.url),
        amqp_url=SecretStr(amqp_url),
        identity_public_keys=json.dumps(identity.public_keys([KEY])),
        identity_private_key=SecretStr(json.dumps(KEY)),
        tickets_url=nowhere,
        sla_url=nowhere,
        contracts_url=nowhere,
        billing_url=nowhere,
        smtp_url=SecretStr(smtp_url),
        mail_from="support@meridian.example",
        public_url="http://door",
    )
    made = worker.create(settings, Database(door.database.url, service="portal-gateway", database="portal_gateway"))
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@contextlib.asynccontextmanager
async def listening(door: Door, email: str, topic: str) -> AsyncIterator[aiohttp.StreamReader]:
    sock = a_socket()
    served = server.server(door.app, lifespan="off")
    serving = asyncio.create_task(served.serve(sockets=[sock]))
    url = f"http://127.0.0.1:{sock.getsockname()[1]}/ui/events"
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, params={"topics": topic}, headers=await door.bearer(email)) as answer,
    ):
        yield answer.content
    served.should_exit = served.force_exit = True
    await serving


async def publish(amqp_url: str, made: Any, *events: Any) -> None:
    speaker = Speaker(made.inbox)
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        exchange = await (await connection.channel()).get_exchange(topology.EVENTS_EXCHANGE, ensure=False)
        for event in events:
            body = speaker.envelope(event).body
            await exchange.publish(aio_pika.Message(body), routing_key=event.routing_key())


async def test_news_comes_to_open_pages_and_into_the_mailbox_of_whom_it_concerns(postbox: Postbox) -> None:
    async with a_broker() as amqp_url, a_door(amqp_url=SecretStr(amqp_url)) as door:

        async def is_heard() -> bool:
            return bool(door.app.state.hub.is_listening)

        await eventually(is_heard)
        priya, at = door.ids[PRIYA], await now(door)
        always = {"zone": "Europe/London", "digest": "off"}
        await door.send(PRIYA, "PUT", "/notifications/settings", always)
        async with (
            a_worker(door, amqp_url, postbox.url) as made,
            listening(door, PRIYA, f"inbox-{priya}") as mine,
            # Staff hears everything but what is somebody's own.
            listening(door, ADA, f"inbox-{priya},tickets") as foreign,
        ):
            await publish(
                amqp_url,
                made,
                raised(door.client_id, priya, occurred_at=at),
                posted(door.client_id, "agent", occurred_at=at),
            )
            async with asyncio.timeout(20):
                heard = await mine.readuntil(f"data: inbox-{priya}\n".encode())

            async def is_mailed() -> bool:
                return len(postbox.taken) == 1

            await eventually(is_mailed)
            unread = await door.send(PRIYA, "GET", "/notifications/unread")
            door.app.state.hub.publish(["tickets"], str(door.client_id))
            async with asyncio.timeout(20):
                heard_by_others = await foreign.readuntil(b"data: tickets\n")

    assert b"HLO-7" not in heard
    assert b"inbox-" not in heard_by_others
    assert unread.json() == {"unread": 1}
    assert postbox.taken[0]["To"] == PRIYA
