"""``/api/v1/…`` for programs: the caller is known, the service is chosen by a table, everything else passes unchanged."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from msp_kit import ids, problems
from msp_kit.problems import Forbidden, Problem, Unauthenticated
from portal_gateway.limits import Limits, TooManyRequests
from portal_gateway.scope import CSRF_HEADER, CsrfFailed, OutOfScope, SecondFactorMissing, Visitors, check_csrf
from portal_gateway.services import SERVICE_OF, ServiceAway, Services
from portal_gateway.version import API_VERSION, PREFIX, VERSION_HEADER, UnknownApiVersion, check_version

_IN = ("content-type", "idempotency-key", "if-match", "if-none-match", "accept", "accept-language")
PREFIXED_IDS: Final = {ids.HEADER: ids.PREFIXED}
"""Tells a service that a program asks; pages of ours go without."""
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
    "link",
)


class _Route:
    path = f"{PREFIX}/…"
    """What the metrics of forwarded requests are counted under."""


class Forward:
    """A layer before the pages: the hot path does without routing and dependency machinery."""

    def __init__(self, app: ASGIApp, visitors: Visitors, services: Services, limits: Limits) -> None:
        self.app = app
        self.limits = limits
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
            check_version(request)
            visitor = await self.visitors.of(request)
            check_csrf(request, visitor, method=request.method, given=request.headers.get(CSRF_HEADER))
            visitor.check(area=SERVICE_OF[target.split("?", 1)[0].split("/", 2)[1]], method=request.method)
            state = self.limits.of_visitor(visitor, method=request.method)
            answer = await self.services.send(
                visitor.caller,
                request.method,
                target,
                body=await request.body(),
                headers={**{name: request.headers[name] for name in _IN if name in request.headers}, **PREFIXED_IDS},
            )
        except ServiceAway as error:
            return service_away(request, error)
        except tuple(REFUSALS) as error:
            return refused(request, error)
        headers = {name: answer.headers[name] for name in _OUT if name in answer.headers}
        headers |= state.headers()
        headers["cache-control"] = "no-store"
        headers["x-content-type-options"] = "nosniff"
        headers[VERSION_HEADER] = API_VERSION
        return Response(answer.body, status_code=answer.status, headers=headers)


REFUSALS: Final[dict[type[Exception], Problem]] = {
    Unauthenticated: Problem(HTTPStatus.UNAUTHORIZED, "Sign in first"),
    Forbidden: Problem(HTTPStatus.FORBIDDEN, "Your role does not allow this"),
    CsrfFailed: Problem(HTTPStatus.FORBIDDEN, "Not sent from our page"),
    SecondFactorMissing: Problem(HTTPStatus.FORBIDDEN, "Add a second factor first"),
    OutOfScope: Problem(HTTPStatus.FORBIDDEN, "The API key was not made for this"),
    TooManyRequests: Problem(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests"),
    UnknownApiVersion: Problem(HTTPStatus.BAD_REQUEST, "The version of the API does not exist"),
}
"""What the door itself refuses, before any service is asked."""


def refused(request: Request, error: Exception) -> Response:
    """Return the problem of what the door refused."""
    problem = REFUSALS[type(error)]
    answer = problems.answer(
        request,
        slug=problems.slug(type(error).__name__),
        status=problem.status,
        title=problem.title,
        detail=str(error),
    )
    if isinstance(error, TooManyRequests):
        answer.headers.update({**error.state.headers(), "retry-after": str(error.state.reset_seconds)})
    if isinstance(error, Unauthenticated):
        answer.headers["www-authenticate"] = "Bearer"
    return answer


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
