"""The ids of its API, one type for each kind of thing."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from msp_kit.ids import IdOf, IdOrName, IdsWithin

AbsenceId = Annotated[UUID, IdOf("absence")]
AgentId = Annotated[UUID, IdOf("agent")]
AttachmentId = Annotated[UUID, IdOf("attachment")]
CannedReplyId = Annotated[UUID, IdOf("canned reply")]
ClientId = Annotated[UUID, IdOf("client")]
ClockId = Annotated[UUID, IdOf("clock")]
ContactId = Annotated[UUID, IdOf("contact")]
ContractId = Annotated[UUID, IdOf("contract")]
MessageId = Annotated[UUID, IdOf("message")]
MilestoneId = Annotated[UUID, IdOf("milestone")]
PersonId = Annotated[UUID, IdOf("person")]
ProjectId = Annotated[UUID, IdOf("project")]
ProjectTemplateId = Annotated[UUID, IdOf("project template")]
RoutingRuleId = Annotated[UUID, IdOf("routing rule")]
TaskId = Annotated[UUID, IdOf("task")]
TicketId = Annotated[UUID, IdOf("ticket")]
TicketTemplateId = Annotated[UUID, IdOf("ticket template")]
TicketViewId = Annotated[UUID, IdOf("ticket view")]
TimeEntryId = Annotated[UUID, IdOf("time entry")]
ProjectName = Annotated[str, IdOrName("project")]
TicketName = Annotated[str, IdOrName("ticket")]
RoutingRuleName = Annotated[str, IdOrName("routing rule")]
Document = Annotated[dict[str, Any], IdsWithin(agent_id="agent", assignee_id="agent", client_id="client")]
"""JSON without a type of its own: its ids are found by their names."""
ActorName = Annotated[str, IdOrName("actor")]
"""Who did something: a person or an API key, or a word for what does it by itself."""
