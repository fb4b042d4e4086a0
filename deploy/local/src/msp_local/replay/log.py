"""Reads an incident log: one row per update of an incident, as ITSM systems export it. Pure; it knows no API.

Columns used: number, incident_state, reassignment_count, sys_mod_count, caller_id, opened_at, sys_updated_by,
sys_updated_at, location, category, subcategory, priority, assignment_group, assigned_to, made_sla. Dates are
``d/m/Y H:M`` without a zone: local time of the client. ``?`` means unknown. Rows that cannot be used are refused with a
reason, never dropped.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

UNKNOWN = "?"
TIMEZONE = "Europe/London"
UPDATE_MINUTES = 15
REQUIRED = (
    "number",
    "incident_state",
    "reassignment_count",
    "sys_mod_count",
    "caller_id",
    "opened_at",
    "sys_updated_by",
    "sys_updated_at",
    "location",
    "category",
    "subcategory",
    "priority",
    "assignment_group",
    "assigned_to",
)
STATUSES = {
    "New": "new",
    "Active": "open",
    "Awaiting User Info": "waiting_on_client",
    "Awaiting Evidence": "waiting_on_client",
    "Awaiting Vendor": "waiting_on_vendor",
    "Awaiting Problem": "scheduled",
    "Resolved": "resolved",
    "Closed": "closed",
}
PRIORITIES = {"1": "critical", "2": "high", "3": "medium", "4": "low"}


class NotALog(Exception):
    """The file is not an incident log of this form."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken, and why."""

    row: int
    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class Update:
    """One change of an incident. ``worked_minutes`` is 0 where nobody worked."""

    seq: int
    at: datetime
    status: str
    priority: str
    queue: str
    assignee: str | None
    agent: str
    worked_minutes: int


@dataclass(slots=True)
class Incident:
    """One incident with its updates in order of their number."""

    number: str
    location: str
    caller: str
    category: str
    subcategory: str
    priority: str
    level: str
    opened_at: datetime
    updates: list[Update] = field(default_factory=list)


@dataclass(slots=True)
class Log:
    """What a file holds."""

    incidents: list[Incident]
    refusals: list[Refusal]
    row_count: int


def read(path: Path) -> Log:
    """Read a log, plain or gzipped.

    Raises:
        NotALog: columns are missing, or the file is not CSV in UTF-8.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as raw:
            return parse(io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise NotALog(f"{path}: {error}") from error


def parse(lines: Iterable[str]) -> Log:
    """Read the lines of a log.

    Raises:
        NotALog: columns are missing.
    """
    reader = csv.DictReader(lines)
    missing = [name for name in REQUIRED if name not in (reader.fieldnames or ())]
    if missing:
        raise NotALog(f"the columns {', '.join(missing)} are missing")
    incidents: dict[str, Incident] = {}
    refusals: list[Refusal] = []
    count = 0
    for count, row in enumerate(reader, start=1):
        try:
            _take(row, incidents)
        except _Refused as refused:
            refusals.append(Refusal(row=count + 1, number=(row.get("number") or "")[:40], reason=str(refused)))
    return Log(incidents=list(incidents.values()), refusals=refusals, row_count=count)


class _Refused(Exception):
    pass


def _take(row: dict[str, str], incidents: dict[str, Incident]) -> None:
    if any(row.get(name) is None for name in REQUIRED):
        raise _Refused("the row has fewer fields than the header")
    number = row["number"].strip()
    if not re.fullmatch(r"[A-Za-z0-9-]{1,40}", number):
        raise _Refused("number is not an incident number")
    status = STATUSES.get(row["incident_state"])
    if status is None:
        raise _Refused(f"incident_state {row['incident_state']!r} is not one of {', '.join(STATUSES)}")
    priority = PRIORITIES.get(row["priority"][:1])
    if priority is None:
        raise _Refused(f"priority {row['priority']!r} is not one of 1 to 4")
    seq = _count(row, "sys_mod_count")
    at = _instant(row, "sys_updated_at")
    incident = incidents.get(number)
    is_first = incident is None
    if incident is None:
        incident = incidents[number] = Incident(
            number=number,
            location=row["location"],
            caller=row["caller_id"],
            category=row["category"],
            subcategory=row["subcategory"],
            priority=priority,
            level=_level(_count(row, "reassignment_count")),
            opened_at=min(_instant(row, "opened_at"), at),
        )
    # The first row tells how the incident was opened, the closing is done by a timer: neither is an agent's work.
    is_work = not is_first and status != "closed"
    assignee = None if row["assigned_to"] == UNKNOWN else row["assigned_to"]
    incident.updates.append(
        Update(
            seq=seq,
            at=at,
            status=status,
            priority=priority,
            queue=row["assignment_group"] if row["assignment_group"] != UNKNOWN else "Service desk",
            assignee=assignee,
            agent=assignee or row["sys_updated_by"],
            worked_minutes=UPDATE_MINUTES if is_work else 0,
        )
    )


def _count(row: dict[str, str], name: str) -> int:
    text = row[name]
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise _Refused(f"{name} {text!r} is not a count")
    return int(text)


def _instant(row: dict[str, str], name: str) -> datetime:
    try:
        local = datetime.strptime(row[name], "%d/%m/%Y %H:%M").replace(tzinfo=ZoneInfo(TIMEZONE))
    except ValueError:
        raise _Refused(f"{name} {row[name]!r} is not a date of the form d/m/Y H:M") from None
    if local.year < 2000:
        raise _Refused(f"{name} {row[name]!r} lies before the year 2000")
    return local.astimezone(UTC)


def _level(reassignments: int) -> str:
    if reassignments == 0:
        return "L1"
    return "L2" if reassignments <= 2 else "L3"


def client_code(location: str) -> str:
    """Return the client code of a location: ``Location 143`` gives ``LFM``, the unknown one ``LZZZZ``."""
    digits = re.sub(r"\D", "", location)
    if not digits:
        return "LZZZZ"
    number, letters = int(digits), ""
    while True:
        number, rest = divmod(number, 26)
        letters = chr(ord("A") + rest) + letters
        if number == 0:
            return "L" + letters[-4:]


def job_type(category: str) -> str:
    """Return the job type of a category: ``Category 26`` gives ``category-26``, the unknown one ``category-unknown``."""
    slug = re.sub(r"[^a-z0-9]+", "-", category.lower()).strip("-")
    return slug or "category-unknown"


def batches(incidents: list[Incident], size: int) -> Iterator[list[Incident]]:
    """Cut the incidents into batches, oldest first."""
    ordered = sorted(incidents, key=lambda one: (one.opened_at, one.number))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
