"""One row of wall time per clock: nothing is missing, nothing counts twice."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, strategies as st

from sla.domain.stretches import stretches
from sla.testing import a_clock, at


def test_counted_closed_paused_and_left_time_follow_one_another() -> None:
    clock = a_clock(promises="4h", since="Mon 15:00")
    clock = clock.paused(at("Mon 16:00"), reason="waiting_on_client").resumed(at("Tue 10:00"))

    row = stretches(clock, now=at("Tue 11:00"))

    assert [(one.kind, one.seconds // 60) for one in row] == [
        ("counted", 60),
        ("paused", 0),
        ("counted", 60),
        ("left", 120),
    ]
    assert (row[0].starts_at, row[-1].ends_at) == (at("Mon 15:00"), clock.due_at)


def test_the_night_is_a_stretch_of_its_own() -> None:
    row = stretches(a_clock(promises="4h", since="Mon 16:00"), now=at("Tue 10:00"))

    assert [one.kind for one in row] == ["counted", "closed", "counted", "left"]


def test_a_stopped_clock_has_nothing_left() -> None:
    clock = a_clock(promises="1h", since="Mon 09:00").stopped(at("Mon 11:00"), reason="resolved")

    assert [one.kind for one in stretches(clock, now=at("Fri 10:00"))] == ["counted"]


def test_years_are_one_stretch() -> None:
    row = stretches(a_clock(promises="1h", since="Mon 09:00"), now=at("Mon 09:00") + timedelta(days=900))

    assert [one.kind for one in row] == ["counted"]


@given(pause=st.integers(0, 10_000), resume=st.integers(0, 10_000), now=st.integers(1, 40_000))
def test_the_row_has_no_gaps_and_counts_what_the_clock_counts(pause: int, resume: int, now: int) -> None:
    start = at("Mon 09:00")
    paused_at = start + timedelta(minutes=pause)
    resumed_at = paused_at + timedelta(minutes=resume)
    clock = a_clock(promises="40h", since="Mon 09:00").paused(paused_at, reason="x").resumed(resumed_at)
    seen = resumed_at + timedelta(minutes=now)

    row = stretches(clock, now=seen)

    assert row[0].starts_at == start
    assert row[-1].ends_at == max(seen, clock.due_at or seen)
    assert all(one.ends_at == following.starts_at for one, following in zip(row, row[1:], strict=False))
    assert sum(one.seconds for one in row if one.kind == "counted") == clock.consumed_seconds(seen)
