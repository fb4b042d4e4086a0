"""Which lot pays for which minute."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import given, strategies as st

from contracts.domain.allocation import Lot, allocate, in_order_of_consumption
from contracts.testing import START, a_fact, a_lot, at


def test_b1_an_entry_larger_than_what_is_left_is_split() -> None:
    fact = a_fact(150)

    allocation = allocate([a_lot(minutes=60)], [fact])

    split = allocation.splits[fact.entry_id]
    assert (split.bucket_minutes, split.overage_minutes) == (60, 90)
    assert allocation.lots[0].left_minutes == 0


def test_b2_a_weight_of_two_uses_the_bucket_twice_as_fast() -> None:
    fact = a_fact(60, weight=200)

    split = allocate([a_lot(minutes=60)], [fact]).splits[fact.entry_id]

    (part,) = split.parts
    assert (part.bucket_billed_minutes, part.bucket_minutes, part.overage_minutes) == (30, 60, 30)


def test_b3_of_two_lots_with_equal_dates_the_one_bought_first_pays_first() -> None:
    second, first = a_lot(minutes=60, sequence=2), a_lot(minutes=60, sequence=1)
    fact = a_fact(70)

    split = allocate([second, first], [fact]).splits[fact.entry_id]

    assert [(take.lot_id, take.minutes) for take in split.takes] == [(first.id, 60), (second.id, 10)]


def test_b4_a_back_dated_entry_displaces_later_ones() -> None:
    lots, later = [a_lot(minutes=60)], a_fact(60, "Wed 09:00")

    before = allocate(lots, [later]).splits
    after = allocate(lots, [later, earlier := a_fact(40, "Mon 09:00")]).splits

    assert before[later.entry_id].overage_minutes == 0
    assert after[earlier.entry_id].overage_minutes == 0
    assert after[later.entry_id].overage_minutes == 40


def _ten_hours_and_four_carried(*, carried_priority: int) -> list[Lot]:
    month_end = START + timedelta(days=30)
    return [
        a_lot(minutes=600, ends=month_end, sequence=1),
        a_lot(minutes=240, ends=month_end, sequence=2, priority=carried_priority),
    ]


def test_b5_carried_minutes_burnt_first_leave_two_hours_to_roll() -> None:
    lots = _ten_hours_and_four_carried(carried_priority=-1)

    after = allocate(lots, [a_fact(720)]).lots

    assert {lot.minutes: lot.left_minutes for lot in after} == {600: 120, 240: 0}


def test_b5_carried_minutes_burnt_last_leave_nothing_of_the_month_to_roll() -> None:
    lots = _ten_hours_and_four_carried(carried_priority=1)

    after = allocate(lots, [a_fact(720)]).lots

    assert {lot.minutes: lot.left_minutes for lot in after} == {600: 0, 240: 120}


def test_lots_are_consumed_by_priority_then_expiry_then_validity_then_purchase() -> None:
    forever, soon = a_lot(minutes=1), a_lot(minutes=1, ends=at("Fri 00:00"))
    first = a_lot(minutes=1, priority=-1)
    late = a_lot(minutes=1, ends=at("Fri 00:00"), starts=at("Tue 00:00"))

    assert in_order_of_consumption([forever, late, soon, first]) == [first, soon, late, forever]


def test_a_lot_pays_only_for_work_inside_its_dates() -> None:
    lot = a_lot(minutes=600, starts=at("Tue 00:00"), ends=at("Wed 00:00"))
    before, inside, after = a_fact(10, "Mon 23:59"), a_fact(10, "Tue 00:00"), a_fact(10, "Wed 00:00")

    splits = allocate([lot], [before, inside, after]).splits

    assert [splits[one.entry_id].overage_minutes for one in (before, inside, after)] == [10, 0, 10]


def test_next_lot_is_opened_early_when_the_policy_says_so() -> None:
    now, following = a_lot(minutes=60, sequence=1), a_lot(minutes=60, starts=at("Fri 00:00"), sequence=2)
    fact = a_fact(90, policy="next_lot")

    split = allocate([now, following], [fact]).splits[fact.entry_id]

    assert [take.minutes for take in split.takes] == [60, 30]


def test_a_policy_of_rejection_lets_an_entry_in_whole_or_not_at_all() -> None:
    large, small = a_fact(90, "Mon 09:00", policy="reject"), a_fact(50, "Mon 12:00", policy="reject")

    splits = allocate([a_lot(minutes=60)], [large, small]).splits

    assert splits[large.entry_id].is_refused
    assert splits[small.entry_id].bucket_minutes == 50


facts = st.lists(
    st.tuples(st.integers(1, 300), st.integers(0, 5 * 1440), st.sampled_from([25, 40, 100, 150, 200])), max_size=25
)


@given(work=facts, sizes=st.lists(st.integers(1, 600), min_size=1, max_size=3), shuffled=st.randoms())
def test_the_order_of_arrival_does_not_matter(
    work: list[tuple[int, int, int]], sizes: list[int], shuffled: random.Random
) -> None:
    lots = [a_lot(minutes=minutes, sequence=n) for n, minutes in enumerate(sizes, start=1)]
    entries = [a_fact(minutes, START + timedelta(minutes=when), weight=weight) for minutes, when, weight in work]
    arrived = list(entries)
    shuffled.shuffle(arrived)

    assert allocate(lots, arrived) == allocate(lots, entries)


@given(work=facts, size=st.integers(1, 2000))
def test_every_minute_is_bucket_or_overage_and_no_lot_is_overdrawn(work: list[tuple[int, int, int]], size: int) -> None:
    entries = [a_fact(minutes, START + timedelta(minutes=when), weight=weight) for minutes, when, weight in work]

    allocation = allocate([a_lot(minutes=size)], entries)

    for fact in entries:
        split = allocation.splits[fact.entry_id]
        (part,) = split.parts
        assert part.bucket_billed_minutes + part.overage_minutes == fact.demands[0].billed_minutes
        assert sum(take.minutes for take in split.takes) == split.bucket_minutes
    taken = sum(split.bucket_minutes for split in allocation.splits.values())
    assert allocation.lots[0].left_minutes == size - taken >= 0
