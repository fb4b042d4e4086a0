"""Merging, splitting, linking, rating, bulk edits, search: bodies and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from msp_kit.api import Body, View
from tickets.actions.bulk import TICKETS_MAX, Edit
from tickets.domain.ticket import Status
from tickets.schemas.ids import (
    AgentId,
    CannedReplyId,
    ClientId,
    ContractId,
    Document,
    MessageId,
    TicketId,
    TicketTemplateId,
    TicketViewId,
)
from tickets.schemas.tickets import Code, Extent, Level, Name, Priority, Tag, Title

LinkKind = Literal["relates_to", "duplicates", "blocks", "caused_by"]


class Merge(Body):
    """The older ticket that takes this one over."""

    into_id: TicketId
    reason: str = Field(default="", max_length=500)


class MergedView(View):
    """The survivor, and what moved."""

    id: TicketId
    ref: str
    revision: int
    messages: int
    entries: int


class Split(Body):
    """A second ticket from a part of the thread; what is left out comes from the first."""

    title: Title
    description: str = Field(default="", max_length=20_000)
    message_ids: list[MessageId] = Field(default_factory=list, max_length=200)
    job_type: Code | None = None
    level: Level | None = None
    priority: Priority | None = None


class MoveToClient(Body):
    """The client the ticket belongs to."""

    client_id: ClientId
    contract_id: ContractId | None = None
    reason: str = Field(min_length=1, max_length=300)


class MovedView(View):
    """The ticket at the other client. Submitted time was logged anew there; approved time stayed where it was posted."""

    id: TicketId
    ref: str
    client_id: ClientId
    entries_logged_anew: int
    entries_left_behind: int


class Link(Body):
    """Another ticket of the same client. A duplicate is closed without a verdict."""

    other_id: TicketId
    kind: LinkKind


class Rate(Body):
    """What the client thinks of the work: 1 (bad) to 5 (good)."""

    score: int = Field(ge=1, le=5, strict=True)
    comment: str = Field(default="", max_length=2000)


class RatedView(View):
    """The ticket that was rated."""

    id: TicketId
    ref: str
    satisfaction: int
    revision: int


class BulkEdit(Body):
    """The same change for many tickets; what is absent stays."""

    ids: list[TicketId] = Field(min_length=1, max_length=TICKETS_MAX)
    status: Status | None = None
    priority: Priority | None = None
    level: Level | None = None
    handling_level: Level | None = None
    job_type: Code | None = None
    impact: Extent | None = None
    urgency: Extent | None = None
    assignee_id: AgentId | None = None
    queue: Code | None = None
    add_tags: list[Tag] = Field(default_factory=list, max_length=20)
    remove_tags: list[Tag] = Field(default_factory=list, max_length=20)
    reason: str = Field(default="", max_length=500)

    def to_edit(self) -> Edit:
        """Return the edit this stands for."""
        names = {"priority", "level", "handling_level", "job_type", "impact", "urgency"}
        return Edit(
            fields=self.model_dump(include=names, exclude_none=True),
            status=self.status,
            assignee_id=self.assignee_id,
            queue=self.queue,
            add_tags=tuple(self.add_tags),
            remove_tags=tuple(self.remove_tags),
            reason=self.reason,
        )


class OutcomeView(View):
    """What became of one row; ``code`` and ``detail`` are those of a problem."""

    id: TicketId
    ref: str | None
    is_done: bool
    revision: int | None = None
    code: str | None = None
    detail: str | None = None


class BulkView(View):
    """What became of each row."""

    done: int
    results: list[OutcomeView]


class ClientFoundView(View):
    """A ticket with all the words, for a client's people."""

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
    raised_at: datetime
    updated_at: datetime
    found_in: str


class FoundView(ClientFoundView):
    """A ticket with all the words, for staff."""

    queue: str
    handling_level: str
    assignee_id: AgentId | None
    assignee_name: str | None
    revision: int
    tags: list[str]


class TicketFilter(Body):
    """The filters of a list of tickets, as a saved view keeps them."""

    status: Literal["open_any"] | Status | None = None
    queue: Code | None = None
    assignee_id: AgentId | None = None
    client_id: ClientId | None = None
    unassigned: bool = False
    watched: bool = False
    mine: bool = False
    tag: Tag | None = None
    priority: Priority | None = None
    job_type: Code | None = None
    text: str | None = Field(default=None, max_length=100)
    sort: Literal["time_left", "updated"] = "time_left"


class SaveView(Body):
    """A list somebody wants to come back to."""

    name: Name
    filters: TicketFilter
    is_shared: bool = False


class SavedView(View):
    """A saved view; ``filters`` are query parameters of the list of tickets."""

    id: TicketViewId
    name: str
    filters: Document
    is_shared: bool
    is_mine: bool


class SaveReply(Body):
    """A canned reply; places like ``{{contact_name}}`` are filled in for a ticket."""

    name: Name
    body: str = Field(min_length=1, max_length=20_000)
    is_public: bool = True
    set_status: Status | None = None


class ReplyView(View):
    """A canned reply."""

    id: CannedReplyId
    name: str
    body: str
    is_public: bool
    set_status: str | None


class SaveTemplate(Body):
    """A ticket to start from; what is ``null`` is chosen when it is raised."""

    name: Name
    title: Title
    description: str = Field(default="", max_length=20_000)
    job_type: Code | None = None
    level: Level | None = None
    priority: Priority | None = None
    tags: list[Tag] = Field(default_factory=list, max_length=20)
    is_for_clients: bool = False


class TemplateView(View):
    """A template of a ticket."""

    id: TicketTemplateId
    name: str
    title: str
    description: str
    job_type: str | None
    level: str | None
    priority: str | None
    tags: list[str]
    is_for_clients: bool


class PriorityCell(Body):
    """One cell of a priority table."""

    impact: Extent
    urgency: Extent
    priority: Priority


class SetPriorityTable(Body):
    """A client's own cells; the others follow the default."""

    cells: list[PriorityCell] = Field(max_length=9)


class PriorityCellView(View):
    """One cell; ``is_own`` when the client differs from the default on purpose."""

    impact: str
    urgency: str
    priority: str
    is_own: bool
