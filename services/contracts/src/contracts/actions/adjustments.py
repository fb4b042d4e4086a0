"""Correcting a lot by hand: one person asks and says why, another confirms, and the ledger gets a posting."""

from __future__ import annotations

from uuid import UUID

from contracts.actions import hours
from contracts.domain.book import Book
from contracts.domain.entry import Hours
from contracts.domain.funding import LotHasTooLittle, refuse_unless_adjustable
from contracts.store import adjustments as store, books
from contracts.store.rows import Row
from msp_kit.database import Transaction
from msp_kit.problems import NotFound


class AdjustmentDecided(Exception):
    """An adjustment is confirmed or declined once."""


class SecondPersonMissing(Exception):
    """Whoever asked for an adjustment cannot confirm it: somebody else must."""


async def ask(tx: Transaction, contract_id: UUID, *, lot_id: UUID, minutes: int, reason: str) -> UUID:
    """Note that minutes should be added to a lot, or taken from it, and return the id of the request.

    Raises:
        NotFound: there is no such contract with a bucket, or it has no such lot.
        LotCannotBeAdjusted, LotHasTooLittle: it could not be confirmed as things stand.
    """
    book = await _book(tx, contract_id, lot_id)
    await _refuse_if_too_much(tx, book, lot_id, minutes)
    client_id = book.contract.client_id
    return await store.insert_asked(
        tx, client_id=client_id, contract_id=contract_id, lot_id=lot_id, minutes=minutes, reason=reason
    )


async def confirm(tx: Transaction, contract_id: UUID, adjustment_id: UUID) -> None:
    """Post an adjustment that somebody else asked for; open work is allocated anew.

    Raises:
        NotFound: there is no such adjustment.
        AdjustmentDecided: it was confirmed or declined before.
        SecondPersonMissing: the one who asked tries to confirm.
        LotCannotBeAdjusted, LotHasTooLittle: things have changed since it was asked for.
    """
    row = await _undecided(tx, contract_id, adjustment_id)
    if row["asked_by"] == tx.scope.actor:
        raise SecondPersonMissing("you asked for this adjustment: somebody else must confirm it")
    book = await _book(tx, contract_id, row["lot_id"])
    behind = await _refuse_if_too_much(tx, book, row["lot_id"], row["minutes"])
    await store.decide(tx, adjustment_id, status="confirmed")
    source = f"adjustment:{adjustment_id}"
    book.adjust(row["lot_id"], row["minutes"], source=source, reason=row["reason"])
    book.reallocate(behind, source=source)
    if row["minutes"] > 0:
        book.rearm()
    await hours.save(tx, [book])


async def decline(tx: Transaction, contract_id: UUID, adjustment_id: UUID) -> None:
    """Lay an adjustment aside; whoever asked may do so, too.

    Raises:
        NotFound: there is no such adjustment.
        AdjustmentDecided: it was confirmed or declined before.
    """
    await _undecided(tx, contract_id, adjustment_id)
    await store.decide(tx, adjustment_id, status="declined")


async def _undecided(tx: Transaction, contract_id: UUID, adjustment_id: UUID) -> Row:
    row = await store.adjustment(tx, contract_id, adjustment_id, is_locked=True)
    if row is None:
        raise NotFound
    if row["status"] != "asked":
        raise AdjustmentDecided(f"it was {row['status']} on {row['decided_at']:%Y-%m-%d}")
    return row


async def _book(tx: Transaction, contract_id: UUID, lot_id: UUID) -> Book:
    book = (await books.open_books(tx, [contract_id])).get(contract_id)
    if book is None or lot_id not in book.lots:
        raise NotFound
    return book


async def _refuse_if_too_much(tx: Transaction, book: Book, lot_id: UUID, minutes: int) -> list[Hours]:
    """Return the open entries that may be paid otherwise afterwards.

    Raises:
        LotCannotBeAdjusted: its end lies in a closed period, or it carries what another lot left.
        LotHasTooLittle: closed entries have taken what is to be taken.
    """
    one = book.lots[lot_id]
    refuse_unless_adjustable(one)
    behind = await books.payable_from(tx, book.contract, one.lot.starts_at)
    free = one.lot.left_minutes + sum(
        take.minutes for each in behind for take in each.split.takes if take.lot_id == lot_id
    )
    if free + minutes < 0:
        raise LotHasTooLittle(f"{-minutes} minutes cannot be taken: {free} are free of closed work")
    return behind
