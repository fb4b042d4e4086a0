"""A contract and its effective-dated versions: what is in scope, how work is counted, what keeps a draft a draft."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from contracts.domain.allocation import Policy
from contracts.domain.rollover import Rollover
from contracts.domain.rounding import Rounding
from msp_kernel.business_time import Calendar

Kind = Literal["bucket", "time_and_materials", "retainer"]
Status = Literal["draft", "active", "ended"]

FROZEN_AT_ACTIVATION = ("kind", "currency", "rate_card_id")
LOTTED_KINDS: tuple[Kind, ...] = ("bucket", "retainer")


class ContractNotReady(Exception):
    """A draft cannot be activated: the message lists everything that is missing."""


class ContractNotDraft(Exception):
    """Only a draft can be activated."""


class ContractNotActive(Exception):
    """Only an active contract can be amended, topped up or ended."""


class AmbiguousTargets(Exception):
    """Two SLA targets of one metric are equally specific: nobody could say which one holds."""


class AmbiguousRates(Exception):
    """Two rates are equally specific: nobody could say which one is charged."""


class AmendmentTooEarly(Exception):
    """A version would take effect before the contract, before its predecessor, or in a closed period."""


class ContractEndsTooEarly(Exception):
    """A contract cannot end before it started, or before work that is already on it."""


@dataclass(frozen=True, slots=True)
class Weight:
    """Bucket minutes per billed minute, in percent. ``None`` matches anything."""

    percent: int
    level: str | None = None
    job_type: str | None = None
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """Price of an hour in minor units. ``None`` matches anything; the most specific rate wins."""

    rule_id: str
    rate_minor: int
    job_type: str | None = None
    level: str | None = None
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of a contract, as far as hours are concerned."""

    version: int
    effective_at: datetime
    job_types: frozenset[str]
    levels: frozenset[str]
    calendar: Calendar
    rounding: Rounding = Rounding()  # noqa: RUF009 - a frozen value
    weights: tuple[Weight, ...] = ()
    policy: Policy = "overage"
    non_billable_job_types: frozenset[str] = frozenset()
    rate_card_version: int = 1
    rates: tuple[Rate, ...] = ()
    overage_rates: tuple[Rate, ...] = ()
    multiplier_applies_to_overage: bool = False
    rollover: Rollover | None = None
    bucket_thresholds_percent: tuple[int, ...] = (75, 90, 100)
    """Where the use of a lot, holds included, is said."""


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract with all its versions, oldest first."""

    id: UUID
    client_id: UUID
    ref: str
    kind: Kind
    status: Status
    currency: str
    starts_at: datetime
    ends_at: datetime | None
    versions: tuple[Terms, ...]

    def terms_at(self, worked_from: datetime) -> Terms:
        """Return the version in force at an instant; the first one for instants before it."""
        for terms in reversed(self.versions):
            if terms.effective_at <= worked_from:
                return terms
        return self.versions[0]


def missing_for_activation(terms: Mapping[str, Any], *, kind: Kind, lot_count: int) -> list[str]:
    """Return everything that keeps a draft from being activated, in the words of the person who must add it."""
    missing = []
    if not terms["job_types"]:
        missing.append("at least one job type in scope")
    if not terms["levels"]:
        missing.append("at least one support level in scope")
    if not terms["targets"]:
        missing.append("at least one SLA target (a target without a budget says 'no target')")
    if kind == "bucket" and lot_count == 0:
        missing.append("a bucket with minutes")
    if kind == "retainer" and not terms["grant_minutes"]:
        missing.append("the minutes of the monthly retainer")
    rates = terms["overage_rates"] or terms["rates"]
    billable = [one for one in terms["job_types"] if one not in terms["non_billable_job_types"]]
    for job_type in billable:
        for level in terms["levels"]:
            if _is_priced(rates, job_type=job_type, level=level):
                continue
            missing.append(f"a rate for {job_type} at {level}")
    return missing


def refuse_ambiguous_targets(targets: Sequence[Mapping[str, Any]]) -> None:
    """Let unambiguous targets through.

    Raises:
        AmbiguousTargets: two targets of one metric fix equally many keys and can both match one ticket.
    """
    keys = ("priority", "level", "job_type")
    for n, one in enumerate(targets):
        for other in targets[:n]:
            if one["metric"] == other["metric"] and _collide(one, other, keys):
                message = f"{other['rule_id']} and {one['rule_id']} are equally specific for {one['metric']}"
                raise AmbiguousTargets(message)


def refuse_ambiguous_rates(rates: Sequence[Mapping[str, Any]]) -> None:
    """Let unambiguous rates through.

    Raises:
        AmbiguousRates: two rates fix equally many keys and can both match one span.
    """
    keys = ("job_type", "level", "condition")
    for n, one in enumerate(rates):
        for other in rates[:n]:
            if _collide(one, other, keys):
                message = f"{other['rule_id']} and {one['rule_id']} are equally specific"
                raise AmbiguousRates(message)


def most_specific(rates: Sequence[Rate], *, job_type: str, level: str, condition: str) -> Rate | None:
    """Return the rate that fixes most keys among those that match, ``None`` when no rate matches."""
    matching = [
        rate
        for rate in rates
        if rate.job_type in (None, job_type) and rate.level in (None, level) and rate.condition in (None, condition)
    ]
    return max(matching, key=_specificity, default=None)


def duplicates(words: Collection[str]) -> list[str]:
    """Return the words that occur more than once."""
    return [word for word, count in Counter(words).items() if count > 1]


def _specificity(rate: Rate) -> int:
    return sum(key is not None for key in (rate.job_type, rate.level, rate.condition))


def _collide(one: Mapping[str, Any], other: Mapping[str, Any], keys: Sequence[str]) -> bool:
    fixed = [sum(rule[key] is not None for key in keys) for rule in (one, other)]
    return fixed[0] == fixed[1] and all(None in (one[key], other[key]) or one[key] == other[key] for key in keys)


def _is_priced(rates: Sequence[Mapping[str, Any]], *, job_type: str, level: str) -> bool:
    """Return whether work is priced in every rate condition."""
    matching = [one for one in rates if one["job_type"] in (None, job_type) and one["level"] in (None, level)]
    conditions = {one["condition"] for one in matching}
    return None in conditions or conditions >= {"regular", "after_hours", "weekend", "holiday"}
