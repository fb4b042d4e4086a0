"""Priority from impact and urgency: a table every client may have its own of; whoever raises may still overrule it."""

from __future__ import annotations

from collections.abc import Mapping

EXTENTS = ("high", "medium", "low")
Table = Mapping[tuple[str, str], str]
DEFAULT: Table = {
    ("high", "high"): "critical",
    ("high", "medium"): "high",
    ("high", "low"): "medium",
    ("medium", "high"): "high",
    ("medium", "medium"): "medium",
    ("medium", "low"): "low",
    ("low", "high"): "medium",
    ("low", "medium"): "low",
    ("low", "low"): "low",
}
"""Impact, then urgency."""


class PriorityUnknown(Exception):
    """A ticket has a priority, or both impact and urgency."""


def priority_of(table: Table, *, impact: str | None, urgency: str | None, chosen: str | None) -> tuple[str, str]:
    """Return the priority and why it is this one; what was ``chosen`` overrules the table.

    Raises:
        PriorityUnknown: nothing was chosen, and impact or urgency is missing.
    """
    if impact is None or urgency is None:
        if chosen is None:
            raise PriorityUnknown("give a priority, or both impact and urgency")
        return chosen, "chosen"
    by_table = table.get((impact, urgency), DEFAULT[impact, urgency])
    if chosen is None or chosen == by_table:
        return by_table, f"impact {impact}, urgency {urgency}"
    return chosen, f"chosen; the table says {by_table} for impact {impact}, urgency {urgency}"
