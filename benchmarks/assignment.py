"""Who gets a ticket: the choice of the platform against round robin, over the same history, by the same agents.

``python -m benchmarks.assignment [FILE]`` replays an incident log (the form ``make replay`` reads), or one made here. Both
ways see tickets in the order in which they came in, and only what was known then. Agents work through what they have, the
nearest promise first, in the hours of their capacity; a ticket takes the time that the log shows was worked on it, or that
its priority takes where it shows none. Time is working time: one minute here is one of an agent who works full time. The desk
has as many agents as make it four fifths busy. Counted are the load of the agent who had most at the worst moment, and tickets done
after their promise.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from msp_local.replay import log as incident_log
from tickets.domain.assignment import Candidate, Slack, choose, effort

TICKETS = 4000
SEED = 7
AGENTS_MIN = 6
WEEKS = (2400, 2400, 1200, 2400, 1800)
PROMISE_MINUTES = {"critical": 240, "high": 480, "medium": 1440, "low": 4320}
WORK_MINUTES = {"critical": 150, "high": 90, "medium": 45, "low": 25}
JOB_TYPES = ("network", "workplace", "server")


@dataclass(frozen=True)
class Incident:
    """A ticket of the history: when it came in, what it asked for, and the work it took in the end."""

    at: int
    priority: str
    job_type: str
    level: str
    client: int
    minutes: int

    @property
    def due(self) -> int:
        """Return the minute of its promise."""
        return self.at + PROMISE_MINUTES[self.priority]


@dataclass
class Desk:
    """An agent at work: a queue by promise, and the pace of their capacity."""

    agent: Candidate
    busy_until: int = 0
    waiting: list[tuple[int, int, Incident]] = field(default_factory=list)
    late: int = 0
    worst_percent: int = 0

    def work_until(self, now: int) -> None:
        """Finish what can be finished by a minute."""
        while self.waiting and self.busy_until <= now:
            due, _, incident = heapq.heappop(self.waiting)
            starts = max(self.busy_until, incident.at)
            self.busy_until = starts + incident.minutes * 2400 // self.agent.weekly_minutes
            self.late += self.busy_until > due

    def efforts(self, now: int) -> int:
        """Return the open efforts as the platform would count them."""
        return sum(effort(one.priority, slack=_slack(due - now)) for due, _, one in self.waiting)

    def minutes_waiting(self) -> int:
        """Return the minutes of work that wait, at this agent's pace."""
        return sum(one.minutes for _, _, one in self.waiting) * 2400 // self.agent.weekly_minutes


def run(history: Sequence[Incident] | None = None) -> dict[str, Any]:
    """Replay a history both ways."""
    incidents = history or made_history(TICKETS)
    return {
        "tickets": len(incidents),
        "agents": len(agents(incidents)),
        "load_balanced": _replayed(incidents, _load_balanced()),
        "round_robin": _replayed(incidents, _round_robin()),
    }


def goals(found: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return each goal in words and whether it was reached."""
    ours, theirs = found["load_balanced"], found["round_robin"]
    return [
        (
            f"assignment: {name} lower than round robin's ({ours[name]} against {theirs[name]})",
            ours[name] < theirs[name],
        )
        for name in ("worst_agent_hours_waiting", "predicted_breaches")
    ]


def agents(incidents: Sequence[Incident]) -> list[Candidate]:
    """Return a desk that is four fifths busy: few agents know everything, some work half the week."""
    span = max(1, incidents[-1].at - incidents[0].at)
    busy = sum(one.minutes for one in incidents) / span / 0.8
    count = max(AGENTS_MIN, round(busy * 5 * 2400 / sum(WEEKS)))
    skills = [(), ("network",), ("workplace",), ("server", "network"), ("workplace", "server")]
    return [
        Candidate(
            id=UUID(int=number + 1),
            name=f"Agent {number:02d}",
            levels=("L1", "L2", "L3") if number % 3 == 0 else ("L1", "L2") if number % 3 == 1 else ("L1",),
            skills=skills[number % len(skills)],
            queues=(),
            weekly_minutes=WEEKS[number % len(WEEKS)],
        )
        for number in range(count)
    ]


def made_history(count: int) -> list[Incident]:
    """Return a history with the shape of a real log: bursts in the morning, many small tickets and a few long ones."""
    chance = random.Random(SEED)
    incidents: list[Incident] = []
    minute = 0.0
    for _ in range(count):
        hour = int(minute // 60) % 24
        minute += chance.expovariate(1 / (5 if hour in (8, 9, 10, 14) else 11))
        priority = chance.choices(tuple(PROMISE_MINUTES), weights=(3, 12, 45, 40))[0]
        minutes = max(5, int(chance.lognormvariate(0, 0.8) * WORK_MINUTES[priority]))
        incidents.append(
            Incident(
                at=int(minute),
                priority=priority,
                job_type=chance.choices(JOB_TYPES, weights=(3, 5, 2))[0],
                level=chance.choices(("L1", "L2", "L3"), weights=(6, 3, 1))[0],
                client=chance.randrange(40),
                minutes=minutes,
            )
        )
    return incidents


def read_history(path: Path) -> list[Incident]:
    """Return the incidents of a log in the order in which they came in, on the working minutes of a week."""
    found = sorted(incident_log.read(path).incidents, key=lambda one: (one.opened_at, one.number))
    return [
        Incident(
            at=(one.opened_at - found[0].opened_at) // timedelta(minutes=1) * 2400 // 10_080,
            priority=one.priority,
            job_type=JOB_TYPES[sum(one.category.encode()) % len(JOB_TYPES)],
            level=one.level,
            client=sum(one.location.encode()),
            minutes=sum(update.worked_minutes for update in one.updates) or WORK_MINUTES[one.priority],
        )
        for one in found
    ]


Chooser = Callable[[Incident, Sequence[Desk], int], Desk]


def _load_balanced() -> Chooser:
    known: dict[int, dict[UUID, int]] = {}

    def give(incident: Incident, desks: Sequence[Desk], now: int) -> Desk:
        of_client = known.setdefault(incident.client, {})
        choice = choose(
            [desk.agent for desk in desks],
            {desk.agent.id: desk.efforts(now) for desk in desks},
            job_type=incident.job_type,
            level=incident.level,
            queue="desk",
            known=of_client,
        )
        assert choice is not None, "somebody of the desk can take any ticket"
        of_client[choice.agent.id] = of_client.get(choice.agent.id, 0) + 1
        return next(desk for desk in desks if desk.agent.id == choice.agent.id)

    return give


def _round_robin() -> Chooser:
    turn: Iterator[int] = itertools.count()

    def give(incident: Incident, desks: Sequence[Desk], _now: int) -> Desk:
        able = [desk for desk in desks if desk.agent.is_able(job_type=incident.job_type, level=incident.level)]
        return able[next(turn) % len(able)]

    return give


def _replayed(incidents: Sequence[Incident], give: Chooser) -> dict[str, Any]:
    desks = [Desk(agent) for agent in agents(incidents)]
    worst = 0
    for number, incident in enumerate(incidents):
        for desk in desks:
            desk.work_until(incident.at)
        desk = give(incident, desks, incident.at)
        heapq.heappush(desk.waiting, (incident.due, number, incident))
        worst = max(worst, desk.minutes_waiting())
    for desk in desks:
        desk.work_until(sys.maxsize)
    return {"worst_agent_hours_waiting": round(worst / 60, 1), "predicted_breaches": sum(desk.late for desk in desks)}


def _slack(minutes: int) -> Slack:
    if minutes < 0:
        return "none"
    if minutes < 60:
        return "hour"
    return "half_day" if minutes < 240 else "more"


def main() -> int:
    """Print what both ways give."""
    found = run(read_history(Path(sys.argv[1])) if len(sys.argv) > 1 else None)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    for goal, is_reached in goals(found):
        sys.stdout.write(f"  {'reached' if is_reached else 'MISSED '}  {goal}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
