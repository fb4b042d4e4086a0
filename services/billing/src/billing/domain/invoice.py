"""An invoice as a value: totals are plain sums of rounded parts, and its content has one canonical form to be hashed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from billing.domain.pricing import PricedLine, Work
from billing.domain.tax import TaxGroup, tax_groups
from msp_kernel.money import Money


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


def choose_sealed(works: Sequence[Work], sealed: Control) -> list[Work]:
    """Return the posted entries a sealed period is made of; ``works`` are in the order in which they were posted.

    Entries approved after the sealing belong to the next period: the first ``entry_count`` are tried, then all.

    Raises:
        TotalsDiffer: with the difference in words.
    """
    for chosen in (works[: sealed.entry_count], works):
        found = Control.of((str(work.time_entry_id), work.worked_minutes) for work in chosen)
        if found == sealed:
            return list(chosen)
    found = Control.of((str(work.time_entry_id), work.worked_minutes) for work in works)
    raise TotalsDiffer(
        f"tickets sealed {sealed.entry_count} entries of {sealed.worked_minutes} min, billing knows {found.entry_count} of"
        f" {found.worked_minutes} min"
        + ("; the same sums, but other entries" if found.worked_minutes == sealed.worked_minutes else "")
    )


def content_of(
    *,
    lines: Sequence[PricedLine],
    works: Sequence[Work],
    currency: str,
    header: dict[str, Any],
    statement: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """Return everything an invoice says, as plain JSON values."""
    sums = totals(lines, currency)
    return {
        **header,
        "currency": currency,
        "net_minor": sums.net.minor,
        "tax_minor": sums.tax.minor,
        "gross_minor": sums.gross.minor,
        "taxes": [
            {
                "category": group.category,
                "rate_basis_points": group.rate_basis_points,
                "net_minor": group.net.minor,
                "tax_minor": group.tax.minor,
            }
            for group in sums.groups
        ],
        "lines": [_line(number, line) for number, line in enumerate(lines, start=1)],
        "statement": list(statement),
        "worked_minutes": sum(work.worked_minutes for work in works),
        "entries": [_entry(work) for work in sorted(works, key=lambda one: (one.worked_from, str(one.time_entry_id)))],
    }


def canonical(content: dict[str, Any]) -> str:
    """Return the one text of a content: sorted keys, no spaces."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def chained(content_text: str, previous_sha256: str | None) -> str:
    """Return the hash of an issued invoice: over the hash of the one before it in its series, and its content."""
    return hashlib.sha256(f"{previous_sha256 or ''}\n{content_text}".encode()).hexdigest()


def broken_sums(content: dict[str, Any]) -> list[str]:
    """Recompute an invoice from its parts and return what does not add up."""
    broken: list[str] = []
    net = sum(line["net_minor"] for line in content["lines"])
    tax = sum(group["tax_minor"] for group in content["taxes"])
    if net != content["net_minor"] or sum(group["net_minor"] for group in content["taxes"]) != net:
        broken.append(f"lines add up to {net}, the invoice says {content['net_minor']}")
    if tax != content["tax_minor"] or net + tax != content["gross_minor"]:
        broken.append(f"net and tax add up to {net + tax}, the invoice says {content['gross_minor']}")
    worked = sum(entry["worked_minutes"] for entry in content["entries"])
    if worked != content["worked_minutes"]:
        broken.append(f"entries add up to {worked} min, the invoice says {content['worked_minutes']}")
    return broken


def _line(number: int, line: PricedLine) -> dict[str, Any]:
    return {
        "n": number,
        "kind": line.kind,
        "contract_id": str(line.contract_id),
        "text": line.text,
        "quantity": line.quantity if line.quantity_minutes is None else None,
        "quantity_minutes": line.quantity_minutes,
        "unit_minor": line.unit.minor,
        "net_minor": line.net.minor,
        "tax_category": line.tax_category,
        "tax_rate_basis_points": line.tax_rate_basis_points,
        "rule_id": line.rule_id,
        "entries": [{"time_entry_id": str(entry), "minutes": minutes} for entry, minutes in line.entries],
    }


def _entry(work: Work) -> dict[str, Any]:
    return {
        "time_entry_id": str(work.time_entry_id),
        "contract_id": str(work.contract_id),
        "worked_from": work.worked_from.isoformat(),
        "worked_minutes": work.worked_minutes,
        "billed_minutes": work.billed_minutes,
        "bucket_minutes": work.bucket_minutes,
        "overage_minutes": sum(span.overage_minutes + span.time_and_materials_minutes for span in work.spans),
        "job_type": work.job_type,
        "level": work.level,
        "agent_name": work.agent_name,
        "note": work.note,
        "is_late": work.is_late,
    }
