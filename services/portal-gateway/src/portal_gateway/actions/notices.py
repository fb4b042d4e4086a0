"""Telling people: from what happened to their inboxes, and what they do with it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from msp_events.base import Event
from msp_events.portal import InboxChanged
from msp_events.sla import SlaAtRisk, SlaBreached
from msp_events.tickets import TicketState
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.outbox import record
from msp_kit.problems import NotFound
from portal_gateway.actions.notes import note
from portal_gateway.notices import KINDS, KnownTicket, told, wishes
from portal_gateway.store import notices as store
from portal_gateway.telling import BadNotificationSettings, Channel, Telling

SNOOZE_MAX = timedelta(days=366)
NOBODY = UUID(int=0)
WOKEN_MAX = 200


async def hear(tx: Transaction, events: Sequence[Event]) -> None:
    """Tell people what events of one transaction give to tell, everybody each fact once."""
    known = await _known(tx, events)
    found = [
        wish for event in events for wish in wishes(event, known.get(getattr(event, "ticket_id", NOBODY)), now=tx.now)
    ]
    if not found:
        return
    people = await store.candidates(
        tx,
        persons=sorted({person for wish in found for person in wish.persons}),
        client_ids=sorted({wish.client_id for wish in found if wish.side == "client"}),
        staff_roles=sorted({role for wish in found if wish.side == "staff" for role in wish.roles}),
    )
    notices = [notice for wish in found for notice in told(wish, people)]
    tellings = await store.tellings(tx, {one.person_id for one in notices}) if notices else {}
    rows = []
    for one in notices:
        telling, kind = tellings[one.person_id], one.wish.kind
        if telling.channel(kind) != "off":
            due_at = telling.mail_due_at(kind, at=tx.now, is_critical=one.wish.is_critical)
            rows.append((one, None if telling.refusal else due_at))
    await _say(tx, await store.add(tx, rows))


async def _known(tx: Transaction, events: Sequence[Event]) -> dict[UUID, KnownTicket]:
    said = [one for one in events if isinstance(one, TicketState) and not one.is_imported]
    asked = [one.ticket_id for one in events if isinstance(one, SlaAtRisk | SlaBreached)]
    if not said and not asked:
        return {}
    known = await store.known_tickets(tx, [*asked, *(one.ticket_id for one in said)])
    for event in said:
        known[event.ticket_id] = KnownTicket.of(event).newest(known.get(event.ticket_id))
    if said:
        await store.save_tickets(tx, [known[one] for one in {event.ticket_id for event in said}])
    return known


async def listed(
    tx: Transaction, caller: Caller, *, state: str, after: list[Any] | None = None, limit: int
) -> list[dict[str, Any]]:
    """Return what the caller was told, newest first, and one more when there is more.

    Raises:
        ValueError, OverflowError: the position was not made by us.
    """
    where = None
    if after:
        at = datetime.fromisoformat(str(after[0]))
        if at.tzinfo is None:
            message = "the position has no time zone"
            raise ValueError(message)
        where = at.astimezone(UTC), UUID(str(after[1]))
    return await store.listed(tx, caller.id, state=state, after=where, limit=limit)


async def unread(tx: Transaction, caller: Caller) -> int:
    """Return how much the caller has not looked after."""
    return await store.unread(tx, caller.id)


async def settle(
    tx: Transaction, caller: Caller, ids: Sequence[UUID], *, state: str, until: datetime | None = None
) -> None:
    """Mark what the caller was told as done, open, or put off until an instant.

    Raises:
        NotFound: none of it is theirs.
        BadNotificationSettings: put off without an instant, into the past, or for more than a year.
    """
    if state == "snoozed" and (until is None or not tx.now < until < tx.now + SNOOZE_MAX):
        raise BadNotificationSettings("put off until an instant within a year")
    done_at = tx.now if state == "done" else None
    if not await store.settle(tx, caller.id, ids, done_at=done_at, snoozed_until=until if state == "snoozed" else None):
        raise NotFound
    await _say(tx, {caller.id})


async def settle_all(tx: Transaction, caller: Caller, *, before: datetime | None = None) -> Sequence[UUID]:
    """Mark all that is open, up to an instant, as done; return what it was."""
    done = await store.settle_all(tx, caller.id, before=before or tx.now)
    if done:
        await _say(tx, {caller.id})
    return done


async def telling(tx: Transaction, caller: Caller) -> Telling:
    """Return how the caller wants to be told."""
    return (await store.tellings(tx, [caller.id])).get(caller.id, Telling())


async def set_telling(tx: Transaction, caller: Caller, wanted: Telling) -> None:
    """Save how the caller wants to be told; it counts from now on."""
    await store.save_telling(tx, caller.id, wanted)


async def stop_mail(tx: Transaction, person_id: UUID) -> bool:
    """Send somebody no more mail about what happens; their inbox stays. ``False`` when there is nobody."""
    found = (await store.tellings(tx, [person_id])).get(person_id)
    if found is None:
        return False
    kinds = {kind for side in KINDS.values() for kind in side}
    channels: dict[str, Channel] = {kind: "off" if found.channel(kind) == "off" else "app" for kind in sorted(kinds)}
    silent = replace(found, digest="off", channels=channels)
    await store.save_telling(tx, person_id, silent)
    await store.drop_mail(tx, person_id)
    await note(tx, actor=person_id, action="notification-mail-stopped", what=person_id)
    return True


async def wake(tx: Transaction) -> bool:
    """Tell open pages of what was put off until now; return whether there may be more."""
    person_ids = await store.woken(tx, limit=WOKEN_MAX)
    await _say(tx, person_ids)
    return bool(person_ids)


async def _say(tx: Transaction, person_ids: set[UUID]) -> None:
    await record(tx, *(InboxChanged(occurred_at=tx.now, person_id=one) for one in sorted(person_ids)))
