"""Time entries as they come in and go out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from msp_kit.api import Body, View
from tickets.actions.time import BULK_MAX, Work
from tickets.domain.oddness import Code as OddityCode
from tickets.domain.time_entry import WORKED_MINUTES_MAX
from tickets.schemas.ids import ActorName, AgentId, ClientId, ContractId, TaskId, TicketId, TimeEntryId
from tickets.schemas.tickets import Code, Level

YEAR_MIN, YEAR_MAX = 2000, 2199


def _of_this_time(at: datetime) -> datetime:
    if not YEAR_MIN <= at.year <= YEAR_MAX:
        message = f"instants lie in the years {YEAR_MIN} to {YEAR_MAX}"
        raise ValueError(message)
    return at


Instant = Annotated[AwareDatetime, AfterValidator(_of_this_time)]
WorkedMinutes = Annotated[int, Field(ge=1, le=WORKED_MINUTES_MAX, strict=True)]


class _Worked(Body):
    """Minutes, or time as people type it."""

    worked_minutes: WorkedMinutes | None = None
    time: str | None = Field(default=None, min_length=1, max_length=40)
    """``45m``, ``1h15``, ``1.25``, ``90``, ``14:00-14:45`` instead of minutes; a range lies on ``worked_from``'s day."""
    worked_from: Instant | None = None
    job_type: Code | None = None
    level: Level | None = None
    note: str = Field(default="", max_length=2000)
    internal_note: str = Field(default="", max_length=2000)
    """For the desk only; it is in no event and on no invoice."""

    def _work(self, **more: Any) -> Work:
        names = ("worked_minutes", "worked_from", "job_type", "level", "note", "internal_note")
        return Work(typed=self.time, **{name: getattr(self, name) for name in names}, **more)


class LogTime(_Worked):
    """Work on a ticket or a task; what is left out comes from there, or ends now."""

    ticket_id: TicketId | None = None
    task_id: TaskId | None = None
    agent_id: AgentId | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> LogTime:
        if (self.ticket_id is None) == (self.task_id is None):
            message = "work is on a ticket or on a task: give ticket_id or task_id"
            raise ValueError(message)
        if (self.worked_minutes is None) == (self.time is None):
            message = "give worked_minutes, or time as people type it"
            raise ValueError(message)
        return self

    def to_work(self) -> Work:
        """Return the work this stands for."""
        return self._work(ticket_id=self.ticket_id, task_id=self.task_id, agent_id=self.agent_id)


class Correct(_Worked):
    """What the entry should have said; what is left out stays. The old one is withdrawn, the new one points at it."""

    reason: str = Field(min_length=1, max_length=400)

    @model_validator(mode="after")
    def _is_one_time(self) -> Correct:
        if self.worked_minutes is not None and self.time is not None:
            message = "give worked_minutes or time, not both"
            raise ValueError(message)
        return self

    def to_work(self) -> Work:
        """Return the work this stands for."""
        return self._work()


class StartTimer(Body):
    """Where the work begins."""

    ticket_id: TicketId | None = None
    task_id: TaskId | None = None
    note: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _is_somewhere(self) -> StartTimer:
        if (self.ticket_id is None) == (self.task_id is None):
            message = "a timer runs on a ticket or on a task: give ticket_id or task_id"
            raise ValueError(message)
        return self


class StopTimer(Body):
    """What was done; minutes only when not all of it was work."""

    note: str | None = Field(default=None, max_length=2000)
    worked_minutes: WorkedMinutes | None = None


class TimerView(View):
    """The caller's running timer."""

    ticket_id: TicketId | None
    task_id: TaskId | None
    client_id: ClientId
    ref: str
    title: str
    started_at: datetime
    running_seconds: int
    note: str


class UnderstoodView(View):
    """What was typed, as it would be taken."""

    minutes: int
    begins: str | None
    shown: str


class LockPeriod(Body):
    """The first day that stays open (in the client's zone), today at the latest; ``null`` opens everything again."""

    locked_before: date | None = Field(ge=date(2000, 1, 1))
    reason: str = Field(min_length=1, max_length=500)


class LockView(View):
    """A client's locked time."""

    client_id: ClientId
    client_name: str
    locked_before: date
    locked_by: ActorName
    locked_at: datetime
    reason: str


class LockChangeView(View):
    """A client's time was locked before a day, or opened again (``locked_before`` is null)."""

    client_id: ClientId
    client_name: str
    locked_before: date | None
    changed_by: ActorName
    changed_at: datetime
    reason: str


class WeekRowView(View):
    """One ticket or task of a week, with its minutes from Monday to Sunday."""

    ticket_id: TicketId | None
    task_id: TaskId | None
    ref: str
    title: str
    client_name: str
    minutes: list[int]
    total_minutes: int


class WeekView(View):
    """A week of one agent, in their zone."""

    agent_id: AgentId
    agent_name: str
    timezone: str
    starts_on: date
    days: list[date]
    rows: list[WeekRowView]
    day_minutes: list[int]
    total_minutes: int
    weekly_minutes: int
    submitted_minutes: int
    approved_minutes: int
    rejected: int
    """Entries that were rejected and wait for a correction."""
    overlaps: int
    """Entries that share minutes with the one before."""


class Decide(Body):
    """Why; a rejection needs it."""

    reason: str = Field(default="", max_length=500)


class Reject(Body):
    """Why the time is not accepted."""

    reason: str = Field(min_length=1, max_length=500)


class ApproveMany(Body):
    """Entries by id, or all of a client worked before an instant (at most a thousand a call)."""

    ids: list[TimeEntryId] = Field(default_factory=list, max_length=BULK_MAX)
    client_id: ClientId | None = None
    before: Instant | None = None

    @model_validator(mode="after")
    def _is_one_choice(self) -> ApproveMany:
        is_of_client = self.client_id is not None and self.before is not None
        if is_of_client == bool(self.ids) or (self.ids and (self.client_id or self.before)):
            message = "give ids, or client_id and before: the entries of a client worked before an instant"
            raise ValueError(message)
        return self


class HoursView(View):
    """What became of an entry on its contract."""

    status: str
    billed_minutes: int
    bucket_minutes: int
    overage_minutes: int


class LoggedView(View):
    """A time entry right after it was logged."""

    id: TimeEntryId
    ticket_id: TicketId | None
    task_id: TaskId | None
    ticket_ref: str
    client_id: ClientId
    contract_id: ContractId
    agent_id: AgentId
    agent_name: str
    worked_from: datetime
    worked_minutes: int
    job_type: str
    level: str
    note: str
    status: str
    revision: int
    corrects_id: TimeEntryId | None = None
    is_late: bool = False
    warnings: list[str] = []
    """What its author should know: overlaps, a sealed period."""


class TimeEntryView(View):
    """A time entry in a list."""

    id: TimeEntryId
    ticket_id: TicketId | None
    ticket_ref: str | None
    ticket_title: str | None
    task_id: TaskId | None
    client_id: ClientId
    client_name: str | None
    contract_id: ContractId
    agent_id: AgentId
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
    is_late: bool
    corrects_id: TimeEntryId | None
    internal_note: str
    decided_by: ActorName | None
    hours: HoursView | None


class OddityView(View):
    """One thing that is odd about an entry, and in which way."""

    code: OddityCode
    figure: int
    """Minutes, days or how many, by the code; 0 when there is none."""
    detail: str


class WaitingEntryView(TimeEntryView):
    """A time entry that waits for approval, with what is odd about it, most serious first."""

    oddities: list[OddityView]


class ToApproveView(View):
    """Entries that wait, the odd ones first."""

    items: list[WaitingEntryView]
    odd_count: int
    total_count: int


class Refused(View):
    """An entry that was not approved, and why."""

    id: TimeEntryId
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

    client_id: ClientId
    client_name: str
    entry_count: int
    worked_minutes: int
