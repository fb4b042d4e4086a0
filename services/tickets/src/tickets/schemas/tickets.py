"""Tickets as they come in and go out. Client people get models of their own: what is not in them cannot leak."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import nh3
from markdown_it import MarkdownIt
from pydantic import AfterValidator, Field

from msp_kit.api import Body, View
from tickets.domain.text import one_line
from tickets.domain.ticket import Status
from tickets.schemas.ids import (
    ActorName,
    AgentId,
    AttachmentId,
    ClientId,
    ClockId,
    ContactId,
    ContractId,
    Document,
    MessageId,
    PersonId,
    RoutingRuleName,
    TicketId,
    TimeEntryId,
)

Priority = Literal["critical", "high", "medium", "low"]
Level = Literal["L1", "L2", "L3", "SA"]
Code = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Title = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(one_line)]
Name = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(one_line)]
"""What people call a thing of the desk: a queue, an agent, a view."""
Extent = Literal["high", "medium", "low"]
Tag = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9][a-z0-9_.:-]*$")]
Tags = Annotated[list[Tag], Field(max_length=20), AfterValidator(lambda tags: sorted(set(tags)))]
_markdown = MarkdownIt("js-default", {"html": False, "linkify": False, "breaks": True}).disable("image")
_TAGS = {"p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote", "a", "hr", "h1", "h2", "h3", "del"}


def html_of(body: str) -> str:
    """Return a message as safe HTML: a Markdown subset, everything else escaped or dropped."""
    return nh3.clean(
        _markdown.render(body),
        tags=_TAGS,
        attributes={"a": {"href"}},
        link_rel="noopener nofollow ugc",
        url_schemes={"https", "http", "mailto"},
    )


class RaiseTicket(Body):
    """A wish to raise a ticket; ``client_id`` is for staff only."""

    client_id: ClientId | None = None
    contract_id: ContractId | None = None
    title: Title
    description: str = Field(default="", max_length=20_000)
    job_type: Code
    priority: Priority | None = None
    """May be left out when impact and urgency are given: the client's table decides. Given, it overrules the table."""
    impact: Extent | None = None
    urgency: Extent | None = None
    level: Level
    tags: Tags = []
    contact_id: ContactId | None = None
    contact_name: str = Field(default="", max_length=200)


class PostMessage(Body):
    """A message, or an internal note when it is not public."""

    body: str = Field(min_length=1, max_length=20_000)
    is_public: bool = True
    set_status: Status | None = None


class SetStatus(Body):
    """Another status, with the reason."""

    status: Status
    reason: str = Field(default="", max_length=500)


class Assign(Body):
    """An agent, nobody, or another queue."""

    assignee_id: AgentId | None
    queue: Code | None = None
    reason: str = Field(default="", max_length=500)


class HandOver(Body):
    """A colleague, and what they need to know (kept as an internal note)."""

    to_id: AgentId
    note: str = Field(min_length=1, max_length=5000)


class Escalate(Body):
    """Why the next level is needed."""

    reason: str = Field(default="", max_length=500)


class ChangeTicket(Body):
    """What staff may change; an absent field stays."""

    title: Title | None = None
    priority: Priority | None = None
    level: Level | None = None
    handling_level: Level | None = None
    job_type: Code | None = None
    impact: Extent | None = None
    urgency: Extent | None = None
    tags: Tags | None = None
    reason: str = Field(default="", max_length=500)

    def to_changes(self) -> dict[str, Any]:
        """Return the fields that shall change, as the ticket holds them."""
        changes = self.model_dump(exclude_none=True, exclude={"reason"})
        return {**changes, "tags": tuple(changes["tags"])} if "tags" in changes else changes


class ClockView(View):
    """A clock as last heard from the sla service."""

    metric: str
    status: str
    due_at: datetime | None
    remaining_seconds: int
    budget_minutes: int
    is_breached: bool
    verdict: str | None


class FullClockView(ClockView):
    """A clock with what tells it from its siblings."""

    clock_id: ClockId
    cycle: int
    as_of: datetime


class BalanceView(View):
    """The bucket of the ticket's contract."""

    available_minutes: int
    granted_minutes: int


class ClientTicketRow(View):
    """A ticket in a list, for a client's people."""

    id: TicketId
    client_id: ClientId
    client_name: str
    client_code: str
    ref: str
    title: str
    status: str
    priority: str
    level: str
    job_type: str
    assignee_name: str | None
    raised_at: datetime
    updated_at: datetime
    tags: list[str]
    clock: ClockView | None


class TicketRow(ClientTicketRow):
    """A ticket in a list, for staff."""

    handling_level: str
    queue: str
    assignee_id: AgentId | None
    revision: int
    balance: BalanceView | None


class AttachmentView(View):
    """A file; its content is at ``/attachments/{id}``."""

    id: AttachmentId
    message_id: MessageId | None
    is_public: bool
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    added_by: ActorName


class LinkView(View):
    """Another ticket this one is linked to; ``is_from_here`` tells the direction of the words."""

    kind: str
    is_from_here: bool
    id: TicketId
    ref: str
    title: str
    status: str


class WatcherView(View):
    """Somebody who watches a ticket."""

    person_id: PersonId
    name: str


class RatingView(View):
    """What the client thought of a resolution."""

    cycle: int
    score: int
    comment: str
    by_name: str
    rated_at: datetime


class AssignmentView(View):
    """Why an agent was chosen: the load that decided, and who came next."""

    at: datetime
    agent_id: AgentId
    agent_name: str
    load_percent: int
    reason: str
    runners_up: list[Document]


class MessageView(View):
    """A message; ``body_html`` is safe to show."""

    id: MessageId
    author_kind: str
    author_name: str
    is_public: bool
    is_automatic: bool = False
    is_first_response: bool
    body_text: str
    body_html: str
    at: datetime


class ActivityView(View):
    """A line of the history."""

    at: datetime
    actor_name: str
    kind: str
    text: str
    reason: str
    rule_id: RoutingRuleName | None


class ClientTimeView(View):
    """Time as a client sees it: no internal state, no person's id."""

    worked_from: datetime
    worked_minutes: int
    agent_name: str
    job_type: str
    level: str
    note: str


class ClientTicketView(ClientTicketRow):
    """A ticket with its thread, for a client's people."""

    description: str
    description_html: str
    contract_id: ContractId
    contact_name: str
    cycle: int
    revision: int
    first_responded_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    next_statuses: list[str]
    messages: list[MessageView]
    time_entries: list[ClientTimeView]
    clocks: list[FullClockView]
    worked_minutes: int
    satisfaction: int | None
    attachments: list[AttachmentView]
    watchers: list[WatcherView]
    ratings: list[RatingView]
    redirected_from: str | None = None
    """The ref that was asked for, when that ticket was merged into this one."""


class StaffTimeView(ClientTimeView):
    """Time on a ticket as staff sees it."""

    id: TimeEntryId
    agent_id: AgentId
    status: str
    billed_minutes: int | None
    bucket_minutes: int | None
    overage_minutes: int | None


class TicketView(TicketRow):
    """A ticket with all there is to know, for staff."""

    description: str
    description_html: str
    contract_id: ContractId
    contract_version: int
    contact_id: ContactId | None
    contact_name: str
    cycle: int
    is_imported: bool
    first_responded_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    next_statuses: list[str]
    messages: list[MessageView]
    activity: list[ActivityView]
    time_entries: list[StaffTimeView]
    clocks: list[FullClockView]
    worked_minutes: int
    satisfaction: int | None
    attachments: list[AttachmentView]
    watchers: list[WatcherView]
    ratings: list[RatingView]
    redirected_from: str | None = None
    """The ref that was asked for, when that ticket was merged into this one."""
    source: str
    impact: str | None
    urgency: str | None
    merged_into_id: TicketId | None
    merged_refs: list[str]
    """Tickets that were merged into this one."""
    links: list[LinkView]
    assignments: list[AssignmentView]


class RaisedView(View):
    """What was raised: enough to go on with."""

    id: TicketId
    ref: str
    client_id: ClientId
    contract_id: ContractId
    status: str
    queue: str
    revision: int


class CountsView(View):
    """Tickets by state."""

    open: int
    unassigned: int
    by_status: dict[str, int]
    waiting_for_client: int


class JobTypeView(View):
    """A job type that can be chosen."""

    code: str
    name: str


class OfferedContract(View):
    """What one contract allows to be chosen."""

    contract_id: ContractId
    ref: str
    name: str
    job_types: list[JobTypeView]
    levels: list[str]


class OfferView(View):
    """What a client's contracts allow to be chosen."""

    client_id: ClientId
    contracts: list[OfferedContract]
