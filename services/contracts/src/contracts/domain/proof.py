"""The proof of one contract's ledger: everything that is kept beside the postings must follow from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from contracts.domain.allocation import allocate, weighted_minutes
from contracts.domain.entry import BookLot, Hours
from contracts.domain.ledger import Balances, LedgerBroken, Leg, Posting, balances_of, verify_chain


_OF_LOTS = ("granted", "carried_in", "adjusted", "expired", "carried_out")
"""Accounts whose minutes belong to a lot each."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database keeps about a contract beside its postings."""

    balances: Balances
    last_seq: int
    last_hash: bytes
    lots: Mapping[UUID, BookLot]
    hours: Mapping[UUID, Hours]


def first_failure(postings: Sequence[Posting], kept: Kept) -> str | None:
    """Return the first thing that does not hold, as a sentence; ``None`` when everything does."""
    try:
        last_hash = verify_chain(postings)
    except LedgerBroken as error:
        return str(error)
    if (len(postings), last_hash) != (kept.last_seq, kept.last_hash):
        return f"the chain ends at posting {len(postings)}, the book says {kept.last_seq}"
    balances = balances_of(postings)
    if balances != kept.balances:
        return f"balances follow as {balances}, the book says {kept.balances}"
    return balances.broken_identity() or _entries(postings, kept) or _lots(postings, kept) or _allocation(kept)


def live_legs(postings: Iterable[Posting]) -> dict[UUID, dict[int, Leg]]:
    """Return the postings of each time entry that were not taken back."""
    live: dict[UUID, dict[int, Leg]] = {}
    for posting in postings:
        if posting.time_entry_id is None:
            continue
        legs = live.setdefault(posting.time_entry_id, {})
        if posting.leg.corrects_seq is None:
            legs[posting.seq] = posting.leg
        else:
            legs.pop(posting.leg.corrects_seq, None)
    return live


def _entries(postings: Sequence[Posting], kept: Kept) -> str | None:
    live = live_legs(postings)
    for entry_id, legs in live.items():
        hours = kept.hours.get(entry_id)
        if dict(hours.legs if hours is not None else ()) != legs:
            return f"time entry {entry_id} has other live postings than its hours say"
    for entry_id, hours in kept.hours.items():
        if hours.legs and entry_id not in live:
            return f"time entry {entry_id} has hours without postings"
        failure = _split(hours)
        if failure is not None:
            return f"time entry {entry_id}: {failure}"
    return None


def _split(hours: Hours) -> str | None:
    split, legs = hours.split, [leg for _, leg in hours.legs]
    if hours.is_active and sum(one.worked_minutes for one in hours.demands) != hours.entry.work.worked_minutes:
        return "its spans do not add up to the work"
    for part in split.parts:
        demand = part.demand
        if demand.route != "bucket":
            continue
        if part.bucket_billed_minutes + part.overage_minutes != demand.billed_minutes:
            return "a span is not wholly bucket or overage"
        weighted = weighted_minutes(part.bucket_billed_minutes, weight_percent=demand.weight_percent)
        if part.bucket_minutes != weighted:
            return "a span lost other bucket minutes than its weight says"
    for account, minutes in (
        ("held", split.bucket_minutes),
        ("overage", split.overage_minutes),
        ("time_and_materials", split.time_and_materials_minutes),
        ("excluded", split.excluded_minutes),
        ("consumed", split.bucket_minutes if hours.status == "posted" else 0),
    ):
        posted = sum(leg.minutes for leg in legs if leg.to_account == account)
        if posted != minutes:
            return f"{minutes} minutes of {account} by its split, {posted} by its postings"
    return None


def _lots(postings: Sequence[Posting], kept: Kept) -> str | None:
    moved: dict[str, Counter[UUID]] = {account: Counter() for account in _OF_LOTS}
    for leg in (posting.leg for posting in postings):
        for account, minutes in ((leg.to_account, leg.minutes), (leg.from_account, -leg.minutes)):
            if leg.lot_id is not None and account in moved:
                moved[account][leg.lot_id] += minutes
    taken = Counter[UUID]()
    for hours in kept.hours.values():
        for take in hours.split.takes:
            taken[take.lot_id] += take.minutes
    for lot_id, one in kept.lots.items():
        funded = -sum(moved[account][lot_id] for account in ("granted", "carried_in", "adjusted"))
        if funded != one.lot.minutes:
            return f"lot {lot_id} has {one.lot.minutes} minutes, {funded} were granted, carried or adjusted"
        if one.lot.left_minutes != one.lot.minutes - taken[lot_id]:
            return f"lot {lot_id} has {one.lot.left_minutes} minutes left, its entries took {taken[lot_id]}"
        for account, minutes in (("expired", one.expired_minutes), ("carried_out", one.carried_out_minutes)):
            if moved[account][lot_id] != minutes:
                return f"lot {lot_id} says {minutes} minutes {account}, its postings {moved[account][lot_id]}"
        if -moved["adjusted"][lot_id] != one.adjusted_minutes:
            return (
                f"lot {lot_id} says {one.adjusted_minutes} minutes adjusted, its postings {-moved['adjusted'][lot_id]}"
            )
        rest = one.lot.left_minutes - one.carried_out_minutes
        if one.is_lapsed and not one.is_closed and one.expired_minutes != rest:
            return f"lot {lot_id} has lapsed with {rest} minutes left, {one.expired_minutes} of them expired"
    unknown = {lot_id for counter in moved.values() for lot_id in counter} - set(kept.lots)
    return f"there are postings on lot {min(unknown)}, which does not exist" if unknown else None


def _allocation(kept: Kept) -> str | None:
    """Allocate the open entries anew, after those of closed periods, and compare."""
    open_hours = [one for one in kept.hours.values() if one.is_active and one.period_close_id is None]
    given_back: dict[UUID, int] = {}
    for one in open_hours:
        for take in one.split.takes:
            given_back[take.lot_id] = given_back.get(take.lot_id, 0) + take.minutes
    lots = [
        replace(one.lot, left_minutes=one.lot.left_minutes + given_back.get(lot_id, 0))
        for lot_id, one in kept.lots.items()
        if not one.is_closed
    ]
    allocation = allocate(lots, [one.fact for one in open_hours])
    for one in sorted(open_hours, key=lambda hours: hours.entry.position):
        if allocation.splits[one.entry.id] != one.split:
            return f"time entry {one.entry.id} is split otherwise than the set of entries says"
    for lot in allocation.lots:
        if lot != kept.lots[lot.id].lot:
            return f"lot {lot.id} does not carry what its source left"
    return None
