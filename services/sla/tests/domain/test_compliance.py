"""What counts as met and missed."""

from __future__ import annotations

from decimal import Decimal

from sla.domain.clock import started
from sla.domain.compliance import Tally, counted_at, outcome, tally
from sla.testing import TICKET, a_clock, a_promise, at

NOW = at("Fri 12:00")


def test_no_data_is_none_not_a_hundred_percent() -> None:
    assert tally([]).percent is None
    assert tally([None]).percent is None


def test_an_open_clock_past_due_counts_as_missed_now() -> None:
    overdue = a_clock(promises="4h", since="Mon 09:00")
    in_time = a_clock(promises="4h", since="Fri 11:00")

    assert outcome(overdue, now=NOW) == "open_overdue"
    assert counted_at(overdue, now=NOW) == at("Mon 13:00")
    assert outcome(in_time, now=NOW) is None
    assert tally([outcome(overdue, now=NOW), "met"]).percent == Decimal("50.0")


def test_a_miss_counts_where_it_was_breached_and_only_once() -> None:
    missed = a_clock(promises="4h", since="Mon 09:00").stopped(at("Thu 10:00"))
    again = started(
        ticket_id=TICKET,
        client_id=missed.client_id,
        metric="resolution",
        cycle=2,
        key=missed.key,
        promise=a_promise(since="Thu 11:00"),
        continues=missed,
    ).stopped(at("Thu 12:00"))

    assert counted_at(missed, now=NOW) == at("Mon 13:00")
    assert [outcome(missed, now=NOW), outcome(again, now=NOW)] == ["missed", None]


def test_excluded_clocks_do_not_count() -> None:
    assert outcome(a_clock(since="Fri 11:00").excluded(at("Fri 11:30"), reason="merged"), now=NOW) is None


def test_a_hundred_is_only_shown_when_nothing_was_missed() -> None:
    assert Tally(met=9999, missed=1).percent == Decimal("99.9")
    assert Tally(met=1, missed=9999).percent == Decimal("0.1")
    assert Tally(met=2, missed=1).percent == Decimal("66.7")
    assert Tally(met=3).percent == Decimal("100.0")
    assert Tally(missed=3).percent == Decimal("0.0")


def test_the_sum_of_the_parts_is_the_whole() -> None:
    assert Tally(1, 2, 3) + Tally(4, 5, 6) == Tally(5, 7, 9)
