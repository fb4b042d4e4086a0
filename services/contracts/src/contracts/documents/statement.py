"""The PDF of a statement: what came and went in a period, line by line, with the running balance.

A function of the statement alone: asked again, it is the same to the byte until something is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msp_kernel.durations import hours_and_minutes
from msp_kit import pdf

SHORT = 200
"""Lines of a statement that may be remembered by the renderer."""


def render(statement: Mapping[str, Any]) -> bytes:
    """Return the PDF of a statement as the report tells it."""
    is_long = len(statement["items"]) > SHORT
    return pdf.render("contracts.documents", "statement.typ", _values(statement), is_long=is_long)


def _values(statement: Mapping[str, Any]) -> dict[str, Any]:
    zone = ZoneInfo(statement["timezone"])
    first = statement["starts_at"].astimezone(zone)
    # Whole local days: the last one is the day of the last instant, whatever the clocks do in its night.
    last = (statement["ends_at"] - timedelta(microseconds=1)).astimezone(zone)
    came = sum(one["minutes"] for one in statement["items"] if one["minutes"] > 0)
    went = sum(one["minutes"] for one in statement["items"] if one["minutes"] < 0)
    over = sum(one["overage_minutes"] for one in statement["items"])
    return {
        "title": f"Statement of hours {statement['ref']}, {_day(first)} to {_day(last)}",
        "client": statement["client_name"],
        "contract": f"{statement['ref']}, {statement['contract_name']}",
        "year": last.year,
        "month": last.month,
        "day": last.day,
        "first": _day(first),
        "last": _day(last),
        "opening": hours(statement["opening_minutes"]),
        "closing": hours(statement["closing_minutes"]),
        "facts": [
            ["Period", f"{_day(first)} to {_day(last)}"],
            ["Opening balance", hours(statement["opening_minutes"])],
            ["Added", hours(came)],
            ["Used, on hold or expired", hours(went)],
            *([["Beyond the bucket", hours(over)]] if over else []),
            ["Closing balance", hours(statement["closing_minutes"])],
        ],
        "lines": [_line(one, zone) for one in statement["items"]],
        "note": _note(statement),
    }


def _line(one: Mapping[str, Any], zone: ZoneInfo) -> list[str]:
    marks = [one["level"] or "", one["job_type"] or "", "on hold" if one["kind"] == "hold" else ""]
    marks.append("correction of a closed period" if one["is_correction"] else "late" if one["is_late"] else "")
    told = ", ".join(mark for mark in marks if mark)
    return [
        f"{one['at'].astimezone(zone):%Y-%m-%d %H:%M}",
        f"{one['text']} ({told})" if told else one["text"],
        one["ref"],
        one["agent_name"],
        _signed(one["minutes"]),
        hours(one["balance_minutes"]),
    ]


def _note(statement: Mapping[str, Any]) -> str:
    seqs = [seq for one in statement["items"] for seq in one["posting_seqs"]]
    told = f"Postings of the ledger up to number {max(seqs)}. " if seqs else "Nothing was posted in this period. "
    state = (
        "The period is closed: it does not change any more." if statement["is_closed"] else "The period is still open."
    )
    return f"{told}{state} Times are those of {statement['timezone']}; hours count as the contract rounds and weighs them, in hours and minutes."


def hours(minutes: int) -> str:
    """Return minutes as ``21:45 h``."""
    return f"{hours_and_minutes(minutes)} h"


def _signed(minutes: int) -> str:
    return f"{'+' if minutes > 0 else ''}{hours(minutes)}"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"
