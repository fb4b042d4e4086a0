"""The worked examples S1 to S9, by their names."""

from __future__ import annotations

from datetime import UTC, datetime

from sla.domain.clock import started
from sla.domain.escalation import Step, pending
from sla.domain.targets import Key
from sla.testing import TICKET, a_clock, a_promise, at


def test_s1_the_night_does_not_count_and_neither_does_the_pause() -> None:
    clock = a_clock(promises="4h", since="Mon 15:00", in_hours="08-17")

    assert clock.due_at == at("Tue 10:00")
    paused = clock.paused(at("Mon 16:00"), reason="waiting_on_client")
    assert paused.due_at is None
    assert paused.resumed(at("Tue 09:00")).due_at == at("Tue 12:00")


def test_s2_a_pause_over_the_weekend() -> None:
    clock = a_clock(promises="4h", since="Fri 15:00", in_hours="09-17")

    assert clock.due_at == at("Mon 11:00", week=1)
    resumed = clock.paused(at("Fri 16:00"), reason="waiting_on_client").resumed(at("Mon 10:00", week=1))
    assert resumed.due_at == at("Mon 13:00", week=1)


def test_s3_a_pause_within_a_day() -> None:
    clock = a_clock(promises="4h", since="Mon 09:00", in_hours="09-17")

    resumed = clock.paused(at("Mon 10:00"), reason="waiting_on_client").resumed(at("Mon 15:00"))

    assert resumed.due_at == at("Tue 10:00")


def test_s4_a_warning_an_hour_before_is_counted_in_business_time() -> None:
    clock = a_clock(promises="4h", since="Mon 17:00", in_hours="08-18")
    an_hour_before = Step(75, 0, "at_risk:75", "at_risk")

    assert clock.due_at == at("Tue 11:00")
    assert pending(clock, [an_hour_before]) == [(at("Tue 10:00"), an_hour_before)]


def test_s5_the_night_the_clocks_go_forward_has_an_hour_less_on_the_wall() -> None:
    raised_at = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    clock = a_clock(promises="4h", since=raised_at, in_hours="24x7", zone="Europe/Paris")

    # 00:30 in Paris, four hours later the wall shows 05:30.
    assert clock.due_at == datetime(2026, 3, 29, 3, 30, tzinfo=UTC)


def test_s6_resolving_a_paused_clock_closes_the_pause_first() -> None:
    paused = a_clock(promises="4h", since="Mon 09:00").paused(at("Mon 10:00"), reason="waiting_on_client")

    stopped = paused.stopped(at("Wed 12:00"))

    assert stopped.verdict == "met"
    assert stopped.settled_seconds == 3600
    assert stopped.intervals[-1].ends_at == at("Wed 12:00")
    assert not stopped.intervals[-1].is_running


def test_s7_a_miss_stays_a_miss_when_the_ticket_is_reopened_without_budget() -> None:
    missed = a_clock(promises="4h", since="Mon 09:00").stopped(at("Mon 14:00"))
    reopened = started(
        ticket_id=TICKET,
        client_id=missed.client_id,
        metric="resolution",
        cycle=2,
        key=missed.key,
        promise=a_promise("4h", since="Mon 15:00"),
        continues=missed,
    )

    again = reopened.stopped(at("Mon 15:00"))

    assert missed.verdict == "missed"
    assert (again.verdict, again.breached_at, again.cycle) == ("missed", at("Mon 13:00"), 2)


def test_s8_a_smaller_budget_than_what_was_used_is_a_miss_that_a_later_downgrade_does_not_erase() -> None:
    low = a_clock(promises="8h", since="Mon 09:00")

    critical = low.retargeted(a_promise("1h", since="Mon 12:00"), key=Key("critical", "L1", "network"))
    low_again = critical.retargeted(a_promise("8h", since="Mon 13:00"), key=Key("medium", "L1", "network"))

    assert (critical.breached_at, critical.breach_reason) == (at("Mon 12:00"), "retarget")
    assert low_again.due_at == at("Mon 17:00")
    stopped = low_again.stopped(at("Mon 14:00"))
    assert (stopped.verdict, stopped.breach_reason) == ("missed", "retarget")


def test_s9_raised_directly_into_a_pausing_status_consumes_nothing() -> None:
    clock = a_clock(promises="4h", since="Mon 09:00").paused(at("Mon 09:00"), reason="scheduled")

    assert clock.consumed_seconds(at("Fri 17:00")) == 0
    assert clock.resumed(at("Tue 09:00")).due_at == at("Tue 13:00")
