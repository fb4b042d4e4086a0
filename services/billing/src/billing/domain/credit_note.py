"""Credit notes: they give back parts of an issued invoice as they were charged, never more than is left of a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msp_kernel.money import amount_text, half_up


class MoreThanIsLeft(Exception):
    """A credit is more than what is left of its line."""


class NothingToCredit(Exception):
    """Nothing of the invoice is left to be credited, or no amount was named."""


class NotAnInvoice(Exception):
    """Only issued invoices can be credited: a draft is made anew, and a credit note is not taken back."""


class LineUnknown(Exception):
    """The invoice has no such line."""


@dataclass(frozen=True, slots=True)
class Credited:
    """Net and tax of a line that earlier credit notes gave back; both have the sign of the line."""

    net_minor: int
    tax_minor: int


def tax_of_part(*, line: Mapping[str, Any], before_minor: int, now_minor: int) -> int:
    """Return the tax that goes back with a part of a line, so that all parts together give back the tax of the line exactly."""
    if line["net_minor"] == 0:
        return 0
    sign = 1 if line["net_minor"] > 0 else -1

    def until(net_minor: int) -> int:
        return half_up(line["tax_minor"] * net_minor * sign, line["net_minor"] * sign)

    return until(before_minor + now_minor) - until(before_minor)


def credited_parts(
    invoice: Mapping[str, Any], already: Mapping[int, Credited], wanted: Mapping[int, int | None] | None
) -> list[tuple[dict[str, Any], int, int]]:
    """Return (line, net, tax) to be given back. ``wanted``: net per line, ``None`` for all of it; ``None``: the whole invoice.

    Amounts have the sign of their line: a discount is taken back as what it was, below zero.

    Raises:
        LineUnknown: a line is not on the invoice.
        MoreThanIsLeft: an amount is beyond what is left, or has the other sign.
        NothingToCredit: nothing is left, or nothing was asked for.
    """
    lines = {line["n"]: line for line in invoice["lines"]}
    asked = dict.fromkeys(lines) if wanted is None else wanted
    parts: list[tuple[dict[str, Any], int, int]] = []
    for n in sorted(asked):
        if n not in lines:
            raise LineUnknown(f"line {n} is not on {invoice['number']}; it has {len(lines)} lines")
        line, before = lines[n], already.get(n, Credited(0, 0))
        left = line["net_minor"] - before.net_minor
        now = left if asked[n] is None else asked[n]
        assert now is not None, "all of it is an amount"
        if now * left < 0 or abs(now) > abs(left):
            wanted_now, still, whole = (amount_text(one, invoice["currency"]) for one in (now, left, line["net_minor"]))
            raise MoreThanIsLeft(f"line {n} of {invoice['number']}: {wanted_now} asked, {still} of {whole} is left")
        if now:
            parts.append((line, now, tax_of_part(line=line, before_minor=before.net_minor, now_minor=now)))
    if not parts:
        raise NothingToCredit(f"nothing of {invoice['number']} is left to be credited")
    return parts


def credit_content(
    invoice: Mapping[str, Any],
    parts: Sequence[tuple[dict[str, Any], int, int]],
    *,
    reason: str,
    returned_hours: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return what a credit note says: the parties and texts of its invoice, and the parts with the other sign.

    The tax is the one that fell on the parts, never computed anew.
    """
    groups: dict[tuple[str, int], list[int]] = {}
    for line, net, tax in parts:
        sums = groups.setdefault((line["tax_category"], line["tax_rate_basis_points"]), [0, 0])
        sums[0] -= net
        sums[1] -= tax
    reasons = {(one["category"], one["rate_basis_points"]): one for one in invoice["taxes"]}
    net_minor, tax_minor = sum(net for net, _ in groups.values()), sum(tax for _, tax in groups.values())
    kept = (
        "client",
        "seller",
        "starts_on",
        "ends_on",
        "timezone",
        "language",
        "purchase_order",
        "currency",
        "payment_days",
    )
    return {
        **{name: invoice.get(name) for name in kept},
        "kind": "credit_note",
        "corrects": {"number": invoice["number"], "issued_at": invoice["issued_at"]},
        "reason": reason,
        "net_minor": net_minor,
        "tax_minor": tax_minor,
        "gross_minor": net_minor + tax_minor,
        "taxes": [
            {
                "category": category,
                "rate_basis_points": rate,
                "net_minor": net,
                "tax_minor": tax,
                "reason_code": reasons.get((category, rate), {}).get("reason_code"),
                "reason": reasons.get((category, rate), {}).get("reason"),
            }
            for (category, rate), (net, tax) in sorted(groups.items())
        ],
        "lines": [_line(number, line, net, tax) for number, (line, net, tax) in enumerate(parts, start=1)],
        "returned_hours": list(returned_hours),
        "statement": [],
        "worked_minutes": 0,
        "entries": [],
    }


def _line(number: int, line: Mapping[str, Any], net: int, tax: int) -> dict[str, Any]:
    is_whole = net == line["net_minor"]
    minutes = line["quantity_minutes"] if is_whole else None
    quantity = line["quantity"] if is_whole else (1 if net > 0 else -1)
    return {
        **{name: line[name] for name in ("contract_id", "text", "tax_category", "tax_rate_basis_points", "rule_id")},
        "n": number,
        "kind": line["kind"],
        "ref": line.get("ref", ""),
        "corrects_line": line["n"],
        "quantity": None if minutes is not None else -quantity,
        "quantity_minutes": None if minutes is None else -minutes,
        "unit_minor": line["unit_minor"] if is_whole else abs(net),
        "net_minor": -net,
        "tax_minor": -tax,
        "clause": {},
        "entries": [],
    }
