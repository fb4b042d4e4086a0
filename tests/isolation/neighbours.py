"""Five services in one process, on real PostgreSQL: HTTP between them is real, events are carried over by hand."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI
from post import Postbox, a_postbox
from pydantic import SecretStr

from msp_events.catalog import HEARS
from msp_events.envelope import parse
from msp_kit import identity
from msp_kit.database import SYSTEM, Database
from msp_kit.inbox import Inbox
from msp_kit.jobs import Job
from msp_kit.relay import Relay
from msp_kit.testing import KEY, a_broker, a_socket, drop_database, eventually, fresh_database, superuser_url
from msp_local.services import SELLER
from portal_gateway.actions import people

SERVICES = {
    "contracts": "contracts",
    "tickets": "tickets",
    "sla": "sla",
    "billing": "billing",
    "portal-gateway": "portal_gateway",
}
ADMIN, PASSWORD = "ada@meridian.example", "correct horse battery staple"


TURNS_MAX = 20


@dataclass
class Service:
    name: str
    app: FastAPI
    database: Database
    url: str
    superuser_url: str
    inbox: Inbox
    jobs: tuple[Job, ...]


@dataclass
class Neighbours:
    """The five services, who hear one another as long as this lives."""

    services: dict[str, Service]
    amqp_url: str
    postbox: Postbox
    """Where all mail of the gateway arrives."""
    carrying: asyncio.Task[None] | None = None
    hushed: asyncio.Event = field(default_factory=asyncio.Event)
    """Ends the carrying after the round it is in: a mail that was claimed is sent."""
    heard: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return self.services["portal-gateway"].url

    @property
    def app(self) -> FastAPI:
        return self.services["portal-gateway"].app

    async def hush(self) -> None:
        """Let nobody hear anything any more: what changes from now on was changed by a request."""
        assert self.carrying is not None
        self.hushed.set()
        await self.carrying

    async def run_jobs(self) -> None:
        """Let every job of every service do what waits, within bounds."""
        for service in self.services.values():
            for job in service.jobs:
                is_busy, turns = True, 0
                while is_busy and turns < TURNS_MAX:
                    async with service.database.transaction(SYSTEM) as tx:
                        is_busy, turns = await job.tick(tx), turns + 1

    @contextlib.asynccontextmanager
    async def hearing(self) -> AsyncIterator[None]:
        """Let everybody hear everybody again, open pages over the broker too, until the end of the block."""
        stopping = asyncio.Event()
        relays = [asyncio.create_task(self._relay(service).run(stopping)) for service in self.services.values()]
        self.hushed.clear()
        self.carrying = asyncio.create_task(_carry(self))
        try:
            yield
            await self.settle()
        finally:
            await self.hush()
            stopping.set()
            await asyncio.gather(*relays)

    async def settle(self) -> None:
        """Wait until everything that was said has been heard, and has left for the broker."""
        await eventually(self._is_quiet, within_seconds=60)

    async def _is_quiet(self) -> bool:
        for service in self.services.values():
            async with service.database.transaction(SYSTEM) as tx:
                if await tx.fetchval("SELECT count(*) FROM bus.outbox"):
                    return False
                said = {row["id"] for row in await tx.fetch("SELECT event_id::text AS id FROM bus.event_log")}
            if said - self.heard:
                return False
        return True

    def _relay(self, service: Service) -> Relay:
        return Relay(
            service=service.name,
            database=service.database.database,
            database_url=service.database.url,
            amqp_url=self.amqp_url,
            woken=service.database.recorded,
        )

    async def carry(self) -> None:
        """Give every service what it has not heard yet."""
        for speaker in self.services.values():
            async with speaker.database.transaction(SYSTEM) as tx:
                rows = await tx.fetch("SELECT event_id::text AS id, envelope FROM bus.event_log ORDER BY pos")
            fresh = [parse(row["envelope"].encode())[0] for row in rows if row["id"] not in self.heard]
            for hearer in self.services.values():
                streams = HEARS[hearer.name]
                heard = [one for one in fresh if f"{speaker.name}.{one.stream}" in streams]
                if heard:
                    await hearer.inbox.accept(heard)
            self.heard.update(row["id"] for row in rows)


def settings_of(name: str, database: Database, urls: dict[str, str], *, amqp_url: str, smtp_url: str) -> Any:
    module = importlib.import_module(f"{SERVICES[name]}.settings")
    common = {
        "database_url": SecretStr(database.url),
        "amqp_url": SecretStr(amqp_url),
        "identity_public_keys": json.dumps(identity.public_keys([KEY])),
    }
    own = {
        **{f"{other}_url": url for other, url in urls.items() if other != "portal-gateway"},
        "identity_private_key": SecretStr(json.dumps(KEY)),
        "public_url": urls["portal-gateway"],
        "rate_limit_factor": 100_000,
        "smtp_url": SecretStr(smtp_url),
    }
    of_service: dict[str, dict[str, Any]] = {"portal-gateway": own, "billing": {"seller": SELLER}}
    return module.Settings(**common, **of_service.get(name, {}))


def jobs_of(name: str, settings: Any, database: Database) -> Iterable[Job]:
    worker = importlib.import_module(f"{SERVICES[name]}.worker").create(settings, database)
    return [job for job in worker.jobs if job.name not in ("gauges", "forget-answers")]


@contextlib.asynccontextmanager
async def neighbours() -> AsyncIterator[Neighbours]:
    """Start five services, and let them hear one another until the end."""
    sockets = {name: a_socket() for name in SERVICES}
    urls = {name: f"http://127.0.0.1:{one.getsockname()[1]}" for name, one in sockets.items()}
    async with contextlib.AsyncExitStack() as stack:
        services: dict[str, Service] = {}
        amqp_url = await stack.enter_async_context(a_broker())
        postbox = stack.enter_context(a_postbox())
        for name, module in SERVICES.items():
            made = await fresh_database(database=module, module=module)
            stack.push_async_callback(drop_database, made)
            database = Database(made.app, service=name, database=module, pool_size=6)
            stack.push_async_callback(database.close)
            settings = settings_of(name, database, urls, amqp_url=amqp_url, smtp_url=postbox.url)
            app = importlib.import_module(f"{module}.api").create(settings, database)
            consumers = importlib.import_module(f"{module}.consumers").consumers
            inbox, jobs = Inbox(database, consumers), tuple(jobs_of(name, settings, database))
            services[name] = Service(name, app, database, urls[name], superuser_url(made), inbox, jobs)
            server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
            serving = asyncio.create_task(server.serve(sockets=[sockets[name]]))
            stack.push_async_callback(_stop, server, serving)
        all_of_them = Neighbours(services, amqp_url, postbox)
        async with services["portal-gateway"].database.transaction(SYSTEM) as tx:
            await people.add_person(
                tx,
                kind="staff",
                client_id=None,
                email=ADMIN,
                display_name="Ada Okafor",
                roles=("admin",),
                password=PASSWORD,
                actor="test",
            )
        all_of_them.carrying = asyncio.create_task(_carry(all_of_them))
        stack.push_async_callback(all_of_them.hush)
        yield all_of_them


async def _carry(all_of_them: Neighbours) -> None:
    while not all_of_them.hushed.is_set():
        await all_of_them.carry()
        await all_of_them.run_jobs()
        await asyncio.sleep(0.05)


async def _stop(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    server.should_exit = True
    await serving
