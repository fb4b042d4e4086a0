"""A ticket, the states it passes through, and what messages do to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

Status = Literal["new", "open", "waiting_on_client", "waiting_on_vendor", "scheduled", "resolved", "closed"]
Author = Literal["client", "agent", "system"]

WORKING: tuple[Status, ...] = ("new", "open", "waiting_on_client", "waiting_on_vendor", "scheduled")
STATUSES: tuple[Status, ...] = (*WORKING, "resolved", "closed")
PRIORITIES = ("critical", "high", "medium", "low")
LEVELS = ("L1", "L2", "L3", "SA")


class StatusNotReachable(Exception):
    """A ticket cannot pass from its status to the wanted one."""


class TicketClosed(Exception):
    """Nothing can be done on a closed ticket but reopen it."""


class AcrossClients(Exception):
    """Tickets of two clients are never merged, linked or marked as duplicates."""


class MergedIntoItself(Exception):
    """A ticket is merged into another one, not into itself or into one that was merged into it."""


class MergeIntoYounger(Exception):
    """The ticket raised later goes into the one raised earlier, whose promise began earlier."""


class NotRatedYet(Exception):
    """Work is rated when it is done, once per resolution."""


class NotForClients(Exception):
    """A client's person may answer, confirm or reopen a ticket, nothing else."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket. ``level`` is what is billed, ``handling_level`` who works on it; ``cycle`` counts its openings."""

    id: UUID
    client_id: UUID
    ref: str
    revision: int
    contract_id: UUID
    contract_version: int
    contact_id: UUID | None
    contact_name: str
    title: str
    description: str
    job_type: str
    priority: str
    level: str
    handling_level: str
    status: Status
    queue: str
    assignee_id: UUID | None
    assignee_name: str | None
    raised_at: datetime
    first_responded_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    cycle: int = 1
    is_imported: bool = False
    tags: tuple[str, ...] = ()
    source: str = ""
    impact: str | None = None
    urgency: str | None = None
    merged_into_id: UUID | None = None
    satisfaction: int | None = None

    @property
    def is_over(self) -> bool:
        """Return whether the work is done."""
        return self.status in ("resolved", "closed")

    def with_status(self, status: Status, *, at: datetime) -> Ticket:
        """Return the ticket in another status.

        Raises:
            StatusNotReachable: the status does not follow from this one.
        """
        if status not in next_statuses(self.status):
            allowed = ", ".join(next_statuses(self.status))
            raise StatusNotReachable(f"a ticket that is {self.status} can become {allowed}, not {status}")
        if status == "resolved":
            return replace(self, status=status, resolved_at=at)
        if status == "closed":
            return replace(self, status=status, resolved_at=self.resolved_at or at, closed_at=at)
        if self.merged_into_id is not None:
            raise StatusNotReachable("a merged ticket stays closed; write to the one that took it over")
        if self.is_over:
            return replace(
                self, status=status, resolved_at=None, closed_at=None, satisfaction=None, cycle=self.cycle + 1
            )
        return replace(self, status=status)

    def merged_into(self, survivor: Ticket, *, at: datetime) -> tuple[Ticket, Ticket]:
        """Return this ticket, closed without a verdict, and the survivor with the stricter promise of the two.

        The survivor is the older one, so its clocks began earlier, and it takes the higher priority (ADR 0030).

        Raises:
            AcrossClients, MergedIntoItself, MergeIntoYounger.
            TicketClosed: one of them is closed.
        """
        if self.client_id != survivor.client_id:
            raise AcrossClients(f"{self.ref} and {survivor.ref} belong to two clients")
        if self.id == survivor.id:
            raise MergedIntoItself(f"{self.ref} cannot go into itself")
        for one in (self, survivor):
            if one.status == "closed":
                raise TicketClosed(f"{one.ref} is closed; open it again before it is merged")
        if (survivor.raised_at, str(survivor.id)) > (self.raised_at, str(self.id)):
            raise MergeIntoYounger(f"merge {survivor.ref} into {self.ref} instead: it was raised earlier")
        gone = replace(self, status="closed", resolved_at=None, closed_at=at, merged_into_id=survivor.id)
        kept = replace(
            survivor,
            priority=min(self.priority, survivor.priority, key=PRIORITIES.index),
            tags=tuple(sorted({*self.tags, *survivor.tags})),
        )
        return gone, kept

    def rated(self, score: int) -> Ticket:
        """Return the ticket with what the client thinks of the work.

        Raises:
            NotRatedYet: the work is not done, or was rated before.
        """
        if not self.is_over or self.merged_into_id is not None:
            raise NotRatedYet("the work can be rated when the ticket is resolved")
        if self.satisfaction is not None:
            raise NotRatedYet("this resolution was rated before")
        return replace(self, satisfaction=score)

    def answered_by_agent(self, *, at: datetime, is_automatic: bool = False) -> Ticket:
        """Return the ticket after a public message of an agent: the first one of a human is the first response."""
        if is_automatic:
            return self
        first = self.first_responded_at or at
        status: Status = "open" if self.status == "new" else self.status
        return replace(self, first_responded_at=first, status=status)

    def answered_by_client(self, *, at: datetime) -> Ticket:
        """Return the ticket after a message of the client: waiting ends, and what was over is open again."""
        if self.status == "waiting_on_client" or self.is_over:
            return self.with_status("open", at=at)
        return self


def next_statuses(status: Status) -> tuple[Status, ...]:
    """Return the statuses that may follow one."""
    if status == "resolved":
        return ("open", "closed")
    if status == "closed":
        return ("open",)
    return tuple(other for other in STATUSES if other not in (status, "new"))


def check_client_may_set(status: Status, *, current: Status) -> None:
    """Let a client's person set a status: confirm a resolution, close early, or reopen.

    Raises:
        NotForClients: anything else.
    """
    if (current, status) in {("resolved", "closed"), ("resolved", "open"), ("closed", "open")} or status == "resolved":
        return
    raise NotForClients("you can mark the ticket as resolved, confirm its resolution, or open it again")
