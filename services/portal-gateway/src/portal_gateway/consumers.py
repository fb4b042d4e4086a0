"""What the gateway keeps of what others say: that it happened, and the names of clients. Live signals go another way (``live``)."""

from __future__ import annotations

from collections.abc import Sequence

from msp_events.base import Event
from msp_events.catalog import EVENTS, HEARS
from msp_events.contracts import ClientState
from msp_kit.consumers import Consumers
from msp_kit.database import Transaction
from portal_gateway.actions import notes

consumers = Consumers(
    "portal-gateway",
    order={
        "contracts.client": "state",
        "contracts.contract": "state",
        "contracts.bucket": "state",
        "contracts.approval": "state",
        "tickets.ticket": "state",
        "sla.clock": "state",
        "billing.invoice": "state",
        "billing.receivable": "state",
    },
    # Names for the pages; what is live goes past the inbox.
    gather_seconds=0.05,
)


@consumers.hears_many(*(event for event in EVENTS if f"{event.owner}.{event.stream}" in HEARS["portal-gateway"]))
async def on_anything(tx: Transaction, events: Sequence[Event]) -> None:
    """Keep that it happened, for programs that ask; of clients, keep the name."""
    for event in events:
        if isinstance(event, ClientState):
            await notes.keep_client_name(tx, event)
    await notes.add_to_feed(tx, events)
