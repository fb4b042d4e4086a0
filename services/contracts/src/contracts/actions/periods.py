"""Closing a client's period: the ledger must have exactly the minutes that tickets sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from contracts.actions import hours, lots as lot_actions
from contracts.domain import funding
from contracts.domain.ledger import checksum
from contracts.store import approvals, books, periods as store
from msp_events.billing import InvoiceIssued
from msp_events.bucket_statement import BucketStatement
from msp_events.contracts import PeriodClosed, PeriodReopened
from msp_events.tickets import WorklogSealed
from msp_kernel.periods import midnight
from msp_kit.database import Transaction
from msp_kit.outbox import record
from msp_kit.problems import NotFound

PATIENCE = timedelta(seconds=60)
"""How long the ledger may be behind what tickets sealed before the difference is said."""
NAMED_REFUSALS_MAX = 5
_GIVEN = ("granted", "carried_in", "adjusted")
_SPENT = ("consumed", "expired", "carried_out")


class PeriodNotLatest(Exception):
    """Periods are opened again in the opposite order: the last one that was closed first."""


class PeriodInvoiced(Exception):
    """A period whose invoice is issued stays closed."""


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
        by_end = [(one.lot.ends_at, one.lot.sequence, key) for key, one in book.lots.items() if one.lot.ends_at]
        await lot_actions.lapse(tx, book, [key for end, _, key in sorted(by_end) if end <= min(ends_at, tx.now)])
    await hours.save(tx, list(opened.values()))
    await store.close_entries(tx, sealed.client_id, before=ends_at, period_close_id=sealed.period_close_id)
    await _close_books(tx, sealed, list(opened), ends_at)
    statements = await _statements(tx, sealed, ends_at)
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
        ends_at=ends_at,
    )
    await _say(tx, sealed, "closed", totals, statements=statements)


async def reopen(tx: Transaction, period_close_id: UUID, *, reason: str) -> None:
    """Open the last closed period of a client again, before its invoice is issued; late work finds its place in it.

    Raises:
        NotFound: there is no such period, or it is open.
        PeriodNotLatest: a later period is closed: open that one first.
        PeriodInvoiced: its invoice is issued; what is wrong goes on a credit note.
    """
    row = await store.closed(tx, period_close_id)
    if row is None:
        raise NotFound
    client_id = row["client_id"]
    contract_ids = await store.books_of(tx, client_id)
    await books.open_books(tx, contract_ids)
    latest = await store.latest(tx, client_id)
    if latest is None or latest["period_close_id"] != period_close_id:
        until = row["ends_on"] if latest is None else latest["ends_on"]
        raise PeriodNotLatest(f"the period up to {until} is closed, too: open that one first")
    number = await store.invoice_of(tx, client_id, starts_on=row["starts_on"], ends_on=row["ends_on"])
    if number is not None:
        raise PeriodInvoiced(f"invoice {number} of this period is issued: correct it with a credit note")
    await store.reopen(tx, row, reason=reason)
    opened = await books.open_books(tx, contract_ids)
    for book in opened.values():
        entries = await books.open_from(tx, book.contract, book.contract.starts_at)
        beside = await books.beside(tx, book.contract, entries)
        # Late work of a ticket and day was rounded behind what was closed; now it is rounded in its place.
        book.reallocate(entries, source=f"reopened:{period_close_id}:{row['closing']}", restamp=True, beside=beside)
        book.mark_late(one for one in entries if one.is_active)
    await hours.save(tx, list(opened.values()))
    facts = {name: row[name] for name in ("client_id", "starts_on", "ends_on")}
    await record(tx, PeriodReopened(occurred_at=tx.now, period_close_id=period_close_id, reason=reason, **facts))


async def note_invoice(tx: Transaction, issued: InvoiceIssued) -> None:
    """Remember that a period is invoiced: it stays closed."""
    await store.insert_invoice(
        tx,
        invoice_id=issued.invoice_id,
        client_id=issued.client_id,
        starts_on=issued.starts_on,
        ends_on=issued.ends_on,
        number=issued.number,
    )


async def _close_books(tx: Transaction, sealed: WorklogSealed, contract_ids: Sequence[UUID], until: datetime) -> None:
    """Make the ends of lots final, and mark as late what was worked in the period and stays open."""
    source = f"closed:{sealed.period_close_id}:{await store.next_closing(tx, sealed.period_close_id)}"
    opened = await books.open_books(tx, contract_ids)
    for book in opened.values():
        entries = await books.open_from(tx, book.contract, book.contract.starts_at)
        behind = [one for one in entries if one.is_active]
        funding.close(book, until, behind)
        book.reallocate(behind, source=source)
        book.mark_late(behind)
    await hours.save(tx, list(opened.values()))


async def _statements(tx: Transaction, sealed: WorklogSealed, ends_at: datetime) -> list[dict[str, Any]]:
    """Return the statement of each bucket, with its totals since the beginning."""
    previous = await store.latest(tx, sealed.client_id)
    before = {} if previous is None else {one["contract_id"]: one["totals"] for one in previous["statements"]}
    statements: list[dict[str, Any]] = []
    for row in await store.totals_by_contract(tx, sealed.client_id, before=ends_at):
        contract_id = str(row["contract_id"])
        totals = {name: int(row[name]) for name in (*_GIVEN, *_SPENT, "overage")}
        then = {**dict.fromkeys(totals, 0), **before.get(contract_id, {})}
        since = {name: minutes - then[name] for name, minutes in totals.items()}
        statements.append(
            {
                "contract_id": contract_id,
                "opening_minutes": _rest(then),
                # Work of a closed period that was taken back since then comes as minutes given.
                "granted_minutes": since["granted"] + max(0, -since["consumed"]),
                "consumed_minutes": max(0, since["consumed"]),
                "expired_minutes": since["expired"],
                "carried_in_minutes": since["carried_in"],
                "carried_out_minutes": since["carried_out"],
                "adjusted_minutes": since["adjusted"],
                "closing_minutes": _rest(totals),
                "overage_minutes": max(0, since["overage"]),
                "totals": totals,
            }
        )
    return statements


def _rest(totals: Mapping[str, int]) -> int:
    return sum(totals[name] for name in _GIVEN) - sum(totals[name] for name in _SPENT)


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
