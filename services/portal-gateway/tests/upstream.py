"""The services behind the gateway, as far as the pages ask them: answers of a shape a test chooses, on a real socket."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx
import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import SecretStr

from msp_kernel.ids import new_id
from msp_kit import identity
from msp_kit.database import SYSTEM
from msp_kit.testing import KEY, a_database, a_socket
from portal_gateway import api
from portal_gateway.actions import people
from portal_gateway.settings import Settings

PASSWORD = "correct horse battery staple"
NOWHERE = "http://127.0.0.1:1"


@dataclass
class Upstream:
    """What the services answer, by path; and what they were asked, in order."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, list[tuple[str, str]], Any]] = field(default_factory=list)
    revisions: list[str | None] = field(default_factory=list)
    refused: dict[str, tuple[int, Any]] = field(default_factory=dict)
    """What changes of a path are answered with, where reading it answers something else."""

    def forget(self) -> None:
        """Answer nothing any more, and know nothing of what was asked."""
        for one in (self.answers, self.asked, self.revisions, self.refused):
            one.clear()

    def query(self, path: str) -> list[tuple[str, str]]:
        """Return the query of the last request for a path."""
        return next(query for _, asked, query, _ in reversed(self.asked) if asked == path)

    def body(self, path: str) -> Any:
        """Return the body of the last request for a path."""
        return next(body for _, asked, _, body in reversed(self.asked) if asked == path)

    def changes(self) -> list[tuple[str, str, Any]]:
        """Return what was asked to be changed: verb, path and body."""
        return [(verb, path, body) for verb, path, _, body in self.asked if verb != "GET"]

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
        async def answer(request: Request) -> Response:
            content = await request.body()
            is_json = "json" in request.headers.get("content-type", "")
            path, body = request.url.path, json.loads(content) if content and is_json else content or None
            self.revisions.append(request.headers.get("if-match"))
            self.asked.append((request.method, path, request.query_params.multi_items(), body))
            found = self.answers.get(path, {"items": [], "next": None})
            found = found if request.method == "GET" else self.refused.get(path, found)
            found = found(dict(request.query_params)) if callable(found) else found
            status, document = found if isinstance(found, tuple) else (200, found)
            return Response(json.dumps(document), status_code=status, media_type="application/json")

        return app


@dataclass
class Pages:
    """The gateway's pages, seen by one person at a time."""

    client: httpx.AsyncClient
    upstream: Upstream
    tokens: dict[str, str]

    async def get(self, path: str, *, by: str = "manager") -> httpx.Response:
        return await self.client.get(path, headers={"authorization": f"Bearer {self.tokens[by]}"})

    async def post(self, path: str, form: dict[str, str], *, by: str = "manager") -> httpx.Response:
        return await self.client.post(path, data=form, headers={"authorization": f"Bearer {self.tokens[by]}"})

    async def upload(
        self,
        path: str,
        name: str,
        content: bytes,
        *,
        by: str = "manager",
        field: str = "file",
        form: dict[str, str] | None = None,
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.tokens[by]}"}
        return await self.client.post(path, data=form, files={field: (name, content)}, headers=headers)


@asynccontextmanager
async def pages(*, away: str = "") -> AsyncIterator[Pages]:
    """Serve the gateway with an upstream behind it; the service named ``away`` is not there."""
    upstream = Upstream()
    async with a_database(service="portal-gateway", database="portal_gateway", module="portal_gateway") as database:
        sock = a_socket()
        server = uvicorn.Server(uvicorn.Config(upstream.app(), log_level="error"))
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        here = f"http://127.0.0.1:{sock.getsockname()[1]}"
        at = dict.fromkeys(("tickets", "sla", "contracts", "billing"), here)
        at[away] = NOWHERE
        settings = Settings(
            database_url=SecretStr(database.url),
            amqp_url=SecretStr("amqp://127.0.0.1:1/"),
            identity_public_keys=json.dumps(identity.public_keys([KEY])),
            identity_private_key=SecretStr(json.dumps(KEY)),
            brand_name="Meridian IT",
            tickets_url=at["tickets"],
            sla_url=at["sla"],
            contracts_url=at["contracts"],
            billing_url=at["billing"],
        )
        app = api.create(settings, database)
        async with database.transaction(SYSTEM) as tx:
            for kind, name, roles in (
                ("staff", "manager", ("manager",)),
                ("staff", "finance", ("finance",)),
                ("staff", "agent", ("agent",)),
                ("client", "client", ("requester",)),
            ):
                await people.add_person(
                    tx,
                    kind=kind,
                    client_id=None if kind == "staff" else new_id(),
                    email=f"{name}@meridian.example",
                    display_name=name.title(),
                    roles=roles,
                    password=PASSWORD,
                    actor="test",
                )
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://door") as client,
        ):
            tokens = {}
            for name in ("manager", "finance", "agent", "client"):
                body = {"email": f"{name}@meridian.example", "password": PASSWORD}
                tokens[name] = (await client.post("/api/v1/sessions", json=body)).json()["token"]
            yield Pages(client, upstream, tokens)
        server.should_exit = True
        await serving


def words(html: str) -> str:
    """Return the text of a page with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def beside(html: str, name: str) -> str:
    """Return what a form says is wrong, beside the field of this id; nothing when it does not."""
    return re.sub(r"<svg.*?</svg>", "", html.partition(f'id="{name}-err">')[2].partition("</span>")[0]).strip()
