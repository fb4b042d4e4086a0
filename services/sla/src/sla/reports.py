"""What screens and checks read: clocks with their tape, what is at risk, compliance, and proof that it all holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from msp_kit.problems import BadCursor, NotFound
from sla import store
from sla.domain.clock import Clock, recomputed
from sla.domain.compliance import Compliance, Part, Tally
from sla.domain.tape import ClockReport, FiredStep

VERIFIED_AT_ONCE = 2000
DAYS_MAX = 3 * 366


_RUNNING = """
SELECT id
  FROM clocks
 WHERE status = 'running' AND {condition}
   AND ($2::timestamptz IS NULL OR (due_at, id) > ($2, $3::uuid))
 ORDER BY due_at, id
 LIMIT $4
"""


class PeriodNotAnswerable(ValueError):
    """The period ends before it begins, or is longer than three years."""


async def clocks_of_ticket(tx: Transaction, ticket_id: UUID) -> list[ClockReport]:
    """Return the clocks of a ticket with what fired, oldest first; empty for a ticket the caller may not see."""
    return await _reports(tx, await store.clocks_of_ticket(tx, ticket_id))


async def one_clock(tx: Transaction, clock_id: UUID) -> ClockReport:
    """Return a clock with what fired.

    Raises:
        NotFound: there is no such clock, or it is another client's.
    """
    found = await store.clocks_by_id(tx, [clock_id])
    if clock_id not in found:
        raise NotFound
    (report,) = await _reports(tx, [found[clock_id]])
    return report


async def at_risk(
    tx: Transaction, *, limit: int, after: Sequence[Any] | None, is_every_running: bool
) -> list[ClockReport]:
    """Return up to ``limit + 1`` running clocks at risk or overdue, soonest due first; or every running clock.

    Raises:
        BadCursor: ``after`` is not the position of a clock.
    """
    try:
        due_after, id_after = (None, None) if after is None else (datetime.fromisoformat(after[0]), UUID(after[1]))
    except (ValueError, TypeError, AttributeError) as error:
        message = "take the cursor from `next` of the previous page"
        raise BadCursor(message) from error
    rows = await tx.fetch(
        _RUNNING.format(condition="$1::timestamptz IS NOT NULL" if is_every_running else "at_risk_at <= $1"),
        tx.now,
        due_after,
        id_after,
        limit + 1,
    )
    ids = [row["id"] for row in rows]
    clocks = await store.clocks_by_id(tx, ids)
    return await _reports(tx, [clocks[one] for one in ids])


async def _reports(tx: Transaction, clocks: Sequence[Clock]) -> list[ClockReport]:
    if not clocks:
        return []
    terms = await store.terms_of(tx, {(one.promise.contract_id, one.promise.contract_version) for one in clocks})
    fired: dict[UUID, list[FiredStep]] = defaultdict(list)
    rows = await tx.fetch(
        "SELECT clock_id, kind, percent, escalation_step AS step, to_level, notify, due_at, fired_at, voided_at,"
        " voided_because FROM firings WHERE clock_id = ANY($1) ORDER BY fired_at, due_at, percent, step",
        [clock.id for clock in clocks],
    )
    for row in rows:
        fired[row["clock_id"]].append(FiredStep(**row))
    rows = await tx.fetch(
        "SELECT ticket_id, ref FROM tickets WHERE ticket_id = ANY($1)", [clock.ticket_id for clock in clocks]
    )
    refs = {row["ticket_id"]: row["ref"] for row in rows}
    made = [
        ClockReport(
            clock=clock,
            terms=terms[clock.promise.contract_id, clock.promise.contract_version],
            now=tx.now,
            fired=fired[clock.id],
            ticket_ref=refs[clock.ticket_id],
        )
        for clock in clocks
    ]
    return [report.for_client() for report in made] if tx.scope.role == "client" else made


# ---- compliance -----------------------------------------------------------------------------------------------------

# The same rules as domain.compliance.outcome and counted_at, for many clocks at once; a test compares the two.
_COMPLIANCE = """
WITH ended AS (
    SELECT client_id, priority, metric, counted_at AS at,
           CASE WHEN verdict IS NULL THEN 'open_overdue' ELSE verdict END AS outcome
      FROM clocks
     WHERE counted_at >= $1::date - interval '2 days' AND counted_at < $2::date + interval '2 days'
       AND NOT is_breach_carried AND verdict IS DISTINCT FROM 'excluded'
       AND ($3::uuid IS NULL OR client_id = $3) AND ($4::text IS NULL OR metric = $4)
     UNION ALL
    -- Fallen due a moment ago: the timer has not come by yet.
    SELECT client_id, priority, metric, due_at, 'open_overdue'
      FROM clocks
     WHERE status = 'running' AND due_at <= $5 AND counted_at IS NULL
       AND ($3::uuid IS NULL OR client_id = $3) AND ($4::text IS NULL OR metric = $4)
), counted AS (
    SELECT e.client_id, e.priority, e.metric, e.outcome, e.at AT TIME ZONE coalesce(k.timezone, 'UTC') AS local_at
      FROM ended e LEFT JOIN clients k USING (client_id)
), placed AS (
    SELECT client_id, priority, metric, outcome, date_trunc('week', local_at)::date AS week,
           extract(isodow FROM local_at)::int - 1 AS weekday, extract(hour FROM local_at)::int AS hour
      FROM counted
     WHERE local_at >= $1::date AND local_at < $2::date
)
SELECT grouping(client_id, priority, metric, week, weekday) AS parts, client_id, priority, metric, week, weekday, hour,
       count(*) FILTER (WHERE outcome = 'met') AS met,
       count(*) FILTER (WHERE outcome = 'missed') AS missed,
       count(*) FILTER (WHERE outcome = 'open_overdue') AS open_overdue
  FROM placed
 GROUP BY GROUPING SETS ((), (client_id), (priority), (metric), (week), (weekday, hour))
 ORDER BY client_id, priority, metric, week, weekday, hour
"""
_AT_RISK = """
SELECT client_id, count(*) AS at_risk
  FROM clocks
 WHERE status = 'running' AND at_risk_at <= $1 AND due_at > $1 AND breached_at IS NULL
   AND ($2::uuid IS NULL OR client_id = $2) AND ($3::text IS NULL OR metric = $3)
 GROUP BY client_id
"""
_BY_NOTHING, _BY_CLIENT, _BY_PRIORITY, _BY_METRIC, _BY_WEEK, _BY_HOUR = (
    0b11111,
    0b01111,
    0b10111,
    0b11011,
    0b11101,
    0b11110,
)
_PRIORITY_ORDER = {"critical": 0, "high": 1, "medium": 2, "low": 3}


async def compliance(
    tx: Transaction, *, starts_on: date, ends_on: date, client_id: UUID | None, metric: str | None
) -> Compliance:
    """Return compliance of a period, whole and in parts; every part adds up to the whole.

    A clock counts where its promise was decided: at its breach, or else at its stop.

    Raises:
        PeriodNotAnswerable: ``ends_on`` is not after ``starts_on``, or more than three years after.
    """
    if not timedelta(days=1) <= ends_on - starts_on <= timedelta(days=DAYS_MAX):
        raise PeriodNotAnswerable(f"a period of 1 to {DAYS_MAX} days is accepted; it ends before the day of `to`")
    rows = await tx.fetch(_COMPLIANCE, starts_on, ends_on, client_id, metric, tx.now)
    risks = await tx.fetch(_AT_RISK, tx.now, client_id, metric)
    by: dict[int, dict[Any, Tally]] = defaultdict(dict)
    names = {_BY_CLIENT: "client_id", _BY_PRIORITY: "priority", _BY_METRIC: "metric", _BY_WEEK: "week"}
    heatmap = [[0] * 24 for _ in range(7)]
    for row in rows:
        tally = Tally(row["met"], row["missed"], row["open_overdue"])
        if row["parts"] == _BY_HOUR:
            heatmap[row["weekday"]][row["hour"]] = tally.missed + tally.open_overdue
        else:
            by[row["parts"]][row[names[row["parts"]]] if row["parts"] in names else None] = tally
    priorities = sorted(by[_BY_PRIORITY], key=lambda name: _PRIORITY_ORDER.get(name, 9))
    at_risk_counts = {row["client_id"]: row["at_risk"] for row in risks}
    clients = sorted({*by[_BY_CLIENT], *at_risk_counts})
    return Compliance(
        starts_on=starts_on,
        ends_on=ends_on,
        whole=by[_BY_NOTHING].get(None, Tally()),
        by_priority=[Part(name=name, tally=by[_BY_PRIORITY][name]) for name in priorities],
        by_metric=[Part(name=name, tally=tally) for name, tally in by[_BY_METRIC].items()],
        by_week=[Part(name=week, tally=by[_BY_WEEK].get(week, Tally())) for week in _weeks(starts_on, ends_on)],
        by_client=[Part(name=name, tally=by[_BY_CLIENT].get(name, Tally())) for name in clients],
        at_risk=at_risk_counts,
        heatmap=heatmap,
    )


def _weeks(starts_on: date, ends_on: date) -> list[date]:
    monday = starts_on - timedelta(days=starts_on.weekday())
    return [monday + timedelta(days=7 * n) for n in range((ends_on - monday + timedelta(days=6)) // timedelta(days=7))]


# ---- proof --------------------------------------------------------------------------------------------------------


async def verify(tx: Transaction) -> list[str]:
    """Recompute every clock from its promises and intervals, and name each stored value that does not follow."""
    broken: list[str] = []
    after: UUID | None = None
    while rows := await store.clocks_after(tx, after=after, limit=VERIFIED_AT_ONCE):
        after = rows[-1]["id"]
        clocks = await store.clocks_from_rows(tx, rows)
        for row, clock in zip(rows, clocks, strict=True):
            broken += [f"clock {clock.id} of ticket {clock.ticket_id}: {what}" for what in _differences(row, clock)]
        broken += await _unmatched_firings(tx, clocks)
    return broken


def _differences(row: Mapping[str, Any], clock: Clock) -> list[str]:
    derived = recomputed(clock)
    expected = {
        "verdict": derived.verdict,
        "breached_at": derived.breached_at,
        "breach_reason": derived.breach_reason,
        "consumed_seconds": derived.settled_seconds,
        "due_at": derived.due_at,
        "running_since": derived.running_since,
        "budget_minutes": derived.promise.budget_minutes,
        "rule_id": derived.promise.rule_id,
    }
    found = [
        f"{name} is {row[name]}, its intervals say {value}" for name, value in expected.items() if row[name] != value
    ]
    for number, (stored, made) in enumerate(zip(clock.intervals, derived.intervals, strict=True), 1):
        if stored.seconds != made.seconds:
            found.append(f"interval {number} counts {stored.seconds} s, the calendar says {made.seconds} s")
    last_ends_at = clock.intervals[-1].ends_at
    if clock.stopped_at != last_ends_at:
        found.append(f"stopped_at is {clock.stopped_at}, its last interval ends {last_ends_at}")
    return found


async def _unmatched_firings(tx: Transaction, clocks: Sequence[Clock]) -> list[str]:
    """Name breaches that were never told, and told breaches that are none."""
    rows = await tx.fetch(
        "SELECT clock_id, count(*) AS fired FROM firings"
        " WHERE clock_id = ANY($1) AND kind = 'breach' AND voided_at IS NULL GROUP BY clock_id",
        [clock.id for clock in clocks],
    )
    fired = {row["clock_id"]: row["fired"] for row in rows}
    found = []
    for clock in clocks:
        told = int(clock.is_breached and not clock.is_breach_carried)
        if fired.get(clock.id, 0) != told:
            found.append(
                f"clock {clock.id} of ticket {clock.ticket_id}: {told} breaches, {fired.get(clock.id, 0)} fired"
            )
    return found
