"""The gateway with a real upstream and two people, for tests."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2 as httpx
import uvicorn
from fastapi import APIRouter, FastAPI
from pydantic import SecretStr

from msp_kernel.ids import new_id
from msp_kit import identity
from msp_kit.api import CallerNow, allows, create_api, guarded_router
from msp_kit.database import SYSTEM, Database
from msp_kit.settings import ServiceSettings
from msp_kit.testing import KEY, a_database, a_socket
from portal_gateway import api
from portal_gateway.actions import people
from portal_gateway.settings import Settings
from portal_gateway.store import notes

PASSWORD = "correct horse battery staple"
ADA, PRIYA, PAUL = "ada@meridian.example", "priya@hlo.example", "paul@hlo.example"
upstream: APIRouter = guarded_router()


@upstream.post("/tickets/{ticket}", status_code=201, openapi_extra=allows(staff=(), client=()))
async def echo(ticket: str, body: dict[str, Any], caller: CallerNow) -> dict[str, Any]:
    return {"ticket": ticket, "body": body, "kind": caller.kind, "client": caller.client_id, "name": caller.name}


@upstream.get("/tickets", openapi_extra=allows(staff=(), client=()))
async def listed(caller: CallerNow, text: str = "") -> dict[str, Any]:
    return {"items": [], "next": None, "text": text, "roles": sorted(caller.roles)}


@upstream.get("/projects", openapi_extra=allows(staff=(), client=()))
async def no_projects(caller: CallerNow) -> dict[str, Any]:
    return {"items": [], "next": None, "name": caller.name}


@upstream.post("/queues", openapi_extra=allows(staff=("admin",), step_up=True))
async def costly(caller: CallerNow) -> dict[str, Any]:
    return {"fresh": caller.is_fresh}


@dataclass
class Door:
    database: Database
    client: httpx.AsyncClient
    client_id: UUID
    app: FastAPI
    ids: dict[str, UUID] = field(default_factory=dict)

    async def token(self, email: str, **more: Any) -> str:
        answer = await self.client.post("/api/v1/sessions", json={"email": email, "password": PASSWORD, **more})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    async def bearer(self, email: str, **more: Any) -> dict[str, str]:
        return {"authorization": f"Bearer {await self.token(email, **more)}"}

    async def send(
        self, email: str | dict[str, str] | None, method: str, path: str, body: Any = None
    ) -> httpx.Response:
        """Send one request to the API: as somebody who signs in for it, with headers, or as nobody."""
        headers = email if isinstance(email, dict) else await self.bearer(email) if email else {}
        return await self.client.request(method, f"/api/v1{path}", json=body, headers=headers)

    async def sql(self, statement: str, *values: Any) -> Any:
        """Run one statement as the gateway itself would, and return its first value."""
        async with self.database.transaction(SYSTEM) as tx:
            return await tx.fetchval(statement, *values)

    async def add_person(self, email: str, *, kind: str, client_id: UUID | None, roles: tuple[str, ...]) -> UUID:
        async with self.database.transaction(SYSTEM) as tx:
            person = await people.add_person(
                tx,
                kind=kind,
                client_id=client_id,
                email=email,
                display_name=email[:5].title(),
                roles=roles,
                password=PASSWORD,
                actor="test",
            )
        self.ids[email] = person.id
        return person.id


@contextlib.asynccontextmanager
async def a_door(**more: Any) -> AsyncIterator[Door]:
    async with a_database(service="portal-gateway", database="portal_gateway", module="portal_gateway") as database:
        sock = a_socket()
        keys = json.dumps(identity.public_keys([KEY]))
        service = create_api(
            service="tickets",
            database=database,
            settings=ServiceSettings(database_url=SecretStr("x"), amqp_url=SecretStr("x"), identity_public_keys=keys),
            routers=[upstream],
            problem_table={},
        )
        server = uvicorn.Server(uvicorn.Config(service, log_level="error"))
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        nowhere = "http://127.0.0.1:1"
        settings = Settings(
            **{
                "database_url": SecretStr(database.url),
                "amqp_url": SecretStr("amqp://127.0.0.1:1/"),
                "identity_public_keys": keys,
                "identity_private_key": SecretStr(json.dumps(KEY)),
                "tickets_url": f"http://127.0.0.1:{sock.getsockname()[1]}",
                "sla_url": nowhere,
                "contracts_url": nowhere,
                "billing_url": nowhere,
                "brand_name": "Meridian IT",
                "public_url": "http://door",
                **more,
            }
        )
        app = api.create(settings, database)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://door") as client,
        ):
            made = Door(database, client, new_id(), app)
            await made.add_person(ADA, kind="staff", client_id=None, roles=("admin",))
            await made.add_person(PRIYA, kind="client", client_id=made.client_id, roles=("requester",))
            await made.add_person(PAUL, kind="client", client_id=made.client_id, roles=("admin",))
            async with database.transaction(SYSTEM) as tx:
                await notes.save_client_name(tx, made.client_id, 1, "HLO", "Halcyon", "Europe/London")
            yield made
        server.should_exit = True
        await serving
