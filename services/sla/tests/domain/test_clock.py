"""The clock's arithmetic: what holds for any sequence of pauses, and what it refuses."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from sla.domain.clock import Clock, ClockNotPaused, ClockNotRunning, ClockStopped
from sla.domain.proof import recomputed
from sla.domain.targets import Key
from sla.testing import a_clock, a_promise, at

KEY = Key("high", "L1", "network")
MONDAY = at("Mon 00:00")
minutes = st.integers(0, 14 * 24 * 60)


def instants(offsets: list[int]) -> list[datetime]:
    return [MONDAY + timedelta(minutes=offset) for offset in sorted(offsets)]


def toggled(clock: Clock, moments: list[datetime]) -> Clock:
    for moment in moments:
        is_running = clock.status == "running"
        clock = clock.paused(moment, reason="waiting_on_client") if is_running else clock.resumed(moment)
    return clock


@given(st.lists(minutes, max_size=12), st.integers(1, 3000))
def test_pauses_never_change_the_budget(offsets: list[int], budget_minutes: int) -> None:
    clock = toggled(a_clock(promises=f"{budget_minutes}m", since=MONDAY), instants(offsets))

    if clock.status == "running" and not clock.is_breached:
        assert clock.due_at is not None
        assert clock.remaining_seconds(clock.due_at) == 0
    hours = clock.promise.calendar
    counted = sum(
        hours.between(one.starts_at, one.ends_at)
        for one in clock.intervals
        if one.is_running and one.ends_at is not None
    )
    assert clock.settled_seconds == counted


@given(st.lists(minutes, max_size=10), minutes)
def test_a_pause_of_no_length_changes_nothing(offsets: list[int], offset: int) -> None:
    clock = toggled(a_clock(promises="20h", since=MONDAY), instants(offsets))
    if clock.status != "running":
        clock = clock.resumed(MONDAY + timedelta(days=14))
    moment = clock.intervals[-1].starts_at + timedelta(minutes=offset)
    if clock.due_at is not None and moment <= clock.due_at:
        assert clock.paused(moment, reason="mistake").resumed(moment).instant_of(150) == clock.instant_of(150)


@given(st.lists(st.tuples(minutes, st.integers(0, 2), st.integers(1, 2000)), max_size=12))
def test_what_is_stored_can_be_derived_again(steps: list[tuple[int, int, int]]) -> None:
    clock = a_clock(promises="8h", since=MONDAY)
    for offset, kind, budget_minutes in sorted(steps):
        moment = MONDAY + timedelta(minutes=offset)
        if kind == 0:
            clock = clock.retargeted(a_promise(f"{budget_minutes}m", since=moment), key=KEY)
        else:
            clock = toggled(clock, [moment])
        assert recomputed(clock) == clock
    stopped = clock.stopped(MONDAY + timedelta(days=15))

    assert recomputed(stopped) == stopped
    assert stopped.verdict == ("missed" if stopped.is_breached else "met")


def test_stopping_at_the_due_instant_keeps_the_promise() -> None:
    clock = a_clock(promises="4h", since="Mon 09:00")

    assert clock.stopped(at("Mon 13:00")).verdict == "met"
    late = clock.stopped(at("Mon 13:00") + timedelta(seconds=1))
    assert (late.verdict, late.breached_at, late.breach_reason) == ("missed", at("Mon 13:00"), "time")


def test_the_night_after_the_due_instant_is_late() -> None:
    clock = a_clock(promises="8h", since="Mon 09:00")

    assert clock.stopped(at("Mon 17:00")).verdict == "met"
    assert clock.stopped(at("Mon 20:00")).verdict == "missed"


def test_a_breached_clock_keeps_its_breach_when_paused() -> None:
    clock = a_clock(promises="4h", since="Mon 09:00").breached(at("Mon 13:00"))

    paused = clock.paused(at("Mon 15:00"), reason="waiting_on_client")

    assert paused.breached_at == at("Mon 13:00")
    assert paused.resumed(at("Tue 09:00")).due_at == at("Mon 13:00")


def test_a_breach_that_fired_before_an_earlier_pause_was_known_is_taken_back() -> None:
    fired = a_clock(promises="4h", since="Mon 09:00").breached(at("Mon 13:05"))

    paused = fired.paused(at("Mon 12:00"), reason="waiting_on_client")

    assert fired.is_breached
    assert not paused.is_breached
    assert paused.void_count == 1
    assert paused.resumed(at("Tue 09:00")).due_at == at("Tue 10:00")


def test_a_fact_older_than_the_last_one_counts_from_the_last_one() -> None:
    paused = a_clock(promises="4h", since="Mon 09:00").paused(at("Mon 12:00"), reason="waiting_on_client")

    resumed = paused.resumed(at("Mon 11:00"))

    assert resumed.running_since == at("Mon 12:00")
    assert resumed.settled_seconds == 3 * 3600


def test_only_what_makes_sense_can_happen() -> None:
    running = a_clock()
    paused = running.paused(at("Mon 10:00"), reason="waiting_on_client")
    stopped = running.stopped(at("Mon 10:00"))

    with pytest.raises(ClockNotRunning):
        paused.paused(at("Mon 11:00"), reason="twice")
    with pytest.raises(ClockNotPaused):
        running.resumed(at("Mon 11:00"))
    with pytest.raises(ClockStopped):
        stopped.stopped(at("Mon 11:00"))
    with pytest.raises(ClockStopped):
        stopped.retargeted(a_promise(since="Mon 11:00"), key=KEY)
    with pytest.raises(ClockStopped):
        stopped.acknowledged(at("Mon 11:00"), actor="tom")


def test_an_excluded_clock_that_was_breached_keeps_its_miss() -> None:
    clock = a_clock(promises="4h", since="Mon 09:00")

    assert clock.excluded(at("Mon 10:00"), reason="merged").verdict == "excluded"
    assert clock.excluded(at("Tue 10:00"), reason="merged").verdict == "missed"
