"""What is odd about time that waits for approval, most serious first: it is looked at before the rest, never refused for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypeVar, get_args

from msp_kernel.business_time import Calendar

Code = Literal[
    "out_of_scope",
    "overage",
    "overlaps",
    "very_long",
    "unlike_usual",
    "period_sealed",
    "late",
    "holiday",
    "weekend",
    "after_hours",
]
CODES: tuple[Code, ...] = get_args(Code)
"""From the most serious on: first what the client may not pay, then what may not have been worked like that."""
LONG_MINUTES = 8 * 60
USUAL_COUNT = 4
"""Fewer entries of a ticket make nothing usual."""
USUAL_TIMES, USUAL_GAP_MINUTES = 3, 60
"""So many times the usual, and so much above it."""
LATE = timedelta(days=7)
OFF_MINUTES = 30
"""Less than this outside the opening hours is a call that took longer."""
_DETAILS: Mapping[Code, str] = {
    "out_of_scope": "job type or level is not in the contract any more",
    "overage": "{} min beyond the bucket",
    "overlaps": "shares minutes with other entries of the same agent: {}",
    "very_long": "{} min in one entry",
    "unlike_usual": "{} min is usual here",
    "period_sealed": "its period is sealed",
    "late": "logged {} days after the work",
    "holiday": "{} min outside the opening hours, on a holiday",
    "weekend": "{} min outside the opening hours, on a weekend",
    "after_hours": "{} min outside the opening hours",
}
Entry = TypeVar("Entry")


class Oddity(NamedTuple):
    """One thing that is odd about an entry; ``figure`` is minutes, days or how many, by the code (0: there is none)."""

    code: Code
    figure: int = 0

    @property
    def detail(self) -> str:
        """Return what is odd in one phrase."""
        return _DETAILS[self.code].format(self.figure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An entry that waits for approval, with what is known around it.

    ``overage_minutes`` is ``None`` while contracts has not answered; ``calendar`` while none is known. The usual is the
    middle one of the ``usual_count`` live entries of its ticket or task, this one among them.
    """

    worked_from: datetime
    worked_minutes: int
    logged_at: datetime
    is_late: bool
    overlaps: int
    overage_minutes: int | None
    is_in_scope: bool
    usual_minutes: int
    usual_count: int
    calendar: Calendar | None


def oddities(entry: Waiting) -> tuple[Oddity, ...]:
    """Return what is odd about an entry, most serious first; nothing for most of them."""
    return tuple(sorted(_found(entry), key=lambda one: CODES.index(one.code)))


def odd_first(entries: Iterable[Entry], *, of: Callable[[Entry], Sequence[Oddity]]) -> list[Entry]:
    """Return entries with the odd ones first, by their most serious oddity and then by how many; else as they were."""
    return sorted(entries, key=lambda one: _rank(of(one)))


def _rank(found: Sequence[Oddity]) -> tuple[int, int]:
    return (CODES.index(found[0].code), -len(found)) if found else (len(CODES), 0)


def _found(entry: Waiting) -> Iterator[Oddity]:
    ends_at = entry.worked_from + timedelta(minutes=entry.worked_minutes)
    if not entry.is_in_scope:
        yield Oddity("out_of_scope")
    if entry.overage_minutes:
        yield Oddity("overage", entry.overage_minutes)
    if entry.overlaps:
        yield Oddity("overlaps", entry.overlaps)
    if entry.worked_minutes > LONG_MINUTES:
        yield Oddity("very_long", entry.worked_minutes)
    usual = entry.usual_minutes
    is_known = entry.usual_count >= USUAL_COUNT
    if is_known and entry.worked_minutes >= max(USUAL_TIMES * usual, usual + USUAL_GAP_MINUTES):
        yield Oddity("unlike_usual", usual)
    if entry.is_late:
        yield Oddity("period_sealed")
    elif entry.logged_at - ends_at > LATE:
        yield Oddity("late", (entry.logged_at - ends_at).days)
    if entry.calendar is not None:
        yield from _off_hours(entry.calendar, entry.worked_from, ends_at)


def _off_hours(calendar: Calendar, begins: datetime, ends: datetime) -> Iterator[Oddity]:
    """Say how much of the work was outside the opening hours; it is named after what most of that was."""
    minutes: dict[Code, int] = {}
    for part, condition in calendar.split_by_condition(begins, ends):
        if condition != "regular":
            minutes[condition] = minutes.get(condition, 0) + (part.ends_at - part.starts_at) // timedelta(minutes=1)
    if sum(minutes.values()) >= OFF_MINUTES:
        yield Oddity(max(minutes, key=lambda code: (minutes[code], code)), sum(minutes.values()))
