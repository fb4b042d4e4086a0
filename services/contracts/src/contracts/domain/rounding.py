"""From worked minutes to billed minutes: minimum first, then increment, then shares of the parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Rounding:
    """A contract's rule. The default bills what was worked, to the minute."""

    increment_minutes: int = 1
    minimum_minutes: int = 0
    direction: Literal["up", "nearest"] = "up"
    level: Literal["entry", "ticket_day"] = "entry"

    @property
    def is_exact(self) -> bool:
        """Return whether billed minutes are always the worked ones."""
        return self.increment_minutes == 1 and self.minimum_minutes == 0

    def billed_minutes(self, worked_minutes: int) -> int:
        """Return the billed minutes of one piece of work; nothing worked is nothing billed."""
        assert worked_minutes >= 0, "worked minutes are not negative"
        if worked_minutes == 0:
            return 0
        least = max(worked_minutes, self.minimum_minutes)
        if self.direction == "up":
            return -(-least // self.increment_minutes) * self.increment_minutes
        # Half an increment goes up, and work is never rounded down to nothing.
        nearest = (2 * least + self.increment_minutes) // (2 * self.increment_minutes)
        return max(nearest, 1) * self.increment_minutes

    def billed_in_turn(self, worked_minutes: Sequence[int]) -> list[int]:
        """Return what each piece of one ticket and day adds to the billed minutes of the whole.

        The pieces come in order of work; their sum is the rounded sum of the work.
        """
        billed: list[int] = []
        worked_so_far = billed_so_far = 0
        for worked in worked_minutes:
            worked_so_far += worked
            total = self.billed_minutes(worked_so_far)
            billed.append(total - billed_so_far)
            billed_so_far = total
        return billed


def shares(total_minutes: int, *, weights: Sequence[int]) -> list[int]:
    """Split a total in proportion to ``weights`` into whole minutes, by largest remainder, ties to the earlier part."""
    whole = sum(weights)
    assert whole > 0, "there is something to share by"
    parts = [total_minutes * weight // whole for weight in weights]
    remainders = [total_minutes * weight % whole for weight in weights]
    neediest = sorted(range(len(weights)), key=lambda n: (-remainders[n], n))
    for n in neediest[: total_minutes - sum(parts)]:
        parts[n] += 1
    return parts
