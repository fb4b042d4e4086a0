"""What a contract says besides its targets when promises are at stake: quiet hours, and credits for broken promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.domain.contract import duplicates
from msp_kernel.business_time import Calendar

_A_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
_WEEK = timedelta(days=7)


class QuietHoursNeverEnd(Exception):
    """Quiet hours around the clock would hold an escalation back for good."""


class AmbiguousCredits(Exception):
    """Two credit rules have one id: nobody could say which of them a credit was given by."""


def refuse_endless_quiet(weekly: Mapping[str, Any], *, timezone: str) -> None:
    """Let quiet hours through that are windows of the week and end some time; none at all is fine.

    Raises:
        QuietHoursNeverEnd: every hour of the week is quiet.
        BadWindow: a window is none, or overlaps another of its day.
    """
    if not any(weekly.values()):
        return
    quiet = Calendar.from_json({"timezone": timezone, "weekly": dict(weekly)})
    quiet.refuse_overlaps()
    if quiet.between(_A_MONDAY, _A_MONDAY + _WEEK) >= _WEEK.total_seconds():
        raise QuietHoursNeverEnd("leave an hour of the week in which escalation steps may fire")


def named_credits(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return credit rules with an id each.

    Raises:
        AmbiguousCredits: an id is given twice.
    """
    named = [{**one, "rule_id": one["rule_id"] or f"credit.{n}"} for n, one in enumerate(rules, start=1)]
    if repeated := duplicates([one["rule_id"] for one in named]):
        raise AmbiguousCredits(f"two credit rules are called {', '.join(sorted(set(repeated)))}")
    return named
