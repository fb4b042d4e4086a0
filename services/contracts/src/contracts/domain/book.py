"""The open book of one contract: what changes when time is logged, edited, approved or given back.

The book is loaded under the contract's lock and works in memory. A plan says which entries must be loaded, too: none
when the changed ones come at the end or fit without displacing anybody, which is the common case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from contracts.domain import funding
from contracts.domain.allocation import (
    Lot,
    Position,
    Split,
    allocate,
    fits_without_displacing,
    in_order_of_consumption,
)
from contracts.domain.contract import Contract
from contracts.domain.coverage import Check, resolve
from contracts.domain.entry import NOTHING, BookLot, Change, Hours, HoursStatus, Plan, Stamped, TimeEntry
from contracts.domain.ledger import Account, Balances, Leg, Posting, PostingKind, reversal, sealed
from contracts.domain.ticket_day import rounded_together

EXHAUSTED = Check(
    "bucket-exhausted", is_passed=False, text="the bucket cannot pay for it, and the contract allows no overage"
)
DECLINED = Check("declined-by-client", is_passed=False, text="the client does not want this work beyond the bucket")


@dataclass(slots=True)
class Book:
    """The ledger of one contract, under its lock."""

    contract: Contract
    balances: Balances
    lots: dict[UUID, BookLot]
    now: datetime
    actor: str
    last_seq: int = 0
    last_hash: bytes = b""
    last_position: Position | None = None
    closed_until: datetime | None = None
    revision: int = 0
    """Of the balance, as listeners know it."""
    is_exhausted: bool = False
    """The end of the bucket was said, and no top-up came since."""
    is_shortfall_said: bool = False
    """It was said that the bucket is likely to end before its period, and no top-up came since."""
    is_restated: bool = False
    """Something about the book itself is to be saved, though nothing moved."""
    postings: list[Posting] = field(default_factory=list)
    """New in this transaction."""
    changed: dict[UUID, Hours] = field(default_factory=dict)
    """Hours to save, in order of change."""
    changed_lots: set[UUID] = field(default_factory=set)
    _counts: Counter[str] = field(default_factory=Counter)

    # ---- time entries ---------------------------------------------------------------------------------------------

    def stamp(self, change: Change) -> Hours:
        """Return the hours a change asks for, before anything has paid for them."""
        entry, before = change.entry, change.before
        revision = 1 if before is None else before.revision + 1
        coverage = resolve(self.contract, entry.work)
        terms = coverage.terms
        hours = Hours(
            entry=entry,
            revision=revision,
            status="released",
            contract_version=terms.version,
            rate_card_version=terms.rate_card_version,
            policy=terms.policy,
            demands=(),
            split=NOTHING,
            is_late=self._is_late(entry),
        )
        if before is not None and before.entry.work == entry.work:
            # What the client said holds for this work; other work is another question.
            hours = replace(
                hours,
                asked_minutes=before.asked_minutes,
                consented_minutes=before.consented_minutes,
                is_declined=before.is_declined,
            )
        if entry.decision in ("rejected", "voided"):
            return hours
        if coverage.refusal is not None:
            return replace(hours, status="refused", refusal=coverage.refusal)
        if hours.is_declined and terms.policy == "needs_approval":
            return replace(hours, status="refused", refusal=DECLINED)
        status: HoursStatus = "posted" if entry.decision == "approved" else "held"
        return replace(hours, status=status, demands=coverage.demands)

    def plan(self, changes: Sequence[Change], neighbours: Iterable[Hours] = ()) -> Plan:
        """Stamp changes, and say which entries of the book they may displace.

        ``neighbours`` are the other active entries of the ticket days that are rounded together with changed ones.
        """
        stamped = rounded_together(self.contract, [(change, self.stamp(change)) for change in changes], neighbours)
        moved = [one for one in stamped if _moves_minutes(one[0].before, one[1])]
        restated = [one for one in stamped if not _moves_minutes(one[0].before, one[1])]
        positions = [
            # What a closed entry gives back was never there for open entries before it.
            (self.contract.starts_at, UUID(int=0)) if one.period_close_id else one.entry.position
            for change, hours in moved
            for one in (change.before, hours)
            if one is not None and one.draws_on_bucket
        ]
        is_local = not positions or self._comes_last(moved) or self._displaces_nobody(moved)
        return Plan(tuple(moved), tuple(restated), None if is_local else min(positions))

    def settle(self, plan: Plan, tail: Iterable[Hours] = ()) -> None:
        """Bring the book up to date; ``tail`` are the open active entries from ``plan.tail_from`` on."""
        for change, hours in plan.restated:
            self._restate(change, hours)
        if plan.moved:
            touched = {change.entry.id for change, _ in plan.moved}
            behind = [self.changed.get(one.entry.id, one) for one in tail if one.entry.id not in touched]
            self._reallocate(plan.moved, behind)
            funding.renew(self, source=_cause(plan.moved))

    def reallocate(
        self, tail: Sequence[Hours], *, source: str, restamp: bool = False, beside: Iterable[Hours] = ()
    ) -> None:
        """Allocate open entries anew after lots or terms changed; ``restamp`` resolves their coverage anew, too.

        ``beside`` are the other active entries of ticket days that are then rounded together with them.
        """
        moved: list[Stamped] = []
        tail = [self.changed.get(one.entry.id, one) for one in tail]
        if restamp:
            changes = [Change(one.entry, one) for one in tail]
            stamped = rounded_together(self.contract, [(change, self.stamp(change)) for change in changes], beside)
            moved = [
                (change, hours)
                for change, hours in stamped
                if change.before and (change.before.demands, change.before.policy) != (hours.demands, hours.policy)
            ]
        touched = {change.entry.id for change, _ in moved}
        self._reallocate(moved, [one for one in tail if one.entry.id not in touched], source=source)
        funding.renew(self, source=source)

    def mark_late(self, entries: Iterable[Hours]) -> None:
        """Note anew which open entries were worked in a closed period, after the last one was opened again."""
        for one in (self.changed.get(entry.entry.id, entry) for entry in entries):
            if one.is_late != self._is_late(one.entry):
                self._remember(replace(one, is_late=not one.is_late, revision=one.revision + 1))

    def _is_late(self, entry: TimeEntry) -> bool:
        return self.closed_until is not None and entry.work.worked_from < self.closed_until

    def _comes_last(self, moved: Sequence[Stamped]) -> bool:
        """Return whether nothing is taken back and every entry comes after all entries of the contract."""
        return all(
            not (change.before is not None and change.before.is_active)
            and (not hours.draws_on_bucket or self.last_position is None or hours.entry.position > self.last_position)
            for change, hours in moved
        )

    def _displaces_nobody(self, moved: Sequence[Stamped]) -> bool:
        """Return whether every change is paid by lots that have enough left for everybody anyway."""
        known = {one.lot.id: one.lot for one in self.lots.values() if not one.is_closed}
        # What a lot has left at its end decides what is carried on: everybody behind may be concerned.
        carried = {lot.carry.from_lot_id for lot in known.values() if lot.carry is not None}
        for change, hours in moved:
            before = change.before
            if before is not None and before.is_active and before.draws_on_bucket:
                takes = before.split.takes
                # Somebody may have been refused behind it although the lot has much left: too little for the whole.
                if self.contract.refuses_beyond_bucket or before.period_close_id:
                    return False
                if before.split.overage_minutes or len(takes) != 1:
                    return False
                lot = known.get(takes[0].lot_id)
                if lot is None or lot.may_be_short(self.contract.heaviest_percent) or lot.id in carried:
                    return False
                known[lot.id] = replace(lot, left_minutes=lot.left_minutes + takes[0].minutes)
            if hours.draws_on_bucket:
                fact = hours.fact
                payer = fits_without_displacing(in_order_of_consumption(known.values()), fact)
                if payer is None or payer.id in carried:
                    return False
                known = {lot.id: lot for lot in allocate(known.values(), [fact]).lots}
        return True

    def _reallocate(self, moved: Sequence[Stamped], behind: Sequence[Hours], *, source: str | None = None) -> None:
        left = {one.lot.id: one.lot.left_minutes for one in self.lots.values()}
        given_back = [change.before for change, _ in moved if change.before is not None]
        for one in (*given_back, *behind):
            for take in one.split.takes:
                left[take.lot_id] += take.minutes
        before = [replace(one.lot, left_minutes=left[one.lot.id]) for one in self.lots.values()]
        facts = [one.fact for one in behind if one.is_active]
        facts += [hours.fact for _, hours in moved if hours.is_active]
        allocation = allocate([lot for lot in before if not self.lots[lot.id].is_closed], facts)
        self._take_over(({lot.id: lot for lot in before} | {lot.id: lot for lot in allocation.lots}).values())
        because = source or _cause(moved)
        for change, hours in sorted(moved, key=lambda one: one[1].entry.position):
            split = allocation.splits.get(hours.entry.id, NOTHING)
            own = source or (hours.entry.source if _is_told(change) else because)
            self._repost(change.before, hours, split, source=own, reason="" if _is_told(change) else "rounded together")
        for one in sorted(behind, key=lambda one: one.entry.position):
            split = allocation.splits.get(one.entry.id, NOTHING)
            if split != one.split:
                again = replace(one, revision=one.revision + 1)
                self._repost(one, again, split, source=because, reason="displaced")

    def _restate(self, change: Change, hours: Hours) -> None:
        """Take over a change that leaves the split as it is: an approval, or only words."""
        before = change.before
        if before is None:
            self._remember(hours)
            return
        was_refused = before.split.is_refused
        kept = replace(
            hours,
            status=before.status if was_refused else hours.status,
            refusal=before.refusal if was_refused else hours.refusal,
            split=before.split,
            demands=before.demands,
            contract_version=before.contract_version,
            rate_card_version=before.rate_card_version,
            legs=before.legs,
            is_late=before.is_late if before.period_close_id else hours.is_late,
            period_close_id=before.period_close_id,
        )
        if kept.awaits_consent and kept.status == "posted":
            kept = replace(kept, status="held")
        if before.status == "held" and kept.status == "posted":
            kept = replace(kept, legs=kept.legs + self._post(kept, source=kept.entry.source))
        elif before.status == "posted" and kept.status == "held":
            kept = self._unpost(kept)
        self._remember(kept)

    def _repost(self, before: Hours | None, hours: Hours, split: Split, *, source: str, reason: str) -> None:
        """Take back what an entry holds, and let it hold what its new split says."""
        kind: PostingKind = "correct" if hours.is_active else "release"
        for seq, leg in reversed(before.legs if before is not None else ()):
            self.append(
                reversal(seq, leg, kind=kind), hours.entry.id, source, hours.entry.work.worked_from, reason=reason
            )
        if not hours.is_active:
            self._remember(replace(hours, split=NOTHING, legs=()))
            return
        if split.is_refused:
            self._remember(replace(hours, split=split, legs=(), status="refused", refusal=EXHAUSTED))
            return
        held = replace(hours, split=split, status="held", refusal=None, legs=(), period_close_id=None)
        held = replace(held, legs=self._hold(held, source=source, reason=reason))
        self._remember(self._posted_if_due(held, source=source))

    def consent(self, hours: Hours, *, minutes: int, source: str) -> None:
        """Let the client pay for up to ``minutes`` of overage: what the MSP has approved is posted."""
        kept = replace(hours, revision=hours.revision + 1, consented_minutes=minutes)
        self._remember(self._posted_if_due(kept, source=source) if kept.status == "held" else kept)

    def _posted_if_due(self, held: Hours, *, source: str) -> Hours:
        if held.entry.decision != "approved" or held.awaits_consent:
            return held
        return replace(held, status="posted", legs=held.legs + self._post(held, source=source))

    def _hold(self, hours: Hours, *, source: str, reason: str) -> tuple[tuple[int, Leg], ...]:
        split = hours.split
        legs = [Leg("hold", "available", "held", take.minutes, lot_id=take.lot_id) for take in split.takes]
        if split.overage_minutes:
            legs.append(Leg("hold", "worked", "overage", split.overage_minutes))
        if split.time_and_materials_minutes:
            legs.append(Leg("hold", "worked", "time_and_materials", split.time_and_materials_minutes))
        if split.excluded_minutes:
            legs.append(Leg("hold", "worked", "excluded", split.excluded_minutes))
        at = hours.entry.work.worked_from
        return tuple((self.append(leg, hours.entry.id, source, at, reason=reason), leg) for leg in legs)

    def _post(self, hours: Hours, *, source: str) -> tuple[tuple[int, Leg], ...]:
        legs = [
            Leg("post", "held", "consumed", leg.minutes, lot_id=leg.lot_id)
            for _, leg in hours.legs
            if leg.to_account == "held"
        ]
        at = hours.entry.work.worked_from
        return tuple((self.append(leg, hours.entry.id, source, at), leg) for leg in legs)

    def _unpost(self, hours: Hours) -> Hours:
        source, at = hours.entry.source, hours.entry.work.worked_from
        for seq, leg in reversed(hours.legs):
            if leg.kind == "post":
                self.append(reversal(seq, leg, kind="correct"), hours.entry.id, source, at)
        return replace(hours, legs=tuple((seq, leg) for seq, leg in hours.legs if leg.kind != "post"))

    def _remember(self, hours: Hours) -> None:
        self.changed[hours.entry.id] = hours
        if hours.is_active and (self.last_position is None or hours.entry.position > self.last_position):
            self.last_position = hours.entry.position

    # ---- lots -----------------------------------------------------------------------------------------------------

    def grant(self, lot: BookLot) -> None:
        """Fund the bucket with a lot."""
        self.lots[lot.lot.id] = lot
        self.changed_lots.add(lot.lot.id)
        leg = Leg("grant", "granted", "available", lot.lot.minutes, lot_id=lot.lot.id)
        self.append(leg, None, f"lot:{lot.lot.id}", lot.lot.starts_at)

    def rearm(self) -> None:
        """Let alerts be said again: thresholds when use passes them anew, the end of the bucket when it comes again."""
        self.is_exhausted = self.is_shortfall_said = False
        thresholds = self.contract.versions[-1].bucket_thresholds_percent
        for lot_id, one in self.lots.items():
            passed = max((percent for percent in thresholds if percent <= one.used_percent), default=0)
            if passed < one.alerted_percent:
                self.lots[lot_id] = replace(one, alerted_percent=passed)
                self.changed_lots.add(lot_id)

    def lapse(self, lot_id: UUID, *, into: BookLot | None = None) -> None:
        """Let what is left of a lot expire, or go ``into`` a carried lot: allocate from its beginning on, then."""
        self.lots[lot_id] = replace(self.lots[lot_id], is_lapsed=True)
        self.changed_lots.add(lot_id)
        if into is not None:
            assert into.lot.carry is not None, "it says what it carries"
            self.lots[into.lot.id] = into
            self.changed_lots.add(into.lot.id)
        else:
            funding.renew(self, source=f"expiry:{lot_id}")

    def adjust(self, lot_id: UUID, minutes: int, *, source: str, reason: str) -> None:
        """Add minutes to a lot by hand, or take some; allocate from its beginning on, then.

        Raises:
            LotCannotBeAdjusted: its end lies in a closed period, or it carries what another lot left.
        """
        one = self.lots[lot_id]
        funding.refuse_unless_adjustable(one)
        lot = replace(one.lot, minutes=one.lot.minutes + minutes, left_minutes=one.lot.left_minutes + minutes)
        self.lots[lot_id] = replace(one, lot=lot, adjusted_minutes=one.adjusted_minutes + minutes)
        self.changed_lots.add(lot_id)
        accounts: tuple[Account, Account] = ("adjusted", "available") if minutes > 0 else ("available", "adjusted")
        leg = Leg("adjust", *accounts, abs(minutes), lot_id=lot_id)
        self.append(leg, None, source, max(lot.starts_at, self.contract.starts_at), reason=reason)

    def _take_over(self, after: Iterable[Lot]) -> None:
        """Note what lots have, and what is left of them."""
        for lot in after:
            one = self.lots[lot.id]
            if one.lot != lot:
                self.lots[lot.id] = replace(one, lot=lot)
                self.changed_lots.add(lot.id)

    # ---- postings -------------------------------------------------------------------------------------------------

    def append(
        self, leg: Leg, time_entry_id: UUID | None, source: str, effective_at: datetime, *, reason: str = ""
    ) -> int:
        """Seal a leg as the next posting of the contract and return its number."""
        self._counts[source] += 1
        self.last_seq += 1
        posting = Posting(
            contract_id=self.contract.id,
            client_id=self.contract.client_id,
            seq=self.last_seq,
            leg=leg,
            time_entry_id=time_entry_id,
            source=source,
            source_n=self._counts[source],
            effective_at=effective_at,
            recorded_at=self.now,
            actor=self.actor,
            reason=reason,
        )
        self.last_hash = sealed(posting, previous=self.last_hash)
        self.postings.append(replace(posting, hash=self.last_hash))
        self.balances.move(leg)
        return self.last_seq


def _cause(moved: Sequence[Stamped]) -> str:
    """Return the source of what follows from changes: the first entry that was told anew."""
    return next(change.entry.source for change, _ in moved if _is_told(change))


def _is_told(change: Change) -> bool:
    """Return whether tickets told the entry anew, rather than it being changed by another one."""
    return change.before is None or change.before.entry.revision != change.entry.revision


def _moves_minutes(before: Hours | None, hours: Hours) -> bool:
    """Return whether a change touches the split: new minutes, other minutes, minutes given back."""
    if before is None or not before.is_active:
        return hours.is_active
    if before.entry.work != hours.entry.work or not hours.is_active:
        return True
    return before.period_close_id is None and before.demands != hours.demands
