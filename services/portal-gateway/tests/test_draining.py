"""A real process that is told to end: what has begun is finished, nothing new begins, and it ends well."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
import pytest

from msp_kit.database import SYSTEM, Database
from msp_kit.testing import a_broker, drop_database, eventually, fresh_database, set_service_environment
from portal_gateway.actions import people

NOWHERE = "http://127.0.0.1:1"
PASSWORD = "correct horse battery staple"
BODY = json.dumps({"email": "nobody@door.example", "password": PASSWORD}).encode()


@dataclass
class Running:
    process: asyncio.subprocess.Process
    port: int
    database: Database

    async def answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    async def refuses(self) -> bool:
        return not await self.answers()


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    made = await fresh_database(database="portal_gateway", module="portal_gateway")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with a_broker() as amqp_url:
        own = set_service_environment(
            made,
            MSP_AMQP_URL=amqp_url,
            MSP_HTTP_PORT=str(port),
            **{f"MSP_{name}_URL": NOWHERE for name in ("TICKETS", "SLA", "CONTRACTS", "BILLING")},
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "portal_gateway",
            "serve",
            env={**os.environ, **own},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        database = Database(made.app, service="portal-gateway", database="portal_gateway")
        running = Running(process, port, database)
        try:
            await eventually(running.answers, within_seconds=60)
            yield running
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await database.close()
            await drop_database(made)


async def test_what_has_begun_is_finished_and_nothing_new_begins(running: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    head = (
        "POST /api/v1/sessions HTTP/1.1",
        "host: door",
        "content-type: application/json",
        f"content-length: {len(BODY)}",
    )
    writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + BODY[:20])
    # Answered: this process has read what came before on the other connection.
    ready, poke = await asyncio.open_connection("127.0.0.1", running.port)
    poke.write(b"GET /healthz HTTP/1.1\r\nhost: door\r\nconnection: close\r\n\r\n")
    assert (await ready.read()).startswith(b"HTTP/1.1 200 ")
    poke.close()

    running.process.send_signal(signal.SIGTERM)
    await eventually(running.refuses)
    writer.write(BODY[20:])
    async with asyncio.timeout(20):
        answer = await reader.read()
        code = await running.process.wait()
    writer.close()

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"sign-in-refused" in answer
    assert code == 0


async def test_open_streams_end_at_once_and_whole(running: Running) -> None:
    async with running.database.transaction(SYSTEM) as tx:
        person: dict[str, Any] = {"kind": "staff", "client_id": None, "email": "ada@door.example"}
        await people.add_person(tx, **person, display_name="Ada", roles=("agent",), password=PASSWORD, actor="test")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}", timeout=30) as client:
        signed_in = await client.post("/api/v1/sessions", json={"email": person["email"], "password": PASSWORD})
        headers = {"authorization": f"Bearer {signed_in.json()['token']}"}
        async with client.stream("GET", "/ui/events?topics=tickets", headers=headers) as stream:
            blocks = stream.aiter_text()
            first = await anext(blocks)
            running.process.send_signal(signal.SIGTERM)
            # A stream that is cut instead, when waiting for it has gone on long enough, is an error of the protocol.
            rest = "".join([one async for one in blocks])

    assert (stream.status_code, first, "event: beat" in rest) == (200, "retry: 2000\n\n", False)
    assert await running.process.wait() == 0
