"""Tax: once per category and rate, on the sum of the rounded nets. Source: EN 16931, BR-CO-17; DOMAIN "Billing"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msp_kernel.money import Money, basis_points_of

ZERO_RATED = frozenset({"Z", "E", "AE", "O"})
REASONS = {
    "AE": ("VATEX-EU-AE", "Reverse charge"),
    "O": ("VATEX-EU-O", "Not subject to VAT"),
}
"""Code and words EN 16931 asks for where no tax is charged; an exemption (E) has a reason of the client's own."""


@dataclass(frozen=True, slots=True)
class TaxGroup:
    """The tax of one category and rate."""

    category: str
    rate_basis_points: int
    net: Money
    tax: Money


def tax_groups(nets: Iterable[tuple[str, int, Money]]) -> list[TaxGroup]:
    """Return one group per (category, rate) of ``(category, rate, net)``, in order of category and rate."""
    sums: dict[tuple[str, int], Money] = {}
    for category, rate, net in nets:
        key = (category, 0 if category in ZERO_RATED else rate)
        sums[key] = sums[key] + net if key in sums else net
    return [
        TaxGroup(category=category, rate_basis_points=rate, net=net, tax=basis_points_of(net, rate))
        for (category, rate), net in sorted(sums.items())
    ]


def allocated(nets_minor: Sequence[int], *, rate_basis_points: int, tax_minor: int) -> list[int]:
    """Return the part of a group's tax that falls on each of its lines, by largest remainder; ties go to the earlier line.

    The parts add up to the tax exactly, and lines below zero get tax below zero.
    """
    parts = [net * rate_basis_points // 10_000 for net in nets_minor]
    remainders = [net * rate_basis_points % 10_000 for net in nets_minor]
    left = tax_minor - sum(parts)
    assert 0 <= left <= len(parts), "a group's tax is its nets at its rate, rounded once"
    for index in sorted(range(len(parts)), key=lambda one: (-remainders[one], one))[:left]:
        parts[index] += 1
    return parts
