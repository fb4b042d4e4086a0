"""Canned replies, templates, saved views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.problems import Conflict, NotFound
from tickets.actions.tickets import locked
from tickets.domain.text import check_places, filled_in
from tickets.store import texts as store

PLACES = frozenset({"contact_name", "ref", "title", "agent_name", "priority", "status"})


async def save_reply(
    tx: Transaction, *, reply_id: UUID, name: str, body: str, is_public: bool, set_status: str | None
) -> None:
    """Save a canned reply.

    Raises:
        UnknownPlace: it has a place nobody can fill in.
        Conflict: another one has this name.
    """
    check_places(body, known=PLACES)
    if not await store.save_reply(
        tx, reply_id=reply_id, name=name, body=body, is_public=is_public, set_status=set_status
    ):
        raise Conflict(f"there is a canned reply named {name} already")


async def reply_for(tx: Transaction, *, reply_id: UUID, ticket_id: UUID, by: Caller) -> dict[str, Any]:
    """Return a canned reply with its places filled in for a ticket.

    Raises:
        NotFound: no such reply or ticket.
    """
    ticket = await locked(tx, ticket_id)
    found = await store.reply(tx, reply_id=reply_id)
    if found is None:
        raise NotFound
    values = {
        "contact_name": ticket.contact_name,
        "ref": ticket.ref,
        "title": ticket.title,
        "agent_name": by.name,
        "priority": ticket.priority,
        "status": ticket.status.replace("_", " "),
    }
    return {**found, "body": filled_in(found["body"], values)}


async def delete_reply(tx: Transaction, *, reply_id: UUID) -> None:
    """Delete a canned reply.

    Raises:
        NotFound: there is none.
    """
    if not await store.delete_reply(tx, reply_id=reply_id):
        raise NotFound


async def save_template(tx: Transaction, *, template_id: UUID, values: Mapping[str, Any]) -> None:
    """Save a template.

    Raises:
        Conflict: another one has this name.
    """
    if not await store.save_template(tx, template_id=template_id, values=values):
        raise Conflict(f"there is a template named {values['name']} already")


async def delete_template(tx: Transaction, *, template_id: UUID) -> None:
    """Delete a template.

    Raises:
        NotFound: there is none.
    """
    if not await store.delete_template(tx, template_id=template_id):
        raise NotFound


async def save_view(
    tx: Transaction, *, view_id: UUID, by: Caller, name: str, filters: Mapping[str, Any], is_shared: bool
) -> None:
    """Save a view of the caller's.

    Raises:
        Conflict: they have one of this name, or the view is somebody else's.
    """
    if not await store.save_view(tx, view_id=view_id, person_id=by.id, name=name, filters=filters, is_shared=is_shared):
        raise Conflict(f"you have a view named {name} already, or this one is somebody else's")


async def delete_view(tx: Transaction, *, view_id: UUID, by: Caller) -> None:
    """Delete a view of the caller's.

    Raises:
        NotFound: they have no such view.
    """
    if not await store.delete_view(tx, view_id=view_id, person_id=by.id):
        raise NotFound
