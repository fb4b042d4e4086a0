"""Where a ticket goes: ordered rules, and a fallback that always exists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FALLBACK_QUEUE = "service-desk"


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """Sends what matches to a queue. An empty tuple matches anything; lower positions are asked first."""

    id: str
    position: int
    job_types: tuple[str, ...]
    levels: tuple[str, ...]
    priorities: tuple[str, ...]
    queue: str

    def matches(self, *, job_type: str, level: str, priority: str) -> bool:
        """Return whether the rule speaks of such a ticket."""
        return (
            (not self.job_types or job_type in self.job_types)
            and (not self.levels or level in self.levels)
            and (not self.priorities or priority in self.priorities)
        )

    def reason(self) -> str:
        """Return the rule in words."""
        parts = [", ".join(part) for part in (self.job_types, self.levels, self.priorities) if part]
        return f"rule {self.position}: {' and '.join(parts) or 'everything'}"


@dataclass(frozen=True, slots=True)
class Route:
    """A queue, with the rule that chose it (``None``: the fallback) and why."""

    queue: str
    rule_id: str | None
    reason: str


def route(rules: Sequence[RoutingRule], *, job_type: str, level: str, priority: str) -> Route:
    """Return where a ticket goes: the first rule by position that matches."""
    for rule in sorted(rules, key=lambda one: (one.position, one.id)):
        if rule.matches(job_type=job_type, level=level, priority=priority):
            return Route(queue=rule.queue, rule_id=rule.id, reason=rule.reason())
    return Route(queue=FALLBACK_QUEUE, rule_id=None, reason="no rule matched: the fallback queue")
