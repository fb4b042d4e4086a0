"""What happens to lots by themselves: the retainer's month begins, and time runs out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from contracts.actions import hours
from contracts.actions.contracts import grant_months
from contracts.domain.book import Book
from contracts.domain.funding import ROLLING_ORIGINS, carried_lot
from contracts.store import books, contracts, lots
from msp_kernel.periods import day_of, midnight
from msp_kit.database import Transaction

BATCH_SIZE = 50


async def let_lapse(tx: Transaction) -> bool:
    """Let lots expire whose last day is over, or roll over; return whether more may be due."""
    due = await lots.lapsing(tx, limit=BATCH_SIZE)
    if not due:
        return False
    opened = await books.open_books(tx, {row["contract_id"] for row in due})
    for contract_id, book in opened.items():
        await lapse(tx, book, [row["id"] for row in due if row["contract_id"] == contract_id])
    await hours.save(tx, list(opened.values()))
    return len(due) == BATCH_SIZE


async def lapse(tx: Transaction, book: Book, lot_ids: Iterable[UUID]) -> None:
    """Let lots of a locked book lapse; those that did before are left alone."""
    for lot_id in lot_ids:
        one = book.lots[lot_id]
        ends_at = one.lot.ends_at
        # Another worker may have been faster: only what was read under the lock counts.
        if one.is_lapsed or ends_at is None:
            continue
        terms = book.contract.terms_at(ends_at)
        if terms.rollover is None or one.origin not in ROLLING_ORIGINS or one.is_closed:
            book.lapse(lot_id)
            continue
        timezone = terms.calendar.timezone
        valid_from = day_of(ends_at, timezone)
        expires_on = terms.rollover.ends_on(valid_from)
        carried = carried_lot(
            one.lot,
            terms.rollover,
            sequence=1 + max(other.lot.sequence for other in book.lots.values()),
            starts_at=ends_at,
            ends_at=None if expires_on is None else midnight(expires_on, timezone),
        )
        await lots.insert_carried(tx, carried, contract=book.contract, valid_from=valid_from, expires_on=expires_on)
        book.lapse(lot_id, into=carried)
        await reallocate_since(tx, book, ends_at, source=f"expiry:{lot_id}")


async def grant_retainers(tx: Transaction) -> bool:
    """Grant the lots of months that have begun; return whether more may be due."""
    due = await contracts.retainers_without_lot(tx, limit=BATCH_SIZE)
    if not due:
        return False
    opened = await books.open_books(tx, due)
    versions = await contracts.versions(tx, due)
    for contract_id, book in opened.items():
        head = await contracts.head(tx, contract_id)
        assert head is not None, "it was locked just now"
        known = set(book.lots)
        await grant_months(tx, book, head, versions[contract_id])
        granted = [one.lot for lot_id, one in book.lots.items() if lot_id not in known]
        if granted:
            since = min(lot.starts_at for lot in granted)
            await reallocate_since(tx, book, since, source=f"lot:{granted[0].id}")
    await hours.save(tx, list(opened.values()))
    return len(due) == BATCH_SIZE


async def reallocate_since(tx: Transaction, book: Book, at: datetime, *, source: str) -> None:
    """Allocate the open entries of a locked book anew that a lot which begins at an instant may pay for."""
    book.reallocate(await books.payable_from(tx, book.contract, at), source=source)
