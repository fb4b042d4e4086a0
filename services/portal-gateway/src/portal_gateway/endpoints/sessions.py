"""Signing in and out over HTTP, and where one is signed in."""

from __future__ import annotations

from fastapi import Request, Response

from portal_gateway.actions import factors, sign_in as verbs
from portal_gateway.actions.sign_in import Half, SecondFactorRequired, SignedIn, SignInRefused
from portal_gateway.guard import (
    PUBLIC,
    SYSTEM,
    DatabaseNow,
    HouseNow,
    OriginNow,
    SessionNow,
    allows,
    door_router,
)
from portal_gateway.schemas.ids import SessionId
from portal_gateway.schemas.people import OwnSessionView, Proof, SessionView, SignIn, UsePasskey, ViewAs
from portal_gateway.scope import token_of

router = door_router(tags=["sessions"])
ANYBODY = allows(staff=(), client=(), is_enrolling=True)
LEAVERS = allows(staff=(), client=(), is_enrolling=True, is_leaving=True)
VIEWERS = allows(staff=("manager", "admin"))


@router.post("/sessions", status_code=201, openapi_extra=PUBLIC)
async def sign_in(body: SignIn, database: DatabaseNow, house: HouseNow, origin: OriginNow) -> SessionView:
    """Sign in with a password, and a code where there is a second factor."""
    async with database.transaction(SYSTEM) as tx:
        signed_in = await verbs.sign_in(
            tx, email=body.email, password=body.password, code=body.code, origin=origin, house=house
        )
    if isinstance(signed_in, Half):
        raise SecondFactorRequired("send `code`, too: of the authenticator app, or a recovery code")
    if signed_in is None:
        raise SignInRefused("e-mail, password and code do not belong together")
    return _view(signed_in)


@router.post("/sessions/passkey-question", openapi_extra=PUBLIC)
async def ask_passkey(database: DatabaseNow, house: HouseNow) -> dict[str, object]:
    """Return the options for ``navigator.credentials.get``."""
    async with database.transaction(SYSTEM) as tx:
        return await factors.sign_in_options(tx, house=house)


@router.post("/sessions/passkey", status_code=201, openapi_extra=PUBLIC)
async def sign_in_with_passkey(
    body: UsePasskey, database: DatabaseNow, house: HouseNow, origin: OriginNow
) -> SessionView:
    """Sign in with a passkey, which is two factors at once."""
    async with database.transaction(SYSTEM) as tx:
        return _view(await factors.sign_in_with_passkey(tx, credential=body.credential, origin=origin, house=house))


@router.get("/sessions", openapi_extra=ANYBODY)
async def own_sessions(session: SessionNow, database: DatabaseNow) -> dict[str, list[OwnSessionView]]:
    """Return where one is signed in."""
    async with database.transaction(SYSTEM) as tx:
        rows = await verbs.own_sessions(tx, session.person.id)
    views = [OwnSessionView(**dict(row), is_current=row["id"] == session.session_id) for row in rows]
    return {"items": views}


@router.delete("/sessions/current", status_code=204, openapi_extra=LEAVERS)
async def sign_out(request: Request, _session: SessionNow, database: DatabaseNow) -> Response:
    """Sign out."""
    token, _ = token_of(request)
    assert token is not None, "the guard let a session through"
    async with database.transaction(SYSTEM) as tx:
        await verbs.sign_out(tx, token=token)
    request.app.state.visitors.forget(token)
    return Response(status_code=204)


@router.delete("/sessions/{session_id}", status_code=204, openapi_extra=ANYBODY)
async def end_session(session_id: SessionId, request: Request, session: SessionNow, database: DatabaseNow) -> Response:
    """Sign out somewhere else."""
    async with database.transaction(SYSTEM) as tx:
        await verbs.end_session(tx, person_id=session.person.id, session_id=session_id)
    request.app.state.visitors.forget_all()
    return Response(status_code=204)


@router.post("/sessions/current/proof", status_code=204, openapi_extra=ANYBODY)
async def prove(
    body: Proof, request: Request, session: SessionNow, database: DatabaseNow, house: HouseNow, origin: OriginNow
) -> Response:
    """Prove once more who one is: what moves money or rights asks for it every ten minutes."""
    async with database.transaction(SYSTEM) as tx:
        is_right = await verbs.prove(tx, session, password=body.password, code=body.code, origin=origin, house=house)
    if not is_right:
        raise SignInRefused("password or code are not right")
    request.app.state.visitors.forget_all()
    return Response(status_code=204)


@router.post("/sessions/current/passkey-proof", status_code=204, openapi_extra=ANYBODY)
async def prove_with_passkey(
    body: UsePasskey, request: Request, session: SessionNow, database: DatabaseNow, house: HouseNow
) -> Response:
    """Prove once more who one is, with a passkey."""
    async with database.transaction(SYSTEM) as tx:
        await factors.prove_with_passkey(tx, session, credential=body.credential, house=house)
    request.app.state.visitors.forget_all()
    return Response(status_code=204)


@router.put("/sessions/current/view", status_code=204, openapi_extra=VIEWERS)
async def view_as_client(body: ViewAs, request: Request, session: SessionNow, database: DatabaseNow) -> Response:
    """Look at the portal as a client's people do, reading only; noted where the client's administrators see it."""
    async with database.transaction(SYSTEM) as tx:
        await verbs.view_as(tx, session, client_id=body.client_id)
    request.app.state.visitors.forget_all()
    return Response(status_code=204)


@router.delete("/sessions/current/view", status_code=204, openapi_extra=LEAVERS)
async def end_view(request: Request, session: SessionNow, database: DatabaseNow) -> Response:
    """Stop looking at the portal as a client."""
    if session.views_client_id is not None:
        async with database.transaction(SYSTEM) as tx:
            await verbs.view_as(tx, session, client_id=None)
        request.app.state.visitors.forget_all()
    return Response(status_code=204)


def _view(signed_in: SignedIn) -> SessionView:
    return SessionView(token=signed_in.token, kind=signed_in.person.kind, name=signed_in.person.display_name)
