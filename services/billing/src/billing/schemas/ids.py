"""The ids of its API, one type for each kind of thing."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from msp_kit.ids import IdOf, IdOrName, IdsWithin

BankLineId = Annotated[UUID, IdOf("bank line")]
BillingRunId = Annotated[UUID, IdOf("billing run")]
ChargeId = Annotated[UUID, IdOf("charge")]
ClientId = Annotated[UUID, IdOf("client")]
ContractId = Annotated[UUID, IdOf("contract")]
CreditId = Annotated[UUID, IdOf("credit")]
InvoiceId = Annotated[UUID, IdOf("invoice")]
InvoiceLinkId = Annotated[UUID, IdOf("invoice link")]
PaymentId = Annotated[UUID, IdOf("payment")]
RefundId = Annotated[UUID, IdOf("refund")]
TimeEntryId = Annotated[UUID, IdOf("time entry")]
WriteOffId = Annotated[UUID, IdOf("write-off")]
InvoiceName = Annotated[str, IdOrName("invoice")]
Document = Annotated[
    dict[str, Any],
    IdsWithin(
        agent_id="agent",
        client_id="client",
        clock_id="clock",
        contract_id="contract",
        invoice_id="invoice",
        task_id="task",
        ticket_id="ticket",
        time_entry_id="time entry",
    ),
]
"""JSON without a type of its own: its ids are found by their names."""
ActorName = Annotated[str, IdOrName("actor")]
"""Who did something: a person or an API key, or a word for what does it by itself."""
