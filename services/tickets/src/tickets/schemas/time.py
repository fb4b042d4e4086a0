"""Time entries as they come in and go out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field

from msp_kit.api import Body, View
from tickets.actions.time import BULK_MAX, Work
from tickets.domain.time_entry import WORKED_MINUTES_MAX
from tickets.schemas.tickets import Code, Level


def _not_ancient(at: datetime) -> datetime:
    if at < datetime(2000, 1, 1, tzinfo=UTC):
        message = "instants lie in the year 2000 or later"
        raise ValueError(message)
    return at


Instant = Annotated[AwareDatetime, AfterValidator(_not_ancient)]
WorkedMinutes = Annotated[int, Field(ge=1, le=WORKED_MINUTES_MAX, strict=True)]


class LogTime(Body):
    """Work on a ticket; what is left out comes from the ticket, or ends now."""

    ticket_id: UUID
    worked_minutes: WorkedMinutes
    worked_from: Instant | None = None
    job_type: Code | None = None
    level: Level | None = None
    note: str = Field(default="", max_length=2000)
    agent_id: UUID | None = None

    def to_work(self) -> Work:
        """Return the work this stands for."""
        return Work(
            ticket_id=self.ticket_id,
            worked_minutes=self.worked_minutes,
            worked_from=self.worked_from,
            job_type=self.job_type,
            level=self.level,
            note=self.note,
            agent_id=self.agent_id,
        )


class Decide(Body):
    """Why; a rejection needs it."""

    reason: str = Field(default="", max_length=500)


class Reject(Body):
    """Why the time is not accepted."""

    reason: str = Field(min_length=1, max_length=500)


class ApproveMany(Body):
    """Entries by id, or all of a client worked before an instant (at most a thousand a call)."""

    ids: list[UUID] = Field(default_factory=list, max_length=BULK_MAX)
    client_id: UUID | None = None
    before: Instant | None = None


class HoursView(View):
    """What became of an entry on its contract."""

    status: str
    billed_minutes: int
    bucket_minutes: int
    overage_minutes: int


class LoggedView(View):
    """A time entry right after it was logged."""

    id: UUID
    ticket_id: UUID | None
    ticket_ref: str
    client_id: UUID
    contract_id: UUID
    agent_id: UUID
    agent_name: str
    worked_from: datetime
    worked_minutes: int
    job_type: str
    level: str
    note: str
    status: str
    revision: int


class TimeEntryView(View):
    """A time entry in a list."""

    id: UUID
    ticket_id: UUID | None
    ticket_ref: str | None
    ticket_title: str | None
    task_id: UUID | None
    client_id: UUID
    client_name: str | None
    contract_id: UUID
    agent_id: UUID
    agent_name: str
    worked_from: datetime
    worked_minutes: int
    job_type: str
    level: str
    note: str
    status: str
    decision_reason: str
    revision: int
    logged_at: datetime
    is_sealed: bool
    hours: HoursView | None


class Refused(View):
    """An entry that was not approved, and why."""

    id: UUID
    reason: str


class ApprovedView(View):
    """How many were approved, and which were not."""

    approved: int
    refused: list[Refused]


class TotalsView(View):
    """Control totals."""

    entry_count: int
    worked_minutes: int
    checksum: str
    by_status: dict[str, int]


class WaitingView(View):
    """What waits for approval, of one client."""

    client_id: UUID
    client_name: str
    entry_count: int
    worked_minutes: int
