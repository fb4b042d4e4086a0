"""The service report of a client: what was promised, raised, resolved and worked, on the page and on paper.

The paper is a function of the figures, the house and the language alone: asked again, it is the same to the byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from msp_kernel.periods import month_of
from msp_kit import pdf
from portal_gateway.brand import Brand
from portal_gateway.language import gettext, locale, mark, ngettext
from portal_gateway.pages import shown

PETROL = "#0b6074"
TICKETS = ("raised", "resolved")
HOURS = ("worked_minutes", "bucket_minutes", "overage_minutes")
PROMISE_TOLD = mark(
    "A promise is an answer or a fix within the time of your contract. One that is still open and late counts as late. Days are those of your own time zone."
)
WORK_TOLD = mark(
    "A ticket that went into another is counted once. Worked is the time we spent, approved or not yet; the bucket gives it as your contract rounds and weighs it."
)
PRIORITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class MonthOfService:
    """One month; a part that could not be had is not a mapping."""

    on: date
    promises: Any
    tickets: Mapping[str, int] | None
    hours: Mapping[str, int] | None

    @property
    def is_told(self) -> bool:
        """Return whether the promises of this month are known."""
        return isinstance(self.promises, Mapping)

    @property
    def code(self) -> str:
        """Return the month as an address names it: ``2026-10``."""
        return f"{self.on:%Y-%m}"

    def kept(self, priority: str) -> str:
        """Return the share of promises of a priority that were kept."""
        return kept(self.promises, priority)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceReport:
    """The figures of some months, the latest first; what could not be had says why instead."""

    months: Sequence[MonthOfService]
    whole: Any
    tickets: Any
    hours: Any
    is_running: bool
    """Whether the latest month is not over: its figures still grow."""
    client_name: str = ""

    @property
    def missing(self) -> Any:
        """Return the first part that could not be had, ``None`` when all are there."""
        parts = (self.whole, self.tickets, self.hours, *(one.promises for one in self.months))
        return next((one for one in parts if not isinstance(one, Mapping)), None)

    @property
    def is_empty(self) -> bool:
        """Return whether everything is known and nothing has happened yet."""
        if self.missing is not None or self.whole["percent"] is not None:
            return False
        return not any(any({**(one.tickets or {}), **(one.hours or {})}.values()) for one in self.months)

    @property
    def name(self) -> str:
        """Return what names its file: the first and the last month."""
        first, last = self.months[-1], self.months[0]
        return last.code if first is last else f"{first.code}-to-{last.code}"

    def total(self, part: str, name: str) -> int | None:
        """Return the sum of a figure over all months, ``None`` when a month is not known."""
        found = [getattr(one, part) for one in self.months]
        return None if None in found else sum(one[name] for one in found)


def count(tally: Mapping[str, Any]) -> int:
    """Return how many promises were decided."""
    return int(tally["met"] + tally["missed"] + tally["open_overdue"])


def late(tally: Mapping[str, Any]) -> int:
    """Return how many promises were missed; one that is still open and late counts as late."""
    return int(tally["missed"] + tally["open_overdue"])


def kept(found: Mapping[str, Any], priority: str) -> str:
    """Return the share of promises of a priority that were kept, as it is shown."""
    mine = [one["percent"] for one in found["by_priority"] if one["priority"] == priority]
    return shown.share(mine[0] if mine else None)


def render(values: Mapping[str, Any]) -> bytes:
    """Return the PDF of a report's values."""
    return pdf.render("portal_gateway.documents", "service_report.typ", values)


def values(report: ServiceReport, look: Brand) -> dict[str, Any]:
    """Return what stands in the document of a report that misses nothing, in the language spoken now."""
    first, last = report.months[-1].on, report.months[0].on
    ends_on = month_of(last).ends_on - timedelta(days=1)
    language, _, region = locale().partition("_")
    span = shown.month(last) if first == last else f"{shown.month(first)} – {shown.month(last)}"
    head, title = gettext("Service report"), gettext("Service report, %(months)s") % {"months": span}
    return {
        "language": language,
        "region": region,
        "title": f"{title}, {report.client_name}" if report.client_name else title,
        "head": head,
        "span": span,
        "house": look.name,
        "client": report.client_name,
        "colour": PETROL if look.accent is None else look.accent.light,
        "year": ends_on.year,
        "month": ends_on.month,
        "day": ends_on.day,
        "page": gettext("Page"),
        "percent": shown.share(report.whole["percent"]),
        "of": ngettext("of %(num)s promise", "of %(num)s promises", count(report.whole)) % {"num": count(report.whole)},
        "tables": [_priorities(report), _promises(report), _work(report), _weeks(report)],
        "notes": _notes(report),
    }


def _priorities(report: ServiceReport) -> dict[str, Any]:
    columns = [gettext("Priority"), gettext("Kept"), gettext("Promises"), gettext("Late")]
    known = [one for one in report.whole["by_priority"] if one["percent"] is not None]
    rows = [[gettext(shown.PRIORITY.get(one["priority"], one["priority"])), *_tally(one)] for one in known]
    return _table(gettext("By priority"), columns, rows, bars=[one["percent"] for one in known])


def _promises(report: ServiceReport) -> dict[str, Any]:
    columns = [gettext("Month"), gettext("Kept"), gettext("Promises"), gettext("Late")]
    columns += [gettext(shown.PRIORITY[one]) for one in PRIORITIES]
    rows = [
        [shown.month(one.on), *_tally(one.promises), *(one.kept(priority) for priority in PRIORITIES)]
        for one in report.months
    ]
    whole = [gettext("All"), *_tally(report.whole), *(kept(report.whole, priority) for priority in PRIORITIES)]
    return _table(gettext("Promises by month"), columns, rows, whole)


def _work(report: ServiceReport) -> dict[str, Any]:
    columns = [gettext("Month"), gettext("Raised"), gettext("Resolved"), gettext("Worked")]
    columns += [gettext("From the bucket"), gettext("Beyond it")]
    rows = [
        [
            shown.month(one.on),
            *(str((one.tickets or {})[name]) for name in TICKETS),
            *(shown.hours((one.hours or {})[name]) for name in HOURS),
        ]
        for one in report.months
    ]
    whole = [gettext("All"), *(str(report.total("tickets", name)) for name in TICKETS)]
    return _table(
        gettext("Tickets and hours"),
        columns,
        rows,
        [*whole, *(shown.hours(report.total("hours", name)) for name in HOURS)],
    )


def _weeks(report: ServiceReport) -> dict[str, Any]:
    columns = [gettext("Week from"), gettext("Kept"), gettext("Promises"), gettext("Late")]
    weeks = [one for one in reversed(report.whole["by_week"]) if one["percent"] is not None]
    rows = [[shown.day(one["week"]), *_tally(one)] for one in weeks]
    return _table(gettext("By week"), columns, rows, bars=[one["percent"] for one in weeks])


def _tally(tally: Mapping[str, Any]) -> list[str]:
    return [shown.share(tally["percent"]), str(count(tally)), str(late(tally))]


def _table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    whole: Sequence[str] = (),
    *,
    bars: Sequence[float] = (),
) -> dict[str, Any]:
    """Return a table; ``bars`` are drawn beside its rows, in per cent of the width."""
    # A single month is its own sum.
    return {"title": title, "columns": columns, "rows": rows, "whole": whole if len(rows) > 1 else (), "bars": bars}


def _notes(report: ServiceReport) -> list[str]:
    latest = shown.month(report.months[0].on)
    running = (
        [gettext("%(month)s is not over: its figures still grow.") % {"month": latest}] if report.is_running else []
    )
    return [*running, gettext(PROMISE_TOLD), gettext(WORK_TOLD)]
