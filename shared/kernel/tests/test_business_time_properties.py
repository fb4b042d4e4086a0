"""Business time: properties, and agreement with an oracle that steps from minute to minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import oracle
from calendars import Document, documents_and_days, documents_and_instants
from hypothesis import given, settings, strategies as st

from msp_kernel.business_time import Calendar, OutOfRange

DAY_MINUTES = 1440
_flags = st.fixed_dictionaries(dict.fromkeys(("after_hours", "weekends", "holidays"), st.booleans()))


@given(documents_and_instants(), st.integers(0, 5 * DAY_MINUTES))
@settings(max_examples=100, deadline=None)
def test_between_agrees_with_the_oracle(drawn: tuple[Document, list[datetime]], minutes: int) -> None:
    document, [start] = drawn
    end = start + timedelta(minutes=minutes)

    assert Calendar.from_json(document).between(start, end) == oracle.between(document, start, end)


@given(documents_and_instants(), st.integers(0, DAY_MINUTES))
@settings(max_examples=100, deadline=None)
def test_add_agrees_with_the_oracle(drawn: tuple[Document, list[datetime]], minutes: int) -> None:
    document, [start] = drawn

    assert Calendar.from_json(document).add(start, minutes * 60) == oracle.add(document, start, minutes)


@given(documents_and_instants())
@settings(max_examples=200, deadline=None)
def test_opening_and_closing_agree_with_the_oracle(drawn: tuple[Document, list[datetime]]) -> None:
    document, [at] = drawn
    calendar = Calendar.from_json(document)

    assert calendar.is_open(at) == oracle.is_open(document, at)
    opens = calendar.next_open(at)
    assert oracle.is_open(document, opens)
    assert calendar.between(at, opens) == 0
    closes = calendar.next_close(at)
    assert closes is None or (
        oracle.is_open(document, closes - timedelta(minutes=1)) and not oracle.is_open(document, closes)
    )
    assert closes is None or calendar.between(opens, closes) == (closes - opens) // timedelta(seconds=1)


@given(documents_and_instants(), st.integers(0, 10**6), st.integers(0, 999_999))
@settings(max_examples=200, deadline=None)
def test_add_and_between_are_inverse(drawn: tuple[Document, list[datetime]], seconds: int, microseconds: int) -> None:
    document, [start] = drawn
    start += timedelta(microseconds=microseconds)
    calendar = Calendar.from_json(document)

    due = calendar.add(start, seconds)

    assert calendar.between(start, due) == seconds
    # It is the first such instant: a second earlier, a second less has elapsed.
    assert seconds == 0 or calendar.between(start, due - timedelta(seconds=1)) == seconds - 1


@given(documents_and_instants(count=3), st.integers(1, 10**6), st.integers(1, 10**6))
@settings(max_examples=200, deadline=None)
def test_both_are_additive_and_monotone(drawn: tuple[Document, list[datetime]], one: int, other: int) -> None:
    document, [first, middle, last] = drawn
    calendar = Calendar.from_json(document)

    assert calendar.between(first, middle) + calendar.between(middle, last) == calendar.between(first, last)
    assert calendar.between(last, first) == 0
    assert calendar.add(calendar.add(first, one), other) == calendar.add(first, one + other)
    assert calendar.add(first, one) <= calendar.add(middle, one) <= calendar.add(last, one)


@given(documents_and_instants(count=2))
@settings(max_examples=100, deadline=None)
def test_windows_are_what_between_counts(drawn: tuple[Document, list[datetime]]) -> None:
    document, [start, end] = drawn
    calendar = Calendar.from_json(document)

    windows = calendar.windows(start, end)

    assert sum(window.seconds for window in windows) == calendar.between(start, end)
    assert all(one.ends_at < other.starts_at for one, other in pairwise(windows))
    assert not windows or (start <= windows[0].starts_at and windows[-1].ends_at <= end)
    # A budget that ends with a window is due at its end, not at the next opening.
    assert all(calendar.add(start, calendar.between(start, window.ends_at)) == window.ends_at for window in windows)


@given(documents_and_instants(count=2), _flags)
@settings(max_examples=200, deadline=None)
def test_flags_only_ever_add_time(drawn: tuple[Document, list[datetime]], flags: dict[str, bool]) -> None:
    document, [start, end] = drawn
    calendar = Calendar.from_json(document)

    widened = calendar.widened(**flags)

    assert widened.between(start, end) >= calendar.between(start, end)
    assert widened.is_open(start) >= calendar.is_open(start)
    if all(flags.values()):
        assert widened.between(start, end) == (end - start) // timedelta(seconds=1)
        assert widened.next_close(start) is None


@given(documents_and_instants(), st.integers(0, 3 * DAY_MINUTES * 60), st.integers(0, 999_999))
@settings(max_examples=100, deadline=None)
def test_the_parts_of_work_add_up_to_the_whole(
    drawn: tuple[Document, list[datetime]], seconds: int, microseconds: int
) -> None:
    document, [begins] = drawn
    calendar = Calendar.from_json(document)
    ends = begins + timedelta(seconds=seconds)

    parts = calendar.split_by_condition(
        begins + timedelta(microseconds=microseconds), ends + timedelta(microseconds=microseconds)
    )

    assert sum(part.seconds for part, _ in parts) == seconds
    assert sum(part.seconds for part, condition in parts if condition == "regular") == calendar.between(begins, ends)
    assert all(one.ends_at == other.starts_at for (one, _), (other, _) in pairwise(parts))
    assert all(one != other for (_, one), (_, other) in pairwise(parts))
    assert not parts or (parts[0][0].starts_at, parts[-1][0].ends_at) == (begins, ends)


def _due(calendar: Calendar, start: datetime, seconds: int) -> datetime | type[OutOfRange]:
    """Return the answer, which may be that it lies beyond the years a calendar answers for."""
    try:
        return calendar.add(start, seconds)
    except OutOfRange:
        return OutOfRange


@given(
    documents_and_days(), st.lists(st.tuples(st.integers(1975, 2060), st.integers(0, 10**8)), min_size=2, max_size=4)
)
@settings(max_examples=30, deadline=None)
def test_answers_do_not_depend_on_earlier_questions(
    drawn: tuple[Document, date], questions: list[tuple[int, int]]
) -> None:
    document, _ = drawn
    asked_before = Calendar.from_json(document)

    for year, seconds in questions:
        start = datetime(year, 6, 1, tzinfo=UTC)
        never_asked = Calendar(
            timezone=asked_before.timezone,
            weekly=asked_before.weekly,
            holidays=asked_before.holidays,
            overrides=asked_before.overrides,
        )

        assert _due(asked_before, start, seconds) == _due(never_asked, start, seconds)
        assert asked_before.between(start, start + timedelta(days=900)) == never_asked.between(
            start, start + timedelta(days=900)
        )


@given(documents_and_days())
@settings(max_examples=100, deadline=None)
def test_a_calendar_survives_the_round_trip(drawn: tuple[Document, date]) -> None:
    document, _ = drawn
    calendar = Calendar.from_json(document)

    again = Calendar.from_json(calendar.to_json())

    assert again == calendar
    assert hash(again) == hash(calendar)
    assert again.to_json() == calendar.to_json()
