"""Who works on a ticket: the able agent on duty with the lowest expected load, not with the fewest tickets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Slack = Literal["none", "hour", "half_day", "more"]
EFFORT = {"critical": 8, "high": 4, "medium": 2, "low": 1}
"""How much work an open ticket is expected to be, relative to a low one."""
EFFORT_MINUTES = 60
"""What one effort point takes of an agent's week."""
SLACK_EFFORT: dict[Slack, int] = {"none": 3, "hour": 3, "half_day": 1, "more": 0}
"""What a promise adds that has ended (``none``), or ends within the hour or half a day: there is no room beside it."""
KNOWN_TICKETS_MAX = 5
KNOWN_PERCENT = 1
"""Points of load that each ticket of the same client, worked on lately, is worth (at most five)."""
RUNNERS_UP = 3
SUGGESTIONS_MAX = 20
GAP_PERCENT = 5
"""Less difference between two agents is not worth a hand-over."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent who may take tickets. Empty ``queues`` means every queue, empty ``skills`` every job type.

    On duty is who is on shift, not absent and not away, right now.
    """

    id: UUID
    name: str
    levels: tuple[str, ...]
    skills: tuple[str, ...]
    queues: tuple[str, ...]
    weekly_minutes: int
    is_on_duty: bool = True

    def can_take(self, *, job_type: str, level: str, queue: str) -> bool:
        """Return whether the agent has level and skill, and serves the queue."""
        return self.is_able(job_type=job_type, level=level) and (not self.queues or queue in self.queues)

    def is_able(self, *, job_type: str, level: str) -> bool:
        """Return whether the agent has level and skill."""
        return level in self.levels and (not self.skills or job_type in self.skills)

    def load_percent(self, efforts: int) -> int:
        """Return the expected time of open efforts in percent of the agent's week."""
        return 100 * efforts * EFFORT_MINUTES // max(self.weekly_minutes, 1)


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen agent with the load that decided, why, and those who came next with their scores."""

    agent: Candidate
    load_percent: int
    reason: str
    runners_up: tuple[tuple[UUID, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWork:
    """An open ticket as rebalancing sees it."""

    ticket_id: UUID
    ref: str
    agent_id: UUID
    efforts: int
    job_type: str
    level: str
    queue: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Hand a ticket from one agent to another; loads before and after, in percent."""

    work: OpenWork
    giver: Candidate
    taker: Candidate
    giver_load: tuple[int, int]
    taker_load: tuple[int, int]


def effort(priority: str, *, slack: Slack) -> int:
    """Return the expected effort of one open ticket."""
    return EFFORT[priority] + SLACK_EFFORT[slack]


def choose(
    candidates: Sequence[Candidate],
    efforts: Mapping[UUID, int],
    *,
    job_type: str,
    level: str,
    queue: str,
    known: Mapping[UUID, int] | None = None,
) -> Choice | None:
    """Return who takes a ticket, ``None`` when nobody can.

    ``efforts`` are the open efforts by agent, ``known`` how many tickets of the client each has worked on lately. Who is
    on duty is asked first; then who serves the queue is preferred over any able agent. The score is the load, less what
    knowing the client is worth; ties go to the name, then the id, so that the same facts give the same choice.
    """
    able = [one for one in candidates if one.is_able(job_type=job_type, level=level)]
    serving = [one for one in able if one.can_take(job_type=job_type, level=level, queue=queue)]
    steps = (
        ([one for one in serving if one.is_on_duty], "of the queue"),
        ([one for one in able if one.is_on_duty], "nobody of the queue is on duty"),
        (serving, "of the queue, nobody able is on duty"),
        (able, "nobody able is on duty or of the queue"),
    )
    asked, how = next(((some, text) for some, text in steps if some), ([], ""))
    if not asked:
        return None
    loads = {one.id: one.load_percent(efforts.get(one.id, 0)) for one in asked}
    bonus = {one.id: KNOWN_PERCENT * min((known or {}).get(one.id, 0), KNOWN_TICKETS_MAX) for one in asked}
    ranked = sorted(asked, key=lambda one: (loads[one.id] - bonus[one.id], one.name, str(one.id)))
    best = ranked[0]
    reason = f"lowest expected load, {loads[best.id]} %, {how}"
    if bonus[best.id]:
        reason += f"; knows the client (−{bonus[best.id]})"
    runners_up = tuple((one.id, loads[one.id] - bonus[one.id]) for one in ranked[1 : 1 + RUNNERS_UP])
    return Choice(agent=best, load_percent=loads[best.id], reason=reason, runners_up=runners_up)


def rebalance(candidates: Sequence[Candidate], work: Iterable[OpenWork]) -> list[Suggestion]:
    """Return hand-overs that make the most loaded agent's load smaller, best first; each ticket moves once."""
    left = sorted(work, key=lambda one: (-one.efforts, one.ref))
    by_id = {one.id: one for one in candidates}
    efforts = dict.fromkeys(by_id, 0)
    for one in left:
        if one.agent_id in efforts:
            efforts[one.agent_id] += one.efforts
    made: list[Suggestion] = []
    while len(made) < SUGGESTIONS_MAX:
        found = _best_move(by_id, efforts, left)
        if found is None:
            return made
        made.append(found)
        left.remove(found.work)
        efforts[found.giver.id] -= found.work.efforts
        efforts[found.taker.id] += found.work.efforts
    return made


def _best_move(
    candidates: Mapping[UUID, Candidate], efforts: Mapping[UUID, int], work: Sequence[OpenWork]
) -> Suggestion | None:
    """Return the move that brings most-loaded agent and taker closest together."""
    loads = {one.id: one.load_percent(efforts[one.id]) for one in candidates.values()}
    for giver in sorted(candidates.values(), key=lambda one: (-loads[one.id], one.name)):
        best: tuple[int, Suggestion] | None = None
        for ticket in work:
            if ticket.agent_id != giver.id:
                continue
            for taker in candidates.values():
                if taker.id == giver.id or not taker.is_on_duty:
                    continue
                if not taker.can_take(job_type=ticket.job_type, level=ticket.level, queue=ticket.queue):
                    continue
                gives = giver.load_percent(efforts[giver.id] - ticket.efforts)
                takes = taker.load_percent(efforts[taker.id] + ticket.efforts)
                highest = max(gives, takes)
                if loads[giver.id] - loads[taker.id] < GAP_PERCENT or highest >= loads[giver.id]:
                    continue
                if best is None or highest < best[0]:
                    move = Suggestion(ticket, giver, taker, (loads[giver.id], gives), (loads[taker.id], takes))
                    best = (highest, move)
        if best is not None:
            return best[1]
    return None
