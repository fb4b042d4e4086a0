"""From a commit in one service to the effect in another, over the real broker."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator

import aio_pika
import asyncpg
import pytest
from builders import a_client_event, a_ticket_event, probe_consumers
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr

from msp_events.contracts import ClientRegistered
from msp_kernel.ids import new_id
from msp_kit import amqp, telemetry, topology
from msp_kit.database import SYSTEM, Database
from msp_kit.outbox import record
from msp_kit.provisioning import with_database
from msp_kit.relay import Relay, poke
from msp_kit.republish import republish
from msp_kit.settings import ServiceSettings
from msp_kit.testing import a_broker, a_database, admin_url, eventually
from msp_kit.worker import Worker


@pytest.fixture
async def amqp_url() -> AsyncIterator[str]:
    async with a_broker() as url:
        yield url


@pytest.fixture
async def speaker() -> AsyncIterator[Database]:
    async with a_database(service="contracts", database="probe", module="probe") as opened:
        yield opened


@contextlib.asynccontextmanager
async def listening(database: Database, amqp_url: str) -> AsyncIterator[None]:
    settings = ServiceSettings(database_url=SecretStr(database.url), amqp_url=SecretStr(amqp_url))
    listener = Database(database.url, service="sla", database="probe")
    worker = Worker(
        service="sla", database_name="probe", settings=settings, consumers=probe_consumers(), database=listener
    )
    await worker.start()
    try:
        yield
    finally:
        await worker.stop()


@contextlib.asynccontextmanager
async def relaying(database: Database, amqp_url: str, *, relays: int = 1) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    tasks = [
        asyncio.create_task(
            Relay(service="contracts", database="probe", database_url=database.url, amqp_url=amqp_url).run(stopping)
        )
        for _ in range(relays)
    ]
    tasks.append(asyncio.create_task(poke(database, stopping=stopping)))
    try:
        yield
    finally:
        stopping.set()
        database.recorded.set()
        await asyncio.wait(tasks, timeout=5)


async def say(database: Database, *events: ClientRegistered) -> None:
    async with database.transaction(SYSTEM) as tx:
        await record(tx, *events)


async def count(database: Database, sql: str) -> int:
    async with database.transaction(SYSTEM) as tx:
        found: int = await tx.fetchval(sql)
    return found


async def test_every_event_arrives_once_and_in_order_whoever_relays(
    database: Database, speaker: Database, amqp_url: str
) -> None:
    clients = [new_id() for _ in range(20)]

    async with relaying(speaker, amqp_url, relays=3), listening(database, amqp_url):
        for revision in range(1, 16):
            await say(speaker, *(a_client_event(client_id=client, revision=revision) for client in clients))

        async def last_is_heard() -> bool:
            last = await count(database, "SELECT count(*) FROM heard WHERE revision = 15")
            return last == len(clients)

        await eventually(last_is_heard)

    assert await count(speaker, "SELECT count(*) FROM bus.outbox") == 0
    assert await count(database, "SELECT count(*) FROM bus.inbox") == 300
    assert (
        await count(
            database,
            "SELECT count(*) FROM (SELECT revision < lag(revision) OVER (PARTITION BY subject ORDER BY n) AS back"
            " FROM heard) AS h WHERE back",
        )
        == 0
    )


async def test_a_rolled_back_change_says_nothing(speaker: Database) -> None:
    with contextlib.suppress(ZeroDivisionError):
        async with speaker.transaction(SYSTEM) as tx:
            await record(tx, a_client_event(client_id=new_id()))
            raise ZeroDivisionError

    assert await count(speaker, "SELECT count(*) FROM bus.event_log") == 0


async def test_unreadable_messages_are_parked_with_their_reason(database: Database, amqp_url: str) -> None:
    bodies = [b"not json", b'{"specversion": "1.0"}', b"[]", b"\xff\xfe", b"{" * 100_000]
    connection = await aio_pika.connect(amqp_url)

    async with connection, listening(database, amqp_url):
        exchange = await (await connection.channel()).get_exchange("msp.events", ensure=False)
        for body in bodies:
            await exchange.publish(aio_pika.Message(body), routing_key="tickets.ticket.v1.TicketRaised")

        async def all_are_parked() -> bool:
            return await count(database, "SELECT count(*) FROM bus.unreadable") == len(bodies)

        await eventually(all_are_parked)

    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT reason, body FROM bus.unreadable ORDER BY id")
    assert {row["body"] for row in rows} == set(bodies)
    assert {row["reason"] for row in rows} == {"unparseable-json", "not-cloudevents", "bad-batch"}


async def test_what_could_not_be_taken_is_delivered_again(database: Database, speaker: Database, amqp_url: str) -> None:
    superuser = await asyncpg.connect(with_database(admin_url(), database=database.url.rpartition("/")[2]))
    await superuser.execute("REVOKE INSERT ON bus.inbox FROM probe_staff")

    async with relaying(speaker, amqp_url), listening(database, amqp_url):
        await say(speaker, a_client_event(client_id=new_id()))

        async def was_sent() -> bool:
            return await count(speaker, "SELECT count(*) FROM bus.outbox") == 0

        await eventually(was_sent)
        await superuser.execute("GRANT INSERT ON bus.inbox TO probe_staff")

        async def is_heard() -> bool:
            return await count(database, "SELECT count(*) FROM heard") == 1

        await eventually(is_heard, within_seconds=60)
    await superuser.close()


async def test_a_listener_that_lost_everything_hears_it_again(
    database: Database, speaker: Database, amqp_url: str
) -> None:
    client = a_client_event(client_id=new_id())
    await say(speaker, client)

    async with listening(database, amqp_url):
        sent = await republish(database_url=speaker.url, database="probe", amqp_url=amqp_url, to="sla")

        async def is_heard() -> bool:
            return await count(database, "SELECT count(*) FROM heard") == 1

        await eventually(is_heard)

    assert sent == 1


async def test_a_listener_whose_consumer_the_broker_ended_makes_it_anew(
    database: Database, speaker: Database, amqp_url: str
) -> None:
    client = a_client_event(client_id=new_id())

    async with relaying(speaker, amqp_url), listening(database, amqp_url):
        await say(speaker, client)

        async def first_is_heard() -> bool:
            return await count(database, "SELECT count(*) FROM heard") == 1

        await eventually(first_is_heard)
        # A queue that goes away takes its consumers along; the connection stays.
        async with await aio_pika.connect(amqp_url) as connection:
            await (await connection.channel()).queue_delete(topology.events_queue("sla"))
        # The broker tells the consumer in its own time; a queue made anew before that would confuse the broker itself.
        await asyncio.sleep(0.5)
        await topology.declare(amqp_url)
        await say(speaker, client.model_copy(update={"revision": 2}))

        async def second_is_heard() -> bool:
            return await count(database, "SELECT count(*) FROM heard WHERE revision = 2") == 1

        await eventually(second_is_heard)


async def test_one_trace_leads_from_the_change_to_the_last_listener(
    database: Database, speaker: Database, amqp_url: str
) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)

    async with relaying(speaker, amqp_url), listening(database, amqp_url):
        with telemetry.tracer.start_as_current_span("the request") as root:
            await say(speaker, a_client_event(client_id=new_id()))

        async def is_heard() -> bool:
            return any(span.name == "hear ClientRegistered" for span in spans.get_finished_spans())

        await eventually(is_heard)

    hears = next(span for span in spans.get_finished_spans() if span.name == "hear ClientRegistered")
    assert hears.parent is not None
    assert hears.parent.span_id == root.get_span_context().span_id
    assert hears.context is not None
    assert hears.context.trace_id == root.get_span_context().trace_id


async def test_events_nobody_declared_to_hear_leave_the_outbox(speaker: Database, amqp_url: str) -> None:
    tickets = Database(speaker.url, service="portal-gateway", database="probe")
    assert a_ticket_event(ticket_id=new_id()).owner == "tickets"
    await tickets.close()

    async with relaying(speaker, amqp_url):
        await say(speaker, a_client_event(client_id=new_id()))

        async def is_sent() -> bool:
            return await count(speaker, "SELECT count(*) FROM bus.outbox") == 0

        await eventually(is_sent)


async def test_a_broker_that_is_away_leaves_nothing_behind() -> None:
    with pytest.raises(ConnectionError):
        await amqp.connect("amqp://nobody:nothing@127.0.0.1:1/")

    gc.collect()
    await asyncio.sleep(0)

    assert [task for task in asyncio.all_tasks() if "close" in repr(task)] == []
