"""What the flags of an SLA target do to windows. They only ever add."""

from __future__ import annotations

from collections.abc import Sequence, Set as AbstractSet
from datetime import date

from msp_kernel.business_time.timeline import DAY_SECONDS, Window

ALWAYS: tuple[Window, ...] = ((0, DAY_SECONDS),)
_SATURDAY, _SUNDAY = 5, 6


def widened_week(
    week: Sequence[tuple[Window, ...]], *, after_hours: bool, weekends: bool
) -> tuple[tuple[Window, ...], ...]:
    """Return the windows of seven weekdays as the flags widen them."""
    days = list(week)
    if weekends:
        widest = max(week[:_SATURDAY], key=lambda windows: sum(end - start for start, end in windows))
        days[_SATURDAY] = week[_SATURDAY] or week[_SUNDAY] or widest
        days[_SUNDAY] = week[_SUNDAY] or week[_SATURDAY] or widest
    if after_hours:
        days = [_around_the_clock(windows) for windows in days]
    return tuple(days)


def widened_overrides(
    overrides: Sequence[tuple[date, tuple[Window, ...]]],
    *,
    week: Sequence[tuple[Window, ...]],
    after_hours: bool,
    like_weekdays: AbstractSet[date],
) -> tuple[tuple[date, tuple[Window, ...]], ...]:
    """Return overrides as the flags widen them: those of ``like_weekdays`` have the windows of their weekday, too."""
    found = []
    for day, own in overrides:
        windows = (*own, *week[day.weekday()]) if day in like_weekdays else own
        found.append((day, _around_the_clock(windows) if after_hours else tuple(sorted(set(windows)))))
    return tuple(found)


def _around_the_clock(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    """Return the whole day if there are windows, and those windows.

    They stay, because some lie outside it: those that run into the next day, and those of a day that its zone skipped,
    which shift into the next one while the whole day has no length.
    """
    return tuple(sorted({*ALWAYS, *windows})) if windows else ()
