"""The floor for time entries: the same steps by hand. Bare Starlette, asyncpg, aio-pika, one statement a step.

Three processes as ours: a pass-through proxy, a writer (insert with outbox, relay), a ledger (consume, hold, balance). No
identity, no rules, no rounding, no roles, no dedupe but a primary key: what is left when everything that can be left out
is left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator

import aio_pika
import aiohttp
import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils.compat import uuid7

QUEUE = "floor.entries"
DDL = """
CREATE TABLE entries (id uuid PRIMARY KEY, contract_id int NOT NULL, minutes int NOT NULL, note text NOT NULL);
CREATE TABLE outbox (pos bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL);
CREATE TABLE postings (id uuid PRIMARY KEY, contract_id int NOT NULL, minutes int NOT NULL);
CREATE TABLE balances (contract_id int PRIMARY KEY, held bigint NOT NULL DEFAULT 0);
INSERT INTO balances SELECT n, 0 FROM generate_series(0, 999) AS n;
"""


def proxy(writer: str, ledger: str) -> Starlette:
    """Forward everything: POST to the writer, GET to the ledger."""
    sessions: list[aiohttp.ClientSession] = []

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sessions.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200)))
        yield
        await sessions[0].close()

    async def forward(request: Request) -> Response:
        target = (writer if request.method == "POST" else ledger) + request.url.path
        async with sessions[0].request(request.method, target, data=await request.body()) as answer:
            return Response(await answer.read(), status_code=answer.status, media_type="application/json")

    return Starlette(routes=[Route("/{path:path}", forward, methods=["GET", "POST"])], lifespan=lifespan)


def writer(database_url: str, amqp_url: str) -> Starlette:
    """Insert entry and outbox row in one statement; relay what is there, with confirms."""
    pool: list[asyncpg.Pool] = []
    woken = asyncio.Event()

    async def relay() -> None:
        connection = await aio_pika.connect(amqp_url)
        channel = await connection.channel(publisher_confirms=True)
        while True:
            async with pool[0].acquire() as sql, sql.transaction():
                rows = await sql.fetch("SELECT pos, body FROM outbox ORDER BY pos LIMIT 500 FOR UPDATE SKIP LOCKED")
                if rows:
                    await asyncio.gather(
                        *(
                            channel.default_exchange.publish(
                                aio_pika.Message(row["body"].encode(), delivery_mode=2), QUEUE
                            )
                            for row in rows
                        )
                    )
                    await sql.execute("DELETE FROM outbox WHERE pos = ANY($1)", [row["pos"] for row in rows])
            if not rows:
                woken.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await woken.wait()

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        pool.append(await asyncpg.create_pool(database_url, min_size=4, max_size=12))
        task = asyncio.create_task(relay())
        yield
        task.cancel()

    async def log_time(request: Request) -> Response:
        body = orjson.loads(await request.body())
        entry = uuid7()
        text = orjson.dumps(
            {"id": str(entry), "contract_id": body["contract_id"], "minutes": body["worked_minutes"]}
        ).decode()
        await pool[0].execute(
            "WITH e AS (INSERT INTO entries VALUES ($1, $2, $3, $4)) INSERT INTO outbox (body) VALUES ($5)",
            entry,
            body["contract_id"],
            body["worked_minutes"],
            body["note"],
            text,
        )
        woken.set()
        return Response(text, status_code=201, media_type="application/json")

    return Starlette(routes=[Route("/time-entries", log_time, methods=["POST"])], lifespan=lifespan)


def ledger(database_url: str, amqp_url: str) -> Starlette:
    """Consume, hold, and tell the balance."""
    pool: list[asyncpg.Pool] = []

    async def consume() -> None:
        connection = await aio_pika.connect(amqp_url)
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=200)
        queue = await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})

        async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            body = orjson.loads(message.body)
            await pool[0].execute(
                "WITH p AS (INSERT INTO postings VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING minutes)"
                " UPDATE balances SET held = held + (SELECT minutes FROM p) WHERE contract_id = $2 AND EXISTS (SELECT 1 FROM p)",
                body["id"],
                body["contract_id"],
                body["minutes"],
            )
            await message.ack()

        await queue.consume(take)
        await asyncio.Future()

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        pool.append(await asyncpg.create_pool(database_url, min_size=4, max_size=12))
        task = asyncio.create_task(consume())
        yield
        task.cancel()

    async def balance(request: Request) -> Response:
        held = await pool[0].fetchval(
            "SELECT held FROM balances WHERE contract_id = $1", int(request.path_params["contract"])
        )
        return Response(orjson.dumps({"held_minutes": held}), media_type="application/json")

    async def total(_request: Request) -> Response:
        held = await pool[0].fetchval("SELECT sum(held)::bigint FROM balances")
        return Response(orjson.dumps({"held_minutes": held}), media_type="application/json")

    routes = [Route("/contracts/{contract}/balance", balance), Route("/total", total)]
    return Starlette(routes=routes, lifespan=lifespan)


def main() -> None:
    """Run one of the three processes: ``python -m benchmarks.floor proxy|writer|ledger PORT``."""
    made = {
        "proxy": lambda: proxy(os.environ["FLOOR_WRITER"], os.environ["FLOOR_LEDGER"]),
        "writer": lambda: writer(os.environ["FLOOR_DATABASE"], os.environ["FLOOR_AMQP"]),
        "ledger": lambda: ledger(os.environ["FLOOR_DATABASE"], os.environ["FLOOR_AMQP"]),
    }[sys.argv[1]]()
    uvicorn.run(made, host="127.0.0.1", port=int(sys.argv[2]), access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
