"""Compliance from the kept sums, and the clocks behind each number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from msp_kit.problems import BadCursor
from sla import store
from sla.domain.compliance import DIMENSIONS, Compliance, Outcome, Part, Tally
from sla.domain.tape import ClockReport
from sla.reports.clocks import with_tape

ALL_CLIENTS = UUID(int=0)
DAYS_MAX = 3 * 366


class PeriodNotAnswerable(ValueError):
    """The period ends before it begins, is longer than three years, or holds more than can be answered for at once."""


# Sums that are kept, changes that wait to be folded into them, and what fell due a moment ago and no timer has seen yet.
# Whole weeks are read from the sums of weeks, the days at both ends from those of days.
_COUNTS = """
WITH spans (grain, starts_on, ends_on) AS (
    VALUES ('day', $2::date, $3::date), ('week', $3::date, $4::date), ('day', $4::date, $5::date)
), just_due AS (
    SELECT c.*, c.due_at AT TIME ZONE coalesce(k.timezone, 'UTC') AS local_at
      FROM clocks c LEFT JOIN clients k USING (client_id)
     WHERE c.status = 'running' AND c.breached_at IS NULL AND c.due_at <= $7
), counts AS MATERIALIZED (
    SELECT r.starts_on, r.metric, r.dimension, r.value, r.met, r.missed, r.open_overdue
      FROM rollups r
     WHERE r.client_id = $1
       AND (r.grain = 'day' AND r.starts_on >= $2 AND r.starts_on < $3
            OR r.grain = 'week' AND r.starts_on >= $3 AND r.starts_on < $4
            OR r.grain = 'day' AND r.starts_on >= $4 AND r.starts_on < $5)
       AND ($6::text IS NULL OR r.metric = $6)
     UNION ALL
    SELECT p.starts_on, c.metric, p.dimension, p.value, c.met, c.missed, c.open_overdue
      FROM rollup_changes c
     CROSS JOIN LATERAL rollup_parts(c.client_id, c.counted_on, c.counted_hour, c.priority, c.level, c.job_type, c.queue,
                                     c.assignee_id) p
      JOIN spans s ON p.grain = s.grain AND p.starts_on >= s.starts_on AND p.starts_on < s.ends_on
     WHERE p.client_id = $1 AND ($6::text IS NULL OR c.metric = $6)
     UNION ALL
    SELECT p.starts_on, c.metric, p.dimension, p.value, 0, 0, 1
      FROM just_due c
     CROSS JOIN LATERAL rollup_parts(c.client_id, c.local_at::date, extract(hour FROM c.local_at)::smallint, c.priority,
                                     c.level, c.job_type, c.queue, c.assignee_id) p
      JOIN spans s ON p.grain = s.grain AND p.starts_on >= s.starts_on AND p.starts_on < s.ends_on
     WHERE p.client_id = $1 AND ($6::text IS NULL OR c.metric = $6)
)
SELECT dimension, value, sum(met)::int AS met, sum(missed)::int AS missed, sum(open_overdue)::int AS open_overdue
  FROM counts GROUP BY dimension, value
 UNION ALL
SELECT 'week', (starts_on - (extract(isodow FROM starts_on)::int - 1))::text, sum(met)::int, sum(missed)::int,
       sum(open_overdue)::int
  FROM counts WHERE dimension = 'all' GROUP BY 2
 UNION ALL
SELECT 'metric', metric, sum(met)::int, sum(missed)::int, sum(open_overdue)::int
  FROM counts WHERE dimension = 'all' GROUP BY 2
"""
_AT_RISK = """
SELECT client_id, count(*) AS at_risk
  FROM clocks
 WHERE status = 'running' AND at_risk_at <= $1 AND due_at > $1 AND breached_at IS NULL
   AND ($2::uuid IS NULL OR client_id = $2) AND ($3::text IS NULL OR metric = $3)
 GROUP BY client_id
"""
# One row per clock that counts, where it counts: the same rule as the database's own `count_clocks`.
_COUNTED = """
WITH counted AS (
    SELECT id, client_id, metric, priority, level, job_type, queue, assignee_id, counted_on, counted_hour,
           counted_at AS decided_at, coalesce(verdict, 'open_overdue') AS outcome
      FROM clocks
     WHERE counted_on >= $1 AND counted_on < $2 AND NOT is_breach_carried AND verdict IS DISTINCT FROM 'excluded'
     UNION ALL
    SELECT id, client_id, metric, priority, level, job_type, queue, assignee_id, local_at::date,
           extract(hour FROM local_at)::smallint, due_at, 'open_overdue'
      FROM (SELECT c.*, c.due_at AT TIME ZONE coalesce(k.timezone, 'UTC') AS local_at
              FROM clocks c LEFT JOIN clients k USING (client_id)
             WHERE c.status = 'running' AND c.breached_at IS NULL AND c.due_at <= $3) AS just_due
     WHERE local_at >= $1 AND local_at < $2
)
SELECT id, outcome, decided_at
  FROM counted
 WHERE outcome = ANY($4) AND ($5::timestamptz IS NULL OR (decided_at, id) < ($5, $6::uuid)){conditions}
 ORDER BY decided_at DESC, id DESC
 LIMIT $7
"""
_PRIORITY_ORDER = {"critical": 0, "high": 1, "medium": 2, "low": 3}


async def compliance(
    tx: Transaction, *, starts_on: date, ends_on: date, client_id: UUID | None, metric: str | None
) -> Compliance:
    """Return compliance of a period, whole and in parts; every part adds up to the whole.

    A clock counts where its promise was decided: at its breach, or else at its stop.

    Raises:
        PeriodNotAnswerable: ``ends_on`` is not after ``starts_on``, or more than three years after.
    """
    answerable(starts_on, ends_on)
    whose = client_id or tx.scope.client_id or ALL_CLIENTS
    first_monday, last_monday = whole_weeks(starts_on, ends_on)
    rows = await tx.fetch(_COUNTS, whose, starts_on, first_monday, last_monday, ends_on, metric, tx.now)
    risks = await tx.fetch(_AT_RISK, tx.now, client_id, metric)
    by: dict[str, dict[str, Tally]] = defaultdict(dict)
    for row in rows:
        tally = Tally(row["met"], row["missed"], row["open_overdue"])
        if tally != Tally():
            by[row["dimension"]][row["value"]] = tally
    at_risk_counts = {row["client_id"]: row["at_risk"] for row in risks}
    clients = {UUID(value): tally for value, tally in by["client"].items()}
    heatmap = [[0] * 24 for _ in range(7)]
    for value, tally in by["hour"].items():
        heatmap[int(value) // 24][int(value) % 24] = tally.missed + tally.open_overdue
    return Compliance(
        starts_on=starts_on,
        ends_on=ends_on,
        whole=by["all"].get("", Tally()),
        parts={name: _parts(by[name]) for name in DIMENSIONS},
        by_week=[Part(week, by["week"].get(week.isoformat(), Tally())) for week in _weeks(starts_on, ends_on)],
        by_client=[Part(one, clients.get(one, Tally())) for one in sorted({*clients, *at_risk_counts})],
        at_risk=at_risk_counts,
        heatmap=heatmap,
    )


def answerable(starts_on: date, ends_on: date) -> None:
    """Let a period through that can be answered for.

    Raises:
        PeriodNotAnswerable: see there.
    """
    if not timedelta(days=1) <= ends_on - starts_on <= timedelta(days=DAYS_MAX):
        raise PeriodNotAnswerable(f"a period of 1 to {DAYS_MAX} days is accepted; it ends before the day of `to`")


def _parts(tallies: Mapping[str, Tally]) -> list[Part]:
    return [
        Part(name, tallies[name]) for name in sorted(tallies, key=lambda name: (_PRIORITY_ORDER.get(name, 9), name))
    ]


def whole_weeks(starts_on: date, ends_on: date) -> tuple[date, date]:
    """Return the Mondays between which a period consists of whole weeks; twice its end when it has none."""
    first = starts_on + timedelta(days=-starts_on.weekday() % 7)
    last = ends_on - timedelta(days=ends_on.weekday())
    return (first, last) if first < last else (ends_on, ends_on)


def _weeks(starts_on: date, ends_on: date) -> list[date]:
    monday = starts_on - timedelta(days=starts_on.weekday())
    return [monday + timedelta(days=7 * n) for n in range((ends_on - monday + timedelta(days=6)) // timedelta(days=7))]


# ---- the clocks behind a number -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which clocks of a period are asked for; ``None`` chooses all. ``agent_id`` ``""`` asks for those nobody had."""

    starts_on: date
    ends_on: date
    outcomes: Sequence[Outcome] = ("met", "missed", "open_overdue")
    client_id: UUID | None = None
    metric: str | None = None
    priority: str | None = None
    level: str | None = None
    job_type: str | None = None
    queue: str | None = None
    agent_id: UUID | str | None = None
    weekday: int | None = None
    hour: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A clock that counts: how, and since when."""

    report: ClockReport
    outcome: Outcome
    decided_at: datetime


async def verdicts(tx: Transaction, chosen: Chosen, *, limit: int, after: Sequence[Any] | None) -> list[Decided]:
    """Return up to ``limit + 1`` clocks behind a number of ``compliance``, the latest decided first.

    Raises:
        BadCursor: ``after`` is not the position of a clock.
        PeriodNotAnswerable: as for ``compliance``.
    """
    answerable(chosen.starts_on, chosen.ends_on)
    try:
        before = (None, None) if after is None else (datetime.fromisoformat(after[0]), UUID(after[1]))
    except (ValueError, TypeError, AttributeError) as error:
        message = "take the cursor from `next` of the previous page"
        raise BadCursor(message) from error
    arguments: list[Any] = [
        chosen.starts_on,
        chosen.ends_on,
        tx.now,
        list(chosen.outcomes),
        *before,
        limit + 1,
    ]
    conditions = ""
    for condition, value in _conditions(chosen):
        arguments.append(value)
        conditions += f" AND {condition.format(len(arguments))}"
    rows = await tx.fetch(_COUNTED.format(conditions=conditions), *arguments)
    clocks = await store.clocks_by_id(tx, [row["id"] for row in rows])
    reports = await with_tape(tx, [clocks[row["id"]] for row in rows])
    return [
        Decided(report=report, outcome=row["outcome"], decided_at=row["decided_at"])
        for row, report in zip(rows, reports, strict=True)
    ]


def _conditions(chosen: Chosen) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [
        (f"{name} = ${{}}", value)
        for name in ("client_id", "metric", "priority", "level", "job_type", "queue")
        if (value := getattr(chosen, name)) is not None
    ]
    if chosen.agent_id is not None:
        found.append(("assignee_id IS NOT DISTINCT FROM ${}::uuid", chosen.agent_id or None))
    if chosen.weekday is not None:
        found.append(("extract(isodow FROM counted_on)::int - 1 = ${}", chosen.weekday))
    if chosen.hour is not None:
        found.append(("counted_hour = ${}", chosen.hour))
    return found
