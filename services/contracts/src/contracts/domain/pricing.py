"""What work will cost, by the arithmetic of the invoice: the most specific rate, half up once per rate condition.

Overage is priced by the overage rates, and by the rates where those are silent; time and materials by the rates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.domain.allocation import Part
from contracts.domain.contract import Rate, Terms, most_specific
from msp_kernel.money import half_up

CONDITIONS = ("regular", "after_hours", "weekend", "holiday")
MINUTES_AN_HOUR = 60


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in minor units; ``None`` where a rate is missing."""

    overage_minor: int | None
    time_and_materials_minor: int | None

    @property
    def total_minor(self) -> int | None:
        """Return the price of everything the bucket does not pay."""
        if self.overage_minor is None or self.time_and_materials_minor is None:
            return None
        return self.overage_minor + self.time_and_materials_minor


def overage_rate(
    rates: Sequence[Rate], overage_rates: Sequence[Rate], *, job_type: str, level: str, condition: str
) -> Rate | None:
    """Return the rate of work beyond the bucket: an overage rate, else an ordinary one."""
    keys = {"job_type": job_type, "level": level, "condition": condition}
    return most_specific(overage_rates, **keys) or most_specific(rates, **keys)


def priced(parts: Iterable[Part], terms: Terms, *, job_type: str, level: str) -> Prices:
    """Return what the parts of a split cost beyond the bucket, and as time and materials."""
    overage: Counter[Rate | None] = Counter()
    materials: Counter[Rate | None] = Counter()
    for part in parts:
        demand = part.demand
        keys = {"job_type": job_type, "level": level, "condition": demand.condition}
        if part.overage_minutes:
            rate = overage_rate(terms.rates, terms.overage_rates, **keys)
            if rate is not None and terms.multiplier_applies_to_overage:
                rate = Rate(rate.rule_id, half_up(rate.rate_minor * demand.weight_percent, 100), **keys)
            overage[rate] += part.overage_minutes
        if demand.route == "time_and_materials":
            found = most_specific(terms.rates, **keys)
            line = None if found is None else Rate(found.rule_id, found.rate_minor, **keys)
            materials[line] += demand.billed_minutes
    return Prices(_sum(overage), _sum(materials))


def _sum(minutes_at: Counter[Rate | None]) -> int | None:
    total = 0
    for rate, minutes in minutes_at.items():
        if rate is None:
            return None
        total += half_up(minutes * rate.rate_minor, MINUTES_AN_HOUR)
    return total
