"""Tax: once per category and rate, on the sum of the rounded nets. Source: EN 16931, BR-CO-17; DOMAIN "Billing"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from msp_kernel.money import Money, basis_points_of

ZERO_RATED = frozenset({"Z", "E", "AE", "O"})


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
