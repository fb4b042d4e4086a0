"""Identity providers over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from portal_gateway.actions import providers as verbs
from portal_gateway.guard import SYSTEM, DatabaseNow, HouseNow, VisitorNow, allows, door_router
from portal_gateway.schemas.ids import ClientId
from portal_gateway.schemas.people import NewProvider, NewProviderView, ProviderView

router = door_router(tags=["identity providers"])
READERS = allows(staff=("admin",), client=("admin",))
ADMINISTRATORS = allows(staff=("admin",), client=("admin",), step_up=True)


@router.post("/identity-providers", status_code=201, openapi_extra=ADMINISTRATORS)
async def add_provider(
    body: NewProvider, visitor: VisitorNow, database: DatabaseNow, house: HouseNow
) -> NewProviderView:
    """Register an OpenID Connect provider; its people sign in at ``/login/with/<slug>``."""
    async with database.transaction(SYSTEM) as tx:
        made = await verbs.add(tx, visitor.caller, house=house, **body.model_dump())
    return NewProviderView(id=made)


@router.get("/identity-providers", openapi_extra=READERS)
async def list_providers(
    visitor: VisitorNow,
    database: DatabaseNow,
    client_id: Annotated[ClientId | None, Query(description="Staff only: those of this client")] = None,
) -> dict[str, list[ProviderView]]:
    """Return the providers, without their secrets."""
    async with database.transaction(SYSTEM) as tx:
        rows = await verbs.listed(tx, visitor.caller, client_id=client_id)
    return {"items": [ProviderView.model_validate(dict(row)) for row in rows]}
