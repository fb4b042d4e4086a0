"""Saying what happened: events are recorded in the transaction of the change, or not at all."""

from __future__ import annotations

from msp_events import envelope
from msp_events.base import Event
from msp_kernel.ids import new_id
from msp_kit import telemetry
from msp_kit.database import Transaction


async def record(tx: Transaction, *events: Event) -> None:
    """Record events in the log and the outbox, in the given order per subject.

    Call it last in a transaction: the numbers of a subject are handed out under a row lock that lasts until commit.
    """
    if not events:
        return
    # One lock order for all transactions; the order within a subject is kept, because sorting is stable.
    ordered = sorted(events, key=lambda event: event.subject()) if len(events) > 1 else events
    time = tx.now.isoformat()
    extensions = {"authid": tx.scope.actor, **telemetry.outgoing()}
    source = f"/msp/{tx.service}"
    ids, subjects, keys, clients, heads, datas = [], [], [], [], [], []
    for event in ordered:
        assert event.owner == tx.service, f"{tx.service} may not say {event.type_name()}"
        event_id, subject, client = new_id(), event.subject(), event.client()
        mine = extensions if client is None else {**extensions, "mspclient": str(client)}
        ids.append(event_id)
        subjects.append(subject)
        keys.append(event.routing_key())
        clients.append(client)
        heads.append(
            envelope.head(
                event_id=event_id,
                source=source,
                type_name=event.type_name(),
                subject=subject,
                time=time,
                extensions=mine,
            )
        )
        datas.append(event.model_dump_json())
    await tx.driver.execute("SELECT bus.record($1, $2, $3, $4, $5, $6)", ids, subjects, keys, clients, heads, datas)
    tx.has_recorded = True
