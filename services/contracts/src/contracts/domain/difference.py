"""What changed between two versions of a contract: as data, and in words that a person would say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from msp_kernel.money import Money

ChangeKind = Literal["added", "removed", "changed"]
Terms = Mapping[str, Any]

_METRIC = {"first_response": "First response", "next_response": "Next response", "resolution": "Resolution"}
_SETS = {
    "job_types": ("{} is in scope", "{} is no longer in scope"),
    "levels": ("{} is included", "{} is no longer included"),
    "non_billable_job_types": ("{} is free of charge", "{} is charged"),
    "pausing_statuses": ("clocks pause in {}", "clocks no longer pause in {}"),
    "thresholds_percent": ("at risk is said at {} %", "at risk is no longer said at {} %"),
}
_SCALARS = {
    "exhaustion_policy": "when the bucket is empty",
    "first_response_pauses": "first response pauses with the others",
    "multiplier_applies_to_overage": "weights count in the price of overage",
    "rate_card_version": "version of the rate card",
    "grant_minutes": "minutes of the monthly retainer",
    "grant_price_minor": "price of the monthly retainer in minor units",
}
_PARTS = {"rounding": "rounding", "billing": "billing"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that changed. ``key`` tells it apart from others of its term; ``before`` and ``after`` are plain JSON."""

    term: str
    key: str
    kind: ChangeKind
    before: Any
    after: Any
    text: str


def differences(before: Terms, after: Terms, *, currency: str) -> list[Difference]:
    """Return what ``after`` says otherwise than ``before``, in the order in which a contract is read."""
    return [
        *(found for term in _SETS for found in _of_sets(term, before, after)),
        *_of_calendars(before["calendar"], after["calendar"]),
        *_of_lists("targets", before, after, key=_target_key, says=_promise),
        *_of_lists("escalation", before, after, key=_step_key, says=_step),
        *(found for term in _PARTS for found in _of_parts(term, before, after)),
        *_of_lists("weights", before, after, key=_weight_key, says=lambda one: f"{one['percent']} %"),
        *(found for term in _SCALARS for found in _of_scalars(term, before, after)),
        *_of_rates("rates", "rate", before, after, currency),
        *_of_rates("overage_rates", "overage rate", before, after, currency),
        *_of_lists(
            "fixed_items",
            before,
            after,
            key=lambda one: str(one["item_id"]),
            says=lambda one: (
                f"{one['quantity']} x {one['text']} at {Money(one['unit_minor'], currency)} {currency}, {one['frequency']}"
            ),
        ),
        *(found for term in sorted(_others(before, after)) for found in _of_scalars(term, before, after)),
    ]


def _others(before: Terms, after: Terms) -> set[str]:
    """Return the terms that have no words of their own; the calendar's id is told by what the calendar says."""
    listed = {"calendar", "calendar_id", "targets", "escalation", "weights", "rates", "overage_rates", "fixed_items"}
    return {*before, *after} - listed - set(_SETS) - set(_PARTS) - set(_SCALARS)


def _of_sets(term: str, before: Terms, after: Terms) -> Iterator[Difference]:
    came, went = _SETS[term]
    for word in after[term]:
        if word not in before[term]:
            yield Difference(term, str(word), "added", None, word, came.format(word))
    for word in before[term]:
        if word not in after[term]:
            yield Difference(term, str(word), "removed", word, None, went.format(word))


def _of_scalars(term: str, before: Terms, after: Terms) -> Iterator[Difference]:
    old, new = before.get(term), after.get(term)
    if old != new:
        yield Difference(
            term, "", "changed", old, new, f"{_SCALARS.get(term, term.replace('_', ' '))}: {_word(old)} -> {_word(new)}"
        )


def _of_parts(term: str, before: Terms, after: Terms) -> Iterator[Difference]:
    for name in sorted({*before[term], *after[term]}):
        old, new = before[term].get(name), after[term].get(name)
        if old != new:
            text = f"{_PARTS[term]}, {name.replace('_', ' ')}: {_word(old)} -> {_word(new)}"
            yield Difference(term, name, "changed", old, new, text)


def _of_rates(term: str, word: str, before: Terms, after: Terms, currency: str) -> Iterator[Difference]:
    def says(one: Terms) -> str:
        return f"{Money(one['rate_minor'], currency)} {currency} an hour"

    def key(one: Terms) -> str:
        return f"{word} of {_keys(one, ('job_type', 'level', 'condition')) or 'any work'}"

    yield from _of_lists(term, before, after, key=key, says=says)


def _of_lists(
    term: str,
    before: Terms,
    after: Terms,
    *,
    key: Callable[[Terms], str],
    says: Callable[[Terms], str],
) -> Iterator[Difference]:
    """Compare rows by their keys; what a row is called is no difference, only what it says."""
    old, new = _by_key(before[term], key), _by_key(after[term], key)
    for name, one in new.items():
        if name not in old:
            yield Difference(term, name, "added", None, one, f"{name}: {says(one)} (new)")
        elif says(old[name]) != says(one):
            yield Difference(term, name, "changed", old[name], one, f"{name}: {says(old[name])} -> {says(one)}")
    for name, one in old.items():
        if name not in new:
            yield Difference(term, name, "removed", one, None, f"{name}: {says(one)} (no longer)")


def _by_key(rows: Sequence[Terms], key: Callable[[Terms], str]) -> dict[str, Terms]:
    return {key(one): one for one in rows}


def _of_calendars(before: Terms, after: Terms) -> Iterator[Difference]:
    if before["timezone"] != after["timezone"]:
        text = f"time zone: {before['timezone']} -> {after['timezone']}"
        yield Difference("calendar", "timezone", "changed", before["timezone"], after["timezone"], text)
    for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"):
        yield from _of_days(day, before["weekly"].get(day, []), after["weekly"].get(day, []))
    old, new = set(before["holidays"]), set(after["holidays"])
    for on in sorted(new - old):
        yield Difference("calendar", on, "added", None, on, f"{on} is a holiday")
    for on in sorted(old - new):
        yield Difference("calendar", on, "removed", on, None, f"{on} is no longer a holiday")
    for on in sorted({*before["overrides"], *after["overrides"]}):
        old_day, new_day = before["overrides"].get(on), after["overrides"].get(on)
        if old_day is None or new_day is None:
            kind: ChangeKind = "added" if old_day is None else "removed"
            text = f"{on}: {_windows(new_day)} that day" if new_day is not None else f"{on}: like any other day"
            yield Difference("calendar", on, kind, old_day, new_day, text)
        else:
            yield from _of_days(on, old_day, new_day)


def _of_days(day: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Difference]:
    if [list(one) for one in before] != [list(one) for one in after]:
        text = f"hours of {day}: {_windows(before)} -> {_windows(after)}"
        yield Difference("calendar", day, "changed", list(before), list(after), text)


def _windows(windows: Sequence[Any]) -> str:
    return ", ".join(f"{first}-{last}" for first, last in windows) or "closed"


def _target_key(one: Terms) -> str:
    keys = _keys(one, ("priority", "level", "job_type"))
    return f"{_METRIC[one['metric']]} of {keys + ' tickets' if keys else 'all tickets'}"


def _promise(one: Terms) -> str:
    if one["budget_minutes"] is None:
        return "no target"
    flags = [word for word in ("after_hours", "weekends", "holidays") if one[word]]
    counted = f", {' and '.join(flags).replace('_', ' ')} counted" if flags else ""
    return duration(one["budget_minutes"]) + counted


def _step_key(one: Terms) -> str:
    return f"Escalation step {one['step']}"


def _step(one: Terms) -> str:
    places = (one.get("to_level"), one.get("to_queue"), one.get("to_priority"))
    moved = "".join(f", to {place}" for place in places if place)
    return f"at {one['at_percent']} % of {one['metric']}{moved}, tell {', '.join(one['notify']) or 'nobody'}"


def _weight_key(one: Terms) -> str:
    return f"Weight of {_keys(one, ('level', 'job_type', 'condition')) or 'all work'}"


def _keys(one: Terms, names: Sequence[str]) -> str:
    return " ".join(str(one[name]) for name in names if one[name] is not None)


def duration(minutes: int) -> str:
    """Return minutes as people say them: ``4 h``, ``1 h 30 min``, ``45 min``."""
    whole, rest = divmod(minutes, 60)
    parts = [f"{whole} h"] if whole else []
    return " ".join([*parts, f"{rest} min"]) if rest or not whole else parts[0]


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value is None else str(value)
