"""Canned replies, templates, saved views and priority tables over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from msp_kernel.ids import new_id
from msp_kit import ids
from msp_kit.api import CallerNow, Tx, allows, guarded_router
from msp_kit.pagination import Page
from tickets.actions import labels, texts as verbs
from tickets.domain.priority import DEFAULT
from tickets.endpoints.addressing import id_of
from tickets.reports import texts as lists
from tickets.schemas.ids import CannedReplyId, ClientId, TicketName, TicketTemplateId, TicketViewId
from tickets.schemas.threads import (
    PriorityCellView,
    ReplyView,
    SavedView,
    SaveReply,
    SaveTemplate,
    SaveView,
    SetPriorityTable,
    TemplateView,
)

router: APIRouter = guarded_router(tags=["texts"])
STAFF = allows(staff=())
MANAGERS = allows(staff=("dispatcher", "manager", "admin"))


@router.get("/canned-replies", openapi_extra=STAFF)
async def replies(tx: Tx) -> Page[ReplyView]:
    """Return the canned replies by name."""
    return Page[ReplyView](items=[ReplyView(**row) for row in await lists.replies(tx)])


@router.post("/canned-replies", status_code=201, openapi_extra=STAFF)
async def add_reply(body: SaveReply, tx: Tx) -> ReplyView:
    """Add a canned reply."""
    return await save_reply(new_id(), body, tx)


@router.put("/canned-replies/{reply_id}", openapi_extra=STAFF)
async def save_reply(reply_id: CannedReplyId, body: SaveReply, tx: Tx) -> ReplyView:
    """Save a canned reply."""
    await verbs.save_reply(tx, reply_id=reply_id, **body.model_dump())
    return ReplyView(id=reply_id, **body.model_dump())


@router.delete("/canned-replies/{reply_id}", status_code=204, openapi_extra=STAFF)
async def delete_reply(reply_id: CannedReplyId, tx: Tx) -> None:
    """Delete a canned reply."""
    await verbs.delete_reply(tx, reply_id=reply_id)


@router.get("/tickets/{ticket}/canned-replies/{reply_id}", openapi_extra=STAFF)
async def reply_for(ticket: TicketName, reply_id: CannedReplyId, caller: CallerNow, tx: Tx) -> ReplyView:
    """Return a canned reply with its places filled in for a ticket."""
    return ReplyView(**await verbs.reply_for(tx, reply_id=reply_id, ticket_id=id_of(ticket), by=caller))


@router.get("/ticket-templates", openapi_extra=allows(staff=(), client=()))
async def templates(tx: Tx) -> Page[TemplateView]:
    """Return the templates the caller may start from."""
    return Page[TemplateView](items=[TemplateView(**row) for row in await lists.templates(tx)])


@router.post("/ticket-templates", status_code=201, openapi_extra=MANAGERS)
async def add_template(body: SaveTemplate, tx: Tx) -> TemplateView:
    """Add a template."""
    return await save_template(new_id(), body, tx)


@router.put("/ticket-templates/{template_id}", openapi_extra=MANAGERS)
async def save_template(template_id: TicketTemplateId, body: SaveTemplate, tx: Tx) -> TemplateView:
    """Save a template."""
    await verbs.save_template(tx, template_id=template_id, values=body.model_dump())
    return TemplateView(id=template_id, **body.model_dump())


@router.delete("/ticket-templates/{template_id}", status_code=204, openapi_extra=MANAGERS)
async def delete_template(template_id: TicketTemplateId, tx: Tx) -> None:
    """Delete a template."""
    await verbs.delete_template(tx, template_id=template_id)


@router.get("/ticket-views", openapi_extra=STAFF)
async def views(caller: CallerNow, tx: Tx) -> Page[SavedView]:
    """Return the caller's views and those shared by others."""
    return Page[SavedView](items=[SavedView(**row) for row in await lists.views(tx, person_id=caller.id)])


@router.post("/ticket-views", status_code=201, openapi_extra=STAFF)
async def add_view(body: SaveView, caller: CallerNow, tx: Tx) -> SavedView:
    """Add a view."""
    return await save_view(new_id(), body, caller, tx)


@router.put("/ticket-views/{view_id}", openapi_extra=STAFF)
async def save_view(view_id: TicketViewId, body: SaveView, caller: CallerNow, tx: Tx) -> SavedView:
    """Save a view of the caller's."""
    filters = ids.stored(body.filters, exclude_defaults=True)
    await verbs.save_view(tx, view_id=view_id, by=caller, name=body.name, filters=filters, is_shared=body.is_shared)
    return SavedView(id=view_id, name=body.name, filters=filters, is_shared=body.is_shared, is_mine=True)


@router.delete("/ticket-views/{view_id}", status_code=204, openapi_extra=STAFF)
async def delete_view(view_id: TicketViewId, caller: CallerNow, tx: Tx) -> None:
    """Delete a view of the caller's."""
    await verbs.delete_view(tx, view_id=view_id, by=caller)


@router.get("/priority-tables/{client_id}", openapi_extra=STAFF)
async def priority_table(client_id: ClientId, tx: Tx) -> list[PriorityCellView]:
    """Return a client's whole priority table."""
    own = await lists.priority_table(tx, client_id=client_id)
    return [
        PriorityCellView(impact=cell[0], urgency=cell[1], priority=own.get(cell, default), is_own=cell in own)
        for cell, default in DEFAULT.items()
    ]


@router.put("/priority-tables/{client_id}", openapi_extra=MANAGERS)
async def set_priority_table(client_id: ClientId, body: SetPriorityTable, tx: Tx) -> list[PriorityCellView]:
    """Replace a client's own cells."""
    table: dict[tuple[str, str], str] = {(cell.impact, cell.urgency): cell.priority for cell in body.cells}
    await labels.set_priority_table(tx, client_id=client_id, table=table)
    return await priority_table(client_id, tx)
