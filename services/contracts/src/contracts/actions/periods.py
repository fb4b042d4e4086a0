"""Closing a client's period: the ledger must have exactly the minutes that tickets sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from contracts.actions import hours
from contracts.domain.ledger import checksum
from contracts.store import approvals, books, lots, periods as store
from msp_events.contracts import BucketStatement, PeriodClosed
from msp_events.tickets import WorklogSealed
from msp_kernel.periods import midnight
from msp_kit.database import Transaction
from msp_kit.outbox import record

PATIENCE = timedelta(seconds=60)
"""How long the ledger may be behind what tickets sealed before the difference is said."""
NAMED_REFUSALS_MAX = 5


class HoursBehind(Exception):
    """Sealed time has not reached the ledger yet, or has not left it."""


async def close(tx: Transaction, sealed: WorklogSealed) -> None:
    """Close a period, or say what differs; a period that is closed is said again as it was.

    Raises:
        HoursBehind: the totals differ, and messages may still be under way.
    """
    known = await store.closed(tx, sealed.period_close_id)
    if known is not None:
        await _say(tx, sealed, "closed", known, statements=known["statements"])
        return
    timezone = await store.client_timezone(tx, sealed.client_id)
    if timezone is None:
        raise HoursBehind(f"client {sealed.client_id} is not known here")
    ends_at = midnight(sealed.ends_on, timezone)
    opened = await books.open_books(tx, await store.books_of(tx, sealed.client_id))
    posted = await store.posted_entries(tx, sealed.client_id, before=ends_at)
    totals = {
        "entry_count": len(posted),
        "worked_minutes": sum(minutes for _, minutes in posted),
        "checksum": checksum(posted),
    }
    wanted = {name: getattr(sealed, name) for name in totals}
    if totals != wanted:
        detail = await _difference(tx, sealed, totals, ends_at)
        if tx.now - sealed.occurred_at < PATIENCE:
            raise HoursBehind(detail)
        await _say(tx, sealed, "differs", totals, detail=detail)
        return
    for book in opened.values():
        for lot_id, one in list(book.lots.items()):
            if not one.is_lapsed and one.lot.ends_at is not None and one.lot.ends_at <= min(ends_at, tx.now):
                book.lapse(lot_id)
    await hours.save(tx, list(opened.values()))
    statements = await _freeze(tx, sealed, ends_at)
    await store.insert_close(
        tx,
        period_close_id=sealed.period_close_id,
        client_id=sealed.client_id,
        starts_on=sealed.starts_on,
        ends_on=sealed.ends_on,
        entry_count=len(posted),
        worked_minutes=sealed.worked_minutes,
        checksum=sealed.checksum,
        statements=statements,
    )
    await _say(tx, sealed, "closed", totals, statements=statements)


async def _freeze(tx: Transaction, sealed: WorklogSealed, ends_at: datetime) -> list[dict[str, Any]]:
    """Freeze the posted entries and return the statement of each bucket, with its totals since the beginning."""
    await store.close_entries(tx, sealed.client_id, before=ends_at, period_close_id=sealed.period_close_id)
    await lots.close_lapsed(tx, client_id=sealed.client_id, ends_at=ends_at)
    previous = await store.latest(tx, sealed.client_id)
    before = {} if previous is None else {one["contract_id"]: one["totals"] for one in previous["statements"]}
    statements: list[dict[str, Any]] = []
    for row in await store.totals_by_contract(tx, sealed.client_id, before=ends_at):
        contract_id = str(row["contract_id"])
        totals = {name: int(row[name]) for name in ("granted", "consumed", "expired", "overage")}
        then = before.get(contract_id, dict.fromkeys(totals, 0))
        consumed = totals["consumed"] - then["consumed"]
        statements.append(
            {
                "contract_id": contract_id,
                "opening_minutes": then["granted"] - then["consumed"] - then["expired"],
                # Work of a closed period that was taken back since then comes as minutes given.
                "granted_minutes": totals["granted"] - then["granted"] + max(0, -consumed),
                "consumed_minutes": max(0, consumed),
                "expired_minutes": totals["expired"] - then["expired"],
                "closing_minutes": totals["granted"] - totals["consumed"] - totals["expired"],
                "overage_minutes": max(0, totals["overage"] - then["overage"]),
                "totals": totals,
            }
        )
    return statements


async def _difference(tx: Transaction, sealed: WorklogSealed, totals: Mapping[str, Any], ends_at: datetime) -> str:
    told = (
        f"tickets sealed {sealed.entry_count} entries of {sealed.worked_minutes} minutes,"
        f" the ledger has {totals['entry_count']} of {totals['worked_minutes']}"
    )
    if totals["entry_count"] == sealed.entry_count and totals["worked_minutes"] == sealed.worked_minutes:
        told += ", but not the same ones"
    refused = await store.refused_refs(tx, sealed.client_id, before=ends_at, limit=NAMED_REFUSALS_MAX)
    if refused:
        told += f"; refused by the contract although approved: {', '.join(map(str, refused))}"
    waiting = await approvals.waiting_refs(tx, sealed.client_id, before=ends_at, limit=NAMED_REFUSALS_MAX)
    if waiting:
        told += f"; waiting for the client's approval: {', '.join(map(str, waiting))}"
    return told


async def _say(
    tx: Transaction,
    sealed: WorklogSealed,
    outcome: Literal["closed", "differs"],
    totals: Mapping[str, Any],
    *,
    detail: str = "",
    statements: Sequence[Mapping[str, Any]] = (),
) -> None:
    await record(
        tx,
        PeriodClosed(
            occurred_at=tx.now,
            period_close_id=sealed.period_close_id,
            client_id=sealed.client_id,
            starts_on=sealed.starts_on,
            ends_on=sealed.ends_on,
            outcome=outcome,
            entry_count=totals["entry_count"],
            worked_minutes=totals["worked_minutes"],
            checksum=totals["checksum"],
            detail=detail,
            contracts=tuple(BucketStatement(**{**one, "contract_id": UUID(one["contract_id"])}) for one in statements),
        ),
    )
