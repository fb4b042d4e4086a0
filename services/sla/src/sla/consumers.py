"""What the service hears: clients, contract terms, and everything about tickets."""

from __future__ import annotations

from collections.abc import Sequence

from msp_events.contracts import (
    ClientRegistered,
    ClientState,
    ClientUpdated,
    ContractActivated,
    ContractAmended,
    ContractEnded,
    ContractState,
)
from msp_events.tickets import (
    MessagePosted,
    TicketAssigned,
    TicketClosed,
    TicketRaised,
    TicketReopened,
    TicketResolved,
    TicketState,
    TicketUpdated,
)
from msp_kernel.business_time import BadDay, BadWindow, CalendarWithoutHours, OutOfRange, UnknownTimezone
from msp_kit.consumers import Consumers, Permanent, Transient
from msp_kit.database import Transaction
from sla import actions

consumers = Consumers(
    "sla",
    order={
        "contracts.client": "state",
        # Every version is kept, also one that arrives after its successor: tickets pin versions.
        "contracts.contract": "effect",
        "tickets.ticket": "ordered",
    },
)


@consumers.hears(ClientRegistered, ClientUpdated)
async def on_client(tx: Transaction, event: ClientState) -> None:
    """Keep the client's name."""
    await actions.hear_client(tx, event)


@consumers.hears(ContractActivated, ContractAmended, ContractEnded)
async def on_contract(tx: Transaction, event: ContractState) -> None:
    """Keep the terms of a version."""
    try:
        await actions.hear_contract(tx, event)
    except (
        actions.TargetOutOfRange,
        actions.TermsChanged,
        BadDay,
        BadWindow,
        CalendarWithoutHours,
        UnknownTimezone,
    ) as error:
        raise Permanent(f"{type(error).__name__}: {error}") from error


@consumers.hears_many(
    TicketRaised,
    TicketUpdated,
    TicketAssigned,
    TicketResolved,
    TicketClosed,
    TicketReopened,
    MessagePosted,
)
async def on_tickets(tx: Transaction, events: Sequence[TicketState]) -> None:
    """Move the clocks of tickets."""
    try:
        await actions.hear_tickets(tx, events)
    except actions.TermsNotKnownYet as error:
        raise Transient(f"{error} is not known yet") from error
    except actions.ForeignContract as error:
        raise Permanent(str(error)) from error
    except OutOfRange as error:
        raise Permanent(f"no calendar answers for this: {error}") from error
