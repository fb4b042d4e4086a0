"""What is on an invoice besides work: fixed items of contracts, and the charges, discounts, minimums and credits agreed beside them."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from billing.domain.pricing import FixedItem, MixedCurrencies, PricedLine, RateNotPossible, Terms
from billing.domain.words import words
from msp_kernel.money import Money, basis_points_of, half_up, split

TIME = ("overage", "time_and_materials")


@dataclass(frozen=True, slots=True)
class Charge:
    """What staff agreed beside a contract.

    An ``item`` is billed like one of the contract. A ``discount`` takes a share (``basis_points``) or an amount off the
    lines it ``applies_to``. A ``minimum`` lifts them to an amount, once for every month due.
    """

    id: UUID
    contract_id: UUID
    kind: Literal["item", "discount", "minimum"]
    text: str
    quantity: int
    amount_minor: int
    basis_points: int
    applies_to: Literal["all", "time", "items"]
    frequency: Literal["once", "monthly"]
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class Credit:
    """Money promised back, with its evidence (a breach of a promise, most often).

    Either ``amount_minor``, or ``basis_points`` of the contract's fixed items on the invoice it is given on.
    """

    id: UUID
    contract_id: UUID
    currency: str
    amount_minor: int
    text: str
    evidence: tuple[dict[str, Any], ...]
    source: str
    earned_on: date
    basis_points: int = 0


def times_due(
    *, frequency: str, first_on: date, last_before: date | None, starts_on: date, ends_on: date, month_max: int = 600
) -> int:
    """Return how often something is due in ``[starts_on, ends_on)``: on its first day, and on that day of every month.

    A day a month does not have is its last one. Nothing is due from ``last_before`` on.
    """
    until = ends_on if last_before is None else min(ends_on, last_before)
    if frequency == "once":
        return int(starts_on <= first_on < until)
    months = (starts_on.year - first_on.year) * 12 + starts_on.month - first_on.month
    due = (_months_after(first_on, months + offset) for offset in range(month_max) if months + offset >= 0)
    times = 0
    for day in due:
        if day >= until:
            break
        times += day >= starts_on
    return times


def _worth(credit: Credit, lines: Sequence[PricedLine]) -> int:
    """Return what a credit takes off an invoice."""
    if not credit.basis_points:
        return credit.amount_minor
    fixed = sum(line.net.minor for line in lines if line.kind == "fixed" and line.contract_id == credit.contract_id)
    return half_up(fixed * credit.basis_points, 10_000)


def _months_after(first_on: date, months: int) -> date:
    year, month = divmod(first_on.year * 12 + first_on.month - 1 + months, 12)
    return date(year, month + 1, min(first_on.day, calendar.monthrange(year, month + 1)[1]))


def price_fixed_items(terms: Iterable[Terms], *, starts_on: date, ends_on: date) -> list[PricedLine]:
    """Return the lines of the contracts' fixed items due in ``[starts_on, ends_on)``: bucket purchases, fees, top-ups."""
    lines: list[PricedLine] = []
    for of in sorted(terms, key=lambda one: one.ref):
        for item in of.fixed_items:
            times = times_due(
                frequency=item.frequency,
                first_on=item.starts_on,
                last_before=of.ends_on,
                starts_on=starts_on,
                ends_on=ends_on,
            )
            if times and item.unit_minor:
                lines.append(_fixed(of, item, times))
    return lines


def _fixed(of: Terms, item: FixedItem, times: int) -> PricedLine:
    if item.unit_minor < 0:
        raise RateNotPossible(f"{item.text} of {of.ref} costs {item.unit_minor}; a price is zero or more")
    return _item(of, text=item.text, unit_minor=item.unit_minor, quantity=item.quantity * times, rule_id=item.item_id)


def _item(of: Terms, *, text: str, unit_minor: int, quantity: int, rule_id: str) -> PricedLine:
    return PricedLine(
        kind="fixed",
        contract_id=of.contract_id,
        text=f"{text} ({of.ref})",
        unit=Money(unit_minor, of.currency),
        tax_category=of.tax_category,
        tax_rate_basis_points=of.tax_rate_basis_points,
        rule_id=rule_id,
        quantity=quantity,
        ref=of.ref,
    )


def with_charges(
    lines: Sequence[PricedLine],
    charges: Iterable[Charge],
    terms: Mapping[UUID, Terms],
    *,
    starts_on: date,
    ends_on: date,
    language: str = "en",
) -> list[PricedLine]:
    """Return the lines with what was agreed beside the contracts: items first, then minimums, then discounts."""
    say, made = words(language), list(lines)
    order = {"item": 0, "minimum": 1, "discount": 2}
    for charge in sorted(charges, key=lambda one: (order[one.kind], one.starts_on, str(one.id))):
        of = terms.get(charge.contract_id)
        if of is None:
            continue
        times = times_due(
            frequency=charge.frequency,
            first_on=charge.starts_on,
            last_before=charge.ends_on,
            starts_on=starts_on,
            ends_on=ends_on,
        )
        if not times:
            continue
        rule = f"charge:{charge.id}"
        if charge.kind == "item":
            made.append(
                _item(
                    of,
                    text=charge.text,
                    unit_minor=charge.amount_minor,
                    quantity=charge.quantity * times,
                    rule_id=rule,
                )
            )
            continue
        touched = [one for one in made if one.contract_id == of.contract_id and _applies(charge, one)]
        net = sum(one.net.minor for one in touched)
        if charge.kind == "minimum":
            short = charge.amount_minor * times - net
            if short > 0:
                line = _item(of, text=f"{say.minimum}: {charge.text}", unit_minor=short, quantity=1, rule_id=rule)
                line.kind = "minimum"
                line.clause = {"minimum_minor": charge.amount_minor * times, "reached_minor": net}
                made.append(line)
        elif net > 0:
            made += _discounts(of, charge, touched, times=times, label=say.discount, rule=rule)
    return made


def _applies(charge: Charge, line: PricedLine) -> bool:
    if line.kind in ("discount", "credit"):
        return False
    return charge.applies_to == "all" or (charge.applies_to == "time") == (line.kind in TIME)


def _discounts(
    of: Terms, charge: Charge, touched: Sequence[PricedLine], *, times: int, label: str, rule: str
) -> list[PricedLine]:
    """Return a discount as a line for every tax it falls on; an amount is never more than what it is taken off."""
    nets: dict[tuple[str, int], int] = {}
    for line in touched:
        key = (line.tax_category, line.tax_rate_basis_points)
        nets[key] = nets.get(key, 0) + line.net.minor
    keys = sorted(key for key, net in nets.items() if net > 0)
    if charge.basis_points:
        parts = [basis_points_of(Money(nets[key], of.currency), charge.basis_points) for key in keys]
    else:
        whole = min(charge.amount_minor * times, sum(nets[key] for key in keys))
        parts = split(Money(whole, of.currency), [nets[key] for key in keys])
    return [
        PricedLine(
            kind="discount",
            contract_id=of.contract_id,
            text=f"{label}: {charge.text} ({of.ref})",
            unit=part,
            tax_category=category,
            tax_rate_basis_points=rate,
            rule_id=rule,
            quantity=-1,
            ref=of.ref,
            clause={"basis_points": charge.basis_points, "off_minor": nets[category, rate]},
        )
        for (category, rate), part in zip(keys, parts, strict=True)
        if part.minor
    ]


def with_credits(
    lines: Sequence[PricedLine], credits_: Iterable[Credit], terms: Mapping[UUID, Terms], *, language: str = "en"
) -> tuple[list[PricedLine], list[UUID]]:
    """Return the lines with credits, and the credits that fit: the oldest first, while something is left to take them off.

    What does not fit waits for the next invoice: an invoice never asks for less than nothing.

    Raises:
        MixedCurrencies: a credit is not in the currency of its contract.
    """
    say, made, used = words(language), list(lines), []
    for credit in sorted(credits_, key=lambda one: (one.earned_on, str(one.id))):
        of = terms.get(credit.contract_id)
        if of is None:
            continue
        if of.currency != credit.currency:
            raise MixedCurrencies(
                f"the credit {credit.id} is in {credit.currency}, its contract {of.ref} in {of.currency}"
            )
        group = (of.tax_category, of.tax_rate_basis_points)
        left = sum(one.net.minor for one in made if (one.tax_category, one.tax_rate_basis_points) == group)
        amount = _worth(credit, made)
        if not 0 < amount <= left:
            continue
        used.append(credit.id)
        made.append(
            PricedLine(
                kind="credit",
                contract_id=of.contract_id,
                text=f"{say.credit}: {credit.text} ({of.ref})",
                unit=Money(amount, credit.currency),
                tax_category=of.tax_category,
                tax_rate_basis_points=of.tax_rate_basis_points,
                rule_id=f"credit:{credit.id}",
                quantity=-1,
                ref=of.ref,
                clause={"source": credit.source, "evidence": list(credit.evidence)},
            )
        )
    return made, used
