"""``/api/v1/…`` for programs: the caller is known, the service is chosen by a table, everything else passes unchanged."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from msp_kit import problems
from msp_kit.problems import Unauthenticated
from portal_gateway.scope import CSRF_HEADER, CsrfFailed, Visitors, check_csrf
from portal_gateway.services import SERVICE_OF, ServiceAway, Services

PREFIX: Final = "/api/v1"
_IN = ("content-type", "idempotency-key", "if-match", "if-none-match", "accept")
_OUT = ("content-type", "etag", "location", "idempotent-replayed", "content-disposition", "retry-after")


class Forward:
    """An ASGI application of its own: the hot path does without routing and dependency machinery."""

    def __init__(self, visitors: Visitors, services: Services) -> None:
        self.visitors = visitors
        self.services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        raw_path = request.scope.get("raw_path") or request.url.path.encode()
        target = raw_path.decode("latin-1").split("?", 1)[0].removeprefix(PREFIX)
        prefix = target.split("/", 2)[1] if target.startswith("/") else ""
        # A path that climbs or hides a slash would be another path to the service than to this table.
        if prefix not in SERVICE_OF or "/../" in f"{target}/" or "//" in target or "%2f" in target.lower():
            return problems.answer(request, slug="not-found", status=404, title="Not found")
        if request.url.query:
            target = f"{target}?{request.url.query}"
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


def service_away(request: Request, error: ServiceAway) -> Response:
    """Return the problem that names the service that is away."""
    return problems.answer(
        request,
        slug="service-away",
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        title=f"The {error.service} service is not available",
        detail=str(error),
    )
