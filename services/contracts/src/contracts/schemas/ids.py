"""The ids of its API, one type for each kind of thing."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from msp_kit.ids import IdOf, IdOrName, IdsWithin

AdjustmentId = Annotated[UUID, IdOf("adjustment")]
AgentId = Annotated[UUID, IdOf("agent")]
CalendarId = Annotated[UUID, IdOf("calendar")]
ClientId = Annotated[UUID, IdOf("client")]
ContactId = Annotated[UUID, IdOf("contact")]
ContractId = Annotated[UUID, IdOf("contract")]
ContractTestId = Annotated[UUID, IdOf("contract test")]
CoverageDecisionId = Annotated[UUID, IdOf("coverage decision")]
JobTypeId = Annotated[UUID, IdOf("job type")]
LotId = Annotated[UUID, IdOf("lot")]
PeriodCloseId = Annotated[UUID, IdOf("period close")]
RateCardId = Annotated[UUID, IdOf("rate card")]
TaskId = Annotated[UUID, IdOf("task")]
TicketId = Annotated[UUID, IdOf("ticket")]
TimeEntryId = Annotated[UUID, IdOf("time entry")]
Document = Annotated[
    dict[str, Any],
    IdsWithin(calendar_id="calendar", client_id="client", contract_id="contract", rate_card_id="rate card"),
]
"""JSON without a type of its own: its ids are found by their names."""
ActorName = Annotated[str, IdOrName("actor")]
"""Who did something: a person or an API key, or a word for what does it by itself."""
