"""Finding what the gateway itself knows, over HTTP; tickets are found at ``/tickets/search``, lists of others have filters."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from portal_gateway.actions import search as verbs
from portal_gateway.guard import DatabaseNow, VisitorNow, allows, door_router
from portal_gateway.schemas.house import FoundClientView, FoundPersonView, FoundView

router = door_router(tags=["search"])
HITS_MAX, WORDS_MAX = 20, 10
Text = Annotated[str, Query(min_length=1, max_length=200, description="Words that must all be there")]


@router.get("/search", openapi_extra=allows(staff=(), client=("admin",)))
async def search(text: Text, visitor: VisitorNow, database: DatabaseNow) -> FoundView:
    """Return clients and people by words of their names: people for managers and administrators, of a client its own."""
    caller, words = visitor.caller, text.split()[:WORDS_MAX]
    if not words:
        return FoundView(clients=[], people=[])
    async with database.transaction(caller.scope) as tx:
        clients = await verbs.clients(tx, words, limit=HITS_MAX) if caller.kind == "staff" else []
        may_see = caller.kind == "client" or caller.has_role("manager", "admin")
        people = await verbs.persons(tx, words, limit=HITS_MAX) if may_see else []
    return FoundView(
        clients=[FoundClientView(id=one["client_id"], code=one["code"], name=one["name"]) for one in clients],
        people=[FoundPersonView.of(one) for one in people if one["kind"] == caller.kind],
    )
