"""Who works on a ticket: the able agent with the lowest expected load, not with the fewest tickets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

EFFORT = {"critical": 8, "high": 4, "medium": 2, "low": 1}
"""How much of an agent's day a ticket asks for, relative to a low one."""
DUE_SOON_EFFORT = 3
"""What a promise that ends within the hour, or has ended, adds."""
RUNNERS_UP = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent who may take tickets. Empty ``queues`` means every queue, empty ``skills`` every job type."""

    id: UUID
    name: str
    levels: tuple[str, ...]
    skills: tuple[str, ...]
    queues: tuple[str, ...]
    weekly_minutes: int

    def can_take(self, *, job_type: str, level: str, queue: str) -> bool:
        """Return whether the agent has level and skill, and serves the queue."""
        return (
            level in self.levels
            and (not self.skills or job_type in self.skills)
            and (not self.queues or queue in self.queues)
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen agent with the load that decided, and those who came next."""

    agent: Candidate
    load_percent: int
    runners_up: tuple[tuple[UUID, int], ...]


def effort(priority: str, *, is_due_soon: bool) -> int:
    """Return the expected effort of one open ticket."""
    return EFFORT[priority] + (DUE_SOON_EFFORT if is_due_soon else 0)


def choose(
    candidates: Sequence[Candidate], efforts: Mapping[UUID, int], *, job_type: str, level: str, queue: str
) -> Choice | None:
    """Return who takes a ticket, ``None`` when nobody can.

    ``efforts`` are the open efforts by agent. Load is effort over weekly capacity, in percent of forty hours per effort
    point of one; ties go to the name, then the id, so that the same facts give the same choice. Who serves the queue is
    preferred; when nobody of the queue is able, any able agent is asked.
    """
    able = [one for one in candidates if one.can_take(job_type=job_type, level=level, queue=queue)]
    able = able or [one for one in candidates if level in one.levels and (not one.skills or job_type in one.skills)]
    if not able:
        return None
    loads = {one.id: 100 * efforts.get(one.id, 0) * 2400 // max(one.weekly_minutes, 1) for one in able}
    ranked = sorted(able, key=lambda one: (loads[one.id], one.name, str(one.id)))
    best = ranked[0]
    runners_up = tuple((one.id, loads[one.id]) for one in ranked[1 : 1 + RUNNERS_UP])
    return Choice(agent=best, load_percent=loads[best.id], runners_up=runners_up)
