"""What happened and who did it, over HTTP, and the description of everything."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response

from msp_kit.pagination import After, Limit, Page, cursor, page_of, position
from msp_kit.problems import BadCursor
from portal_gateway.actions import notes as verbs
from portal_gateway.guard import PUBLIC, SYSTEM, DatabaseNow, VisitorNow, allows, door_router
from portal_gateway.ids import audited
from portal_gateway.schemas import AuditView, EventView

router = door_router(tags=["events and audit"])


@router.get("/events", openapi_extra=allows(staff=(), client=("admin", "approver", "billing")))
async def events(
    visitor: VisitorNow, database: DatabaseNow, limit: Limit = 100, after: After = None
) -> Page[EventView]:
    """Return what happened, oldest first. Keep the last `next`, also of a page that is not full, and ask again with it."""
    try:
        where = position(after, of=2)
        if where is not None:
            where = [str(int(where[0])), int(where[1])]
            if not all(0 <= int(part) < 2**63 for part in where):
                raise BadCursor("take the cursor from `next` of the previous page")
    except (TypeError, ValueError) as error:
        raise BadCursor("take the cursor from `next` of the previous page") from error
    async with database.transaction(visitor.caller.scope) as tx:
        rows = await verbs.feed(tx, after=where, limit=limit)
    page, _ = page_of(rows, limit=limit, key=lambda row: (row["txid"], row["pos"]))
    items = [EventView.model_validate(dict(row)) for row in page]
    # Also of the last page: more will happen, and it is asked for with this.
    return Page(items=items, next=cursor(page[-1]["txid"], page[-1]["pos"]) if page else after)


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
