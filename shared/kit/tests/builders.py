"""Events the probe hears."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from msp_events.contracts import ClientRegistered
from msp_events.tickets import TicketRaised, TicketUpdated
from msp_kernel.ids import new_id
from msp_kit.consumers import Consumers, Permanent, Transient
from msp_kit.database import Transaction

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def a_ticket_event(
    kind: type[TicketRaised | TicketUpdated] = TicketRaised,
    *,
    ticket_id: UUID,
    revision: int = 1,
    title: str = "VPN drops",
) -> TicketRaised | TicketUpdated:
    """Return an event about a ticket."""
    return kind(
        occurred_at=AT,
        ticket_id=ticket_id,
        client_id=new_id(),
        revision=revision,
        ref="HLO-1",
        contract_id=new_id(),
        contract_version=1,
        title=title,
        job_type="network",
        priority="high",
        level="L1",
        handling_level="L1",
        status="new",
        queue="service-desk",
        raised_at=AT,
    )


def a_client_event(*, client_id: UUID, revision: int = 1, name: str = "Harbour & Lowe") -> ClientRegistered:
    """Return an event about a client."""
    return ClientRegistered(
        occurred_at=AT,
        client_id=client_id,
        revision=revision,
        code="HLO",
        name=name,
        timezone="Europe/London",
        currency="GBP",
    )


def probe_consumers() -> Consumers:
    """Return consumers that write down what they heard; titles say how they should fail."""
    made = Consumers(
        "sla", order={"contracts.client": "state", "contracts.contract": "effect", "tickets.ticket": "ordered"}
    )
    failures: dict[UUID, int] = {}

    @made.hears(TicketRaised, TicketUpdated)
    async def on_ticket(tx: Transaction, event: TicketRaised | TicketUpdated) -> None:
        if event.title == "never":
            raise Permanent("no contract can take it")
        if event.title == "later" and failures.setdefault(event.ticket_id, 0) < 2:
            failures[event.ticket_id] += 1
            raise Transient("the contract is not known yet")
        await _write_down(tx, event.subject(), event.revision)

    @made.hears(ClientRegistered)
    async def on_client(tx: Transaction, event: ClientRegistered) -> None:
        await _write_down(tx, event.subject(), event.revision)

    return made


async def _write_down(tx: Transaction, subject: str, revision: int) -> None:
    await tx.driver.execute("INSERT INTO heard (subject, revision) VALUES ($1, $2)", subject, revision)
