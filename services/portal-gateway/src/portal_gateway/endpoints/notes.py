"""What happened and who did it, over HTTP, and the description of everything."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import Query, Request, Response

from msp_kit.pagination import After, Limit, Page
from msp_kit.problems import BadCursor
from portal_gateway.actions import notes as verbs
from portal_gateway.guard import PUBLIC, SYSTEM, DatabaseNow, HouseNow, VisitorNow, allows, door_router
from portal_gateway.house import House
from portal_gateway.schemas.ids import audited
from portal_gateway.schemas.people import AuditView, EventView
from portal_gateway.sealing import SealBroken

router = door_router(tags=["events and audit"])
_PLACE = "place in the events"


@router.get("/events", openapi_extra=allows(staff=(), client=("admin", "approver", "billing")))
async def events(
    visitor: VisitorNow, database: DatabaseNow, house: HouseNow, limit: Limit = 100, after: After = None
) -> Page[EventView]:
    """Return what happened, oldest first. Keep the last `next`, also of a page that is not full, and ask again with it."""
    where = None if after is None else _place(house, after)
    async with database.transaction(visitor.caller.scope) as tx:
        rows = await verbs.feed(tx, after=where, limit=limit)
    page = rows[:limit]
    items = [EventView.model_validate(dict(row)) for row in page]
    # Also of the last page: more will happen, and it is asked for with this.
    return Page(items=items, next=_sealed(house, page[-1]) if page else after)


def _sealed(house: House, row: Any) -> str:
    """Return the place of an event. Places count what happens to everybody, so nobody reads them (ADR 0067)."""
    return base64.urlsafe_b64encode(house.sealer.seal(f"{row['txid']}.{row['pos']}".encode(), purpose=_PLACE)).decode()


def _place(house: House, after: str) -> list[Any]:
    try:
        sealed = base64.b64decode(after, altchars=b"-_", validate=True)
        txid, _, pos = house.sealer.open(sealed, purpose=_PLACE).decode().partition(".")
    except (ValueError, SealBroken) as error:
        raise BadCursor("take the cursor from `next` of the previous page") from error
    return [txid, int(pos)]


@router.get("/audit", openapi_extra=allows(staff=("admin", "manager"), client=("admin",)))
async def audit(
    visitor: VisitorNow,
    database: DatabaseNow,
    limit: Limit = 50,
    before: Annotated[int | None, Query(ge=1, lt=2**63, description="Entries older than this one")] = None,
) -> dict[str, list[AuditView] | int | None]:
    """Return who did what, newest first: for a client's administrators, what concerns their company."""
    async with database.transaction(SYSTEM) as tx:
        rows, following = await verbs.audit(tx, client_id=visitor.caller.client_id, before=before, limit=limit)
    views = [AuditView(**{**_named(row), "client_id": row["of_client_id"]}) for row in rows]
    return {"items": views, "next": following}


@router.get("/openapi.json", openapi_extra=PUBLIC)
async def description(request: Request) -> Response:
    """Return one description of everything: the services' own documents, merged."""
    document: bytes = await request.app.state.descriptions.merged(request.app.openapi())
    return Response(document, media_type="application/json")


def _named(row: Any) -> dict[str, Any]:
    kept = {name: value for name, value in dict(row).items() if name not in ("sha256", "of_client_id")}
    return {**kept, "object": audited(row["action"], row["object"])}
