"""Merging, splitting, moving, linking, watching, rating, files and bulk edits over HTTP."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response

from msp_kit.api import CallerNow, Tx, allows, guarded_router
from msp_kit.problems import slug
from msp_kit.revisions import IfMatch
from tickets.actions import attachments, bulk, labels, merging
from tickets.endpoints.addressing import BlobsNow, id_of
from tickets.schemas.ids import AttachmentId, MessageId, TicketId, TicketName
from tickets.schemas.threads import (
    BulkEdit,
    BulkView,
    Link,
    LinkKind,
    Merge,
    MergedView,
    MovedView,
    MoveToClient,
    OutcomeView,
    Rate,
    RatedView,
    Split,
)
from tickets.schemas.tickets import AttachmentView, RaisedView

router: APIRouter = guarded_router(tags=["tickets"])
EVERYBODY = allows(staff=(), client=())
STAFF = allows(staff=())
DISPATCH = allows(staff=("dispatcher", "manager", "admin"))


@router.post("/tickets/bulk", openapi_extra=STAFF)
async def edit_many(body: BulkEdit, caller: CallerNow, tx: Tx) -> BulkView:
    """Change many tickets; each row says what became of it."""
    outcomes = await bulk.edit(tx, ticket_ids=body.ids, wanted=body.to_edit(), by=caller)
    return BulkView(done=sum(one.is_done for one in outcomes), results=[_outcome(one) for one in outcomes])


@router.post("/tickets/{ticket}/merge", openapi_extra=STAFF)
async def merge(ticket: TicketName, body: Merge, caller: CallerNow, tx: Tx, if_revision: IfMatch) -> MergedView:
    """Merge a ticket into an older one of the same client."""
    done = await merging.merge(
        tx, ticket_id=id_of(ticket), into_id=body.into_id, by=caller, reason=body.reason, if_revision=if_revision
    )
    kept = done.survivor
    return MergedView(id=kept.id, ref=kept.ref, revision=kept.revision, messages=done.messages, entries=done.entries)


@router.post("/tickets/{ticket}/split", status_code=201, openapi_extra=STAFF)
async def split(ticket: TicketName, body: Split, caller: CallerNow, tx: Tx) -> RaisedView:
    """Make a second ticket of a part of a thread."""
    made = await merging.split(tx, ticket_id=id_of(ticket), by=caller, **body.model_dump())
    return RaisedView.model_validate(made)


@router.post("/tickets/{ticket}/move", status_code=201, openapi_extra=DISPATCH)
async def move(ticket: TicketName, body: MoveToClient, caller: CallerNow, tx: Tx) -> MovedView:
    """Raise a ticket anew at the client it belongs to, and close this one without a verdict."""
    done = await merging.move_to_client(tx, ticket_id=id_of(ticket), by=caller, **body.model_dump())
    return MovedView(
        id=done.ticket.id,
        ref=done.ticket.ref,
        client_id=done.ticket.client_id,
        entries_logged_anew=done.entries_logged_anew,
        entries_left_behind=done.entries_left_behind,
    )


@router.post("/tickets/{ticket}/links", status_code=204, openapi_extra=STAFF)
async def link(ticket: TicketName, body: Link, caller: CallerNow, tx: Tx) -> None:
    """Link a ticket to another one of the same client."""
    await labels.link(tx, ticket_id=id_of(ticket), other_id=body.other_id, kind=body.kind, by=caller)


@router.delete("/tickets/{ticket}/links/{kind}/{other_id}", status_code=204, openapi_extra=STAFF)
async def unlink(ticket: TicketName, kind: LinkKind, other_id: TicketId, caller: CallerNow, tx: Tx) -> None:
    """Take a link away."""
    await labels.unlink(tx, ticket_id=id_of(ticket), other_id=other_id, kind=kind, by=caller)


@router.put("/tickets/{ticket}/watch", status_code=204, openapi_extra=EVERYBODY)
async def watch(ticket: TicketName, caller: CallerNow, tx: Tx) -> None:
    """Watch a ticket."""
    await labels.watch(tx, ticket_id=id_of(ticket), by=caller, is_wanted=True)


@router.delete("/tickets/{ticket}/watch", status_code=204, openapi_extra=EVERYBODY)
async def unwatch(ticket: TicketName, caller: CallerNow, tx: Tx) -> None:
    """Stop watching a ticket."""
    await labels.watch(tx, ticket_id=id_of(ticket), by=caller, is_wanted=False)


@router.post("/tickets/{ticket}/rating", openapi_extra=allows(client=()))
async def rate(ticket: TicketName, body: Rate, caller: CallerNow, tx: Tx) -> RatedView:
    """Say what you think of the work, once per resolution."""
    rated = await labels.rate(tx, ticket_id=id_of(ticket), by=caller, score=body.score, comment=body.comment)
    return RatedView.model_validate(rated)


@router.post("/tickets/{ticket}/attachments", status_code=201, openapi_extra=EVERYBODY)
async def attach(
    ticket: TicketName,
    request: Request,
    caller: CallerNow,
    tx: Tx,
    blobs: BlobsNow,
    name: Annotated[str, Query(min_length=1, max_length=400)],
    message_id: MessageId | None = None,
    *,
    is_public: bool = True,
) -> AttachmentView:
    """Keep a file; the body is its content, ``name`` its name."""
    one = await attachments.attach(
        tx,
        blobs,
        ticket_id=id_of(ticket),
        message_id=message_id,
        by=caller,
        name=name,
        content=await request.body(),
        is_public=is_public,
    )
    return AttachmentView.model_validate(one)


@router.get("/attachments/{attachment_id}", openapi_extra=EVERYBODY, response_class=Response)
async def fetch(attachment_id: AttachmentId, tx: Tx, blobs: BlobsNow) -> Response:
    """Return the content of a file: to be saved, never to be run in the page's place."""
    one, content = await attachments.fetch(tx, blobs, attachment_id=attachment_id)
    return Response(content, media_type=one.media_type, headers=_download_headers(one.name))


def _download_headers(name: str) -> dict[str, str]:
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._- ") else "_" for letter in name)
    return {
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "private, no-store",
    }


def _outcome(one: bulk.Outcome) -> OutcomeView:
    code = None if one.refusal is None else slug(type(one.refusal).__name__)
    detail = None if one.refusal is None else str(one.refusal)
    return OutcomeView(id=one.id, ref=one.ref, is_done=one.is_done, revision=one.revision, code=code, detail=detail)
