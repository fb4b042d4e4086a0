"""The proof of one contract's ledger: everything that is kept beside the postings must follow from them.

Postings and hours are read one after another, so that a ledger of any length can be proved in little memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from uuid import UUID

from contracts.domain.allocation import Fact, Purse, Split, weighted_minutes
from contracts.domain.entry import BookLot, Hours
from contracts.domain.ledger import GENESIS, Balances, LedgerBroken, Leg, Posting, PostingKind, verify_chain

_OF_LOTS = ("granted", "carried_in", "adjusted", "expired", "carried_out")
"""Accounts whose minutes belong to a lot each."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database keeps about a contract beside its postings and hours."""

    balances: Balances
    last_seq: int
    last_hash: bytes
    lots: Mapping[UUID, BookLot]
    adjustments: Mapping[str, tuple[UUID, int]] = field(default_factory=dict)
    """Lots and minutes that two people agreed on, by the source of the posting."""


class Told(NamedTuple):
    """What the hours of one entry say: only what can be proved, for a million of them are read."""

    fact: Fact
    split: Split
    worked_minutes: int
    is_posted: bool
    is_open: bool
    legs: Sequence[tuple[int, str, str, str, int, UUID | None]]
    """Live postings as (number, kind, from, to, minutes, lot)."""


def told(hours: Hours) -> Told:
    """Return what can be proved of hours."""
    return Told(
        hours.fact,
        hours.split,
        hours.entry.work.worked_minutes,
        hours.status == "posted",
        hours.period_close_id is None,
        [(seq, leg.kind, leg.from_account, leg.to_account, leg.minutes, leg.lot_id) for seq, leg in hours.legs],
    )


def first_failure(postings: Iterable[Posting], kept: Kept, hours: Sequence[Hours]) -> str | None:
    """Return the first thing that does not hold, as a sentence; ``None`` when everything does."""
    audit = Audit(kept, taken=minutes_taken(hours))
    try:
        for posting in postings:
            audit.read_posting(posting)
        audit.close_postings()
        for one in sorted(hours, key=lambda each: each.entry.position):
            audit.read_hours(told(one))
        audit.close()
    except LedgerBroken as error:
        return str(error)
    return None


def minutes_taken(hours: Iterable[Hours]) -> Counter[tuple[UUID, bool]]:
    """Return the minutes that entries took from each lot, those of open entries (``True``) and of closed ones."""
    taken: Counter[tuple[UUID, bool]] = Counter()
    for one in hours:
        for take in one.split.takes:
            taken[take.lot_id, one.period_close_id is None] += take.minutes
    return taken


class Audit:
    """Reads the postings of a contract from the first, then its hours in the order of allocation.

    Every method raises ``LedgerBroken`` with the first thing that does not hold. ``taken`` are the minutes that entries
    took from each lot; they prove themselves at the end.
    """

    def __init__(self, kept: Kept, *, taken: Mapping[tuple[UUID, bool], int]) -> None:
        self._kept = kept
        self._hash, self._seq = GENESIS, 0
        self._balances = Balances()
        self._moved: dict[str, Counter[UUID]] = {account: Counter() for account in _OF_LOTS}
        self._adjusted: dict[str, tuple[UUID, int]] = {}
        # Live postings of entries by number: their facts as one number each, a million of them fits into memory.
        self._live: dict[int, int] = {}
        self._taken_told = taken
        self._taken: Counter[tuple[UUID, bool]] = Counter()
        self._purse = Purse(
            replace(one.lot, left_minutes=one.lot.left_minutes + taken.get((lot_id, True), 0))
            for lot_id, one in kept.lots.items()
            if not one.is_closed
        )

    def read_posting(self, posting: Posting) -> None:
        """Check the next posting against the chain, and count it."""
        self._hash = verify_chain((posting,), previous=self._hash, first_seq=self._seq + 1)
        self._seq += 1
        leg = posting.leg
        self._balances.move(leg)
        if leg.lot_id is not None:
            for account, minutes in ((leg.to_account, leg.minutes), (leg.from_account, -leg.minutes)):
                if account in self._moved:
                    self._moved[account][leg.lot_id] += minutes
        if posting.time_entry_id is None:
            if leg.kind == "adjust" and leg.lot_id is not None and posting.source.startswith("adjustment:"):
                minutes = leg.minutes if leg.to_account == "available" else -leg.minutes
                self._adjusted[posting.source] = (leg.lot_id, minutes)
            return
        if leg.corrects_seq is None:
            self._live[posting.seq] = _facts(posting.time_entry_id, leg)
        elif self._live.pop(leg.corrects_seq, None) != _facts(posting.time_entry_id, _taken_back(leg)):
            message = f"posting {posting.seq} does not take back posting {leg.corrects_seq}"
            raise LedgerBroken(message)

    def close_postings(self) -> None:
        """Check what follows from the postings alone: the end of the chain, balances, identities, lots."""
        kept = self._kept
        if (self._seq, self._hash) != (kept.last_seq, kept.last_hash):
            message = f"the chain ends at posting {self._seq}, the book says {kept.last_seq}"
            raise LedgerBroken(message)
        if self._balances != kept.balances:
            message = f"balances follow as {self._balances}, the book says {kept.balances}"
            raise LedgerBroken(message)
        failure = self._balances.broken_identity() or self._lots()
        if failure is not None:
            raise LedgerBroken(failure)
        if differing := sorted(self._adjusted.items() ^ kept.adjustments.items()):
            message = f"{differing[0][0]} is not what two people agreed on"
            raise LedgerBroken(message)

    def read_hours(self, hours: Told) -> None:
        """Check the hours of the next entry: its live postings, its split, and that the set of entries gives it."""
        fact, split = hours.fact, hours.split
        failure = self._legs(hours) or _split(hours)
        if failure is None and fact.demands:
            for take in split.takes:
                self._taken[take.lot_id, hours.is_open] += take.minutes
            if hours.is_open and self._purse.pay(fact) != split:
                failure = "is split otherwise than the set of entries says"
        if failure is not None:
            message = f"time entry {fact.entry_id}: {failure}"
            raise LedgerBroken(message)

    def close(self) -> None:
        """Check that every posting of an entry had its hours, and that carried lots follow from what was left."""
        if self._live:
            message = f"posting {min(self._live)} belongs to a time entry that has other hours, or none"
            raise LedgerBroken(message)
        if self._taken != self._taken_told:
            message = "entries took other minutes from the lots than was told before"
            raise LedgerBroken(message)
        for lot in self._purse.rest():
            if lot != self._kept.lots[lot.id].lot:
                message = f"lot {lot.id} does not carry what its source left"
                raise LedgerBroken(message)

    def _legs(self, hours: Told) -> str | None:
        live, entry_id = self._live, hours.fact.entry_id
        for seq, *facts in hours.legs:
            if live.pop(seq, None) != hash((entry_id, *facts)):
                return "has other live postings than its hours say"
        return None

    def _lots(self) -> str | None:
        moved, taken = self._moved, self._taken_told
        for lot_id, one in self._kept.lots.items():
            funded = -sum(moved[account][lot_id] for account in ("granted", "carried_in", "adjusted"))
            if funded != one.lot.minutes:
                return f"lot {lot_id} has {one.lot.minutes} minutes, {funded} were granted, carried or adjusted"
            used = taken.get((lot_id, True), 0) + taken.get((lot_id, False), 0)
            if one.lot.left_minutes != one.lot.minutes - used:
                return f"lot {lot_id} has {one.lot.left_minutes} minutes left, its entries took {used}"
            for account, minutes in (
                ("expired", one.expired_minutes),
                ("carried_out", one.carried_out_minutes),
                ("adjusted", -one.adjusted_minutes),
            ):
                if moved[account][lot_id] != minutes:
                    return f"lot {lot_id} says {minutes} minutes {account}, its postings {moved[account][lot_id]}"
            rest = one.lot.left_minutes - one.carried_out_minutes
            if one.is_lapsed and one.expired_minutes != rest:
                return f"lot {lot_id} has lapsed with {rest} minutes left, {one.expired_minutes} of them expired"
        unknown = {lot_id for counter in moved.values() for lot_id in counter} - set(self._kept.lots)
        return f"there are postings on lot {min(unknown)}, which does not exist" if unknown else None


def _facts(entry_id: UUID, leg: Leg) -> int:
    return hash((entry_id, leg.kind, leg.from_account, leg.to_account, leg.minutes, leg.lot_id))


def _taken_back(leg: Leg) -> Leg:
    """Return the leg that a correction reverses; what it was called does not show in the correction."""
    kind: PostingKind = "post" if leg.from_account == "consumed" else "hold"
    return Leg(kind, leg.to_account, leg.from_account, leg.minutes, leg.lot_id)


def _split(hours: Told) -> str | None:
    worked = bucket = overage = beside = excluded = 0
    for part in hours.split.parts:
        demand = part.demand
        worked += demand.worked_minutes
        bucket += part.bucket_minutes
        overage += part.overage_minutes
        if demand.route == "time_and_materials":
            beside += demand.billed_minutes
        elif demand.route == "excluded":
            excluded += demand.worked_minutes
        elif part.bucket_billed_minutes + part.overage_minutes != demand.billed_minutes:
            return "a span is not wholly bucket or overage"
        elif part.bucket_minutes != weighted_minutes(part.bucket_billed_minutes, weight_percent=demand.weight_percent):
            return "a span lost other bucket minutes than its weight says"
    if hours.split.is_refused:
        worked = sum(one.worked_minutes for one in hours.fact.demands)
    if hours.fact.demands and worked != hours.worked_minutes:
        return "its spans do not add up to the work"
    posted = dict.fromkeys(("held", "overage", "time_and_materials", "excluded", "consumed"), 0)
    for leg in hours.legs:
        posted[leg[3]] = posted.get(leg[3], 0) + leg[4]
    wanted = (bucket, overage, beside, excluded, bucket if hours.is_posted else 0)
    for (account, minutes), by_split in zip(posted.items(), wanted, strict=False):
        if minutes != by_split:
            return f"{by_split} minutes of {account} by its split, {minutes} by its postings"
    if len(posted) > len(wanted):
        return f"its postings go to {min(posted)}, where no entry's do"
    return None
