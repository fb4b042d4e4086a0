"""Second factors over HTTP."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request, Response

from msp_kit.problems import NotFound
from portal_gateway.actions import factors as verbs
from portal_gateway.guard import SYSTEM, DatabaseNow, HouseNow, SessionNow, VisitorNow, allows, door_router
from portal_gateway.schemas.ids import AudienceName, PasskeyId
from portal_gateway.schemas.people import (
    AppCode,
    AppView,
    CodesView,
    FactorsView,
    NewPasskey,
    NewPasskeyView,
    PasskeyView,
    PolicyView,
    SetPolicy,
)
from portal_gateway.scope import Visitor

router = door_router(tags=["second factors"])
ANYBODY = allows(staff=(), client=(), is_enrolling=True)
SURE = allows(staff=(), client=(), step_up=True, is_enrolling=True)
READERS = allows(staff=("admin", "manager"), client=("admin",))
ADMINISTRATORS = allows(staff=("admin",), client=("admin",), step_up=True)


@router.get("/me/factors", openapi_extra=ANYBODY)
async def own_factors(session: SessionNow, database: DatabaseNow) -> FactorsView:
    """Return what one has beside a password."""
    async with database.transaction(SYSTEM) as tx:
        found = await verbs.overview(tx, session.person)
    return FactorsView(
        has_app=found.has_app,
        passkeys=[PasskeyView.model_validate(dict(one)) for one in found.passkeys],
        recovery_codes_left=found.recovery_codes_left,
        is_required=found.is_required,
    )


@router.post("/me/app", status_code=201, openapi_extra=SURE)
async def begin_app(session: SessionNow, database: DatabaseNow, house: HouseNow) -> AppView:
    """Begin with an authenticator app; it counts once its first code was sent."""
    async with database.transaction(SYSTEM) as tx:
        secret, address = await verbs.begin_app(tx, session.person, house=house)
    return AppView(secret=secret, address=address)


@router.post("/me/app/confirmation", openapi_extra=SURE)
async def confirm_app(
    body: AppCode, request: Request, session: SessionNow, database: DatabaseNow, house: HouseNow
) -> CodesView:
    """Send the first code; the answer holds recovery codes, shown this once. Every other session ends."""
    async with database.transaction(SYSTEM) as tx:
        codes = await verbs.confirm_app(tx, session, code=body.code, house=house)
    request.app.state.visitors.forget_all()
    return CodesView(recovery_codes=codes)


@router.delete("/me/app", status_code=204, openapi_extra=SURE)
async def remove_app(session: SessionNow, database: DatabaseNow) -> Response:
    """Do without the authenticator app."""
    async with database.transaction(SYSTEM) as tx:
        await verbs.remove_app(tx, session.person)
    return Response(status_code=204)


@router.post("/me/recovery-codes", status_code=201, openapi_extra=SURE)
async def new_recovery_codes(session: SessionNow, database: DatabaseNow) -> CodesView:
    """Make new recovery codes; earlier ones are no longer good."""
    async with database.transaction(SYSTEM) as tx:
        return CodesView(recovery_codes=await verbs.new_recovery_codes(tx, session.person))


@router.post("/me/passkeys/question", openapi_extra=SURE)
async def passkey_options(session: SessionNow, database: DatabaseNow, house: HouseNow) -> dict[str, object]:
    """Return the options for ``navigator.credentials.create``."""
    async with database.transaction(SYSTEM) as tx:
        return await verbs.passkey_options(tx, session.person, house=house)


@router.post("/me/passkeys", status_code=201, openapi_extra=SURE)
async def add_passkey(
    body: NewPasskey, request: Request, session: SessionNow, database: DatabaseNow, house: HouseNow
) -> NewPasskeyView:
    """Keep the passkey the browser made."""
    async with database.transaction(SYSTEM) as tx:
        made = await verbs.add_passkey(tx, session, credential=body.credential, name=body.name, house=house)
    request.app.state.visitors.forget_all()
    return NewPasskeyView(id=made)


@router.delete("/me/passkeys/{passkey_id}", status_code=204, openapi_extra=SURE)
async def remove_passkey(passkey_id: PasskeyId, session: SessionNow, database: DatabaseNow) -> Response:
    """Do without a passkey."""
    async with database.transaction(SYSTEM) as tx:
        await verbs.remove_passkey(tx, session.person, passkey_id)
    return Response(status_code=204)


@router.get("/second-factor-policies/{audience}", openapi_extra=READERS)
async def policy(audience: AudienceName, visitor: VisitorNow, database: DatabaseNow) -> PolicyView:
    """Return whether ``staff``, or the people of a client, must have a second factor."""
    known, _ = _audience(visitor, audience)
    async with database.transaction(SYSTEM) as tx:
        return PolicyView(audience=known, is_required=await verbs.is_required(tx, known))


@router.put("/second-factor-policies/{audience}", openapi_extra=ADMINISTRATORS)
async def set_policy(
    audience: AudienceName, body: SetPolicy, request: Request, visitor: VisitorNow, database: DatabaseNow
) -> PolicyView:
    """Say whether ``staff``, or the people of a client, must have a second factor."""
    known, client_id = _audience(visitor, audience)
    async with database.transaction(SYSTEM) as tx:
        await verbs.require(
            tx, audience=known, is_required=body.is_required, actor=visitor.caller.id, client_id=client_id
        )
    request.app.state.visitors.forget_all()
    return PolicyView(audience=known, is_required=body.is_required)


def _audience(visitor: Visitor, audience: str) -> tuple[str, UUID | None]:
    caller = visitor.caller
    if audience == "staff" and caller.kind == "staff":
        return audience, None
    try:
        client_id = UUID(audience)
    except ValueError:
        raise NotFound from None
    if caller.kind == "client" and client_id != caller.client_id:
        raise NotFound
    return str(client_id), client_id
