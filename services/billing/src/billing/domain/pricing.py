"""What stamped work costs. The contracts service decided what is overage or time and materials; this only prices it.

Source: DOMAIN "Billing": price of a span = rate card version x job type x level x rate condition, the most specific rule
wins; overage by the overage rates when the contract has some, else by the same rates; no price is an error that lists
what is missing, never zero; half up once per line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from billing.domain.words import Words, words
from msp_kernel.money import Money, half_up, price_of_minutes

LineKind = Literal["overage", "time_and_materials", "fixed", "discount", "minimum", "credit"]
Section = Literal["support", "project"]


class PricesMissing(Exception):
    """Work cannot be priced: the rate card has no price for it."""

    def __init__(self, missing: Sequence[tuple[str, str, str]]) -> None:
        listed = "; ".join(f"{job_type}, {level}, {condition}" for job_type, level, condition in missing)
        super().__init__(f"the rate card has no price for: {listed}")
        self.missing = tuple(missing)


class RateNotPossible(Exception):
    """A price below zero, or a tax rate outside 0 to 100 %, is nothing an invoice can say."""


class MixedCurrencies(Exception):
    """An invoice has one currency; what is priced in another goes on an invoice of its own."""


class SameSpecificity(Exception):
    """Two rates fit equally well; the rate card has to say which one counts."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Price of an hour in minor units; ``None`` in a key matches anything."""

    rule_id: str
    job_type: str | None
    level: str | None
    condition: str | None
    rate_minor: int

    def matches(self, *, job_type: str, level: str, condition: str) -> bool:
        """Return whether the rate speaks of such work."""
        return self.job_type in (None, job_type) and self.level in (None, level) and self.condition in (None, condition)

    @property
    def specificity(self) -> int:
        """Return how many keys are named."""
        return sum(key is not None for key in (self.job_type, self.level, self.condition))


@dataclass(frozen=True, slots=True)
class FixedItem:
    """A recurring or one-off item of a contract. ``starts_on`` is the first day it is due."""

    item_id: str
    text: str
    quantity: int
    unit_minor: int
    frequency: Literal["once", "monthly"]
    starts_on: date


@dataclass(frozen=True, slots=True)
class Terms:
    """The part of a contract version that prices work."""

    contract_id: UUID
    ref: str
    name: str
    kind: str
    currency: str
    starts_on: date
    ends_on: date | None
    rates: tuple[Rate, ...]
    overage_rates: tuple[Rate, ...]
    multiplier_applies_to_overage: bool
    fixed_items: tuple[FixedItem, ...]
    tax_category: str
    tax_rate_basis_points: int
    payment_days: int
    purchase_order: str | None
    effective_from: date | None = None
    """First day of this version; ``None`` is from the start."""
    bills_unapproved: str = "blocked"


@dataclass(frozen=True, slots=True)
class WorkSpan:
    """A stamped part of a time entry, in billed minutes."""

    condition: str
    overage_minutes: int
    time_and_materials_minutes: int
    weight_percent: int


@dataclass(frozen=True, slots=True)
class Work:
    """A posted time entry with its stamp."""

    time_entry_id: UUID
    contract_id: UUID
    contract_version: int
    worked_from: datetime
    worked_minutes: int
    billed_minutes: int
    bucket_minutes: int
    job_type: str
    level: str
    agent_name: str
    note: str
    is_late: bool
    spans: tuple[WorkSpan, ...]
    section: Section = "support"
    """Whether it was done on a ticket or on a task of a project."""
    excluded_minutes: int = 0
    rule_ids: tuple[str, ...] = ()


@dataclass(slots=True)
class PricedLine:
    """A line of an invoice: work of one kind at one rate, or a fixed item."""

    kind: LineKind
    contract_id: UUID
    text: str
    unit: Money
    tax_category: str
    tax_rate_basis_points: int
    rule_id: str
    quantity: int = 1
    quantity_minutes: int | None = None
    entries: list[tuple[UUID, int]] = field(default_factory=list)
    """Time entries behind the line, with their billed minutes in it."""
    ref: str = ""
    """Of the contract; lines are grouped by it."""
    clause: dict[str, Any] = field(default_factory=dict)
    """Why the price is what it is: version of the contract, condition, weight, step of the cascade, evidence."""

    @property
    def net(self) -> Money:
        """Return the price of the line, rounded once."""
        if self.quantity_minutes is None:
            return Money(self.unit.minor * self.quantity, self.unit.currency)
        return price_of_minutes(self.quantity_minutes, self.unit)


def rate_for(rates: Sequence[Rate], *, job_type: str, level: str, condition: str) -> Rate | None:
    """Return the most specific rate for some work, ``None`` when there is none.

    Raises:
        SameSpecificity: two different prices fit equally well.
    """
    fitting = [rate for rate in rates if rate.matches(job_type=job_type, level=level, condition=condition)]
    if not fitting:
        return None
    most = max(rate.specificity for rate in fitting)
    best = [rate for rate in fitting if rate.specificity == most]
    if len({rate.rate_minor for rate in best}) > 1:
        raise SameSpecificity(
            f"rates {', '.join(rate.rule_id for rate in best)} fit {job_type}, {level}, {condition} equally"
        )
    return min(best, key=lambda rate: rate.rule_id)


def price_work(
    works: Iterable[Work], terms: Mapping[tuple[UUID, int], Terms], *, language: str = "en"
) -> list[PricedLine]:
    """Return the lines for work beyond buckets and for time and materials, grouped by contract, kind, work and rate.

    The result does not depend on the order of ``works``.

    Raises:
        PricesMissing: with every missing combination, not only the first.
        SameSpecificity: a rate card is ambiguous.
        RateNotPossible: a rate is negative, or a tax rate over 100 %.
    """
    lines: dict[tuple[str, ...], PricedLine] = {}
    missing: set[tuple[str, str, str]] = set()
    say = words(language)
    # A card of rates is asked once for each kind of work, not for each of a million entries.
    prices: dict[tuple[UUID, int, str, str, str, str, int], Price | None] = {}
    for work in sorted(works, key=lambda one: (one.worked_from, one.time_entry_id)):
        for span in work.spans:
            for kind, minutes in (
                ("overage", span.overage_minutes),
                ("time_and_materials", span.time_and_materials_minutes),
            ):
                if not minutes:
                    continue
                asked = (
                    work.contract_id,
                    work.contract_version,
                    kind,
                    work.job_type,
                    work.level,
                    span.condition,
                    span.weight_percent,
                )
                if asked not in prices:
                    prices[asked] = _price(terms[work.contract_id, work.contract_version], asked)
                price = prices[asked]
                if price is None:
                    missing.add((work.job_type, work.level, span.condition))
                    continue
                key = (*price.key, work.section)
                line = lines.get(key)
                if line is None:
                    of = terms[work.contract_id, work.contract_version]
                    line = lines[key] = _line(kind, of, work, span, price, say)
                line.quantity_minutes = (line.quantity_minutes or 0) + minutes
                line.entries.append((work.time_entry_id, minutes))
    if missing:
        raise PricesMissing(sorted(missing))
    return [lines[key] for key in sorted(lines)]


@dataclass(frozen=True, slots=True)
class Price:
    """What an hour of one kind of work costs, and by which step of the cascade."""

    unit: Money
    rule_id: str
    step: Literal["overage_rate", "level_rate", "rate"]
    weight_percent: int
    key: tuple[str, ...]


def _price(of: Terms, asked: tuple[UUID, int, str, str, str, str, int]) -> Price | None:
    """Return the price by the cascade: the contract's rate for overage, else the rate of the level; ``None``: none fits."""
    _, _, kind, job_type, level, condition, weight = asked
    is_overage = kind == "overage"
    step: Literal["overage_rate", "level_rate", "rate"] = "level_rate" if is_overage else "rate"
    rate = None
    if is_overage and of.overage_rates:
        rate = rate_for(of.overage_rates, job_type=job_type, level=level, condition=condition)
        step = "overage_rate" if rate is not None else step
    if rate is None:
        rate = rate_for(of.rates, job_type=job_type, level=level, condition=condition)
    if rate is None:
        return None
    if rate.rate_minor < 0:
        raise RateNotPossible(f"{rate.rule_id} of {of.ref} is {rate.rate_minor}; a rate is zero or more")
    counts = weight if is_overage and of.multiplier_applies_to_overage else 100
    unit = Money(half_up(rate.rate_minor * counts, 100), of.currency)
    return Price(
        unit=unit,
        rule_id=rate.rule_id,
        step=step,
        weight_percent=counts,
        key=(of.ref, kind, job_type, level, condition, rate.rule_id, str(unit.minor), *_tax_of(of)),
    )


def _tax_of(of: Terms) -> tuple[str, str]:
    if not 0 <= of.tax_rate_basis_points <= 10_000:
        raise RateNotPossible(
            f"the tax rate of {of.ref} is {of.tax_rate_basis_points} basis points; 0 to 10000 (100 %) are accepted"
        )
    return of.tax_category, str(of.tax_rate_basis_points)


def _line(kind: str, of: Terms, work: Work, span: WorkSpan, price: Price, say: Words) -> PricedLine:
    return PricedLine(
        kind="overage" if kind == "overage" else "time_and_materials",
        contract_id=of.contract_id,
        text=say.work(
            kind=kind,
            section=work.section,
            job_type=work.job_type,
            level=work.level,
            condition=span.condition,
            ref=of.ref,
        ),
        unit=price.unit,
        tax_category=of.tax_category,
        tax_rate_basis_points=of.tax_rate_basis_points,
        rule_id=price.rule_id,
        quantity_minutes=0,
        ref=of.ref,
        clause={
            "contract_version": work.contract_version,
            "section": work.section,
            "job_type": work.job_type,
            "level": work.level,
            "condition": span.condition,
            "step": price.step,
            "weight_percent": price.weight_percent,
        },
    )
