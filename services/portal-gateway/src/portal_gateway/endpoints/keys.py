"""API keys over HTTP. A key cannot make a key: a person does."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from portal_gateway.actions import keys as verbs
from portal_gateway.guard import SYSTEM, DatabaseNow, VisitorNow, allows, door_router
from portal_gateway.schemas.ids import ClientId, KeyId
from portal_gateway.schemas.people import KeyView, NewKey, NewKeyView

router = door_router(tags=["API keys"])
READERS = allows(staff=("admin",), client=("admin",))
ADMINISTRATORS = allows(staff=("admin",), client=("admin",), step_up=True)
OfClient = Annotated[ClientId | None, Query(description="Staff only: keys of this client instead of the staff's own")]


@router.post("/api-keys", status_code=201, openapi_extra=ADMINISTRATORS)
async def make_key(body: NewKey, visitor: VisitorNow, database: DatabaseNow) -> NewKeyView:
    """Make a key; its text is shown this once."""
    async with database.transaction(SYSTEM) as tx:
        key_id, text = await verbs.make(
            tx,
            visitor.caller,
            name=body.name,
            roles=tuple(body.roles),
            scopes=tuple(body.scopes),
            life_days=body.life_days,
            client_id=body.client_id,
        )
    return NewKeyView(id=key_id, key=text)


@router.get("/api-keys", openapi_extra=READERS)
async def list_keys(visitor: VisitorNow, database: DatabaseNow, client_id: OfClient = None) -> dict[str, list[KeyView]]:
    """Return the keys, newest first, without their secrets."""
    async with database.transaction(SYSTEM) as tx:
        rows = await verbs.listed(tx, visitor.caller, client_id=client_id)
    return {"items": [KeyView.model_validate(dict(row)) for row in rows]}


@router.delete("/api-keys/{key_id}", status_code=204, openapi_extra=ADMINISTRATORS)
async def revoke_key(
    key_id: KeyId, request: Request, visitor: VisitorNow, database: DatabaseNow, client_id: OfClient = None
) -> Response:
    """End a key at once."""
    async with database.transaction(SYSTEM) as tx:
        await verbs.revoke(tx, visitor.caller, key_id, client_id=client_id)
    request.app.state.visitors.forget_all()
    return Response(status_code=204)
