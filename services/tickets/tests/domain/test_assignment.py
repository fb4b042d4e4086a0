"""Choosing and evening out: the same facts give the same choice, and nobody ends up worse than the worst before."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis.strategies import integers, lists, tuples

from tickets.domain.assignment import Candidate, OpenWork, choose, effort, rebalance

WANTED: dict[str, Any] = {"job_type": "network", "level": "L1", "queue": "desk"}


def an_agent(number: int, **given: Any) -> Candidate:
    default: dict[str, Any] = {"levels": ("L1",), "skills": (), "queues": (), "weekly_minutes": 2400}
    return Candidate(id=UUID(int=number), name=f"Agent {number}", **{**default, **given})


def test_the_lowest_load_for_the_capacity_is_chosen_and_the_others_are_kept() -> None:
    full, half = an_agent(1), an_agent(2, weekly_minutes=1200)

    choice = choose([full, half], {full.id: 5, half.id: 4}, **WANTED)

    assert choice is not None
    assert (choice.agent, choice.load_percent, choice.runners_up) == (full, 12, ((half.id, 20),))


def test_who_is_not_on_duty_is_asked_only_when_nobody_else_is_able() -> None:
    away, busy = an_agent(1, is_on_duty=False), an_agent(2)

    chosen = choose([away, busy], {busy.id: 50}, **WANTED)
    alone = choose([away], {}, **WANTED)

    assert chosen is not None and chosen.agent == busy
    assert alone is not None and (alone.agent, alone.reason.endswith("nobody able is on duty")) == (away, True)


def test_knowing_the_client_is_worth_a_little_and_no_more() -> None:
    knows, idle = an_agent(2), an_agent(1)

    near = choose([knows, idle], {}, **WANTED, known={knows.id: 3})
    far = choose([knows, idle], {knows.id: 3}, **WANTED, known={knows.id: 99})

    assert near is not None and near.agent == knows and "knows the client" in near.reason
    assert far is not None and far.agent == idle


def test_level_and_skill_are_never_bent() -> None:
    assert choose([an_agent(1, levels=("L2",)), an_agent(2, skills=("server",))], {}, **WANTED) is None


def test_little_time_left_weighs_more() -> None:
    assert effort("low", slack="none") > effort("low", slack="half_day") > effort("low", slack="more")


def work_of(agents: list[Candidate], given_work: list[tuple[int, int]]) -> list[OpenWork]:
    return [
        OpenWork(
            ticket_id=UUID(int=1000 + number),
            ref=f"HLO-{number}",
            agent_id=agents[owner % len(agents)].id,
            efforts=efforts,
            job_type="network",
            level="L1",
            queue="desk",
        )
        for number, (owner, efforts) in enumerate(given_work)
    ]


@given(lists(tuples(integers(0, 3), integers(1, 11)), max_size=30))
def test_rebalancing_never_raises_the_worst_load_and_moves_each_ticket_once(given_work: list[tuple[int, int]]) -> None:
    agents = [an_agent(number, weekly_minutes=minutes) for number, minutes in enumerate((2400, 2400, 1200, 600))]
    work = work_of(agents, given_work)
    efforts = {one.id: sum(w.efforts for w in work if w.agent_id == one.id) for one in agents}
    worst = max(one.load_percent(efforts[one.id]) for one in agents)

    moves = rebalance(agents, work)

    for move in moves:
        efforts[move.giver.id] -= move.work.efforts
        efforts[move.taker.id] += move.work.efforts
    assert max(one.load_percent(efforts[one.id]) for one in agents) <= worst
    assert len({move.work.ticket_id for move in moves}) == len(moves)
