"""Where worked minutes went: every one of them in exactly one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

Place = Literal["bucket", "overage", "time_and_materials", "included", "non_billable", "rejected", "late", "unapproved"]
PLACES: tuple[Place, ...] = get_args(Place)


def shares(whole: int, weights: Sequence[int]) -> list[int]:
    """Split whole minutes in proportion to ``weights`` by largest remainder; ties go to the earlier one."""
    total = sum(weights)
    if total == 0:
        return [whole, *([0] * (len(weights) - 1))]
    parts = [whole * weight // total for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(whole * weights[i] % total), i))
    for index in order[: whole - sum(parts)]:
        parts[index] += 1
    return parts


def places_of(hours: Mapping[str, Any], *, kind: str) -> dict[Place, int]:
    """Return where the worked minutes of an entry went; they add up to what was worked.

    ``hours`` is the stamp of contracts. Hours of a retainer are included in its fee. Where the billed time of a span was
    split, its worked minutes are split in the same proportion.
    """
    found: dict[Place, int] = dict.fromkeys(PLACES, 0)
    worked = hours["worked_minutes"]
    whole: dict[str, Place] = {"released": "rejected", "held": "unapproved"}
    if hours["status"] in whole or hours["is_late"] or not hours["spans"]:
        place = whole.get(hours["status"], "late" if hours["is_late"] else "non_billable")
        found[place] = worked
        return found
    covered: Place = "included" if kind == "retainer" else "bucket"
    for span in hours["spans"]:
        parts = shares(
            span["worked_minutes"],
            [
                span["bucket_billed_minutes"],
                span["overage_minutes"],
                span["time_and_materials_minutes"],
                span["excluded_minutes"],
            ],
        )
        places: tuple[Place, ...] = (covered, "overage", "time_and_materials", "non_billable")
        for place, minutes in zip(places, parts, strict=True):
            found[place] += minutes
    return found
