"""What happens to lots: their rest expires or is carried on, follows work that comes late, and is corrected by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from contracts.domain.allocation import Carry, Lot, in_order_of_consumption
from contracts.domain.entry import BookLot
from contracts.domain.ledger import Leg, reversal
from contracts.domain.rollover import Rollover

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from contracts.domain.book import Book
    from contracts.domain.entry import Hours

ROLLING_ORIGINS = ("retainer", "purchase")
"""What is bought with its own dates, or was carried once, is not carried on (ADR 0026)."""
PRIORITY_OF_CARRIED = {"first": -1000, "last": 1000}
"""Beyond every priority that can be chosen: carried hours burn before, or after, all others."""
_CARRIED_LOTS = UUID("6c1c6c0e-8d4f-5e0b-9a55-3d5a5b5f7d10")


class LotCannotBeAdjusted(Exception):
    """A lot whose end lies in a closed period, or that carries what another lot left, is not adjusted."""


class LotHasTooLittle(Exception):
    """An adjustment cannot take more than what closed periods and late work have left of a lot."""


def carried_lot(
    source: Lot, rule: Rollover, *, sequence: int, starts_at: datetime, ends_at: datetime | None
) -> BookLot:
    """Return the lot that carries the rest of another one, still empty; one source has one such lot."""
    lot = Lot(
        id=uuid5(_CARRIED_LOTS, str(source.id)),
        sequence=sequence,
        minutes=0,
        left_minutes=0,
        starts_at=starts_at,
        ends_at=ends_at,
        priority=PRIORITY_OF_CARRIED[rule.burns],
        carry=Carry(source.id, rule.percent, rule.cap_minutes),
    )
    return BookLot(lot, origin="carried")


def renew(book: Book, *, source: str) -> None:
    """Make what expired and what was carried on of lapsed lots follow from what is left of them.

    Entries that came late, or were taken back, may have used more or less of a lot than when it lapsed.
    """
    for lot_id in sorted(book.lots, key=lambda key: book.lots[key].lot.sequence):
        carry = book.lots[lot_id].lot.carry
        if carry is not None:
            _renew_carry(book, lot_id, carry, source=source)
    for lot_id in list(book.lots):
        _renew_expiry(book, lot_id, source=source)


def _renew_carry(book: Book, lot_id: UUID, carry: Carry, *, source: str) -> None:
    one, origin = book.lots[lot_id], book.lots[carry.from_lot_id]
    if carry.minutes == origin.carried_out_minutes:
        return
    at = one.lot.starts_at
    out, filling = (
        Leg("carry", "available", "carried_out", origin.carried_out_minutes or carry.minutes, lot_id=origin.lot.id),
        Leg("carry", "carried_in", "available", origin.carried_out_minutes or carry.minutes, lot_id=lot_id),
    )
    for seq, leg in ((one.carry_in_seq, filling), (one.carry_out_seq, out)):
        if seq is not None:
            book.append(reversal(seq, leg, kind="correct"), None, source, at)
    seqs: tuple[int | None, int | None] = (None, None)
    if carry.minutes:
        out, filling = (replace(leg, minutes=carry.minutes) for leg in (out, filling))
        seqs = (book.append(out, None, source, at), book.append(filling, None, source, at))
    book.lots[lot_id] = replace(one, carry_out_seq=seqs[0], carry_in_seq=seqs[1])
    book.lots[origin.lot.id] = replace(origin, carried_out_minutes=carry.minutes)
    book.changed_lots |= {lot_id, origin.lot.id}


def _renew_expiry(book: Book, lot_id: UUID, *, source: str) -> None:
    one = book.lots[lot_id]
    rest = one.lot.left_minutes - one.carried_out_minutes
    if not one.is_lapsed or rest == one.expired_minutes:
        return
    at = one.lot.ends_at or book.now
    if one.expiry_seq is not None:
        old = Leg("expire", "available", "expired", one.expired_minutes, lot_id=lot_id)
        book.append(reversal(one.expiry_seq, old, kind="correct"), None, source, at)
    leg = Leg("expire", "available", "expired", rest, lot_id=lot_id) if rest else None
    seq = None if leg is None else book.append(leg, None, source, at)
    book.lots[lot_id] = replace(one, expired_minutes=rest, expiry_seq=seq)
    book.changed_lots.add(lot_id)


def lot_for_return(book: Book, taken_from: Sequence[UUID]) -> UUID | None:
    """Return the lot that gets minutes back: one they were taken from while it lasts, else the one that pays next.

    ``None`` when no lot of the bucket lasts.
    """
    lasting = [one.lot for one in book.lots.values() if not one.is_lapsed and not one.is_closed and not one.lot.carry]
    # The order of consumption decides between lots that are alike; one that has not begun pays for nothing yet.
    ranked = in_order_of_consumption(lasting)
    first = min(ranked, key=lambda lot: (lot.id not in taken_from, lot.starts_at > book.now), default=None)
    return None if first is None else first.id


def refuse_unless_adjustable(one: BookLot) -> None:
    """Let lots through whose minutes can be corrected by hand.

    Raises:
        LotCannotBeAdjusted: its end lies in a closed period, or it carries what another lot left.
    """
    if one.is_closed:
        raise LotCannotBeAdjusted("the end of this lot lies in a closed period: adjust a lot that is still open")
    if one.lot.carry is not None:
        raise LotCannotBeAdjusted("this lot is what another one left: adjust that one, or add a lot")


def close(book: Book, until: datetime, behind: Sequence[Hours]) -> None:
    """Make the ends of lots final that lapsed before a closed period ended; allocate ``behind`` anew, then.

    ``behind`` are all open entries. What they held of such a lot is given back first: whether somebody told an entry
    before the close and left it undecided, or told it afterwards, it is paid by the same lots (ADR 0026).
    """
    closing = {
        lot_id
        for lot_id, one in book.lots.items()
        if one.is_lapsed and not one.is_closed and one.lot.ends_at is not None and one.lot.ends_at <= until
    }
    given_back: Counter[UUID] = Counter()
    for hours in behind:
        for take in hours.split.takes:
            given_back[take.lot_id] += take.minutes
    for lot_id, one in list(book.lots.items()):
        carry = one.lot.carry
        if carry is not None and carry.from_lot_id in closing:
            source = book.lots[carry.from_lot_id].lot
            minutes = carry.of(source.left_minutes + given_back[source.id])
            more = minutes - carry.minutes
            lot = replace(
                one.lot,
                minutes=one.lot.minutes + more,
                left_minutes=one.lot.left_minutes + more,
                carry=replace(carry, minutes=minutes),
            )
            book.lots[lot_id] = replace(one, lot=lot)
        if lot_id in closing:
            book.lots[lot_id] = replace(book.lots[lot_id], is_closed=True)
    book.changed_lots |= closing
