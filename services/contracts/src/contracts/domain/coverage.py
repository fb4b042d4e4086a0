"""The one resolver of coverage: is this work in scope, how is it counted, and which rules say so.

Used before the work starts (preview), when time is logged, and when it is approved: one function, one answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Literal

from contracts.domain.allocation import Condition, Demand, Level, Route, Split
from contracts.domain.contract import Contract, Terms, Weight
from contracts.domain.rounding import shares

Answer = Literal["covered", "overage", "not_covered", "needs_approval"]
SECONDS = 60
LATEST = datetime(2199, 1, 1, tzinfo=UTC)
"""Calendars cannot answer for later work."""


class AmbiguousContract(Exception):
    """Several contracts of the client cover this work, and none of them goes first; name one, or give one priority."""


@dataclass(frozen=True, slots=True)
class Work:
    """Work that was done, or that somebody thinks of doing."""

    job_type: str
    level: Level
    worked_from: datetime
    worked_minutes: int


@dataclass(frozen=True, slots=True)
class Check:
    """One rule that was looked at. ``rule`` is a slug."""

    rule: str
    is_passed: bool
    text: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """The answer before anything has paid: in scope with its demands, or refused with the first broken rule."""

    terms: Terms
    checks: tuple[Check, ...]
    demands: tuple[Demand, ...]

    @property
    def refusal(self) -> Check | None:
        """Return the first rule that was broken."""
        return next((check for check in self.checks if not check.is_passed), None)

    @property
    def billed_minutes(self) -> int:
        """Return the minutes after rounding."""
        return sum(demand.billed_minutes for demand in self.demands)


def resolve(contract: Contract, work: Work, *, billed_minutes: int | None = None) -> Coverage:
    """Check the scope of work and cut it into spans with their condition, weight and route.

    ``billed_minutes`` overrides the rounding of the entry alone (rounding per ticket and day).
    """
    terms = contract.terms_at(work.worked_from)
    checks = _checks(contract, terms, work)
    if not all(check.is_passed for check in checks):
        return Coverage(terms, checks, ())
    return Coverage(terms, checks, _demands(contract, terms, work, billed_minutes))


def choose_contract(contracts: Sequence[Contract], work: Work) -> Contract:
    """Return the contract of a client that takes some work: the covering one with the smallest priority.

    When none covers it, the one that goes first says why; there is at least one.

    Raises:
        AmbiguousContract: names the contracts that would go first together.
    """
    covering = [one for one in contracts if resolve(one, work).refusal is None]
    ranked = sorted(covering or contracts, key=lambda one: (one.priority, one.ref))
    first = [one for one in ranked if one.priority == ranked[0].priority] if covering else ranked[:1]
    if len(first) > 1:
        names = " and ".join(one.ref for one in first)
        raise AmbiguousContract(
            f"{names} cover {work.job_type} at {work.level} with priority {first[0].priority}: name one of them, or give"
            " one a smaller priority"
        )
    return first[0]


def answer(coverage: Coverage, split: Split | None) -> Answer:
    """Return the short answer, once it is known what the bucket pays (``None``: the scope was refused)."""
    if coverage.refusal is not None or split is None or split.is_refused:
        return "not_covered"
    if split.overage_minutes == 0:
        return "covered"
    return "needs_approval" if coverage.terms.policy == "needs_approval" else "overage"


def weight(terms: Terms, *, job_type: str, level: str, condition: str) -> tuple[int, str | None]:
    """Return the largest weight that matches, in percent, and its rule; 100 when none does. Weights never multiply."""
    matching = [
        (one.percent, _weight_rule(one))
        for one in terms.weights
        if one.level in (None, level) and one.job_type in (None, job_type) and one.condition in (None, condition)
    ]
    return max(matching, default=(100, None), key=itemgetter(0))


def _weight_rule(one: Weight) -> str:
    keys = [key for key in (one.level, one.job_type, one.condition) if key is not None]
    return f"weight.{'.'.join(keys) or 'any'}.{one.percent}"


def _checks(contract: Contract, terms: Terms, work: Work) -> tuple[Check, ...]:
    is_active = contract.status != "draft"
    is_in_time = contract.starts_at <= work.worked_from < (contract.ends_at or LATEST)
    return (
        Check(
            "contract-active",
            is_active,
            f"{contract.ref} is {contract.status}" if is_active else f"{contract.ref} is a draft, not active",
        ),
        Check(
            "worked-within-contract",
            is_in_time,
            "worked while the contract ran" if is_in_time else _term_of(contract),
        ),
        _in_scope("job-type-outside-contract", work.job_type, terms.job_types, contract.ref),
        _in_scope("level-outside-contract", work.level, terms.levels, contract.ref),
    )


def _term_of(contract: Contract) -> str:
    end = "runs on" if contract.ends_at is None else f"ends {contract.ends_at:%Y-%m-%d}"
    return f"{contract.ref} starts {contract.starts_at:%Y-%m-%d} and {end}: the work lies outside"


def _in_scope(rule: str, word: str, allowed: frozenset[str], ref: str) -> Check:
    is_passed = word in allowed
    listed = ", ".join(sorted(allowed))
    return Check(rule, is_passed, f"{word} is in scope" if is_passed else f"{ref} covers {listed}, not {word}")


def _demands(contract: Contract, terms: Terms, work: Work, billed_minutes: int | None) -> tuple[Demand, ...]:
    is_excluded = work.job_type in terms.non_billable_job_types
    spans = _spans(terms, work)
    if is_excluded:
        billed = [0] * len(spans)
    else:
        total = terms.rounding.billed_minutes(work.worked_minutes) if billed_minutes is None else billed_minutes
        billed = [total] if len(spans) == 1 else shares(total, weights=[worked for _, _, worked in spans])
    route: Route = (
        "excluded" if is_excluded else "time_and_materials" if contract.kind == "time_and_materials" else "bucket"
    )
    head = f"contract.{contract.ref}.v{terms.version}"
    demands = []
    for (condition, starts_at, worked), minutes in zip(spans, billed, strict=True):
        percent, rule = weight(terms, job_type=work.job_type, level=work.level, condition=condition)
        rules = [head, f"route.{route}"]
        if minutes != worked and not is_excluded:
            rounding = terms.rounding
            rules.append(
                f"rounding.{rounding.direction}.{rounding.minimum_minutes}.{rounding.increment_minutes}.{rounding.level}"
            )
        if rule is not None:
            rules.append(rule)
        demands.append(Demand(condition, starts_at, worked, minutes, percent, route, tuple(rules)))
    return tuple(demands)


def _spans(terms: Terms, work: Work) -> Sequence[tuple[Condition, datetime, int]]:
    """Cut work at the calendar's edges into (condition, start, whole minutes); the minutes add up to the work."""
    ends_at = work.worked_from + timedelta(minutes=work.worked_minutes)
    pieces = terms.calendar.split_by_condition(work.worked_from, ends_at)
    if len(pieces) == 1:
        return [(pieces[0][1], work.worked_from, work.worked_minutes)]
    spans: list[tuple[Condition, datetime, int]] = []
    minutes_before = 0
    for piece, condition in pieces:
        # Edges are rounded to the minute counted from the start, so that no second is lost between two spans.
        elapsed_seconds = round((piece.ends_at - work.worked_from).total_seconds())
        minutes_after = (elapsed_seconds + SECONDS // 2) // SECONDS
        if minutes_after > minutes_before:
            spans.append((condition, piece.starts_at, minutes_after - minutes_before))
        minutes_before = minutes_after
    return spans
