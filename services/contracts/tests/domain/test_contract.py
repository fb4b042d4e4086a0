"""Versions follow one another without overlap and without gap."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, strategies as st

from contracts.domain.contract import AmendmentTooEarly, VersionsLeaveGap, VersionsOverlap, refuse_overlap_and_gap

NOV, DEC, JAN = date(2026, 11, 2), date(2026, 12, 1), date(2027, 1, 1)


def refused(starts: list[date], begins: date, ends: date | None = None, *, over: date | None = None) -> None:
    refuse_overlap_and_gap(starts, effective_from=begins, effective_to=ends, ends_on=over)


def test_an_overlap_names_the_days() -> None:
    with pytest.raises(VersionsOverlap, match="from 2026-12-01 on version 2 is in force; a change from 2026-11-15 on"):
        refused([NOV, DEC], date(2026, 11, 15))


def test_a_gap_names_the_days() -> None:
    with pytest.raises(VersionsLeaveGap, match="would end on 2027-01-01, the contract runs on"):
        refused([NOV], DEC, JAN)
    with pytest.raises(VersionsLeaveGap, match="until 2027-01-01: from 2026-12-24 on nothing would hold"):
        refused([NOV], DEC, date(2026, 12, 24), over=JAN)
    with pytest.raises(VersionsLeaveGap, match="the contract ends on 2026-12-01; a change from 2026-12-01 on is never"):
        refused([NOV], DEC, over=DEC)


def test_a_change_before_the_contract_is_too_early() -> None:
    with pytest.raises(AmendmentTooEarly, match="the contract starts on 2026-11-02, the change on 2026-11-01"):
        refused([NOV], date(2026, 11, 1))


@given(
    starts=st.lists(st.integers(0, 1000), min_size=1, max_size=5),
    begins=st.integers(0, 1200),
    ends=st.none() | st.integers(1, 1200),
    over=st.none() | st.integers(1, 1200),
)
def test_what_is_let_through_leaves_every_day_of_the_contract_with_one_version(
    starts: list[int], begins: int, ends: int | None, over: int | None
) -> None:
    def day(n: int | None) -> date | None:
        return None if n is None else NOV + timedelta(days=n)

    first = min(starts)
    try:
        refused([NOV + timedelta(days=n) for n in starts], NOV + timedelta(days=begins), day(ends), over=day(over))
    except (AmendmentTooEarly, VersionsOverlap, VersionsLeaveGap):
        is_behind = begins >= max(starts)
        is_in_force = over is None or begins < over
        lasts = ends is None or (over is not None and ends >= over)
        assert not (begins >= first and is_behind and is_in_force and lasts)
    else:
        assert begins >= max(starts)
        assert over is None or begins < over
