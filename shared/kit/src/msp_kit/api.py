"""The HTTP side of a service: who may call what, one transaction per request, answers that can be repeated.

A route without ``allows(...)`` does not start: default deny is checked when the application is built.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from msp_kernel.ids import new_id
from msp_kit import idempotency, ids, problems, telemetry
from msp_kit.database import Database, Transaction
from msp_kit.description import say_how_it_refuses
from msp_kit.identity import HEADER, Access, Caller, Verifier
from msp_kit.problems import BodyTooLarge, BodyTooSlow, Problem
from msp_kit.settings import ServiceSettings
from msp_kit.strict import StrictRequest

ACCESS = "x-msp-access"
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


# PostgreSQL keeps no NUL in a text; said here once, for every text of every body and query.
_NUL = [{"loc": ("body",), "msg": "texts may not contain the character U+0000", "type": "nul_character"}]


DEPTH_MAX = 32
BODY_SECONDS = 30.0
"""How long a body may take to arrive."""
_DEEP = [{"loc": ("body",), "msg": f"at most {DEPTH_MAX} levels are accepted", "type": "too_deep"}]
_QUOTE, _BACKSLASH, _OPENING, _CLOSING = ord('"'), ord("\\"), b"[{", b"]}"


class Body(BaseModel):
    """The base of request bodies: unknown fields are refused, texts are trimmed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class View(BaseModel):
    """The base of answers."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


def allows(
    *, staff: Iterable[str] | None = None, client: Iterable[str] | None = None, step_up: bool = False
) -> dict[str, Any]:
    """Declare who may call an operation, for ``openapi_extra``.

    ``None`` means nobody of that kind, an empty iterable every role of it. ``step_up`` is for what moves money or rights.
    """
    assert not isinstance(staff, str), "roles are a collection"
    assert not isinstance(client, str), "roles are a collection"
    access = Access(
        staff=None if staff is None else frozenset(staff),
        client=None if client is None else frozenset(client),
        step_up=step_up,
    )
    return {ACCESS: access.document()}


class GuardedRoute(APIRoute):
    """A route that knows its caller before it does anything, and can answer a repeated request as before."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler: identity, access, the endpoint, and the kept answer.

        Raises:
            AssertionError: the route does not say who may call it; the application does not start.
        """
        declared = (self.openapi_extra or {}).get(ACCESS)
        assert declared is not None, f"{self.path} does not say who may call it: openapi_extra=allows(...)"
        access = Access.of(declared)
        original = super().get_route_handler()

        async def handle(request: Request) -> Response:
            verifier: Verifier = request.app.state.verifier
            query = request.url.query
            caller = verifier.verify(
                request.headers.get(HEADER),
                method=request.method,
                target=f"{request.url.path}?{query}" if query else request.url.path,
                body=await request.body(),
            )
            access.check(caller, method=request.method)
            request.state.caller = caller
            is_file = _is_file(request.headers.get("content-type", ""))
            if not is_file:
                check_depth(await request.body())
            if (not is_file and b"\\u0000" in await request.body()) or "%00" in query or "\0" in request.scope["path"]:
                raise RequestValidationError(_NUL)
            with ids.form(is_prefixed=request.headers.get(ids.HEADER) == ids.PREFIXED):
                response = await original(await StrictRequest.of(request))
            # Still inside the function scope of the transaction: the answer commits together with the effect.
            await idempotency.remember(request, response)
            return response

        return handle


def check_depth(body: bytes) -> None:
    """Let a body through that is not nested too deeply to be read.

    Raises:
        RequestValidationError: it is.
    """
    # Most bodies have fewer brackets than the limit; only the others are looked through.
    if body.count(b"[") + body.count(b"{") <= DEPTH_MAX:
        return
    depth, is_text, is_escaped = 0, False, False
    for byte in body:
        if is_text:
            is_text = is_escaped or byte != _QUOTE
            is_escaped = byte == _BACKSLASH and not is_escaped
        elif byte == _QUOTE:
            is_text = True
        elif byte in _OPENING:
            depth += 1
            if depth > DEPTH_MAX:
                raise RequestValidationError(_DEEP)
        elif byte in _CLOSING:
            depth -= 1


def guarded_router(*, prefix: str = "", tags: Sequence[str] = ()) -> APIRouter:
    """Return a router whose routes declare their access."""
    return APIRouter(prefix=prefix, tags=list(tags), route_class=GuardedRoute)


async def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


async def _transaction(request: Request) -> AsyncIterator[Transaction]:
    database: Database = request.app.state.database
    caller: Caller = request.state.caller
    async with database.transaction(caller.scope) as tx:
        request.state.tx = tx
        await idempotency.begin(request, tx)
        yield tx


CallerNow = Annotated[Caller, Depends(_caller)]
"""The verified caller of a request."""

Tx = Annotated[Transaction, Depends(_transaction, scope="function")]
"""The transaction of a request. ``scope="function"``: it commits before the answer is sent, so a 201 is a promise kept."""


def create_api(
    *,
    service: str,
    database: Database,
    settings: ServiceSettings,
    routers: Sequence[APIRouter],
    problem_table: Mapping[type[Exception], Problem],
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """Build the HTTP application of a service."""
    app = FastAPI(
        title=service, version="1", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url="/openapi.json"
    )
    app.state.database = database
    app.state.service = service
    app.state.verifier = Verifier(json.loads(settings.identity_public_keys), audience=service)
    for router in routers:
        app.include_router(router)
    problems.install(app, problem_table)
    say_how_it_refuses(app, (one.status for one in problem_table.values()))
    app.add_exception_handler(idempotency.Replay, idempotency.answer_again)
    app.add_middleware(
        Edge, service=service, body_bytes_max=settings.body_bytes_max, file_bytes_max=settings.file_bytes_max
    )
    return app


class Edge:
    """The outermost layer: request id, body limit, duration metric, one log line per request."""

    def __init__(self, app: ASGIApp, *, service: str, body_bytes_max: int, file_bytes_max: int | None = None) -> None:
        self.app = app
        self.service = service
        self.body_bytes_max = body_bytes_max
        self.file_bytes_max = file_bytes_max or body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        rid = given if 8 <= len(given) <= 64 and given.isascii() and given.replace("-", "").isalnum() else str(new_id())
        token = telemetry.request_id.set(rid)
        started = time.perf_counter()
        status, has_started = 500, False

        async def send_with_id(message: Message) -> None:
            nonlocal status, has_started
            if message["type"] == "http.response.start":
                has_started = True
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", rid.encode())]
            await send(message)

        try:
            declared = headers.get(b"content-length", b"0")
            is_file = _is_file(headers.get(b"content-type", b"").decode("latin-1"))
            bytes_max = self.file_bytes_max if is_file else self.body_bytes_max
            if not declared.isdigit() or int(declared) > bytes_max:
                refusal = _too_large(scope, bytes_max)
                await refusal(scope, receive, send_with_id)
            else:
                await self.app(scope, _limited(receive, bytes_max), send_with_id)
        except Exception as error:
            # Here and not further out, so that the answer and the log line carry the request id.
            if has_started:
                raise
            refusal = await problems.unexpected(Request(scope), error)
            await refusal(scope, receive, send_with_id)
        finally:
            route = getattr(scope.get("route"), "path", "-")
            telemetry.HTTP_SECONDS.labels(self.service, scope["method"], route, str(status)).observe(
                time.perf_counter() - started
            )
            telemetry.request_id.reset(token)


def _is_file(content_type: str) -> bool:
    """Return whether a body is a file as it stands: neither JSON nor a form without files."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind not in ("", "application/json", "application/x-www-form-urlencoded")


def _limited(receive: Receive, bytes_max: int) -> Receive:
    seen, is_whole = 0, False
    ends_at = asyncio.get_running_loop().time() + BODY_SECONDS

    async def limited() -> Message:
        nonlocal seen, is_whole
        if is_whole:
            return await receive()
        try:
            async with asyncio.timeout_at(ends_at):
                message = await receive()
        except TimeoutError as error:
            raise BodyTooSlow(f"the whole body is sent within {BODY_SECONDS:g} seconds") from error
        seen += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        if seen > bytes_max:
            raise BodyTooLarge(f"at most {bytes_max} bytes are accepted")
        return message

    return limited


def _too_large(scope: Scope, bytes_max: int) -> Response:
    return problems.answer(
        Request(scope),
        slug="body-too-large",
        status=413,
        title="The request body is too large",
        detail=f"at most {bytes_max} bytes are accepted",
    )
