"""A contract and its effective-dated versions: what is in scope, how work is counted, what keeps a draft a draft."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from contracts.domain.allocation import Policy
from contracts.domain.rollover import Rollover
from contracts.domain.rounding import Rounding
from msp_kernel.business_time import Calendar
from msp_kernel.targets import Rule

Kind = Literal["bucket", "time_and_materials", "retainer"]
Status = Literal["draft", "active", "ended"]

FROZEN_AT_ACTIVATION = ("kind", "currency", "rate_card_id")
PRIORITY = 100
"""Of a contract among those of its client, when nothing else was said; smaller is asked first."""


class ContractNotReady(Exception):
    """A draft cannot be activated: the message lists everything that is missing or wrong, with the rule's name."""


class TermsRefused(Exception):
    """A version would break rules of the linter: the message lists all of them."""


class TermsFrozen(Exception):
    """Type, currency and rate card of a contract do not change once it is active."""


class ContractNotDraft(Exception):
    """Only a draft can be activated."""


class ContractNotActive(Exception):
    """Only an active contract can be amended, topped up or ended."""


class AmbiguousRates(Exception):
    """Two rates are equally specific: nobody could say which one is charged."""


class AmendmentTooEarly(Exception):
    """A version would take effect before the contract, or in a closed period."""


class VersionsOverlap(Exception):
    """Two versions of a contract would be in force on the same day; the message names the days."""


class VersionsLeaveGap(Exception):
    """No version of a contract would be in force on some of its days; the message names the days."""


class AmendedMeanwhile(Exception):
    """The change was decided on terms that are not the newest any more."""


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
    targets: tuple[Rule, ...] = ()


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
    priority: int = PRIORITY

    @property
    def heaviest_percent(self) -> int:
        """Return the largest weight of all versions, at least 100."""
        return max([100, *(weight.percent for terms in self.versions for weight in terms.weights)])

    @property
    def refuses_beyond_bucket(self) -> bool:
        """Return whether work that the bucket cannot pay for may be refused as a whole."""
        return any(terms.policy == "reject" for terms in self.versions)

    def terms_at(self, worked_from: datetime) -> Terms:
        """Return the version in force at an instant; the first one for instants before it."""
        for terms in reversed(self.versions):
            if terms.effective_at <= worked_from:
                return terms
        return self.versions[0]


def refuse_overlap_and_gap(
    starts: Sequence[date], *, effective_from: date, effective_to: date | None, ends_on: date | None
) -> None:
    """Let a new version through that begins on or after the newest one and leaves no day without terms.

    ``starts`` are the first days of the versions there are, ``effective_to`` and ``ends_on`` exclusive. A version of
    the same day as the newest one takes its place.

    Raises:
        AmendmentTooEarly: it would begin before the contract does.
        VersionsOverlap: it would begin before the newest one.
        VersionsLeaveGap: it would end before the contract does, or begin when that is over.
    """
    newest = max(starts)
    if effective_from < min(starts):
        raise AmendmentTooEarly(f"the contract starts on {min(starts)}, the change on {effective_from}")
    if effective_from < newest:
        raise VersionsOverlap(
            f"from {newest} on version {len(starts)} is in force; a change from {effective_from} on would overlap it:"
            f" choose {newest} or later"
        )
    if ends_on is not None and effective_from >= ends_on:
        raise VersionsLeaveGap(f"the contract ends on {ends_on}; a change from {effective_from} on is never in force")
    if effective_to is not None and (ends_on is None or effective_to < ends_on):
        end = "runs on" if ends_on is None else f"goes on until {ends_on}"
        raise VersionsLeaveGap(
            f"the version would end on {effective_to}, the contract {end}: from {effective_to} on nothing"
            " would hold; leave the end out, and let the next version begin there"
        )


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
