"""Projects: what a task waits for, how far a project is, and what of its budget is burnt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

TaskStatus = Literal["todo", "doing", "waiting", "done", "cancelled"]
ProjectStatus = Literal["planned", "active", "on_hold", "closed"]
TASK_STATUSES: tuple[TaskStatus, ...] = ("todo", "doing", "waiting", "done", "cancelled")
DEFAULT_ESTIMATE_MINUTES = 60
"""What a task without an estimate weighs in a project's progress."""
NAMED_MAX = 3


class DependencyCycle(Exception):
    """A task cannot wait for itself, over whichever others."""


class TaskBlocked(Exception):
    """A task is done after the tasks it needs."""


class ProjectClosed(Exception):
    """Nothing is planned in a closed project; open it again."""


class MilestoneInUse(Exception):
    """Tasks belong to the milestone; say where they go, or that they belong to none."""


class PlanBroken(Exception):
    """A plan names a milestone or a task that is not in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as its rules see it."""

    id: UUID
    status: TaskStatus
    estimate_minutes: int | None = None
    worked_minutes: int = 0

    @property
    def weight(self) -> int:
        """Return what the task weighs in the progress of its project."""
        return 0 if self.status == "cancelled" else self.estimate_minutes or DEFAULT_ESTIMATE_MINUTES


@dataclass(frozen=True, slots=True)
class Burn:
    """Where a project stands. ``None`` where there is no budget, or nothing to tell from."""

    progress_percent: int | None
    worked_minutes: int
    estimate_minutes: int
    budget_minutes: int | None
    burnt_percent: int | None
    expected_minutes: int | None
    """Minutes at the end, if the rest takes as long for its size as what is done."""
    is_over_budget: bool


def check_no_cycle(
    needs: Mapping[UUID, Iterable[UUID]], *, task_id: UUID, needs_id: UUID, names: Mapping[UUID, str]
) -> None:
    """Check that a task may wait for another one.

    Raises:
        DependencyCycle: the other one waits for it already; names the way.
    """
    way = _way(needs, start=needs_id, goal=task_id)
    if way is not None:
        told = " needs ".join(names.get(one, str(one)) for one in (task_id, *way))
        raise DependencyCycle(f"that would be a circle: {told}")


def check_may_be(status: TaskStatus, *, open_needs: Iterable[str]) -> None:
    """Check that a task may take a status.

    Raises:
        TaskBlocked: it would be done before what it needs.
    """
    waiting = sorted(open_needs)
    if status == "done" and waiting:
        raise TaskBlocked(f"it still needs {', '.join(waiting)}")


def check_is_free(name: str, *, tasks: Sequence[str]) -> None:
    """Let a milestone go that no task belongs to.

    Raises:
        MilestoneInUse: some do; names them.
    """
    if tasks:
        named = ", ".join(tasks[:NAMED_MAX]) + (f" and {len(tasks) - NAMED_MAX} more" if len(tasks) > NAMED_MAX else "")
        raise MilestoneInUse(
            f"{len(tasks)} of the tasks belong to {name}: {named}; with tasks_to they go to another milestone, or to none"
        )


def burn(tasks: Iterable[Task], *, budget_minutes: int | None) -> Burn:
    """Return where a project stands: progress weighs tasks by their estimates, a cancelled one not at all."""
    listed = list(tasks)
    total = sum(one.weight for one in listed)
    done = sum(one.weight for one in listed if one.status == "done")
    worked = sum(one.worked_minutes for one in listed)
    done_worked = sum(one.worked_minutes for one in listed if one.status == "done")
    expected = None
    if done:
        rest = sum(
            max(one.weight * done_worked // done, one.worked_minutes)
            for one in listed
            if one.status != "done" and one.weight
        )
        expected = done_worked + rest
    return Burn(
        progress_percent=100 * done // total if total else None,
        worked_minutes=worked,
        estimate_minutes=sum(one.estimate_minutes or 0 for one in listed if one.status != "cancelled"),
        budget_minutes=budget_minutes,
        burnt_percent=None if budget_minutes is None else 100 * worked // budget_minutes,
        expected_minutes=expected,
        is_over_budget=budget_minutes is not None and worked > budget_minutes,
    )


def _way(needs: Mapping[UUID, Iterable[UUID]], *, start: UUID, goal: UUID) -> tuple[UUID, ...] | None:
    """Return the way from one task to another over what each needs, ``None`` when there is none."""
    ways: list[tuple[UUID, ...]] = [(start,)]
    seen = {start}
    while ways:
        way = ways.pop()
        if way[-1] == goal:
            return way
        for following in needs.get(way[-1], ()):
            if following not in seen:
                seen.add(following)
                ways.append((*way, following))
    return None
