"""What became of time entries, one by one and in total, and what would become of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from contracts.domain.allocation import Fact, Split, allocate, in_order_of_consumption, payers
from contracts.domain.coverage import Work, answer, priced_minor, resolve
from contracts.domain.entry import NOTHING
from contracts.domain.ledger import checksum
from contracts.reports.cursors import instant_and_id
from contracts.store import contracts as store
from contracts.store.book_rows import hours_from, lot_of
from contracts.store.states import span
from msp_kernel.periods import midnight
from msp_kit.database import Transaction
from msp_kit.problems import NotFound

_NOBODY = UUID(int=2**128 - 1)
"""Sorts after every entry: what is only asked about comes last."""


async def hours(tx: Transaction, time_entry_id: UUID) -> dict[str, Any]:
    """Return what became of one entry.

    Raises:
        NotFound: it is not known here, or not the caller's.
    """
    row = await tx.fetchrow("SELECT * FROM hours WHERE time_entry_id = $1", time_entry_id)
    if row is None:
        raise NotFound
    return _view(row)


async def hours_page(
    tx: Transaction,
    *,
    contract_id: UUID | None,
    starts_at: datetime | None,
    ends_at: datetime | None,
    after: Sequence[Any] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Return hours by worked instant, ``limit + 1`` at most."""
    position = (None, None) if after is None else instant_and_id(after)
    rows = await tx.fetch(
        "SELECT * FROM hours WHERE ($1::uuid IS NULL OR contract_id = $1)"
        " AND ($2::timestamptz IS NULL OR worked_from >= $2) AND ($3::timestamptz IS NULL OR worked_from < $3)"
        " AND ($4::timestamptz IS NULL OR (worked_from, time_entry_id) > ($4, $5::uuid))"
        " ORDER BY worked_from, time_entry_id LIMIT $6",
        contract_id,
        starts_at,
        ends_at,
        *position,
        limit + 1,
    )
    return [_view(row) for row in rows]


async def totals(
    tx: Transaction, *, client_id: UUID | None, starts_on: date | None, ends_on: date | None
) -> dict[str, Any]:
    """Return the control totals of hours that are held or posted, to be compared with those of tickets.

    Days are counted in the client's zone, in UTC when no client is named.
    """
    timezone = "UTC"
    if client_id is not None:
        found = await tx.fetchval("SELECT timezone FROM clients WHERE client_id = $1", client_id)
        if found is None:
            raise NotFound
        timezone = found
    rows = await tx.fetch(
        "SELECT time_entry_id, status, worked_minutes, overage_minutes FROM hours"
        " WHERE status <> 'released' AND ($1::uuid IS NULL OR client_id = $1)"
        " AND ($2::timestamptz IS NULL OR worked_from >= $2) AND ($3::timestamptz IS NULL OR worked_from < $3)",
        client_id,
        None if starts_on is None else midnight(starts_on, timezone),
        None if ends_on is None else midnight(ends_on, timezone),
    )
    by_status: dict[str, Any] = {}
    for status in ("held", "posted", "refused"):
        of_status = [(row["time_entry_id"], row["worked_minutes"]) for row in rows if row["status"] == status]
        by_status[status] = _control(of_status)
    active = [row for row in rows if row["status"] != "refused"]
    return {
        **_control([(row["time_entry_id"], row["worked_minutes"]) for row in active]),
        "held_minutes": by_status["held"]["worked_minutes"],
        "posted_minutes": by_status["posted"]["worked_minutes"],
        "refused_minutes": by_status["refused"]["worked_minutes"],
        "overage_minutes": sum(row["overage_minutes"] for row in active),
        "by_status": by_status,
    }


async def preview(tx: Transaction, *, contract_id: UUID, work: Work) -> dict[str, Any]:
    """Return what would become of work if it were logged now, after everything that is logged already.

    Raises:
        NotFound: there is no such contract, or it is not the caller's.
    """
    contract = await store.contract(tx, contract_id)
    if contract is None:
        raise NotFound
    coverage = resolve(contract, work)
    rows = await tx.fetch("SELECT * FROM lots WHERE contract_id = $1 AND is_granted AND NOT is_closed", contract_id)
    lots = in_order_of_consumption(lot_of(row).lot for row in rows)
    terms = coverage.terms
    before = sum(lot.left_minutes for lot in payers(lots, at=work.worked_from, policy=terms.policy))
    split: Split = NOTHING
    if coverage.refusal is None:
        fact = Fact(_NOBODY, work.worked_from, coverage.demands, terms.policy)
        split = allocate(lots, [fact]).splits[_NOBODY]
    price = priced_minor(
        split, terms, job_type=work.job_type, level=work.level, multiplies=terms.multiplier_applies_to_overage
    )
    return {
        "answer": answer(coverage, split),
        "checks": [{"rule": check.rule, "is_passed": check.is_passed, "text": check.text} for check in coverage.checks],
        "worked_minutes": work.worked_minutes,
        "billed_minutes": coverage.billed_minutes,
        "spans": [span(part).model_dump() for part in split.parts],
        "available_before_minutes": before,
        "available_after_minutes": before - split.bucket_minutes,
        "overage_minutes": split.overage_minutes,
        "overage_price_minor": price,
        "currency": contract.currency,
    }


def _control(entries: Sequence[tuple[UUID, int]]) -> dict[str, Any]:
    return {
        "entry_count": len(entries),
        "worked_minutes": sum(minutes for _, minutes in entries),
        "checksum": checksum(entries),
    }


def _view(row: Mapping[str, Any]) -> dict[str, Any]:
    found = hours_from(row)
    return {
        **row,
        "spans": [span(part).model_dump() for part in found.split.parts],
        "legs": [{"seq": one[0], "minutes": one[4]} for one in row["legs"]],
    }
