"""What a client's contracts allow to be chosen. The contracts service owns the rule; this is its local copy at the door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID


class NoActiveContract(Exception):
    """The client has no contract in force, so nothing can be raised."""


class AmbiguousContract(Exception):
    """Several contracts of the client cover this, and none of them goes first; name one, or give one priority."""


class JobTypeOutsideContract(Exception):
    """The job type is not in the contract."""


class LevelOutsideContract(Exception):
    """The support level is not in the contract."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The part of a contract's terms that decides what can be chosen. ``ends_on`` is exclusive."""

    contract_id: UUID
    client_id: UUID
    ref: str
    name: str
    version: int
    starts_on: date
    ends_on: date | None
    job_types: tuple[str, ...]
    levels: tuple[str, ...]
    priority: int = 100
    """Among the contracts of its client; the smallest that covers some work takes it."""

    def is_in_force(self, on: date) -> bool:
        """Return whether the contract covers a day."""
        return self.starts_on <= on and (self.ends_on is None or on < self.ends_on)

    def check(self, *, job_type: str, level: str) -> None:
        """Let a job type and level through.

        Raises:
            JobTypeOutsideContract, LevelOutsideContract: with what is allowed.
        """
        if job_type not in self.job_types:
            raise JobTypeOutsideContract(
                f"{job_type} is not in contract {self.ref}; it covers {', '.join(self.job_types)}"
            )
        if level not in self.levels:
            raise LevelOutsideContract(f"{level} is not in contract {self.ref}; it covers {', '.join(self.levels)}")


def choose_contract(contracts: Sequence[Terms], *, on: date, job_type: str, level: str, wanted: UUID | None) -> Terms:
    """Return the contract a ticket is raised on: the wanted one, or the covering one with the smallest priority.

    Raises:
        NoActiveContract: none is in force on that day, or the wanted one is not.
        JobTypeOutsideContract, LevelOutsideContract: no contract in force covers the choice.
        AmbiguousContract: several with the same priority do, and none was named.
    """
    in_force = [one for one in contracts if one.is_in_force(on) and wanted in (None, one.contract_id)]
    if not in_force:
        raise NoActiveContract("the client has no contract in force on this day")
    ranked = sorted(in_force, key=lambda one: (one.priority, one.ref))
    covering = [one for one in ranked if job_type in one.job_types and level in one.levels]
    if not covering:
        ranked[0].check(job_type=job_type, level=level)
    first = [one for one in covering if one.priority == covering[0].priority]
    if len(first) > 1:
        refs = " and ".join(one.ref for one in first)
        raise AmbiguousContract(
            f"{refs} cover this with priority {first[0].priority}: name one in contract_id, or give one a smaller priority"
        )
    return first[0]
