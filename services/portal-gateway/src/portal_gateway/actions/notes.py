"""Noting who did what, what happened, and how clients are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from msp_events.base import Event
from msp_events.billing import InvoiceDrafted
from msp_events.contracts import ClientState
from msp_events.sla import EscalationRequested
from msp_kernel.ids import new_id
from msp_kit import telemetry
from msp_kit.database import Transaction
from msp_kit.pagination import page_of
from portal_gateway.store import notes as store, notices, sessions

_STAFF_ONLY = frozenset(one.type_name() for one in (EscalationRequested, InvoiceDrafted))
"""What clients are not told: how the desk escalates, and invoices nobody has issued yet."""
_INSIDE = frozenset({"handling_level", "impact", "queue", "urgency"})
"""What changes of a ticket without a client seeing any of it."""


def is_for_clients(kind: str, said: Mapping[str, Any]) -> bool:
    """Return whether the client an event is about may know that it happened; not of an internal note, for one."""
    changed = said.get("changed")
    is_inside = bool(changed) and _INSIDE.issuperset(changed or ())
    return kind not in _STAFF_ONLY and said.get("is_public", True) and not is_inside


async def note(
    tx: Transaction,
    *,
    actor: UUID | str,
    action: str,
    what: UUID | str,
    outcome: str = "ok",
    client_id: UUID | None = None,
    address: str = "",
    **detail: Any,
) -> None:
    """Note who did what; ``client_id`` lets the client's administrators read it, too."""
    await store.add_audit(
        tx,
        actor=str(actor),
        action=action,
        what=str(what),
        outcome=outcome,
        request_id=telemetry.request_id.get(),
        client_id=client_id,
        detail=detail,
        address=address,
    )


async def audit(
    tx: Transaction, *, client_id: UUID | None, before: int | None, limit: int
) -> tuple[Sequence[Any], int | None]:
    """Return a page of the audit log, newest first, and where the next one begins."""
    rows = await store.audit(tx, client_id=client_id, before=before, limit=limit)
    page, _ = page_of(rows, limit=limit, key=lambda row: (row["id"],))
    return page, page[-1]["id"] if len(rows) > limit else None


async def verify(tx: Transaction) -> list[str]:
    """Return what is wrong with the audit log, one sentence each."""
    return [
        f"audit entry {number} was changed, or one before it was taken out"
        if number
        else "the end of the audit log is missing"
        for number in await store.broken_audit(tx)
    ]


async def keep_client_name(tx: Transaction, client: ClientState) -> None:
    """Keep what a client is called; an older word than the kept one changes nothing."""
    await store.save_client_name(tx, client.client_id, client.revision, client.code, client.name, client.timezone)


async def client_name(tx: Transaction, client_id: UUID) -> str | None:
    """Return what a client is called."""
    return await store.client_name(tx, client_id)


async def add_to_feed(tx: Transaction, events: Sequence[Event]) -> None:
    """Keep that something happened, as ids."""
    rows = [
        (new_id(), client, one.type_name(), one.subject(), one.occurred_at, is_for_clients(one.type_name(), dict(one)))
        for one in events
        if (client := one.client()) is not None
    ]
    if rows:
        await store.add_to_feed(tx, rows)


async def feed(tx: Transaction, *, after: list[Any] | None, limit: int) -> Sequence[Any]:
    """Return what happened after a position, as the caller may know it."""
    return await store.feed(tx, after=after, limit=limit)


async def forget_old(tx: Transaction) -> bool:
    """Forget what has ended."""
    await sessions.forget_old(tx)
    await notices.forget_old(tx, before=tx.now - timedelta(days=400), done_before=tx.now - timedelta(days=90))
    await store.give_up_claims(tx, before=tx.now - timedelta(hours=1))
    return False
