"""What is said about projects and tasks: the whole public state after a change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from msp_events.base import Event
from msp_events.tickets import ProjectState, TaskState
from msp_kit.database import Transaction
from tickets.store import projects as store


async def project(tx: Transaction, kind: type[ProjectState], *, project_id: UUID, changed: Iterable[str]) -> Event:
    """Return a project as it stands now, as an event of a kind."""
    state = await store.project_state(tx, project_id=project_id)
    return kind(**state, occurred_at=tx.now, changed=tuple(sorted(changed)), actor=tx.scope.actor)


async def tasks(
    tx: Transaction, kind: type[TaskState], *, task_ids: Sequence[UUID], changed: Iterable[str]
) -> list[Event]:
    """Return tasks as they stand now, as events of a kind."""
    words = tuple(sorted(changed))
    states = await store.task_states(tx, task_ids=task_ids) if task_ids else []
    return [kind(**state, occurred_at=tx.now, changed=words, actor=tx.scope.actor) for state in states]
