"""What a contract says about the rest of a period's hours."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Literal


@dataclass(frozen=True, slots=True)
class Rollover:
    """What becomes of the rest of a period's hours: ``percent`` of it, ``cap_minutes`` at most, for some months."""

    percent: int
    cap_minutes: int | None = None
    months: int | None = None
    """How long the carried lot is valid; ``None`` does not expire."""
    burns: Literal["first", "last"] = "first"

    def ends_on(self, starts_on: date) -> date | None:
        """Return the first day on which a lot carried on ``starts_on`` is over."""
        return None if self.months is None else months_later(starts_on, self.months)


def months_later(on: date, months: int) -> date:
    """Return the same day some months later, the last day of a shorter month."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    return date(year, month + 1, min(on.day, monthrange(year, month + 1)[1]))
