"""Which lot pays for which minute: a pure function of the set of entries of the open period.

Entries are taken in order of (worked instant, entry id), lots in one total order; whatever order the entries arrived
in, the splits are the same. What the lots cannot pay is overage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

Policy = Literal["overage", "next_lot", "needs_approval", "reject"]
Route = Literal["bucket", "time_and_materials", "excluded"]
Condition = Literal["regular", "after_hours", "weekend", "holiday"]
Level = Literal["L1", "L2", "L3", "SA"]
Position = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class Carry:
    """How a carried lot is filled: a share of what its source has left when the source ends, up to a cap."""

    from_lot_id: UUID
    percent: int
    cap_minutes: int | None
    minutes: int = 0
    """What it carries so far."""

    def of(self, left_minutes: int) -> int:
        """Return what is carried of ``left_minutes``, rounded half up."""
        share = (left_minutes * self.percent + 50) // 100
        return share if self.cap_minutes is None else min(share, self.cap_minutes)


@dataclass(frozen=True, slots=True)
class Lot:
    """One funding of a bucket, as allocation sees it. ``left_minutes`` is what entries may still take."""

    id: UUID
    sequence: int
    """Purchase sequence on its contract, from 1."""
    minutes: int
    left_minutes: int
    starts_at: datetime
    ends_at: datetime | None = None
    """Exclusive; ``None`` never lapses."""
    priority: int = 0
    """Smaller is consumed first."""
    carry: Carry | None = None
    """Where its minutes come from when it is a carried lot."""

    def is_open_at(self, at: datetime) -> bool:
        """Return whether work of the instant ``at`` may be paid from this lot."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)

    def may_be_short(self, heaviest_percent: int) -> bool:
        """Return whether an entry may have wanted more of this lot than it got, going by what all entries have left.

        Whoever falls short leaves less than the bucket minutes of one billed minute, at the heaviest weight there is.
        """
        return 100 * self.left_minutes < heaviest_percent


@dataclass(frozen=True, slots=True)
class Demand:
    """A part of a time entry under one rate condition, before anything has paid for it."""

    condition: Condition
    starts_at: datetime
    worked_minutes: int
    billed_minutes: int
    """After rounding; 0 when excluded."""
    weight_percent: int
    route: Route
    rule_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A time entry that holds or has taken minutes."""

    entry_id: UUID
    worked_from: datetime
    demands: tuple[Demand, ...]
    policy: Policy = "overage"

    @property
    def position(self) -> Position:
        """Return the place of the entry in the order of allocation."""
        return self.worked_from, self.entry_id


@dataclass(frozen=True, slots=True)
class Take:
    """Bucket minutes one entry takes from one lot."""

    lot_id: UUID
    minutes: int


@dataclass(frozen=True, slots=True)
class Part:
    """What became of one demand."""

    demand: Demand
    bucket_billed_minutes: int = 0
    bucket_minutes: int = 0
    overage_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """What became of one time entry. ``is_refused`` when the policy lets nothing of it in."""

    parts: tuple[Part, ...]
    takes: tuple[Take, ...]
    is_refused: bool = False

    @property
    def billed_minutes(self) -> int:
        """Return the billed minutes of all parts."""
        return sum(part.demand.billed_minutes for part in self.parts)

    @property
    def bucket_minutes(self) -> int:
        """Return what the bucket loses."""
        return sum(part.bucket_minutes for part in self.parts)

    @property
    def overage_minutes(self) -> int:
        """Return the billed minutes beyond the bucket."""
        return sum(part.overage_minutes for part in self.parts)

    @property
    def time_and_materials_minutes(self) -> int:
        """Return the billed minutes of work that never draws on a bucket."""
        return sum(part.demand.billed_minutes for part in self.parts if part.demand.route == "time_and_materials")

    @property
    def excluded_minutes(self) -> int:
        """Return the worked minutes that are not billed at all."""
        return sum(part.demand.worked_minutes for part in self.parts if part.demand.route == "excluded")


@dataclass(frozen=True, slots=True)
class Allocation:
    """The splits of some entries, and the lots after them in order of consumption."""

    splits: Mapping[UUID, Split]
    lots: tuple[Lot, ...]


def in_order_of_consumption(lots: Iterable[Lot]) -> list[Lot]:
    """Return lots in the one total order: priority, expiry (none last), valid-from, purchase sequence."""
    return sorted(
        lots,
        key=lambda lot: (
            lot.priority,
            lot.ends_at is None,
            lot.ends_at or lot.starts_at,
            lot.starts_at,
            lot.sequence,
        ),
    )


def weighted_minutes(billed_minutes: int, *, weight_percent: int) -> int:
    """Return the bucket minutes of billed minutes, rounded half up."""
    return (billed_minutes * weight_percent + 50) // 100


def affordable_minutes(left_minutes: int, *, weight_percent: int) -> int:
    """Return the most billed minutes that ``left_minutes`` of a bucket pay for; an empty bucket pays for none."""
    assert weight_percent > 0, "what weighs nothing is always affordable"
    return (100 * left_minutes + 49) // weight_percent if left_minutes > 0 else 0


def allocate(lots: Iterable[Lot], facts: Iterable[Fact]) -> Allocation:
    """Pay for every entry, in order of (worked instant, entry id), from what the lots have left before the first."""
    purse = Purse(lots)
    splits = {fact.entry_id: purse.pay(fact) for fact in sorted(facts, key=lambda one: one.position)}
    return Allocation(splits, purse.rest())


class Purse:
    """Lots that pay for entries one after another; it must be asked in the order of allocation."""

    def __init__(self, lots: Iterable[Lot]) -> None:
        self._lots = in_order_of_consumption(lots)
        self._left = {lot.id: lot.left_minutes for lot in self._lots}
        self._unfilled = _unfilled(self._lots)

    def pay(self, fact: Fact) -> Split:
        """Pay for an entry that comes after all that were paid before."""
        while self._unfilled and self._unfilled[-1].starts_at <= fact.worked_from:
            self._lots = _filled(self._lots, self._unfilled.pop(), self._left)
        split = _split(fact, self._lots, self._left)
        for take in split.takes:
            self._left[take.lot_id] -= take.minutes
        return split

    def rest(self) -> tuple[Lot, ...]:
        """Return the lots after the last entry, in order of consumption."""
        while self._unfilled:
            self._lots = _filled(self._lots, self._unfilled.pop(), self._left)
        left = self._left
        return tuple(
            lot if lot.left_minutes == left[lot.id] else replace(lot, left_minutes=left[lot.id]) for lot in self._lots
        )


def _unfilled(lots: Sequence[Lot]) -> list[Lot]:
    """Return the carried lots whose source is among ``lots``, the last to begin first; others are filled for good."""
    known = {lot.id for lot in lots}
    carried = [lot for lot in lots if lot.carry is not None and lot.carry.from_lot_id in known]
    return sorted(carried, key=lambda lot: (lot.starts_at, lot.sequence), reverse=True)


def _filled(lots: Sequence[Lot], lot: Lot, left: dict[UUID, int]) -> list[Lot]:
    """Return lots with a carried one filled anew from what its source has left, and note what that leaves in it."""
    assert lot.carry is not None, "only carried lots are filled"
    carried = lot.carry.of(left[lot.carry.from_lot_id])
    more = carried - lot.carry.minutes
    left[lot.id] += more
    # What a shrunken lot no longer has was taken by entries behind: they are allocated anew with it.
    assert left[lot.id] >= 0, "whoever took from a carried lot is allocated together with it"
    filled = replace(lot, minutes=lot.minutes + more, carry=replace(lot.carry, minutes=carried))
    return [filled if one.id == lot.id else one for one in lots]


def payers(lots: Sequence[Lot], *, at: datetime, policy: Policy) -> list[Lot]:
    """Return the lots that may pay for work of the instant ``at``, first payer first.

    A carried lot is never drawn on early: nobody knows what is in it before its source ends.
    """
    open_now = [lot for lot in lots if lot.is_open_at(at)]
    if policy == "next_lot":
        open_now += [lot for lot in lots if lot.starts_at > at and lot.carry is None]
    return open_now


def fits_without_displacing(lots: Sequence[Lot], fact: Fact) -> Lot | None:
    """Return the lot that can pay for all of ``fact`` without changing any split of a later entry, if that is certain.

    ``lots`` are in order of consumption with what is left after *all* entries. The first payer has more than enough in
    the end, so it had that at every earlier instant too: nobody behind ``fact`` took less from it than they wanted, or
    went past it, and nobody will.
    """
    if any(demand.route == "bucket" for demand in fact.demands):
        first = next(iter(payers(lots, at=fact.worked_from, policy=fact.policy)), None)
        if first is not None and first.left_minutes > _needed_minutes(fact.demands) > 0:
            return first
    return None


def _needed_minutes(demands: Iterable[Demand]) -> int:
    return sum(
        weighted_minutes(one.billed_minutes, weight_percent=one.weight_percent)
        for one in demands
        if one.route == "bucket"
    )


def _split(fact: Fact, ordered: Sequence[Lot], left: Mapping[UUID, int]) -> Split:
    if all(demand.route != "bucket" for demand in fact.demands):
        return Split(tuple(Part(demand) for demand in fact.demands), ())
    paying = payers(ordered, at=fact.worked_from, policy=fact.policy)
    available = sum(left[lot.id] for lot in paying)
    if fact.policy == "reject" and _needed_minutes(fact.demands) > available:
        return Split((), (), is_refused=True)
    parts: list[Part] = []
    taken_minutes = 0
    for demand in fact.demands:
        part = _part(demand, available - taken_minutes)
        taken_minutes += part.bucket_minutes
        parts.append(part)
    takes: list[Take] = []
    for lot in paying:
        minutes = min(left[lot.id], taken_minutes)
        if minutes > 0:
            takes.append(Take(lot.id, minutes))
            taken_minutes -= minutes
    assert taken_minutes == 0, "no part takes more than the lots have"
    return Split(tuple(parts), tuple(takes))


def _part(demand: Demand, available_minutes: int) -> Part:
    if demand.route != "bucket":
        return Part(demand)
    needed = weighted_minutes(demand.billed_minutes, weight_percent=demand.weight_percent)
    if needed <= available_minutes and (needed > 0 or demand.weight_percent == 0):
        return Part(demand, bucket_billed_minutes=demand.billed_minutes, bucket_minutes=needed)
    weight = demand.weight_percent
    # A tiny weight may round to no bucket minute at all; the first minute of it still needs a bucket to come from.
    billed = min(demand.billed_minutes, affordable_minutes(available_minutes, weight_percent=weight)) if weight else 0
    return Part(
        demand,
        bucket_billed_minutes=billed,
        bucket_minutes=weighted_minutes(billed, weight_percent=weight),
        overage_minutes=demand.billed_minutes - billed,
    )
