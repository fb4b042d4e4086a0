"""Clocks: locked for a change, found for a screen, saved in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from sla import tables
from sla.domain.clock import Clock, Interval, Promise
from sla.domain.targets import Flags, Key, Terms
from sla.store.terms import TermsKey, terms_of
from sla.store.text import json_text

_CLOCK_COLUMNS = tuple(column.name for column in tables.clocks.columns if not column.name.startswith("counted_"))
_CLOCKS = f"SELECT {', '.join(_CLOCK_COLUMNS)} FROM clocks"
_REPLAYED_COLUMNS = (
    "id, ticket_id, client_id, metric, cycle, round, priority, level, job_type, promises, intervals, carried_seconds, status,"
    " breached_at, breach_reason, is_breach_carried, verdict, stopped_at, stop_reason"
)
_REPLAYED = f"""
SELECT {_REPLAYED_COLUMNS}, counted_on
  FROM clocks
 WHERE ticket_id = ANY($1)
 ORDER BY ticket_id, metric, cycle, round
"""
_SAVE_CLOCKS = (
    f"INSERT INTO clocks ({', '.join(_CLOCK_COLUMNS)}) SELECT {', '.join(_CLOCK_COLUMNS)}"
    " FROM jsonb_populate_recordset(NULL::clocks, $1::jsonb)"
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _CLOCK_COLUMNS[1:])}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedClock:
    """A clock with the instants derived from its terms: when it wakes next, and from when it is at risk."""

    clock: Clock
    next_step_at: datetime | None
    at_risk_at: datetime | None


async def lock_clock(tx: Transaction, clock_id: UUID) -> Clock | None:
    """Return a clock locked until commit, ``None`` when there is none or it is not the caller's."""
    found = await clocks_from_rows(tx, await tx.fetch(f"{_CLOCKS} WHERE id = $1 FOR UPDATE", clock_id))
    return found[0] if found else None


async def lock_clocks_of_tickets(tx: Transaction, ticket_ids: Sequence[UUID]) -> Sequence[Clock]:
    """Return every clock of these tickets, locked until commit in order of id."""
    rows = await tx.fetch(f"{_CLOCKS} WHERE ticket_id = ANY($1) ORDER BY id FOR UPDATE", list(ticket_ids))
    return await clocks_from_rows(tx, rows)


async def lock_due_clocks(tx: Transaction, *, limit: int) -> Sequence[Clock]:
    """Return clocks with a step that has fallen due and that no other worker holds, soonest first, locked."""
    rows = await tx.fetch(
        f"{_CLOCKS} WHERE next_step_at <= $1 ORDER BY next_step_at LIMIT $2 FOR UPDATE SKIP LOCKED", tx.now, limit
    )
    return await clocks_from_rows(tx, rows)


async def clocks_of_ticket(tx: Transaction, ticket_id: UUID) -> Sequence[Clock]:
    """Return the clocks of a ticket in the order in which they started."""
    rows = await tx.fetch(f"{_CLOCKS} WHERE ticket_id = $1 ORDER BY started_at, metric, id LIMIT 200", ticket_id)
    return await clocks_from_rows(tx, rows)


async def clocks_by_id(tx: Transaction, ids: Sequence[UUID]) -> Mapping[UUID, Clock]:
    """Return the clocks with these ids that the caller may see."""
    rows = await tx.fetch(f"{_CLOCKS} WHERE id = ANY($1)", list(ids))
    return {clock.id: clock for clock in await clocks_from_rows(tx, rows)}


async def clocks_with_place(
    tx: Transaction, ticket_ids: Sequence[UUID], *, starts_on: date, ends_on: date
) -> tuple[Sequence[Clock], set[UUID]]:
    """Return every clock of some tickets in order of ticket, metric, cycle and round, and which of them counted then.

    Only what a replay needs is read: who had the ticket, and what fired, is left out.
    """
    rows = await tx.fetch(_REPLAYED, ticket_ids)
    counted = {row["id"] for row in rows if row["counted_on"] and starts_on <= row["counted_on"] < ends_on}
    return await clocks_from_rows(tx, rows), counted


async def clocks_after(tx: Transaction, *, after: UUID | None, limit: int) -> Sequence[Mapping[str, Any]]:
    """Return stored clock rows in order of id (``verify``)."""
    return await tx.fetch(f"{_CLOCKS} WHERE id > $1 ORDER BY id LIMIT $2", after or UUID(int=0), limit)


async def save_clocks(tx: Transaction, timed: Sequence[TimedClock]) -> None:
    """Save clocks; one with a stored verdict is refused by the database."""
    if timed:
        documents = [_document(one) for one in sorted(timed, key=lambda one: one.clock.id)]
        await tx.driver.execute(_SAVE_CLOCKS, json_text(documents))


# ---- between rows and values ----------------------------------------------------------------------------------------


async def clocks_from_rows(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> Sequence[Clock]:
    """Read stored clock rows."""
    read = [(row, row["promises"]) for row in rows]
    keys = {(_uuid(one["contract_id"]), one["contract_version"]) for _, promises in read for one in promises}
    terms = await terms_of(tx, keys)
    return [_clock(row, tuple([_promise(one, terms) for one in promises])) for row, promises in read]


@lru_cache(maxsize=20_000)
def _uuid(text: str) -> UUID:
    """Return an id of which many rows have the same one."""
    return UUID(text)


def _clock(row: Mapping[str, Any], promises: tuple[Promise, ...]) -> Clock:
    more = {}
    if "fired" in row:
        more = {
            "queue": row["queue"],
            "assignee_id": row["assignee_id"],
            "fired": frozenset(row["fired"]),
            "void_count": row["void_count"],
            "acknowledged_at": row["acknowledged_at"],
            "acknowledged_by": row["acknowledged_by"],
            "revision": row["revision"],
        }
    return Clock(
        id=row["id"],
        ticket_id=row["ticket_id"],
        client_id=row["client_id"],
        metric=row["metric"],
        cycle=row["cycle"],
        round=row["round"],
        key=Key(row["priority"], row["level"], row["job_type"]),
        promises=promises,
        intervals=tuple([_interval(one) for one in row["intervals"]]),
        carried_seconds=row["carried_seconds"],
        status=row["status"],
        breached_at=row["breached_at"],
        breach_reason=row["breach_reason"],
        is_breach_carried=row["is_breach_carried"],
        verdict=row["verdict"],
        stopped_at=row["stopped_at"],
        stop_reason=row["stop_reason"],
        **more,
    )


def _promise(document: Mapping[str, Any], terms: Mapping[TermsKey, Terms]) -> Promise:
    key = (_uuid(document["contract_id"]), document["contract_version"])
    flags = Flags(*document["flags"])
    return Promise(
        since=datetime.fromisoformat(document["since"]),
        contract_id=key[0],
        contract_version=key[1],
        rule_id=document["rule_id"],
        budget_minutes=document["budget_minutes"],
        flags=flags,
        calendar=terms[key].hours(flags),
    )


def _interval(document: Mapping[str, Any]) -> Interval:
    ends_at = document["ends_at"]
    return Interval(
        starts_at=datetime.fromisoformat(document["starts_at"]),
        ends_at=None if ends_at is None else datetime.fromisoformat(ends_at),
        is_running=document["is_running"],
        seconds=document["seconds"],
        promise=document["promise"],
        reason=document["reason"],
        note=document["note"],
        actor=document["actor"],
    )


def _document(timed: TimedClock) -> dict[str, Any]:
    clock = timed.clock
    return {
        "id": clock.id,
        "client_id": clock.client_id,
        "ticket_id": clock.ticket_id,
        "contract_id": clock.promise.contract_id,
        "contract_version": clock.promise.contract_version,
        "metric": clock.metric,
        "cycle": clock.cycle,
        "round": clock.round,
        **clock.key._asdict(),
        "queue": clock.queue,
        "assignee_id": clock.assignee_id,
        "rule_id": clock.promise.rule_id,
        "budget_minutes": clock.promise.budget_minutes,
        "status": clock.status,
        "started_at": clock.started_at,
        "running_since": clock.running_since,
        "carried_seconds": clock.carried_seconds,
        "consumed_seconds": clock.settled_seconds,
        "due_at": clock.due_at,
        # Terms without a late threshold: at risk is what is overdue.
        "at_risk_at": timed.at_risk_at or clock.due_at,
        "next_step_at": timed.next_step_at,
        "breached_at": clock.breached_at,
        "breach_reason": clock.breach_reason,
        "is_breach_carried": clock.is_breach_carried,
        "verdict": clock.verdict,
        "stopped_at": clock.stopped_at,
        "stop_reason": clock.stop_reason,
        "void_count": clock.void_count,
        "acknowledged_at": clock.acknowledged_at,
        "acknowledged_by": clock.acknowledged_by,
        "revision": clock.revision,
        "fired": sorted(clock.fired),
        "promises": [
            {
                "since": promise.since,
                "contract_id": promise.contract_id,
                "contract_version": promise.contract_version,
                "rule_id": promise.rule_id,
                "budget_minutes": promise.budget_minutes,
                "flags": list(promise.flags),
            }
            for promise in clock.promises
        ],
        "intervals": clock.intervals,
    }
