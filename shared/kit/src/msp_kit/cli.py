"""``python -m <service> serve|api|worker|migrate|topology|verify|dead-letters|republish``: one command line for all."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI

from msp_kit import deadletters, migrations, republish, telemetry, topology
from msp_kit.api import Lifespan
from msp_kit.database import SYSTEM, Database
from msp_kit.health import database_check, health_router
from msp_kit.server import server
from msp_kit.settings import ServiceSettings
from msp_kit.worker import Worker

GC_ALLOCATIONS = 20_000
"""Objects made before the youngest generation is looked through; Python's own 700 suits small programs."""

Verify = Callable[..., Awaitable[Sequence[str]]]
"""Takes a transaction, recomputes what must hold and returns what does not, one sentence each; empty is good."""


@dataclass(frozen=True)
class Service:
    """One service, as its ``__main__`` describes it to the command line."""

    name: str
    module: str
    database: str
    settings: Callable[[], ServiceSettings]
    create_api: Callable[[ServiceSettings, Database, Lifespan | None], FastAPI]
    create_worker: Callable[[ServiceSettings, Database], Worker]
    verify: Verify | None = None
    verify_one: str | None = None
    """Name of a keyword of ``verify``, and of an option, that has it look at one thing only."""
    extra: Callable[[argparse._SubParsersAction[argparse.ArgumentParser]], None] | None = None
    """Adds commands of the service's own; each sets ``call`` to ``async (settings, database, arguments) -> int``."""


def run(service: Service, argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = _parser(service).parse_args(argv)
    settings = service.settings()
    telemetry.configure(service=service.name, log_level=settings.log_level, otlp_endpoint=settings.otlp_endpoint)
    if arguments.command == "migrate":
        assert settings.migrate_database_url is not None, "set MSP_MIGRATE_DATABASE_URL to the owner's URL"
        migrations.upgrade(service.module, url=settings.migrate_database_url.get_secret_value())
        return 0
    with asyncio.Runner(loop_factory=_loop) as runner:
        return runner.run(_dispatch(service, settings, arguments))


def _loop() -> asyncio.AbstractEventLoop:
    import uvloop  # noqa: PLC0415 - comes with uvicorn[standard]; imported late so that migrations do without

    return uvloop.new_event_loop()


async def _dispatch(service: Service, settings: ServiceSettings, arguments: argparse.Namespace) -> int:
    if arguments.command in ("serve", "api", "worker"):
        await _serve(service, settings, arguments.command)
        return 0
    amqp_url = settings.amqp_url.get_secret_value()
    if arguments.command == "topology":
        await topology.declare(amqp_url)
        return 0
    url = settings.database_url.get_secret_value()
    database = Database(url, service=service.name, database=service.database, pool_size=4)
    try:
        if arguments.command == "verify":
            return await _verify(service, database, arguments)
        if arguments.command == "dead-letters":
            return await _dead_letters(service, settings, database, arguments)
        if arguments.command == "republish":
            sent = await republish.republish(
                database_url=url,
                database=service.database,
                amqp_url=amqp_url,
                to=arguments.to,
                stream=arguments.stream,
                subject=arguments.subject,
            )
            _say(f"{sent} events sent to {arguments.to}")
            return 0
        code: int = await arguments.call(settings, database, arguments)
        return code
    finally:
        await database.close()


async def _serve(service: Service, settings: ServiceSettings, command: str) -> None:
    database = Database(
        settings.database_url.get_secret_value(),
        service=service.name,
        database=service.database,
        pool_size=settings.pool_size,
    )
    worker = None if command == "api" else service.create_worker(settings, database)
    amqp_url = settings.amqp_url.get_secret_value()

    async def broker_answers() -> bool:
        return await topology.is_reachable(amqp_url)

    stopping = asyncio.Event()

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        from msp_kit import relay  # noqa: PLC0415 - only the API process without a worker pokes by itself

        poke = None if worker else asyncio.create_task(relay.poke(database, stopping=stopping))
        if worker is not None:
            await worker.start()
        # What is here now stays for ever: the collector need not look at it again with every few hundred objects.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_ALLOCATIONS, 20, 50)
        yield
        stopping.set()
        database.recorded.set()
        if worker is not None:
            await worker.stop()
        elif poke is not None:
            await poke
            await database.close()

    if command == "worker":
        app = FastAPI(title=f"{service.name} worker", lifespan=lifespan, openapi_url=None)
    else:
        app = service.create_api(settings, database, lifespan)
    ready = database_check(database, head=migrations.head(service.module))
    checks = {"database": ready, "broker": broker_answers}
    routes: APIRouter = health_router(checks)
    app.include_router(routes)
    # After draining, uvicorn raises the signal that ended it once more; a drained process has ended well.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    endings = getattr(app.state, "endings", ())
    await server(app, host=settings.http_host, port=settings.http_port, endings=endings).serve()


async def _verify(service: Service, database: Database, arguments: argparse.Namespace) -> int:
    name = service.verify_one
    only = {} if name is None or getattr(arguments, name) is None else {name: getattr(arguments, name)}
    # One state of everything, and nobody waits while it is looked through.
    async with database.transaction(SYSTEM, is_snapshot=True) as tx:
        broken = await service.verify(tx, **only) if service.verify is not None else ()
    for sentence in broken:
        _say(f"BROKEN {sentence}")
    if not broken:
        _say(f"{service.name}: everything holds")
    return 1 if broken else 0


async def _dead_letters(
    service: Service, settings: ServiceSettings, database: Database, arguments: argparse.Namespace
) -> int:
    if arguments.discard:
        found = await deadletters.discard(database, event_id=arguments.discard, reason=arguments.reason)
        _say(f"{found} discarded")
        return 0 if found else 1
    if arguments.replay:
        worker = service.create_worker(settings, database)
        found = await deadletters.replay(database, worker.inbox, event_id=arguments.replay)
        _say(f"{found} tried again")
        return 0 if found else 1
    for one in await deadletters.open_messages(database):
        _say(f"{one.status:8} {one.received_at:%Y-%m-%d %H:%M:%S} {one.event_id} {one.type} {one.subject}#{one.seq}")
        if one.error_text:
            _say(f"         after {one.attempts} attempts: {one.error_code}: {one.error_text}")
    _say(f"{await deadletters.unreadable_count(database)} unreadable messages in bus.unreadable")
    return 0


def _parser(service: Service) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {service.module}")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="HTTP and messages in one process")
    commands.add_parser("api", help="HTTP only")
    commands.add_parser("worker", help="consumers, jobs and relay only")
    commands.add_parser("migrate", help="bring the database to the newest shape")
    commands.add_parser("topology", help="declare exchanges, queues and bindings")
    proof = commands.add_parser("verify", help="recompute what must hold, and name what does not")
    if service.verify_one is not None:
        proof.add_argument(f"--{service.verify_one}", metavar="REF", help="only this one")
    letters = commands.add_parser("dead-letters", help="what could not be taken")
    letters.add_argument("--replay", metavar="EVENT_ID")
    letters.add_argument("--discard", metavar="EVENT_ID")
    letters.add_argument("--reason", default="")
    again = commands.add_parser("republish", help="send recorded events to one service again")
    again.add_argument("--to", required=True, help="service that lost or missed them")
    again.add_argument("--stream", help="only one stream, e.g. contracts.client")
    again.add_argument("--subject", help="only one subject, e.g. client:<uuid>")
    if service.extra is not None:
        service.extra(commands)
    return parser


def _say(line: str) -> None:
    sys.stdout.write(line + os.linesep)
