"""A time entry: whole minutes of work, submitted, then approved or rejected by somebody else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

EntryStatus = Literal["submitted", "approved", "rejected", "voided"]
WORKED_MINUTES_MAX = 1440


class OwnTime(Exception):
    """Nobody approves their own time."""


class EntryDecided(Exception):
    """The entry was approved, rejected or withdrawn before."""


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

    def _check_is_open(self) -> None:
        if self.status != "submitted":
            raise EntryDecided(f"the entry was {self.status} before")


def checksum(entries: Iterable[tuple[str, int]]) -> str:
    r"""Return SHA-256 over ``<time_entry_id>:<worked_minutes>\\n`` in order of id: the control total of a period."""
    digest = hashlib.sha256()
    for entry_id, worked_minutes in sorted(entries):
        digest.update(f"{entry_id}:{worked_minutes}\n".encode())
    return digest.hexdigest()
