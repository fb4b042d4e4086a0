"""Queues, routing rules and agents."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from msp_kit.problems import Conflict
from tickets.domain.assignment import Candidate
from tickets.domain.routing import RoutingRule
from tickets.store import organisation as store


async def add_queue(tx: Transaction, *, key: str, name: str) -> None:
    """Add a queue.

    Raises:
        Conflict: key or name are taken.
    """
    if key == "service-desk":
        return  # the fallback is there from the beginning
    if not await store.add_queue(tx, key=key, name=name):
        raise Conflict(f"a queue with the key {key} or the name {name} is there already")


async def add_routing_rule(
    tx: Transaction,
    *,
    position: int,
    job_types: Sequence[str],
    levels: Sequence[str],
    priorities: Sequence[str],
    queue: str,
) -> RoutingRule:
    """Add a routing rule.

    Raises:
        Conflict: the position is taken, or the queue does not exist.
    """
    rule = RoutingRule(str(new_id()), position, tuple(job_types), tuple(levels), tuple(priorities), queue)
    if not await store.add_routing_rule(tx, rule):
        raise Conflict(f"position {position} is taken, or there is no queue {queue}")
    return rule


async def add_agent(tx: Transaction, agent: Candidate, *, person_id: UUID | None) -> None:
    """Add an agent.

    Raises:
        Conflict: the person is an agent already.
    """
    if not await store.add_agent(tx, agent, person_id=person_id):
        raise Conflict("this person is an agent already")
