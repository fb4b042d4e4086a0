"""The open book of a contract: holds, postings, releases, in whatever order they are told."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings, strategies as st

from contracts.domain.allocation import Level, Lot
from contracts.domain.book import Book
from contracts.domain.contract import Contract, Weight
from contracts.domain.entry import BookLot, TimeEntry
from contracts.domain.ledger import Balances
from contracts.domain.proof import Kept, first_failure
from contracts.domain.rounding import Rounding
from contracts.testing import START, Desk, a_book, a_contract, a_lot, an_entry, at
from msp_kernel.ids import new_id


def a_desk(*minutes: int) -> Desk:
    return Desk(a_book(*(a_lot(minutes=each, sequence=n) for n, each in enumerate(minutes, start=1))))


def decided(entry: TimeEntry, decision: str, *, minutes: int | None = None) -> TimeEntry:
    work = entry.work if minutes is None else replace(entry.work, worked_minutes=minutes)
    return replace(entry, revision=entry.revision + 1, decision=decision, work=work)  # type: ignore[arg-type]


def assert_holds(desk: Desk) -> None:
    book = desk.book
    kept = Kept(book.balances, book.last_seq, book.last_hash, book.lots)
    assert first_failure(book.postings, kept, list(desk.hours.values())) is None


def figures(balances: Balances) -> tuple[int, int, int, int]:
    return balances.available, balances.held, balances.consumed, balances.overage


def test_logging_holds_at_once_approval_posts_rejection_releases() -> None:
    desk = a_desk(600)
    approved, rejected = an_entry(60), an_entry(90, "Tue 09:00")

    desk.tell(approved, rejected)
    assert figures(desk.book.balances) == (450, 150, 0, 0)
    desk.tell(decided(approved, "approved"))
    assert figures(desk.book.balances) == (450, 90, 60, 0)
    desk.tell(decided(rejected, "rejected"))
    assert figures(desk.book.balances) == (540, 0, 60, 0)
    assert_holds(desk)


def test_b6_an_approval_told_twice_debits_once() -> None:
    desk, entry = a_desk(600), an_entry(60)

    desk.tell(entry)
    desk.tell(decided(entry, "approved"))
    desk.tell(decided(entry, "approved"))

    assert figures(desk.book.balances) == (540, 0, 60, 0)
    assert_holds(desk)


def test_b4_a_back_dated_entry_displaces_later_ones_by_reversal_pairs() -> None:
    desk, later = a_desk(60), an_entry(60, "Wed 09:00")

    desk.tell(later)
    desk.tell(an_entry(40, "Mon 09:00"))

    assert desk.hours[later.id].split.overage_minutes == 40
    corrected = [one for one in desk.book.postings if one.leg.corrects_seq is not None]
    assert [(one.leg.kind, one.leg.minutes, one.reason) for one in corrected] == [("correct", 60, "displaced")]
    assert figures(desk.book.balances) == (0, 60, 0, 40)
    assert_holds(desk)


def test_b7_an_edit_after_close_is_a_reversal_pair_in_the_open_period_marked_late() -> None:
    desk, entry = a_desk(600), an_entry(60, "Mon 09:00", decision="approved")
    desk.tell(entry)
    desk.book.closed_until = at("Sun 00:00")
    desk.hours[entry.id] = replace(desk.hours[entry.id], period_close_id=new_id())

    desk.tell(decided(entry, "approved", minutes=90))

    hours = desk.hours[entry.id]
    assert (hours.is_late, hours.period_close_id, hours.split.bucket_minutes) == (True, None, 90)
    assert [one.leg.minutes for one in desk.book.postings if one.leg.corrects_seq is not None] == [60, 60]
    assert_holds(desk)


def test_an_edit_reverses_and_posts_anew() -> None:
    desk, entry = a_desk(600), an_entry(60)

    desk.tell(entry)
    desk.tell(decided(entry, "submitted", minutes=45))

    assert figures(desk.book.balances) == (555, 45, 0, 0)
    assert_holds(desk)


def test_approved_before_logged_is_taken_as_approved() -> None:
    desk, entry = a_desk(600), an_entry(60)

    desk.tell(decided(entry, "approved"))
    desk.tell(entry)

    assert figures(desk.book.balances) == (540, 0, 60, 0)
    assert desk.hours[entry.id].status == "posted"


def test_work_outside_the_contract_holds_nothing() -> None:
    desk, entry = a_desk(600), an_entry(60, level="SA")

    desk.tell(entry)

    hours = desk.hours[entry.id]
    assert hours.status == "refused"
    assert hours.refusal is not None
    assert hours.refusal.rule == "level-outside-contract"
    assert figures(desk.book.balances) == (600, 0, 0, 0)


def test_a_refused_entry_that_is_corrected_is_taken() -> None:
    desk, entry = a_desk(600), an_entry(60, level="SA")
    desk.tell(entry)

    desk.tell(replace(entry, revision=2, work=replace(entry.work, level="L2")))

    assert desk.hours[entry.id].status == "held"
    assert figures(desk.book.balances) == (540, 60, 0, 0)


def test_entries_at_the_end_or_with_enough_left_load_no_other_entry() -> None:
    desk = a_desk(6000)

    for hour in (9, 11, 10, 13, 12):
        desk.tell(an_entry(30, f"Mon {hour}:00"))

    assert desk.tails_loaded == 0
    assert_holds(desk)


def test_releasing_minutes_lets_overage_into_the_bucket() -> None:
    desk = a_desk(60)
    first, second = an_entry(60, "Mon 09:00"), an_entry(60, "Tue 09:00")
    desk.tell(first, second)

    desk.tell(decided(first, "voided"))

    assert desk.hours[second.id].split.overage_minutes == 0
    assert figures(desk.book.balances) == (0, 60, 0, 0)
    assert_holds(desk)


def test_minutes_given_back_reach_whom_a_weight_left_short() -> None:
    contract = a_contract(weights=(Weight(200, level="L2"),))
    desk = Desk(a_book(a_lot(minutes=59), contract=contract))
    first, short = an_entry(50, "Mon 09:00"), an_entry(20, "Tue 09:00", level="L2")
    desk.tell(first, short)
    # Nine minutes are left: four weighted ones take eight, and the last one is too little for a fifth.
    assert (desk.hours[short.id].split.overage_minutes, desk.book.balances.available) == (16, 1)

    desk.tell(decided(first, "voided"))

    assert desk.hours[short.id].split.overage_minutes == 0
    assert_holds(desk)


def test_a_top_up_pays_for_overage_worked_since_it_is_valid() -> None:
    desk = a_desk(60)
    desk.tell(an_entry(60, "Mon 09:00"), an_entry(60, "Tue 09:00"))

    desk.book.grant(BookLot(a_lot(minutes=100, starts=at("Tue 00:00"), sequence=2)))
    desk.book.reallocate(list(desk.hours.values()), source="lot:top-up")
    desk.hours |= desk.book.changed

    assert figures(desk.book.balances) == (40, 120, 0, 0)
    assert_holds(desk)


def test_expiry_is_a_posting_that_follows_late_work() -> None:
    lot = a_lot(minutes=100, ends=at("Fri 00:00"))
    desk = Desk(a_book(lot))
    desk.tell(an_entry(30, "Mon 09:00"))

    desk.book.lapse(lot.id)
    assert (desk.book.balances.available, desk.book.balances.expired) == (0, 70)
    desk.tell(an_entry(20, "Tue 09:00"))
    assert (desk.book.balances.available, desk.book.balances.expired, desk.book.balances.held) == (0, 50, 50)
    assert_holds(desk)


def test_r2_entries_of_a_ticket_and_day_are_rounded_together_whatever_comes_first() -> None:
    contract = a_contract(rounding=Rounding(15, level="ticket_day"))
    desk, ticket_id = Desk(a_book(a_lot(minutes=600), contract=contract)), new_id()
    entries = [an_entry(7, f"Mon {hour}:00", ticket_id=ticket_id) for hour in (11, 9, 10)]

    for entry in entries:
        desk.tell(entry)

    assert [desk.hours[entry.id].split.bucket_minutes for entry in entries] == [15, 15, 0]
    assert figures(desk.book.balances) == (570, 30, 0, 0)
    desk.tell(decided(entries[1], "voided"))
    assert figures(desk.book.balances) == (585, 15, 0, 0)
    assert_holds(desk)


def test_a_tampered_posting_is_found_and_named() -> None:
    desk = a_desk(600)
    desk.tell(an_entry(60), an_entry(30, "Tue 09:00"))
    desk.book.postings[1] = replace(desk.book.postings[1], leg=replace(desk.book.postings[1].leg, minutes=10))
    kept = Kept(desk.book.balances, desk.book.last_seq, desk.book.last_hash, desk.book.lots)

    assert first_failure(desk.book.postings, kept, list(desk.hours.values())) == (
        "posting 2 was changed after it was sealed: its hash does not fit its facts"
    )


# ---- any order of arrival -----------------------------------------------------------------------------------------

TICKETS = [new_id(), new_id()]
History = tuple[int, int, str, Level, UUID]
histories = st.lists(
    st.tuples(
        st.integers(1, 240),
        st.integers(0, 4 * 24 * 4),
        st.sampled_from(["submitted", "approved", "rejected", "voided", "edited"]),
        st.sampled_from(["L1", "L2", "SA"]),
        st.sampled_from(TICKETS),
    ),
    min_size=1,
    max_size=14,
)


def _tellings(history: Sequence[History]) -> list[TimeEntry]:
    told: list[TimeEntry] = []
    for minutes, quarter, outcome, level, ticket_id in history:
        entry = an_entry(minutes, START + timedelta(minutes=15 * quarter), level=level, ticket_id=ticket_id)
        told.append(entry)
        if outcome == "edited":
            told.append(decided(entry, "submitted", minutes=minutes % 60 + 1))
        elif outcome != "submitted":
            told.append(decided(entry, outcome))
    return told


def _outcome(desk: Desk) -> tuple[Balances, dict[UUID, object]]:
    splits = {
        key: (one.status, one.split.parts, sum(t.minutes for t in one.split.takes)) for key, one in desk.hours.items()
    }
    return desk.book.balances, dict(splits)


@given(
    history=histories,
    sizes=st.lists(st.integers(1, 900), min_size=1, max_size=3),
    seed=st.integers(0, 2**32),
    policy=st.sampled_from(["overage", "next_lot", "needs_approval", "reject"]),
    rounding=st.sampled_from([Rounding(), Rounding(15, 20), Rounding(15, level="ticket_day")]),
    weights=st.sampled_from(
        [(), (Weight(200, level="L2"), Weight(125, level="SA")), (Weight(350), Weight(50, level="SA"))]
    ),
)
@settings(max_examples=150, deadline=None)
def test_any_shuffle_of_the_same_facts_gives_the_same_balances_and_splits(
    history: list[History], sizes: list[int], seed: int, policy: str, rounding: Rounding, weights: tuple[Weight, ...]
) -> None:
    contract = a_contract(policy=policy, rounding=rounding, weights=weights)
    lots = [
        a_lot(minutes=minutes, sequence=n, starts=START + timedelta(days=n - 1)) for n, minutes in enumerate(sizes, 1)
    ]
    told = _tellings(history)
    shuffled = [*told, *random.Random(seed).sample(told, k=len(told) // 3)]  # noqa: S311 - a shuffle, not a secret
    random.Random(seed).shuffle(shuffled)  # noqa: S311

    in_turn, at_once, out_of_turn = (Desk(_book(contract, lots)) for _ in range(3))
    for entry in told:
        in_turn.tell(entry)
        assert_holds(in_turn)
    at_once.tell(*told)
    for entry in shuffled:
        out_of_turn.tell(entry)
        assert_holds(out_of_turn)

    assert _outcome(in_turn)[1] == _outcome(out_of_turn)[1] == _outcome(at_once)[1]
    assert _outcome(in_turn)[0] == _outcome(out_of_turn)[0] == _outcome(at_once)[0]
    assert_holds(at_once)


def _book(contract: Contract, lots: Sequence[Lot]) -> Book:
    return a_book(*lots, contract=contract)
