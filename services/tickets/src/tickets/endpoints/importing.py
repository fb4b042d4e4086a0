"""Importing history over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from msp_kit.api import CallerNow, Tx, allows, guarded_router
from tickets.actions.importing import import_tickets
from tickets.actions.raising import actor_of
from tickets.schemas.importing import ImportedView, ImportTickets, RefusedView

router: APIRouter = guarded_router(prefix="/imports", tags=["imports"])


@router.post("", openapi_extra=allows(staff=("manager", "admin")))
async def import_history(body: ImportTickets, caller: CallerNow, tx: Tx) -> ImportedView:
    """Import tickets of another system; importing them again changes nothing."""
    done = await import_tickets(
        tx, source=body.source, tickets=[one.to_historic() for one in body.tickets], actor=actor_of(caller)
    )
    refused = [RefusedView(external_ref=ref, seq=seq, reason=reason) for ref, seq, reason in done.refused]
    return ImportedView(
        tickets_created=done.tickets_created,
        updates_accepted=done.updates_accepted,
        already_known=done.already_known,
        refused=refused,
    )
