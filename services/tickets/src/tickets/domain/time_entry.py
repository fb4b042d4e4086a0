"""A time entry: whole minutes of work, submitted, then approved or rejected by somebody else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

EntryStatus = Literal["submitted", "approved", "rejected", "voided"]
WORKED_MINUTES_MAX = 1440


class OwnTime(Exception):
    """Nobody approves their own time."""


class EntryDecided(Exception):
    """The entry was approved, rejected or withdrawn before."""


class CorrectsNothing(Exception):
    """A correction differs from what it corrects."""


class PeriodLocked(Exception):
    """The period was locked for a client; only a manager still logs or withdraws there."""


class PeriodNotOver(Exception):
    """Days that are over are locked; what is worked today can still be logged."""


class WorkedInTheFuture(Exception):
    """Work is logged when it is done."""


class EntrySealed(Exception):
    """The entry belongs to a period that was sealed for billing; correct it by a new entry."""


@dataclass(frozen=True, slots=True)
class TimeEntry:
    """Work of one agent on one ticket or task. ``worked_minutes`` never change after it was submitted."""

    id: UUID
    client_id: UUID
    contract_id: UUID
    revision: int
    ticket_id: UUID | None
    task_id: UUID | None
    agent_id: UUID
    agent_name: str
    person_id: UUID | None
    worked_from: datetime
    worked_minutes: int
    job_type: str
    level: str
    note: str
    status: EntryStatus
    decided_by: str | None = None
    decision_reason: str = ""
    sealed_in: UUID | None = None
    corrects_id: UUID | None = None
    internal_note: str = ""
    is_late: bool = False
    ref: str = ""
    """What people call the ticket or task."""

    def approved(self, *, by: UUID) -> TimeEntry:
        """Return the entry, approved.

        Raises:
            OwnTime: the person approves their own work.
            EntryDecided: it is not waiting for approval.
        """
        if by == self.person_id:
            raise OwnTime("somebody else has to approve your time")
        self._check_is_open()
        return replace(self, status="approved", decided_by=str(by), revision=self.revision + 1)

    def rejected(self, *, by: str, reason: str) -> TimeEntry:
        """Return the entry, rejected with a reason.

        Raises:
            EntryDecided: it is not waiting for approval.
        """
        self._check_is_open()
        return replace(self, status="rejected", decided_by=by, decision_reason=reason, revision=self.revision + 1)

    def voided(self, *, by: str, reason: str) -> TimeEntry:
        """Return the entry, withdrawn.

        Raises:
            EntrySealed: its period was sealed for billing.
            EntryDecided: it was rejected or withdrawn before.
        """
        if self.sealed_in is not None:
            raise EntrySealed("the period of this entry is sealed for billing; log a correction instead")
        if self.status not in ("submitted", "approved"):
            raise EntryDecided(f"the entry was {self.status} before")
        return replace(self, status="voided", decided_by=by, decision_reason=reason, revision=self.revision + 1)

    def corrected_by(self, new: TimeEntry, *, by: str, reason: str) -> tuple[TimeEntry | None, TimeEntry]:
        """Return this entry, withdrawn, and the new one in its place.

        A sealed entry stays as it is (``None``): the new one holds only the minutes that were missing.

        Raises:
            CorrectsNothing: nothing differs.
            EntrySealed: minutes of a sealed entry are to be fewer; that takes a credit note.
            EntryDecided: this entry was rejected or withdrawn before.
        """
        same = ("worked_minutes", "worked_from", "job_type", "level", "note", "internal_note")
        if all(getattr(self, name) == getattr(new, name) for name in same):
            raise CorrectsNothing("the correction says what the entry says already")
        if self.sealed_in is None:
            return self.voided(by=by, reason=f"corrected: {reason}"[:500]), new
        missing = new.worked_minutes - self.worked_minutes
        if missing <= 0:
            raise EntrySealed("the entry is invoiced: fewer minutes take a credit note, in billing")
        begins = self.worked_from + timedelta(minutes=self.worked_minutes)
        return None, replace(new, worked_minutes=missing, worked_from=begins)

    def _check_is_open(self) -> None:
        if self.status != "submitted":
            raise EntryDecided(f"the entry was {self.status} before")


def check_is_over(locked_before: date | None, *, today: date) -> None:
    """Let only days that are over be locked.

    Raises:
        PeriodNotOver: the first day that stays open is still to come.
    """
    if locked_before is not None and locked_before > today:
        raise PeriodNotOver(f"the first open day is {today} at the latest: work of today can still be logged")


def checksum(entries: Iterable[tuple[str, int]]) -> str:
    r"""Return SHA-256 over ``<time_entry_id>:<worked_minutes>\\n`` in order of id: the control total of a period."""
    digest = hashlib.sha256()
    for entry_id, worked_minutes in sorted(entries):
        digest.update(f"{entry_id}:{worked_minutes}\n".encode())
    return digest.hexdigest()
