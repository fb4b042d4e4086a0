"""For tests: real databases made from a migrated template, a vhost with the topology, callers, and waiting.

The servers themselves come from the environment (``MSP_POSTGRES_URL`` with a superuser, ``MSP_AMQP_URL``); the
repository's root ``conftest.py`` starts them when nobody else did.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aio_pika
import asyncpg
import httpx2 as httpx
from fastapi import FastAPI

from msp_events.base import Event
from msp_events.catalog import BY_TYPE
from msp_events.envelope import Envelope, parse
from msp_kernel.ids import new_id
from msp_kit import identity, migrations, telemetry, topology
from msp_kit.database import SYSTEM, Database, Scope, Transaction
from msp_kit.identity import Caller, Signer
from msp_kit.inbox import Inbox
from msp_kit.provisioning import DatabaseUrls, provision, urls, with_database

PASSWORD = "test"
KEY = identity.new_key()
T = TypeVar("T")
telemetry.configure(service="test", log_level="error")
_templates: dict[str, str] = {}
_vhosts: list[str] = []


def admin_url() -> str:
    """Return the superuser's URL of the test cluster."""
    return os.environ["MSP_POSTGRES_URL"]


async def template(database: str, module: str) -> str:
    """Return the name of a migrated template database, made once per run."""
    if module not in _templates:
        name = f"template_{database}_{uuid.uuid4().hex[:8]}"
        made = await provision(
            admin_url(), database=database, owner_password=PASSWORD, app_password=PASSWORD, name=name
        )
        await asyncio.to_thread(migrations.upgrade, module, url=made.owner)
        _templates[module] = name
    return _templates[module]


async def fresh_database(*, database: str, module: str) -> DatabaseUrls:
    """Return the URLs of a new database of a service, migrated to head and empty."""
    source = await template(database, module)
    name = f"test_{database}_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(admin_url())
    try:
        await connection.execute(
            f'CREATE DATABASE "{name}" TEMPLATE "{source}" OWNER "{database}_owner" STRATEGY FILE_COPY'
        )
        await connection.execute(f'GRANT CONNECT ON DATABASE "{name}" TO "{database}_app"')
    finally:
        await connection.close()
    return urls(admin_url(), database=database, owner_password=PASSWORD, app_password=PASSWORD, name=name)


async def drop_database(made: DatabaseUrls) -> None:
    """Drop a database of ``fresh_database``."""
    connection = await asyncpg.connect(admin_url())
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{made.app.rpartition("/")[2]}" WITH (FORCE)')
    finally:
        await connection.close()


def superuser_url(made: DatabaseUrls) -> str:
    """Return the superuser's URL of a service's test database (tampering tests)."""
    return with_database(admin_url(), database=made.app.rpartition("/")[2])


@contextlib.asynccontextmanager
async def a_database(*, service: str, database: str, module: str) -> AsyncIterator[Database]:
    """Give a fresh database of a service, and drop it afterwards."""
    made = await fresh_database(database=database, module=module)
    opened = Database(made.app, service=service, database=database, pool_size=10)
    try:
        yield opened
    finally:
        await opened.close()
        await drop_database(made)


@contextlib.asynccontextmanager
async def a_broker() -> AsyncIterator[str]:
    """Give the URL of a vhost of its own with the whole topology declared and empty queues."""
    if not _vhosts:
        _vhosts.extend(os.environ.get("MSP_TEST_VHOSTS", "%2F").split(","))
    vhost = _vhosts.pop(0)
    url = f"{os.environ['MSP_AMQP_URL'].rstrip('/')}/{vhost}"
    try:
        await topology.declare(url)
        connection = await aio_pika.connect(url)
        async with connection:
            channel = await connection.channel()
            for queue in topology.queues():
                await (await channel.get_queue(queue.name, ensure=False)).purge()
        yield url
    finally:
        _vhosts.append(vhost)


def set_service_environment(made: DatabaseUrls, **more: str) -> dict[str, str]:
    """Return the environment a service process needs for a test database."""
    return {
        "MSP_DATABASE_URL": made.app,
        "MSP_MIGRATE_DATABASE_URL": made.owner,
        "MSP_AMQP_URL": os.environ.get("MSP_AMQP_URL", "amqp://nobody:nothing@127.0.0.1:1/"),
        "MSP_IDENTITY_PUBLIC_KEYS": json.dumps(identity.public_keys([KEY])),
        "MSP_IDENTITY_PRIVATE_KEY": json.dumps(KEY),
        **more,
    }


# ---- callers ------------------------------------------------------------------------------------------------------


def a_staff_person(*roles: str, person_id: uuid.UUID | None = None, name: str = "Sofia Marsh") -> Caller:
    """Return someone of the MSP; a manager unless told otherwise."""
    return Caller(
        id=person_id or new_id(),
        kind="staff",
        roles=frozenset(roles or ("manager",)),
        client_id=None,
        name=name,
        is_fresh=True,
    )


def a_client_person(client_id: uuid.UUID, *roles: str, name: str = "Priya Nair") -> Caller:
    """Return someone of a client; a requester unless told otherwise."""
    return Caller(id=new_id(), kind="client", roles=frozenset(roles or ("requester",)), client_id=client_id, name=name)


@dataclass
class Requests:
    """Speaks HTTP to one service's application as different callers, with properly signed identities."""

    app: FastAPI
    service: str
    signer: Signer = field(default_factory=lambda: Signer(KEY))

    async def send(
        self, caller: Caller | None, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send one request; ``body`` is JSON."""
        content = b"" if body is None else json.dumps(body, default=str).encode()
        sent = {"content-type": "application/json", **(headers or {})}
        if caller is not None:
            sent[identity.HEADER] = self.signer.sign(
                caller, audience=self.service, method=method, target=path, body=content
            )
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.request(method, path, content=content, headers=sent)

    async def get(self, caller: Caller | None, path: str, **more: Any) -> httpx.Response:
        """Send a GET."""
        return await self.send(caller, "GET", path, **more)

    async def post(self, caller: Caller | None, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Send a POST."""
        return await self.send(caller, "POST", path, {} if body is None else body, **more)


# ---- events -------------------------------------------------------------------------------------------------------


async def said(database: Database, *kinds: type[Event]) -> list[Any]:
    """Return the events a service recorded, oldest first, only of ``kinds`` when given."""
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT envelope FROM bus.event_log ORDER BY pos")
    events = []
    for row in rows:
        (envelope,) = parse(row["envelope"].encode())
        kind = BY_TYPE[envelope.type]
        if not kinds or kind in kinds:
            events.append(kind.model_validate(envelope.data))
    return events


class Speaker:
    """Delivers events to a service's inbox as their owner would, numbered per subject."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self._seqs: dict[str, int] = {}

    def envelope(self, event: Event, *, event_id: uuid.UUID | None = None, seq: int | None = None) -> Envelope:
        """Return the envelope of an event; ``seq`` defaults to the next number of its subject."""
        if seq is None:
            seq = self._seqs.get(event.subject(), 0) + 1
            self._seqs[event.subject()] = seq
        client = event.client()
        document = {
            "specversion": "1.0",
            "id": str(event_id or new_id()),
            "source": f"/msp/{event.owner}",
            "type": event.type_name(),
            "subject": event.subject(),
            "time": event.occurred_at.isoformat(),
            "mspseq": seq,
            "mspepoch": 1,
            **({} if client is None else {"mspclient": str(client)}),
            "data": event.model_dump(mode="json"),
        }
        (made,) = parse(json.dumps(document).encode())
        return made

    async def say(self, *events: Event) -> list[Envelope]:
        """Deliver events in one batch and return their envelopes (to deliver them again)."""
        envelopes = [self.envelope(event) for event in events]
        await self.inbox.accept(envelopes)
        return envelopes


# ---- serving ------------------------------------------------------------------------------------------------------


def a_socket() -> socket.socket:
    """Return a socket on a free port, for a server.

    It is named as TCP, or asyncio does not switch Nagle's algorithm off: 40 ms for every answer that is sent in two parts.
    """
    made = socket.socket(proto=socket.IPPROTO_TCP)
    made.bind(("127.0.0.1", 0))
    return made


# ---- waiting ------------------------------------------------------------------------------------------------------


async def eventually(
    condition: Callable[[], Awaitable[T]], *, within_seconds: float = 20, every_seconds: float = 0.05
) -> T:
    """Wait until ``condition`` returns something true, and return it; fail with its last answer otherwise."""
    deadline = asyncio.get_running_loop().time() + within_seconds
    while True:
        answer = await condition()
        if answer:
            return answer
        assert asyncio.get_running_loop().time() < deadline, f"still {answer!r} after {within_seconds} s"
        await asyncio.sleep(every_seconds)


__all__ = ["SYSTEM", "Database", "Scope", "Transaction"]
