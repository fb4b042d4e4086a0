"""Files on tickets and projects: checked, kept by hash, found again by who may see the ticket or project."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from uuid import UUID

from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.problems import NotFound
from tickets.actions.journal import Journal
from tickets.actions.raising import actor_of
from tickets.actions.tickets import locked
from tickets.blobs import Blobs
from tickets.domain.attachment import check_room, media_type_of, safe_name
from tickets.domain.ticket import NotForClients
from tickets.store import projects, threads
from tickets.store.threads import Attachment, FilePlace


async def attach(
    tx: Transaction,
    blobs: Blobs,
    *,
    ticket_id: UUID,
    message_id: UUID | None,
    by: Caller,
    name: str,
    content: bytes,
    is_public: bool,
) -> Attachment:
    """Keep a file on a ticket or one of its messages.

    Raises:
        NotFound: no such ticket or message for this caller.
        NotForClients: a client's person sends an internal file.
        FileTooLarge, FileTypeRefused, FileNotWhatItSays.
    """
    ticket = await locked(tx, ticket_id, follows_merge=True)
    if by.kind == "client" and not is_public:
        raise NotForClients("internal files are for the desk; yours are always public")
    if message_id is not None and not await threads.messages_there(tx, ticket, message_ids=[message_id]):
        raise NotFound
    one = _checked(name, content, client_id=ticket.client_id, by=by, is_public=is_public)
    one = replace(one, ticket_id=ticket.id, message_id=message_id)
    await _keep(tx, blobs, one, content, place="ticket_id", place_id=ticket.id)
    journal = Journal(ticket, actor=actor_of(by))
    journal.note("attachment", f"file {one.name}, {one.size_bytes} bytes", at=tx.now)
    await journal.save(tx)
    return one


async def attach_to_project(
    tx: Transaction, blobs: Blobs, *, project_id: UUID, by: Caller, name: str, content: bytes, is_public: bool
) -> Attachment:
    """Keep a file on a project; its client sees it when it is public and the project is shown to it.

    Raises:
        NotFound: no such project for this caller.
        FileTooLarge, FileTypeRefused, FileNotWhatItSays.
    """
    project = await projects.lock_project(tx, project_id=project_id)
    if project is None:
        raise NotFound
    one = _checked(name, content, client_id=project.client_id, by=by, is_public=is_public)
    one = replace(one, project_id=project_id)
    await _keep(tx, blobs, one, content, place="project_id", place_id=project_id)
    return one


def _checked(name: str, content: bytes, *, client_id: UUID, by: Caller, is_public: bool) -> Attachment:
    kept_name = safe_name(name)
    return Attachment(
        id=new_id(),
        client_id=client_id,
        ticket_id=None,
        message_id=None,
        is_public=is_public,
        name=kept_name,
        media_type=media_type_of(kept_name, content),
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        added_by=by.name,
    )


async def _keep(
    tx: Transaction, blobs: Blobs, one: Attachment, content: bytes, *, place: FilePlace, place_id: UUID
) -> None:
    files, size_bytes = await threads.bytes_kept(tx, client_id=one.client_id, place=place, place_id=place_id)
    check_room(files=files, size_bytes=size_bytes, more_bytes=len(content))
    await threads.hold_content(tx, one.sha256)
    # Before the row: a content nobody names is forgotten some day, a name without content would be a loss.
    await blobs.put(one.sha256, content)
    await threads.add_attachment(tx, one)


async def fetch(tx: Transaction, blobs: Blobs, *, attachment_id: UUID) -> tuple[Attachment, bytes]:
    """Return a file and its content.

    Raises:
        NotFound: no such file for this caller.
    """
    one = await threads.attachment(tx, attachment_id=attachment_id)
    if one is None:
        raise NotFound
    content = await blobs.get(one.sha256)
    assert content is not None, "what has a row has content"
    return one, content
