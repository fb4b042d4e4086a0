"""``/api/v1/…`` for programs: the caller is known, the service is chosen by a table, everything else passes unchanged."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from msp_kit import problems
from msp_kit.problems import Unauthenticated
from portal_gateway.scope import CSRF_HEADER, CsrfFailed, Visitors, check_csrf
from portal_gateway.services import SERVICE_OF, ServiceAway, Services

PREFIX: Final = "/api/v1"
_IN = ("content-type", "idempotency-key", "if-match", "if-none-match", "accept")
_OUT = (
    "content-type",
    "etag",
    "location",
    "idempotent-replayed",
    "content-disposition",
    "content-security-policy",
    "x-content-type-options",
    "cross-origin-resource-policy",
    "retry-after",
)


class _Route:
    path = f"{PREFIX}/…"
    """What the metrics of forwarded requests are counted under."""


class Forward:
    """A layer before the pages: the hot path does without routing and dependency machinery."""

    def __init__(self, app: ASGIApp, visitors: Visitors, services: Services) -> None:
        self.app = app
        self.visitors = visitors
        self.services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass on what is not for programs."""
        target = _target(scope)
        if target is None:
            await self.app(scope, receive, send)
            return
        scope["route"] = _Route
        response = await self._answer(Request(scope, receive), target)
        await response(scope, receive, send)

    async def _answer(self, request: Request, target: str) -> Response:
        # A path that climbs or hides a slash would be another path to the service than to this table.
        if "/../" in f"{target}/" or "//" in target or "%2f" in target.lower():
            return nothing(request)
        query = request.scope["query_string"].decode("latin-1")
        if query:
            target = f"{target}?{query}"
        try:
            visitor = await self.visitors.of(request)
            check_csrf(request, visitor, method=request.method, given=request.headers.get(CSRF_HEADER))
            answer = await self.services.send(
                visitor.caller,
                request.method,
                target,
                body=await request.body(),
                headers={name: request.headers[name] for name in _IN if name in request.headers},
            )
        except Unauthenticated as error:
            return problems.answer(
                request, slug="unauthenticated", status=401, title="Sign in first", detail=str(error)
            )
        except CsrfFailed as error:
            return problems.answer(
                request, slug="csrf-failed", status=403, title="Not sent from our page", detail=str(error)
            )
        except ServiceAway as error:
            return service_away(request, error)
        headers = {name: answer.headers[name] for name in _OUT if name in answer.headers}
        headers["cache-control"] = "no-store"
        return Response(answer.body, status_code=answer.status, headers=headers)


def _target(scope: Scope) -> str | None:
    """Return the path as the service will see it, or ``None`` when no service owns its first segment."""
    if scope["type"] != "http" or not scope["path"].startswith(f"{PREFIX}/"):
        return None
    raw_path = scope.get("raw_path") or scope["path"].encode()
    target: str = raw_path.decode("latin-1").split("?", 1)[0].removeprefix(PREFIX)
    return target if target.partition("%")[0].split("/", 2)[1] in SERVICE_OF else None


def nothing(request: Request) -> Response:
    """Return the problem of a path that does not exist."""
    return problems.answer(request, slug="not-found", status=404, title="Not found")


def service_away(request: Request, error: ServiceAway) -> Response:
    """Return the problem that names the service that is away."""
    return problems.answer(
        request,
        slug="service-away",
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        title=f"The {error.service} service is not available",
        detail=str(error),
    )
