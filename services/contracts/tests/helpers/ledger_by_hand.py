"""A ledger as anybody would do it by hand, to compare with: no locks, no shortcuts, everything counted anew each time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from contracts.domain.coverage import Work
from contracts.domain.entry import TimeEntry
from contracts.domain.rounding import Rounding

MINUTE_MINOR = 150
"""What a minute beyond the bucket costs: 90.00 an hour."""
COST = {"L1": 1, "L2": 2}
"""Bucket minutes per billed minute."""


@dataclass
class ModelLot:
    """A lot, by its number."""

    number: int
    minutes: int
    starts_at: datetime
    ends_at: datetime | None = None
    priority: int = 0
    adjusted: int = 0
    is_lapsed: bool = False
    is_closed: bool = False
    carried_from: int | None = None
    carried_when_closed: int = 0


@dataclass(frozen=True)
class Result:
    """What became of an entry."""

    status: str
    takes: tuple[tuple[int, int], ...]
    billed: int
    bucket: int
    overage: int
    is_late: bool = False

    @property
    def price_minor(self) -> int:
        """Return what the overage costs."""
        return self.overage * MINUTE_MINOR


@dataclass
class Model:
    """All facts about one contract."""

    policy: str
    rollover: tuple[int, int | None] | None
    burns: str
    rounding: Rounding = Rounding()
    lots: dict[int, ModelLot] = field(default_factory=dict)
    told: dict[UUID, TimeEntry] = field(default_factory=dict)
    frozen: dict[UUID, tuple[int, Result]] = field(default_factory=dict)
    """Entries of closed periods, with the number of the close and what became of them."""
    closes: list[datetime] = field(default_factory=list)
    answers: dict[UUID, tuple[Work, str, int]] = field(default_factory=dict)
    """What the client said last about an entry: the work that was meant, and the overage."""

    def tell(self, entry: TimeEntry) -> None:
        """Take a telling; the newest counts."""
        known = self.told.get(entry.id)
        if known is not None and known.revision >= entry.revision:
            return
        self.told[entry.id] = entry
        if entry.id in self.frozen and known is not None:
            unchanged = known.work == entry.work and entry.decision == "approved"
            if not unchanged:
                del self.frozen[entry.id]

    def answer(self, entry_id: UUID, decision: str, overage_minutes: int) -> None:
        """Take the client's word on work beyond the bucket."""
        self.answers[entry_id] = (self.told[entry_id].work, decision, overage_minutes)

    def waiting(self) -> dict[UUID, int]:
        """Return the overage of entries that wait for the client."""
        if self.policy != "needs_approval":
            return {}
        return {
            entry_id: result.overage
            for entry_id, result in self.results().items()
            if result.status == "held" and result.overage > self._agreed(self.told[entry_id])
        }

    def _agreed(self, entry: TimeEntry) -> int:
        work, decision, minutes = self.answers.get(entry.id, (None, "", 0))
        return minutes if work == entry.work and decision == "approved" else 0

    def _is_declined(self, entry: TimeEntry) -> bool:
        work, decision, _ = self.answers.get(entry.id, (None, "", 0))
        return work == entry.work and decision == "declined"

    def lapse(self, until: datetime) -> None:
        """Let lots end."""
        ended = [one for one in self.lots.values() if one.ends_at is not None and one.ends_at <= until]
        for lot in sorted(ended, key=lambda one: (one.ends_at, one.number)):
            if lot.is_lapsed:
                continue
            lot.is_lapsed = True
            if self.rollover is not None and lot.carried_from is None and lot.number == 1:
                assert lot.ends_at is not None
                number = max(self.lots) + 1
                priority = -1000 if self.burns == "first" else 1000
                self.lots[number] = ModelLot(number, 0, lot.ends_at, priority=priority, carried_from=lot.number)

    def close(self, until: datetime) -> None:
        """Freeze what is approved, and the lots that ended."""
        self.lapse(until)
        results = self.results()
        for entry_id, result in results.items():
            is_before = self.told[entry_id].work.worked_from < until
            if result.status == "posted" and is_before and entry_id not in self.frozen:
                self.frozen[entry_id] = (len(self.closes), replace(result))
        self.closes.append(until)
        for lot in self.lots.values():
            if lot.is_lapsed and lot.ends_at is not None and lot.ends_at <= until:
                if not lot.is_closed:
                    lot.carried_when_closed = self._share(self.free(lot.number))
                lot.is_closed = True

    def reopen(self) -> None:
        """Take the last close back."""
        last = len(self.closes) - 1
        self.closes.pop()
        before = self.closes[-1] if self.closes else None
        for entry_id in [one for one, (close, _) in self.frozen.items() if close == last]:
            del self.frozen[entry_id]
        for lot in self.lots.values():
            if lot.is_closed and (before is None or (lot.ends_at is not None and lot.ends_at > before)):
                lot.is_closed = False

    # ---- counting ---------------------------------------------------------------------------------------------------

    def results(self) -> dict[UUID, Result]:
        """Return what became of every entry."""
        return self._count()[0]

    def _count(self) -> tuple[dict[UUID, Result], dict[int, int], Counter[int]]:
        left = Counter({lot.number: lot.minutes + lot.adjusted for lot in self.lots.values()})
        results: dict[UUID, Result] = {}
        for entry_id, (_, result) in self.frozen.items():
            results[entry_id] = result
            for number, minutes in result.takes:
                left[number] -= minutes
        carried: dict[int, int] = {}
        for lot in self.lots.values():
            if lot.carried_from is not None and self.lots[lot.carried_from].is_closed:
                carried[lot.carried_from] = self.lots[lot.carried_from].carried_when_closed
                left[lot.number] += carried[lot.carried_from]
        entries = [one for one in self.told.values() if one.id not in self.frozen]
        billed = self._billed()
        for entry in sorted(entries, key=lambda one: (one.work.worked_from, one.id)):
            self._carry(entry.work.worked_from, left, carried)
            results[entry.id] = self._pay(entry, billed.get(entry.id, 0), left)
        self._carry(None, left, carried)
        return results, carried, left

    def _carry(self, at: datetime | None, left: Counter[int], carried: dict[int, int]) -> None:
        for lot in sorted(self.lots.values(), key=lambda one: one.starts_at):
            source = lot.carried_from
            if source is None or source in carried or (at is not None and lot.starts_at > at):
                continue
            carried[source] = self._share(left[source])
            left[lot.number] += carried[source]

    def _share(self, minutes: int) -> int:
        if self.rollover is None:
            return 0
        percent, cap = self.rollover
        share = (minutes * percent * 2 + 100) // 200
        return share if cap is None else min(share, cap)

    def _billed(self) -> dict[UUID, int]:
        """Return the billed minutes of entries that count; on a ticket and day each adds what it adds to the whole."""
        counted = [
            one
            for one in self.told.values()
            if one.decision in ("submitted", "approved") and not self._is_declined(one)
        ]
        worked: Counter[object] = Counter()
        billed: Counter[object] = Counter()
        found: dict[UUID, int] = {}
        for entry in sorted(counted, key=lambda one: (one.work.worked_from, one.id)):
            together = entry.id if self.rounding.level == "entry" else (entry.ticket_id, entry.work.worked_from.date())
            worked[together] += entry.work.worked_minutes
            if entry.id in self.frozen:
                share = self.frozen[entry.id][1].billed
            else:
                share = max(0, self._rounded(worked[together]) - billed[together])
            billed[together] += share
            found[entry.id] = share
        return found

    def _rounded(self, worked: int) -> int:
        rule = self.rounding
        least, billed = max(worked, rule.minimum_minutes), rule.increment_minutes
        while billed < least:
            billed += rule.increment_minutes
        if rule.direction == "nearest" and billed - least > least - (billed - rule.increment_minutes):
            billed = max(billed - rule.increment_minutes, rule.increment_minutes)
        return billed

    def _pay(self, entry: TimeEntry, billed: int, left: Counter[int]) -> Result:
        if entry.decision in ("rejected", "voided"):
            return Result("released", (), 0, 0, 0)
        if self._is_declined(entry):
            return Result("refused", (), 0, 0, 0)
        at, cost = entry.work.worked_from, COST[entry.work.level]
        paying = [
            lot
            for lot in sorted(self.lots.values(), key=_order)
            if not lot.is_closed and lot.starts_at <= at and (lot.ends_at is None or at < lot.ends_at)
        ]
        if self.policy == "next_lot":
            later = [one for one in self.lots.values() if one.starts_at > at and one.carried_from is None]
            paying += sorted((one for one in later if not one.is_closed), key=_order)
        is_late = bool(self.closes) and at < self.closes[-1]
        there = sum(left[lot.number] for lot in paying)
        if self.policy == "reject" and billed * cost > there:
            return Result("refused", (), 0, 0, 0, is_late)
        paid = 0
        while paid < billed and (paid + 1) * cost <= there:
            paid += 1
        owed, takes = paid * cost, []
        for lot in paying:
            if owed and left[lot.number]:
                taken = min(owed, left[lot.number])
                left[lot.number] -= taken
                owed -= taken
                takes.append((lot.number, taken))
        waits = self.policy == "needs_approval" and billed - paid > self._agreed(entry)
        status = "posted" if entry.decision == "approved" and not waits else "held"
        return Result(status, tuple(takes), billed, paid * cost, billed - paid, is_late)

    def balances(self) -> dict[str, int]:
        """Return the minutes on each account."""
        results, carried, left = self._count()
        expired = sum(left[lot.number] - carried.get(lot.number, 0) for lot in self.lots.values() if lot.is_lapsed)
        held = sum(one.bucket for one in results.values() if one.status == "held")
        consumed = sum(one.bucket for one in results.values() if one.status == "posted")
        granted = sum(lot.minutes for lot in self.lots.values())
        adjusted = sum(lot.adjusted for lot in self.lots.values())
        return {
            "granted": granted,
            "adjusted": adjusted,
            "carried_in": sum(carried.values()),
            "carried_out": sum(carried.values()),
            "held": held,
            "consumed": consumed,
            "expired": expired,
            "available": granted + adjusted - held - consumed - expired,
            "overage": sum(one.overage for one in results.values()),
        }

    def free(self, number: int) -> int:
        """Return what closed work has left of a lot."""
        taken = sum(minutes for _, result in self.frozen.values() for lot, minutes in result.takes if lot == number)
        lot = self.lots[number]
        return lot.minutes + lot.adjusted - taken


def _order(lot: ModelLot) -> tuple[object, ...]:
    return (lot.priority, lot.ends_at is None, lot.ends_at or lot.starts_at, lot.starts_at, lot.number)
