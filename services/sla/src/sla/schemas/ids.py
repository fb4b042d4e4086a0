"""The ids of its API, one type for each kind of thing."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msp_kit.ids import IdOf, IdOrName

AgentId = Annotated[UUID, IdOf("agent")]
ClientId = Annotated[UUID, IdOf("client")]
ClockId = Annotated[UUID, IdOf("clock")]
ContractId = Annotated[UUID, IdOf("contract")]
CreditId = Annotated[UUID, IdOf("credit")]
TicketId = Annotated[UUID, IdOf("ticket")]
BusEventName = Annotated[str, IdOrName("bus event")]
ActorName = Annotated[str, IdOrName("actor")]
"""Who did something: a person or an API key, or a word for what does it by itself."""
