"""What happens to lots by themselves: the retainer's month begins, and time runs out."""

from __future__ import annotations

from contracts.actions import hours
from contracts.actions.contracts import grant_months
from contracts.store import books, contracts, lots
from msp_kit.database import Transaction

BATCH_SIZE = 50


async def let_lapse(tx: Transaction) -> bool:
    """Let lots expire whose last day is over; return whether more may be due."""
    due = await lots.lapsing(tx, limit=BATCH_SIZE)
    if not due:
        return False
    opened = await books.open_books(tx, {row["contract_id"] for row in due})
    for row in due:
        book = opened[row["contract_id"]]
        # Another worker may have been faster: only what was read under the lock counts.
        if not book.lots[row["id"]].is_lapsed:
            book.lapse(row["id"])
    await hours.save(tx, list(opened.values()))
    return len(due) == BATCH_SIZE


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
        await grant_months(tx, book, head, versions[contract_id][-1]["terms"])
        granted = [one.lot for lot_id, one in book.lots.items() if lot_id not in known]
        if granted:
            since = min(lot.starts_at for lot in granted)
            entries = [one for one in await books.open_from(tx, book.contract, since) if one.is_active]
            book.reallocate(entries, source=f"lot:{granted[0].id}")
    await hours.save(tx, list(opened.values()))
    return len(due) == BATCH_SIZE
