"""The gateway's own part of ``/api/v1``: sessions, people, and the merged description of everything."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from msp_kit.api import ACCESS, Body, View, allows
from msp_kit.database import SYSTEM, Database
from msp_kit.problems import Forbidden, NotFound
from portal_gateway import actions
from portal_gateway.actions import SignInRefused
from portal_gateway.pages.site import site_of
from portal_gateway.person import Person
from portal_gateway.scope import CSRF_HEADER, Visitor, check_csrf, token_of

router = APIRouter(prefix="/api/v1", tags=["people"])
Email = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


async def _visitor(request: Request) -> Visitor:
    visitor = await site_of(request).visitors.of(request)
    check_csrf(request, visitor, method=request.method, given=request.headers.get(CSRF_HEADER))
    return visitor


VisitorNow = Annotated[Visitor, Depends(_visitor)]


class SignIn(Body):
    """Who signs in."""

    email: Email
    password: str = Field(min_length=1, max_length=200)


class SessionView(View):
    """A new session; the token goes into ``Authorization: Bearer``."""

    token: str
    kind: str
    name: str


class NewPerson(Body):
    """A person who can sign in. A client's administrator makes people of the own client only."""

    kind: Literal["staff", "client"]
    client_id: UUID | None = None
    email: Email
    display_name: str = Field(min_length=1, max_length=120)
    roles: list[str] = Field(min_length=1, max_length=10)
    password: str = Field(min_length=1, max_length=200)


class PersonView(View):
    """A person."""

    id: UUID
    kind: str
    client_id: UUID | None
    email: str
    display_name: str
    roles: list[str]
    is_active: bool


@router.post("/sessions", status_code=201, openapi_extra=allows(staff=(), client=()))
async def sign_in(body: SignIn, request: Request) -> SessionView:
    """Sign in."""
    database: Database = request.app.state.database
    async with database.transaction(SYSTEM) as tx:
        signed_in = await actions.sign_in(
            tx,
            email=body.email,
            password=body.password,
            user_agent=request.headers.get("user-agent", ""),
            address=request.client.host if request.client else "",
        )
    if signed_in is None:
        raise SignInRefused("e-mail and password do not belong together")
    return SessionView(token=signed_in.token, kind=signed_in.person.kind, name=signed_in.person.display_name)


@router.delete("/sessions/current", status_code=204, openapi_extra=allows(staff=(), client=()))
async def sign_out(visitor: VisitorNow, request: Request) -> Response:
    """Sign out."""
    token, _ = token_of(request)
    assert token is not None
    database: Database = request.app.state.database
    async with database.transaction(SYSTEM) as tx:
        await actions.sign_out(tx, token=token)
    site_of(request).visitors.forget(token)
    assert visitor is not None
    return Response(status_code=204)


@router.get("/me", openapi_extra=allows(staff=(), client=()))
async def me(visitor: VisitorNow) -> PersonView:
    """Return who asks."""
    caller = visitor.caller
    return PersonView(
        id=caller.id,
        kind=caller.kind,
        client_id=caller.client_id,
        email=visitor.email,
        display_name=caller.name,
        roles=sorted(caller.roles),
        is_active=True,
    )


@router.post("/people", status_code=201, openapi_extra=allows(staff=("admin",), client=("admin",)))
async def add_person(body: NewPerson, visitor: VisitorNow, request: Request) -> PersonView:
    """Make a person who can sign in."""
    caller = visitor.caller
    if not caller.has_role("admin"):
        raise Forbidden("this needs the role admin")
    client_id = caller.client_id or body.client_id
    if caller.kind == "client" and (body.kind != "client" or body.client_id not in (None, caller.client_id)):
        raise NotFound
    if (body.kind == "client") != (client_id is not None):
        raise NotFound
    database: Database = request.app.state.database
    async with database.transaction(SYSTEM) as tx:
        person = await actions.add_person(
            tx,
            kind=body.kind,
            client_id=client_id,
            email=body.email,
            display_name=body.display_name,
            roles=tuple(body.roles),
            password=body.password,
            actor=str(caller.id),
        )
    return _view(person)


@router.get("/people", openapi_extra=allows(staff=("admin", "manager"), client=("admin",)))
async def list_people(visitor: VisitorNow, request: Request, client_id: UUID | None = None) -> dict[str, Any]:
    """Return people: for a client's administrator, the own ones."""
    caller = visitor.caller
    if not caller.has_role("admin", "manager"):
        raise Forbidden("this needs the role admin")
    database: Database = request.app.state.database
    async with database.transaction(SYSTEM) as tx:
        found = await actions.people(tx, client_id=caller.client_id or client_id, limit=500)
    return {"items": [_view(one).model_dump(mode="json") for one in found], "next": None}


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """Return one description of everything: the services' own documents, merged."""
    site = site_of(request)
    merged: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": f"{site.brand} API", "version": "1"},
        "paths": {},
        "components": {"schemas": {}},
    }
    own = request.app.openapi()
    documents = [("", own), *[("/api/v1", one) for one in await site.services.documents()]]
    for prefix, document in documents:
        for path, operations in document.get("paths", {}).items():
            if all(ACCESS in operation for operation in operations.values() if isinstance(operation, dict)):
                merged["paths"][prefix + path] = operations
        merged["components"]["schemas"] |= document.get("components", {}).get("schemas", {})
    return Response(json.dumps(merged), media_type="application/json")


def _view(person: Person) -> PersonView:
    return PersonView(
        id=person.id,
        kind=person.kind,
        client_id=person.of_client_id,
        email=person.email,
        display_name=person.display_name,
        roles=list(person.roles),
        is_active=person.is_active,
    )
