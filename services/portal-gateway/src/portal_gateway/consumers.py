"""What the gateway keeps of what others say: that it happened, and the names of clients. Live signals go another way (``live``)."""

from __future__ import annotations

from collections.abc import Sequence

from msp_events.base import Event
from msp_events.catalog import EVENTS, HEARS
from msp_events.contracts import ClientState
from msp_kit.consumers import Consumers
from msp_kit.database import Transaction
from portal_gateway.actions import notes, notices

consumers = Consumers(
    "portal-gateway",
    # Every one of them may be news to somebody; what keeps whole states compares revisions itself.
    order=dict.fromkeys(HEARS["portal-gateway"], "effect"),
    # Names for the pages; what is live goes past the inbox.
    gather_seconds=0.05,
)


# Of what the gateway says itself, only open pages hear.
@consumers.hears_many(
    *(
        event
        for event in EVENTS
        if event.owner != "portal-gateway" and f"{event.owner}.{event.stream}" in HEARS["portal-gateway"]
    )
)
async def on_anything(tx: Transaction, events: Sequence[Event]) -> None:
    """Keep that it happened, for programs that ask; of clients, keep the name; tell people what they want to know."""
    for event in events:
        if isinstance(event, ClientState):
            await notes.keep_client_name(tx, event)
    await notes.add_to_feed(tx, events)
    await notices.hear(tx, events)
