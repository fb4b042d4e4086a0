"""Dependencies without circles, progress by estimate, burn against the budget."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists, sampled_from, tuples

from tickets.domain.project import TASK_STATUSES, DependencyCycle, Task, TaskBlocked, burn, check_may_be, check_no_cycle


def a_task(number: int, status: Any, *, estimate: int | None = None, worked: int = 0) -> Task:
    return Task(id=UUID(int=number), status=status, estimate_minutes=estimate, worked_minutes=worked)


@given(lists(tuples(integers(0, 7), integers(0, 7)), max_size=40))
def test_what_is_accepted_can_be_done_in_some_order(pairs: list[tuple[int, int]]) -> None:
    needs: dict[UUID, set[UUID]] = {}
    for task, other in pairs:
        try:
            check_no_cycle(needs, task_id=UUID(int=task), needs_id=UUID(int=other), names={})
        except DependencyCycle:
            continue
        needs.setdefault(UUID(int=task), set()).add(UUID(int=other))

    done: set[UUID] = set()
    waiting = {UUID(int=number) for number in range(8)}
    while ready := {one for one in waiting if needs.get(one, set()) <= done}:
        done |= ready
        waiting -= ready
    assert waiting == set()


def test_a_circle_is_told_with_its_way() -> None:
    a, b, c = (UUID(int=number) for number in range(3))

    with pytest.raises(DependencyCycle, match="Rack needs Cables needs Switch needs Rack"):
        check_no_cycle({b: {c}, c: {a}}, task_id=a, needs_id=b, names={a: "Rack", b: "Cables", c: "Switch"})


def test_a_task_is_done_after_what_it_needs() -> None:
    check_may_be("doing", open_needs=["Cables"])
    with pytest.raises(TaskBlocked, match="still needs Cables"):
        check_may_be("done", open_needs=["Cables"])


def test_progress_weighs_by_estimate_and_the_pace_tells_the_end() -> None:
    stands = burn(
        [
            a_task(1, "done", estimate=60, worked=120),
            a_task(2, "todo", estimate=180),
            a_task(3, "cancelled", estimate=600, worked=15),
        ],
        budget_minutes=300,
    )

    assert (stands.progress_percent, stands.worked_minutes, stands.burnt_percent) == (25, 135, 45)
    assert (stands.expected_minutes, stands.is_over_budget) == (480, False)


def test_nothing_planned_is_no_progress_rather_than_all_of_it() -> None:
    assert burn([], budget_minutes=None).progress_percent is None


@given(lists(tuples(sampled_from(TASK_STATUSES), integers(1, 500), integers(0, 500)), max_size=12))
def test_progress_is_a_hundred_exactly_when_all_is_done(tasks: list[tuple[str, int, int]]) -> None:
    listed = [a_task(number, *one[:1], estimate=one[1], worked=one[2]) for number, one in enumerate(tasks)]
    counted = [one for one in listed if one.status != "cancelled"]

    progress = burn(listed, budget_minutes=None).progress_percent

    assert (progress == 100) == (bool(counted) and all(one.status == "done" for one in counted))
