"""What stamped work costs. The contracts service decided what is overage or time and materials; this only prices it.

Source: DOMAIN "Billing": price of a span = rate card version x job type x level x rate condition, the most specific rule
wins; overage by the overage rates when the contract has some, else by the same rates; no price is an error that lists
what is missing, never zero; half up once per line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal
from uuid import UUID

from billing.domain.words import Words, words
from billing.domain.work import Ask, Summed, Work
from msp_kernel.money import Money, half_up, price_of_minutes

LineKind = Literal["overage", "time_and_materials", "fixed", "discount", "minimum", "credit"]


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
    asks: list[Ask] = field(default_factory=list)
    """The work behind the line: the minutes of every entry that ask one of these."""
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
    """Return the lines for some entries; they do not depend on the order of ``works``. Raises what ``price_sums`` raises."""
    return price_sums(Summed.of(works).asked, terms, language=language)


def price_sums(
    asked: Mapping[Ask, int], terms: Mapping[tuple[UUID, int], Terms], *, language: str = "en"
) -> list[PricedLine]:
    """Return the lines for work beyond buckets and for time and materials, by contract, kind, work and rate.

    A line adds up minutes and is rounded once, so it is the same whether they come entry by entry or added up. What it says
    of its clause is that of the first of them.

    Raises:
        PricesMissing: with every missing combination, not only the first.
        SameSpecificity: a rate card is ambiguous.
        RateNotPossible: a rate is negative, or a tax rate over 100 %.
    """
    lines: dict[tuple[str, ...], PricedLine] = {}
    missing: set[tuple[str, str, str]] = set()
    say = words(language)
    for ask, minutes in asked.items():
        of = terms[ask.contract_id, ask.contract_version]
        price = _price(of, ask)
        if price is None:
            missing.add((ask.job_type, ask.level, ask.condition))
            continue
        key = (*price.key, ask.section)
        line = lines.get(key)
        if line is None:
            line = lines[key] = _line(of, ask, price, say)
        line.quantity_minutes = (line.quantity_minutes or 0) + minutes
        line.asks.append(ask)
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


def _price(of: Terms, ask: Ask) -> Price | None:
    """Return the price by the cascade: the contract's rate for overage, else the rate of the level; ``None``: none fits."""
    job_type, level, condition = ask.job_type, ask.level, ask.condition
    is_overage = ask.kind == "overage"
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
    counts = ask.weight_percent if is_overage and of.multiplier_applies_to_overage else 100
    unit = Money(half_up(rate.rate_minor * counts, 100), of.currency)
    return Price(
        unit=unit,
        rule_id=rate.rule_id,
        step=step,
        weight_percent=counts,
        key=(of.ref, ask.kind, job_type, level, condition, rate.rule_id, str(unit.minor), *_tax_of(of)),
    )


def _tax_of(of: Terms) -> tuple[str, str]:
    if not 0 <= of.tax_rate_basis_points <= 10_000:
        raise RateNotPossible(
            f"the tax rate of {of.ref} is {of.tax_rate_basis_points} basis points; 0 to 10000 (100 %) are accepted"
        )
    return of.tax_category, str(of.tax_rate_basis_points)


def _line(of: Terms, ask: Ask, price: Price, say: Words) -> PricedLine:
    return PricedLine(
        kind=ask.kind,
        contract_id=of.contract_id,
        text=say.work(
            kind=ask.kind,
            section=ask.section,
            job_type=ask.job_type,
            level=ask.level,
            condition=ask.condition,
            ref=of.ref,
        ),
        unit=price.unit,
        tax_category=of.tax_category,
        tax_rate_basis_points=of.tax_rate_basis_points,
        rule_id=price.rule_id,
        quantity_minutes=0,
        ref=of.ref,
        clause={
            "contract_version": ask.contract_version,
            "section": ask.section,
            "job_type": ask.job_type,
            "level": ask.level,
            "condition": ask.condition,
            "step": price.step,
            "weight_percent": price.weight_percent,
        },
    )
