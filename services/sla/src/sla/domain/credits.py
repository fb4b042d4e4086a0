"""Credits for broken promises: what the rules of a contract give for the clocks that count in a month.

A credit is named by contract, rule and breach or month, so deriving a month again derives the same credits. What was
given is kept as it is; only what is new is cut to what the cap of its rule has left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID, uuid5

from sla.domain.targets import CreditRule

RulesOf = Callable[[int], Sequence[CreditRule]]
"""Returns the credit rules of a contract version."""
WHOLE = 10_000
"""All of it, in basis points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A clock as it counts in a month; without ``breached_at`` its promise was kept."""

    clock_id: UUID
    ticket_id: UUID
    ticket_ref: str
    contract_version: int
    metric: str
    priority: str
    budget_minutes: int
    breached_at: datetime | None = None
    breach_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """What a rule gives, in its unit, for a breach (``clock_id``) or for a month, and the broken promises behind it."""

    id: UUID
    rule: CreditRule
    contract_version: int
    clock_id: UUID | None = None
    value: int
    is_capped: bool
    met_count: int
    missed_count: int
    evidence: tuple[Counted, ...]


def credit_id(contract_id: UUID, *, rule_id: str, of: UUID | date) -> UUID:
    """Return the id of a credit: of a clock's breach, or of the month that begins on a day."""
    return uuid5(contract_id, f"credit:{rule_id}:{of}")


def next_month(on: date) -> date:
    """Return the first day of the month after that of a day."""
    return date(on.year + on.month // 12, on.month % 12 + 1, 1)


def earned(
    contract_id: UUID,
    starts_on: date,
    counted: Iterable[Counted],
    *,
    rules_of: RulesOf,
    version_at_end: int,
    given: Mapping[UUID, int],
) -> list[Credit]:
    """Return the credits of a month: each breach by the rules of its own contract version, the month by those at its end.

    ``given`` are the values of the credits that were given for this month before, by id.
    """
    clocks = list(counted)
    breaches = sorted(
        (one for one in clocks if one.breached_at is not None), key=lambda one: (one.breached_at, one.clock_id)
    )
    found = [
        _credit(contract_id, rule, breach.contract_version, breach.clock_id, 0, [breach])
        for breach in breaches
        for rule in rules_of(breach.contract_version)
        if rule.kind == "per_breach" and rule.speaks_of(metric=breach.metric, priority=breach.priority)
    ]
    for rule in rules_of(version_at_end):
        if rule.kind != "monthly_compliance":
            continue
        spoken_of = [one for one in clocks if rule.speaks_of(metric=one.metric, priority=one.priority)]
        missed = [one for one in breaches if rule.speaks_of(metric=one.metric, priority=one.priority)]
        assert rule.below_basis_points is not None, "contracts refuse a monthly rule without its compliance"
        met_count = len(spoken_of) - len(missed)
        # Without any promise there is no compliance, and nothing to make good.
        if met_count * WHOLE < rule.below_basis_points * len(spoken_of):
            found.append(_credit(contract_id, rule, version_at_end, starts_on, met_count, missed))
    return _capped(found, given)


def _credit(
    contract_id: UUID, rule: CreditRule, version: int, of: UUID | date, met_count: int, evidence: Sequence[Counted]
) -> Credit:
    return Credit(
        id=credit_id(contract_id, rule_id=rule.rule_id, of=of),
        rule=rule,
        contract_version=version,
        clock_id=of if isinstance(of, UUID) else None,
        value=rule.value,
        is_capped=False,
        met_count=met_count,
        missed_count=len(evidence),
        evidence=tuple(evidence),
    )


def _capped(found: Sequence[Credit], given: Mapping[UUID, int]) -> list[Credit]:
    used: Counter[str] = Counter()
    for credit in found:
        used[credit.rule.rule_id] += given.get(credit.id, 0)
    capped = []
    for credit in found:
        value = given.get(credit.id)
        if value is None:
            value, cap = credit.rule.value, credit.rule.cap
            if cap is not None:
                value = max(min(value, cap - used[credit.rule.rule_id]), 0)
            used[credit.rule.rule_id] += value
        capped.append(replace(credit, value=value, is_capped=value < credit.rule.value))
    return capped
