"""An invoice as a value: totals are plain sums of rounded parts, and its content is chained to the one before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from billing.domain.pricing import MixedCurrencies, PricedLine
from billing.domain.tax import REASONS, ZERO_RATED, TaxGroup, allocated, tax_groups
from billing.domain.work import Work, asks_of, entry_of, in_order
from msp_kernel.money import Money, half_up


class TotalsDiffer(Exception):
    """Tickets, ledger and billing do not agree on a period; nothing is drafted until they do."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Net, tax and gross of an invoice."""

    net: Money
    tax: Money
    gross: Money
    groups: tuple[TaxGroup, ...]


@dataclass(frozen=True, slots=True)
class Control:
    """Control totals of a period: what tickets sealed, contracts closed and billing is about to invoice must be one."""

    entry_count: int
    worked_minutes: int
    checksum: str

    @classmethod
    def of(cls, entries: Iterable[tuple[str, int]]) -> Control:
        r"""Return the control totals of (id, worked minutes): SHA-256 over ``<id>:<minutes>\\n`` in order of id."""
        listed = sorted(entries)
        digest = hashlib.sha256()
        for entry_id, minutes in listed:
            digest.update(f"{entry_id}:{minutes}\n".encode())
        return cls(len(listed), sum(minutes for _, minutes in listed), digest.hexdigest())


def totals(lines: Sequence[PricedLine], currency: str) -> Totals:
    """Return the totals of an invoice's lines."""
    groups = tax_groups((line.tax_category, line.tax_rate_basis_points, line.net) for line in lines)
    net = sum((line.net for line in lines), Money(0, currency))
    tax = sum((group.tax for group in groups), Money(0, currency))
    return Totals(net=net, tax=tax, gross=net + tax, groups=tuple(groups))


def differing(sealed: Control, known: Control) -> TotalsDiffer:
    """Return the difference between a sealed period and what billing knows of it, in words."""
    return TotalsDiffer(
        f"tickets sealed {sealed.entry_count} entries of {sealed.worked_minutes} min, billing knows {known.entry_count} of"
        f" {known.worked_minutes} min"
        + ("; the same sums, but other entries" if known.worked_minutes == sealed.worked_minutes else "")
    )


def content_of(
    *,
    lines: Sequence[PricedLine],
    works: Sequence[Work],
    currency: str,
    header: dict[str, Any],
    statement: Sequence[dict[str, Any]],
    exemption_reason: str | None = None,
) -> dict[str, Any]:
    """Return everything an invoice says, as plain JSON values.

    Raises:
        MixedCurrencies: a line is not in the currency of the invoice.
    """
    frame = frame_of(
        lines=lines,
        worked_minutes=sum(work.worked_minutes for work in works),
        currency=currency,
        header=header,
        statement=statement,
        exemption_reason=exemption_reason,
    )
    return filled(frame, lines, works)


def filled(frame: dict[str, Any], lines: Sequence[PricedLine], works: Sequence[Work]) -> dict[str, Any]:
    """Return the content of a frame: with its time entries, and with those behind each of its lines.

    The database fills in the same when it writes a draft.
    """
    listed = in_order(works)
    place = {ask: index for index, line in enumerate(lines) for ask in line.asks}
    behind: list[list[dict[str, Any]]] = [[] for _ in lines]
    for work in listed:
        for ask, minutes in asks_of(work):
            behind[place[ask]].append({"time_entry_id": str(work.time_entry_id), "minutes": minutes})
    return with_entries(frame, [entry_of(work) for work in listed], behind)


def with_entries(frame: dict[str, Any], entries: list[Any], behind: Sequence[list[Any]]) -> dict[str, Any]:
    """Return a frame with its time entries, and with those behind each of its lines."""
    lines = [{**line, "entries": of} for line, of in zip(frame["lines"], behind, strict=True)]
    return {**frame, "lines": lines, "entries": entries}


def frame_of(
    *,
    lines: Sequence[PricedLine],
    worked_minutes: int,
    currency: str,
    header: dict[str, Any],
    statement: Sequence[dict[str, Any]],
    exemption_reason: str | None = None,
) -> dict[str, Any]:
    """Return what an invoice says, without its time entries: as small as its lines are few.

    Raises:
        MixedCurrencies: a line is not in the currency of the invoice.
    """
    foreign = sorted({line.unit.currency for line in lines} - {currency})
    if foreign:
        raise MixedCurrencies(f"the invoice is in {currency}, lines are in {', '.join(foreign)}")
    sums = totals(lines, currency)
    taxes = _line_taxes(lines, sums.groups)
    return {
        **header,
        "kind": "invoice",
        "currency": currency,
        "net_minor": sums.net.minor,
        "tax_minor": sums.tax.minor,
        "gross_minor": sums.gross.minor,
        "taxes": [_group(group, exemption_reason) for group in sums.groups],
        "lines": [_line(number, line, taxes[number - 1]) for number, line in enumerate(lines, start=1)],
        "statement": list(statement),
        "worked_minutes": worked_minutes,
    }


def _group(group: TaxGroup, exemption_reason: str | None) -> dict[str, Any]:
    code, reason = REASONS.get(group.category, (None, exemption_reason if group.category == "E" else None))
    return {
        "category": group.category,
        "rate_basis_points": group.rate_basis_points,
        "net_minor": group.net.minor,
        "tax_minor": group.tax.minor,
        "reason_code": code,
        "reason": reason,
    }


def _line_taxes(lines: Sequence[PricedLine], groups: Sequence[TaxGroup]) -> list[int]:
    """Return the tax that falls on each line, as credit notes will give it back."""
    found = [0] * len(lines)
    for group in groups:
        members = [
            index
            for index, line in enumerate(lines)
            if line.tax_category == group.category
            and (line.tax_category in ZERO_RATED or line.tax_rate_basis_points == group.rate_basis_points)
        ]
        parts = allocated(
            [lines[index].net.minor for index in members],
            rate_basis_points=group.rate_basis_points,
            tax_minor=group.tax.minor,
        )
        for index, part in zip(members, parts, strict=True):
            found[index] = part
    return found


def chained(content_text: str, previous_sha256: str | None) -> str:
    """Return the hash of an issued invoice: over the hash of the one before it in its series, and its content."""
    return hashlib.sha256(f"{previous_sha256 or ''}\n{content_text}".encode()).hexdigest()


def broken_sums(content: dict[str, Any]) -> list[str]:
    """Recompute an invoice or credit note from its parts and return what does not add up, to the cent."""
    broken: list[str] = []
    net = sum(line["net_minor"] for line in content["lines"])
    tax = sum(group["tax_minor"] for group in content["taxes"])
    if net != content["net_minor"] or sum(group["net_minor"] for group in content["taxes"]) != net:
        broken.append(f"lines add up to {net}, the invoice says {content['net_minor']}")
    if tax != content["tax_minor"] or net + tax != content["gross_minor"]:
        broken.append(f"net and tax add up to {net + tax}, the invoice says {content['gross_minor']}")
    if any("tax_minor" in line for line in content["lines"]):
        on_lines = sum(line["tax_minor"] for line in content["lines"])
        if on_lines != tax:
            broken.append(f"the tax on the lines adds up to {on_lines}, the invoice says {tax}")
    worked = sum(entry["worked_minutes"] for entry in content["entries"])
    if worked != content["worked_minutes"]:
        broken.append(f"entries add up to {worked} min, the invoice says {content['worked_minutes']}")
    # A credit note takes back parts as they were charged; it prices nothing itself.
    return broken + ([] if content.get("kind") == "credit_note" else _broken_prices(content))


def _broken_prices(content: dict[str, Any]) -> list[str]:
    broken: list[str] = []
    for line in content["lines"]:
        minutes = line["quantity_minutes"]
        expected = (
            line["unit_minor"] * line["quantity"] if minutes is None else half_up(minutes * line["unit_minor"], 60)
        )
        if expected != line["net_minor"]:
            broken.append(f"line {line['n']} comes to {expected}, the invoice says {line['net_minor']}")
        behind = sum(entry["minutes"] for entry in line["entries"])
        if minutes is not None and behind != minutes:
            broken.append(f"the entries of line {line['n']} add up to {behind} min, the line says {minutes}")
    for group in content["taxes"]:
        expected = half_up(group["net_minor"] * group["rate_basis_points"], 10_000)
        if expected != group["tax_minor"]:
            broken.append(f"tax {group['category']} comes to {expected}, the invoice says {group['tax_minor']}")
    return broken


def _line(number: int, line: PricedLine, tax_minor: int) -> dict[str, Any]:
    return {
        "n": number,
        "kind": line.kind,
        "contract_id": str(line.contract_id),
        "ref": line.ref,
        "text": line.text,
        "quantity": line.quantity if line.quantity_minutes is None else None,
        "quantity_minutes": line.quantity_minutes,
        "unit_minor": line.unit.minor,
        "net_minor": line.net.minor,
        "tax_minor": tax_minor,
        "tax_category": line.tax_category,
        "tax_rate_basis_points": 0 if line.tax_category in ZERO_RATED else line.tax_rate_basis_points,
        "rule_id": line.rule_id,
        "clause": line.clause,
    }
