"""Routing rules: saved when they can match, tried on what came in before they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from msp_kit.database import Transaction
from msp_kit.problems import Conflict, NotFound
from tickets.domain import routing
from tickets.domain.routing import RoutingRule
from tickets.store import organisation as store

DAYS_MAX = 90


@dataclass(frozen=True, slots=True)
class Trial:
    """What rules would have done: tickets by queue and by rule, and the ones that would have gone elsewhere."""

    tickets: int
    by_queue: dict[str, int]
    by_rule: list[tuple[RoutingRule | None, int]]
    moved: int
    examples: list[tuple[str, str, str, str]]
    """Ref, queue it went to, queue it would go to, why."""
    never: list[tuple[RoutingRule, str]]
    """Rules that can never match, with the reason."""


async def save(tx: Transaction, rule: RoutingRule, *, is_new: bool) -> tuple[str, ...]:
    """Save a rule; return a warning for each other rule that it leaves nothing to.

    Raises:
        RuleNeverMatches: the rules before it take all it asks for.
        Conflict: the position is taken, or the queue does not exist.
        NotFound: it is to be changed, and is not there.
    """
    await store.lock_routing_rules(tx)
    others = await store.routing_rules(tx)
    if not is_new and rule.id not in {one.id for one in others}:
        raise NotFound
    warnings = routing.check(rule, others, job_types=await store.job_type_codes(tx))
    if not await store.save_routing_rule(tx, rule):
        raise Conflict(f"position {rule.position} is taken, or there is no queue {rule.queue}")
    return warnings


async def delete(tx: Transaction, *, rule_id: UUID) -> None:
    """Delete a rule.

    Raises:
        NotFound: there is none.
    """
    if not await store.delete_routing_rule(tx, rule_id=rule_id):
        raise NotFound


async def try_out(tx: Transaction, *, rules: Sequence[RoutingRule] | None, days: int) -> Trial:
    """Route the tickets of the last days again, by other rules or (``None``) by those in force; nothing is changed."""
    asked = await store.routing_rules(tx) if rules is None else routing.in_order(rules)
    by_id = {rule.id: rule for rule in asked}
    by_queue: Counter[str] = Counter()
    by_rule: Counter[str | None] = Counter()
    examples: list[tuple[str, str, str, str]] = []
    moved = count = 0
    for ref, went_to, request in await store.raised_since(tx, since=tx.now - timedelta(days=days)):
        route = routing.route(asked, request)
        count += 1
        by_queue[route.queue] += 1
        by_rule[route.rule_id] += 1
        if route.queue != went_to:
            moved += 1
            if len(examples) < 20:
                examples.append((ref, went_to, route.queue, route.reason))
    never = [
        (rule, ", ".join(str(one.position) for one in found))
        for rule in asked
        if (found := routing.shadowing(rule, asked))
    ]
    return Trial(
        tickets=count,
        by_queue=dict(by_queue.most_common()),
        by_rule=[(by_id[one.id], by_rule.get(one.id, 0)) for one in asked] + [(None, by_rule.get(None, 0))],
        moved=moved,
        examples=examples,
        never=never,
    )
