"""Where a ticket goes: ordered rules, and a fallback that always exists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from uuid import UUID

from tickets.domain.ticket import LEVELS, PRIORITIES

FALLBACK_QUEUE = "service-desk"


class RuleNeverMatches(Exception):
    """A rule is asked after others that leave nothing to it, or asks for a job type that does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a rule looks at. ``text`` is the title and the description."""

    job_type: str
    level: str
    priority: str
    client_id: UUID | None = None
    text: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRule:
    """Sends what matches to a queue. An empty tuple matches anything; lower positions are asked first.

    Of several words or tags one is enough; words are parts of the text, in any case.
    """

    id: str
    position: int
    queue: str
    job_types: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    client_ids: tuple[UUID, ...] = ()
    words: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def matches(self, request: Request) -> bool:
        """Return whether the rule speaks of such a ticket."""
        text = request.text.casefold() if self.words else ""
        return (
            (not self.job_types or request.job_type in self.job_types)
            and (not self.levels or request.level in self.levels)
            and (not self.priorities or request.priority in self.priorities)
            and (not self.client_ids or request.client_id in self.client_ids)
            and (not self.words or any(word.casefold() in text for word in self.words))
            and (not self.tags or not set(self.tags).isdisjoint(request.tags))
        )

    def covers(self, other: RoutingRule, *, level: str, priority: str) -> bool:
        """Return whether everything ``other`` matches at a level and priority is matched by this rule, too."""
        return (
            (not self.levels or level in self.levels)
            and (not self.priorities or priority in self.priorities)
            and _is_within(other.job_types, self.job_types)
            and _is_within(other.client_ids, self.client_ids)
            and _is_within(other.tags, self.tags)
            and (
                not self.words
                or (
                    bool(other.words)
                    and all(any(mine.casefold() in its.casefold() for mine in self.words) for its in other.words)
                )
            )
        )

    def reason(self) -> str:
        """Return the rule in words."""
        parts = [", ".join(part) for part in (self.job_types, self.levels, self.priorities) if part]
        if self.client_ids:
            parts.append(f"{len(self.client_ids)} clients" if len(self.client_ids) > 1 else "one client")
        parts += [f"{kind} {' or '.join(part)}" for kind, part in (("text", self.words), ("tag", self.tags)) if part]
        return f"rule {self.position}: {' and '.join(parts) or 'everything'}"


@dataclass(frozen=True, slots=True)
class Route:
    """A queue, with the rule that chose it (``None``: the fallback) and why."""

    queue: str
    rule_id: str | None
    reason: str


def route(rules: Sequence[RoutingRule], request: Request) -> Route:
    """Return where a ticket goes: the first rule by position that matches."""
    for rule in in_order(rules):
        if rule.matches(request):
            return Route(queue=rule.queue, rule_id=rule.id, reason=rule.reason())
    return Route(queue=FALLBACK_QUEUE, rule_id=None, reason="no rule matched: the fallback queue")


def in_order(rules: Iterable[RoutingRule]) -> list[RoutingRule]:
    """Return rules in the order in which they are asked."""
    return sorted(rules, key=lambda one: (one.position, one.id))


def check(rule: RoutingRule, others: Iterable[RoutingRule], *, job_types: Iterable[str]) -> tuple[str, ...]:
    """Check that a rule can match among others; return a warning for each rule that it leaves nothing to.

    Raises:
        RuleNeverMatches: the rules before it take all it asks for, or it asks for a job type nobody knows.
    """
    unknown = sorted(set(rule.job_types) - set(job_types))
    if unknown:
        raise RuleNeverMatches(f"there is no job type {', '.join(unknown)}; there are {', '.join(sorted(job_types))}")
    rest = [one for one in others if one.id != rule.id]
    shadows = shadowing(rule, rest)
    if shadows:
        refs = ", ".join(f"{one.position} ({one.queue})" for one in shadows)
        raise RuleNeverMatches(f"all it asks for is taken by the rules before it: {refs}")
    everything = [*rest, rule]
    return tuple(
        f"rule {one.position} ({one.queue}) can never match any more"
        for one in in_order(rest)
        if shadowing(one, everything) and not shadowing(one, rest)
    )


def shadowing(rule: RoutingRule, others: Iterable[RoutingRule]) -> tuple[RoutingRule, ...]:
    """Return the earlier rules that together take everything ``rule`` asks for; empty when something is left."""
    earlier = [one for one in in_order(others) if (one.position, one.id) < (rule.position, rule.id)]
    taking: dict[str, RoutingRule] = {}
    for level, priority in product(rule.levels or LEVELS, rule.priorities or PRIORITIES):
        first = next((one for one in earlier if one.covers(rule, level=level, priority=priority)), None)
        if first is None:
            return ()
        taking[first.id] = first
    return tuple(in_order(taking.values()))


def _is_within(inner: Sequence[object], outer: Sequence[object]) -> bool:
    """Return whether one condition asks for no more than another; an empty one asks for anything."""
    return not outer or (bool(inner) and set(inner) <= set(outer))
