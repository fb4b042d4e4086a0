"""The gateway's own operations under ``/api/v1``: who may call them is declared, and checked before they run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from enum import Enum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from msp_kit import ids
from msp_kit.api import ACCESS, allows as allows_in_service, check_depth
from msp_kit.database import SYSTEM, Database
from msp_kit.identity import Access
from msp_kit.strict import StrictRequest
from portal_gateway.actions.sign_in import Origin
from portal_gateway.house import House
from portal_gateway.limits import Limits
from portal_gateway.person import Session
from portal_gateway.scope import CSRF_HEADER, OutOfScope, Visitor, Visitors, check_csrf
from portal_gateway.version import API_VERSION, VERSION_HEADER, check_version

AREA = "portal-gateway"
ENROLLING = "x-msp-enrolling"
LEAVING = "x-msp-leaving"
PUBLIC = {ACCESS: {"staff": [], "client": [], "public": True}}
"""For the few operations that nobody can have signed in for."""
_NUL = [{"loc": ("body",), "msg": "texts may not contain the character U+0000", "type": "nul_character"}]


def allows(
    *,
    staff: Iterable[str] | None = None,
    client: Iterable[str] | None = None,
    step_up: bool = False,
    is_enrolling: bool = False,
    is_leaving: bool = False,
) -> dict[str, Any]:
    """Declare who may call an operation.

    ``is_enrolling`` works before a required second factor is there, ``is_leaving`` for who views as a client, too.
    """
    declared = allows_in_service(staff=staff, client=client, step_up=step_up)
    return {**declared, **({ENROLLING: True} if is_enrolling else {}), **({LEAVING: True} if is_leaving else {})}


class DoorRoute(APIRoute):
    """A route that knows its visitor before it does anything."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler: session or key, access, CSRF, then the endpoint.

        Raises:
            AssertionError: the route does not say who may call it; the application does not start.
        """
        extra = self.openapi_extra or {}
        declared = extra.get(ACCESS)
        assert declared is not None, f"{self.path} does not say who may call it: openapi_extra=allows(...)"
        access, is_public = Access.of(declared), declared.get("public", False)
        original = super().get_route_handler()

        async def handle(request: Request) -> Response:
            limits: Limits = request.app.state.limits
            check_version(request)
            if is_public:
                state = limits.of_address(request.client.host if request.client else "")
            else:
                visitors: Visitors = request.app.state.visitors
                visitor = await visitors.of(request)
                check_csrf(request, visitor, method=request.method, given=request.headers.get(CSRF_HEADER))
                # Who views as a client changes nothing, but may leave.
                method = "GET" if visitor.is_viewing and LEAVING in extra else request.method
                visitor.check(area=AREA, method=method, is_enrolling=extra.get(ENROLLING, False))
                if access.step_up and visitor.key is not None:
                    raise OutOfScope("a person does this, not a key")
                access.check(visitor.caller, method=method)
                state = limits.of_visitor(visitor, method=request.method)
                request.state.visitor = visitor
            check_depth(await request.body())
            if b"\\u0000" in await request.body() or "%00" in request.url.query or "\0" in request.scope["path"]:
                raise RequestValidationError(_NUL)
            with ids.form(is_prefixed=True):
                response = await original(await StrictRequest.of(request))
            response.headers.update({**state.headers(), "cache-control": "no-store", VERSION_HEADER: API_VERSION})
            return response

        return handle


def door_router(*, tags: list[str | Enum]) -> APIRouter:
    """Return a router whose routes declare their access."""
    return APIRouter(prefix="/api/v1", tags=tags, route_class=DoorRoute)


async def _visitor(request: Request) -> Visitor:
    visitor: Visitor = request.state.visitor
    return visitor


async def _session(request: Request) -> Session:
    visitor: Visitor = request.state.visitor
    if visitor.session is None:
        raise OutOfScope("a person does this, not a key")
    return visitor.session


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


async def _origin(request: Request) -> Origin:
    return origin_of(request)


def origin_of(request: Request) -> Origin:
    """Return where a request came from."""
    address = request.client.host if request.client else ""
    return Origin(user_agent=request.headers.get("user-agent", ""), address=address)


VisitorNow = Annotated[Visitor, Depends(_visitor)]
SessionNow = Annotated[Session, Depends(_session)]
DatabaseNow = Annotated[Database, Depends(_database)]
HouseNow = Annotated[House, Depends(_house)]
OriginNow = Annotated[Origin, Depends(_origin)]

__all__ = [
    "PUBLIC",
    "SYSTEM",
    "DatabaseNow",
    "HouseNow",
    "OriginNow",
    "SessionNow",
    "VisitorNow",
    "allows",
    "door_router",
]
