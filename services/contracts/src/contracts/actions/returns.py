"""Hours a credit note gives back: they go into a lot of the bucket again, as postings, once per credit note."""

from __future__ import annotations

from uuid import UUID

from contracts.actions import hours
from contracts.domain.book import Book
from contracts.domain.funding import lot_for_return
from contracts.store import books
from msp_events.billing import CreditNoteIssued
from msp_kit.database import Transaction


class CreditOnUnknownContract(Exception):
    """A credit note gives hours back to a contract that is not known here, or is another client's."""


class NoLotForReturn(Exception):
    """Every lot of the bucket has lapsed or is closed, so nothing can be given back to it; top it up instead."""


async def give_back(tx: Transaction, note: CreditNoteIssued) -> None:
    """Put the bucket minutes of a credit note into the buckets they were taken from; open work is allocated anew.

    Raises:
        CreditOnUnknownContract: a contract does not exist, or has no book, or belongs to another client.
        NoLotForReturn: every lot of the bucket has lapsed or is closed.
    """
    returned = [one for one in note.returned_hours if one.bucket_minutes]
    opened = await books.open_books(tx, {one.contract_id for one in returned})
    source = f"credit_note:{note.credit_note_id}"
    known = await books.contracts_with_source(tx, list(opened), source)
    entries = await books.hours_of(tx, [one.time_entry_id for one in returned if one.time_entry_id is not None])
    for one in returned:
        book = opened.get(one.contract_id)
        if book is None or book.contract.client_id != note.client_id:
            raise CreditOnUnknownContract(
                f"{note.number} gives hours back to {one.contract_id}, no contract of its client"
            )
        if one.contract_id in known:
            continue
        row = None if one.time_entry_id is None else entries.get(one.time_entry_id)
        taken_from = () if row is None else tuple(UUID(leg[5]) for leg in row["legs"] if leg[5] is not None)
        lot_id = lot_for_return(book, taken_from)
        if lot_id is None:
            raise NoLotForReturn(f"{book.contract.ref} has no lot that lasts: grant one, then let the message in again")
        book.adjust(lot_id, one.bucket_minutes, source=source, reason=f"{note.number}: {note.reason}")
    for contract_id, book in opened.items():
        if contract_id not in known:
            await _allocate_anew(tx, book, source)
    await hours.save(tx, list(opened.values()))


async def _allocate_anew(tx: Transaction, book: Book, source: str) -> None:
    since = min(book.lots[lot_id].lot.starts_at for lot_id in book.changed_lots)
    book.reallocate(await books.payable_from(tx, book.contract, since), source=source)
    book.rearm()
