"""Time entries as the ledger knows them: what was told, what became of it, and what a change will do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from contracts.domain.allocation import Demand, Fact, Lot, Policy, Position, Split
from contracts.domain.coverage import Check, Work
from contracts.domain.ledger import Leg

Decision = Literal["submitted", "approved", "rejected", "voided"]
HoursStatus = Literal["held", "posted", "released", "refused"]

NOTHING = Split((), ())


@dataclass(frozen=True, slots=True)
class TimeEntry:
    """A time entry as its owner tells it."""

    id: UUID
    revision: int
    decision: Decision
    work: Work
    agent_id: UUID
    agent_name: str = ""
    ticket_id: UUID | None = None
    task_id: UUID | None = None
    note: str = ""
    ref: str = ""
    """What people call the ticket or task."""

    @property
    def position(self) -> Position:
        """Return the place of the entry in the order of allocation."""
        return self.work.worked_from, self.id

    @property
    def source(self) -> str:
        """Return what postings name as their cause: this very telling."""
        return f"time_entry:{self.id}:{self.revision}"


@dataclass(frozen=True, slots=True)
class Hours:
    """What became of a time entry. ``legs`` are its live postings by number: not yet corrected, oldest first."""

    entry: TimeEntry
    revision: int
    status: HoursStatus
    contract_version: int
    rate_card_version: int
    policy: Policy
    demands: tuple[Demand, ...]
    split: Split
    legs: tuple[tuple[int, Leg], ...] = ()
    is_late: bool = False
    period_close_id: UUID | None = None
    refusal: Check | None = None
    asked_minutes: int = 0
    """Overage the client was last asked about."""
    consented_minutes: int = 0
    """Overage the client agreed to pay."""
    is_declined: bool = False
    """The client does not want this work beyond the bucket."""

    @property
    def awaits_consent(self) -> bool:
        """Return whether the client has to agree before the entry can be posted."""
        return self.policy == "needs_approval" and self.split.overage_minutes > self.consented_minutes

    @property
    def is_active(self) -> bool:
        """Return whether the entry has its place in the allocation: it has minutes, or would have if there were any."""
        return bool(self.demands)

    @property
    def draws_on_bucket(self) -> bool:
        """Return whether lots may pay for any of it."""
        return any(demand.route == "bucket" for demand in self.demands)

    @property
    def fact(self) -> Fact:
        """Return what allocation needs to know."""
        return Fact(self.entry.id, self.entry.work.worked_from, self.demands, self.policy)


@dataclass(frozen=True, slots=True)
class Change:
    """A newer telling of a time entry, and what was known of it before."""

    entry: TimeEntry
    before: Hours | None = None


@dataclass(frozen=True, slots=True)
class BookLot:
    """A lot with what allocation does not need to know."""

    lot: Lot
    origin: str = "purchase"
    adjusted_minutes: int = 0
    """What corrections by hand added to it, or took from it."""
    expired_minutes: int = 0
    expiry_seq: int | None = None
    carried_out_minutes: int = 0
    """What of it went to the lot that carries its rest."""
    carry_out_seq: int | None = None
    """Of a carried lot: the posting that took its minutes out of its source."""
    carry_in_seq: int | None = None
    """Of a carried lot: the posting that filled it."""
    is_lapsed: bool = False
    is_closed: bool = False
    """Its expiry lies in a closed period: nothing can be paid from it any more."""
    alerted_percent: int = 0

    @property
    def used_percent(self) -> int:
        """Return how much of the lot is used or held, in whole percent, rounded down."""
        minutes = self.lot.minutes
        return (minutes - self.lot.left_minutes) * 100 // minutes if minutes else 0


Stamped = tuple[Change, Hours]


@dataclass(frozen=True, slots=True)
class Plan:
    """What some changes will do: those that move minutes, those that do not, and the entries to be loaded for them."""

    moved: tuple[Stamped, ...]
    restated: tuple[Stamped, ...]
    tail_from: Position | None
    """Open entries from here on may change their splits; ``None`` when none of them can."""
