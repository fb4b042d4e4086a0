"""What the gateway keeps of what others say: the names of clients. Live signals go another way (``live``)."""

from __future__ import annotations

from msp_events.contracts import ClientRegistered, ClientUpdated
from msp_kit.consumers import Consumers
from msp_kit.database import Transaction
from portal_gateway import actions

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
    },
    # Names for the pages; what is live goes past the inbox.
    gather_seconds=0.05,
)


@consumers.hears(ClientRegistered, ClientUpdated)
async def on_client(tx: Transaction, event: ClientRegistered | ClientUpdated) -> None:
    """Keep the client's name."""
    await actions.keep_client_name(tx, event)
