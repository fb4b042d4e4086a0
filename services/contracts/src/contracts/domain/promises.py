"""The SLA terms of a version as the rules that the kernel chooses from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msp_kernel.targets import Flags, Rule, ties


class AmbiguousTargets(Exception):
    """Two SLA targets of one metric are equally specific: nobody could say which one holds."""


def rules_of(targets: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Return stored targets as rules."""
    return tuple(
        Rule(
            rule_id=one["rule_id"],
            metric=one["metric"],
            priority=one["priority"],
            level=one["level"],
            job_type=one["job_type"],
            budget_minutes=one["budget_minutes"],
            flags=Flags(one["after_hours"], one["weekends"], one["holidays"]),
        )
        for one in targets
    )


def refuse_ambiguous_targets(targets: Sequence[Mapping[str, Any]]) -> None:
    """Let unambiguous targets through.

    Raises:
        AmbiguousTargets: names every pair of one metric that fixes equally many keys and can match one ticket.
    """
    if found := ties(rules_of(targets)):
        pairs = "; ".join(f"{one.rule_id} and {other.rule_id} for {one.metric}" for one, other in found)
        raise AmbiguousTargets(f"equally specific: {pairs}")
