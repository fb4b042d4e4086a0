"""What stamped work costs. The contracts service decided what is overage or time and materials; this only prices it.

Source: DOMAIN "Billing": price of a span = rate card version x job type x level x rate condition, the most specific rule
wins; overage by the overage rates when the contract has some, else by the same rates; no price is an error that lists
what is missing, never zero; half up once per line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msp_kernel.money import Money, half_up, price_of_minutes

LineKind = Literal["overage", "time_and_materials", "fixed"]


class PricesMissing(Exception):
    """Work cannot be priced: the rate card has no price for it."""

    def __init__(self, missing: Sequence[tuple[str, str, str]]) -> None:
        listed = "; ".join(f"{job_type}, {level}, {condition}" for job_type, level, condition in missing)
        super().__init__(f"the rate card has no price for: {listed}")
        self.missing = tuple(missing)


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


def price_work(works: Iterable[Work], terms: dict[tuple[UUID, int], Terms]) -> list[PricedLine]:
    """Return the lines for work beyond buckets and for time and materials, grouped by contract, kind, work and rate.

    The result does not depend on the order of ``works``.

    Raises:
        PricesMissing: with every missing combination, not only the first.
        SameSpecificity: a rate card is ambiguous.
    """
    lines: dict[tuple[str, ...], PricedLine] = {}
    missing: set[tuple[str, str, str]] = set()
    for work in sorted(works, key=lambda one: (one.worked_from, str(one.time_entry_id))):
        of = terms[work.contract_id, work.contract_version]
        for span in work.spans:
            for kind, minutes in (
                ("overage", span.overage_minutes),
                ("time_and_materials", span.time_and_materials_minutes),
            ):
                if not minutes:
                    continue
                rates = of.overage_rates if kind == "overage" and of.overage_rates else of.rates
                rate = rate_for(rates, job_type=work.job_type, level=work.level, condition=span.condition)
                if rate is None and rates is of.overage_rates:
                    rate = rate_for(of.rates, job_type=work.job_type, level=work.level, condition=span.condition)
                if rate is None:
                    missing.add((work.job_type, work.level, span.condition))
                    continue
                unit = _unit(rate, span, of, is_overage=kind == "overage")
                key = (of.ref, kind, work.job_type, work.level, span.condition, rate.rule_id, str(unit.minor))
                line = lines.setdefault(key, _line(kind, of, work, span, rate, unit))
                line.quantity_minutes = (line.quantity_minutes or 0) + minutes
                line.entries.append((work.time_entry_id, minutes))
    if missing:
        raise PricesMissing(sorted(missing))
    return [lines[key] for key in sorted(lines)]


def price_fixed_items(terms: Iterable[Terms], *, starts_on: date, ends_on: date) -> list[PricedLine]:
    """Return the lines of fixed items due in the month ``[starts_on, ends_on)``."""
    lines: list[PricedLine] = []
    for of in sorted(terms, key=lambda one: one.ref):
        if of.starts_on >= ends_on or (of.ends_on is not None and of.ends_on <= starts_on):
            continue
        for item in of.fixed_items:
            is_due = starts_on <= item.starts_on < ends_on if item.frequency == "once" else item.starts_on < ends_on
            if is_due and item.unit_minor:
                lines.append(
                    PricedLine(
                        kind="fixed",
                        contract_id=of.contract_id,
                        text=f"{item.text} ({of.ref})",
                        unit=Money(item.unit_minor, of.currency),
                        tax_category=of.tax_category,
                        tax_rate_basis_points=of.tax_rate_basis_points,
                        rule_id=item.item_id,
                        quantity=item.quantity,
                    )
                )
    return lines


def _unit(rate: Rate, span: WorkSpan, of: Terms, *, is_overage: bool) -> Money:
    if is_overage and of.multiplier_applies_to_overage:
        return Money(half_up(rate.rate_minor * span.weight_percent, 100), of.currency)
    return Money(rate.rate_minor, of.currency)


_CONDITION = {"regular": "", "after_hours": ", after hours", "weekend": ", weekend", "holiday": ", holiday"}


def _line(kind: str, of: Terms, work: Work, span: WorkSpan, rate: Rate, unit: Money) -> PricedLine:
    what = "Work beyond the bucket" if kind == "overage" else "Work"
    return PricedLine(
        kind="overage" if kind == "overage" else "time_and_materials",
        contract_id=of.contract_id,
        text=f"{what}: {work.job_type}, {work.level}{_CONDITION[span.condition]} ({of.ref})",
        unit=unit,
        tax_category=of.tax_category,
        tax_rate_basis_points=of.tax_rate_basis_points,
        rule_id=rate.rule_id,
        quantity_minutes=0,
    )
