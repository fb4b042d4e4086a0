"""Who is told what: pure rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st
from news import (
    MONDAY,
    TICKET,
    asked,
    assigned,
    at_risk,
    breached,
    crossed,
    imported,
    issued,
    one_of_each,
    overdue,
    posted,
    raised,
    run_finished,
    run_ready,
    runs_out,
    sent_again,
    time_waits,
    unsubmitted,
    updated,
)

from portal_gateway.language import LANGUAGES, speaking
from portal_gateway.notices import KINDS, NEWS, TOGETHER, KnownTicket, grouped, told, wishes
from portal_gateway.person import CLIENT_ROLES, STAFF_ROLES, Person
from portal_gateway.wording import LINE_MAX, SENTENCES, TITLES, one_line, sentence

OURS, THEIRS = UUID(int=100), UUID(int=200)
AGENT, OTHER_AGENT, MANAGER = UUID(int=1), UUID(int=2), UUID(int=3)
PRIYA, PAUL, PENNY, APRIL, STRANGER = (UUID(int=number) for number in (11, 12, 13, 14, 21))


def somebody(person_id: UUID, *roles: str, client: UUID | None = None, is_active: bool = True) -> Person:
    kind = "staff" if client is None else "client"
    return Person(person_id, 1, kind, client, f"{person_id}@x.example", "Sam", roles, None, is_active)


PEOPLE = [
    somebody(AGENT, "agent"),
    somebody(OTHER_AGENT, "agent"),
    somebody(MANAGER, "manager"),
    somebody(PRIYA, "requester", client=OURS),
    somebody(PAUL, "admin", client=OURS),
    somebody(PENNY, "billing", client=OURS),
    somebody(APRIL, "approver", client=OURS),
    somebody(STRANGER, *CLIENT_ROLES, client=THEIRS),
]
KNOWN = KnownTicket(TICKET, OURS, 1, "HLO-7", "VPN drops", "high", AGENT, PRIYA)


def said(event: Any, known: KnownTicket | None = KNOWN, people: list[Person] = PEOPLE) -> set[tuple[str, UUID]]:
    return {(one.wish.kind, one.person_id) for wish in wishes(event, known, now=MONDAY) for one in told(wish, people)}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (assigned(OURS, AGENT), {("assigned", AGENT)}),
        (assigned(OURS, None), set()),
        (assigned(OURS, AGENT, actor=str(AGENT)), set()),
        (posted(OURS, "agent", is_public=False, mentioned_person_ids=(OTHER_AGENT,)), {("mentioned", OTHER_AGENT)}),
        (posted(OURS, "client", by=PRIYA, assignee_person_id=AGENT), {("client-replied", AGENT)}),
        (posted(OURS, "agent", by=AGENT), {("answered", PRIYA)}),
        (posted(OURS, "system", is_automatic=True), set()),
        (updated(OURS, "waiting_on_client"), {("answer-needed", PRIYA)}),
        (updated(OURS, "resolved"), {("ticket-status", PRIYA)}),
        (updated(OURS, "resolved", actor=str(PRIYA)), set()),
        (updated(OURS, "open", changed=("priority",)), set()),
        (updated(OURS, "closed", is_imported=True), set()),
        (at_risk(OURS, 50), set()),
        (at_risk(OURS, 75), {("sla-risk", AGENT)}),
        (at_risk(OURS, 90), {("sla-risk", AGENT)}),
        (breached(OURS), {("sla-breach", AGENT), ("sla-breach", MANAGER)}),
        (crossed(OURS, 75), {("bucket-used", one) for one in (PAUL, PENNY, APRIL)}),
        (crossed(OURS, 90), {("bucket-used", one) for one in (PAUL, PENNY, APRIL)} | {("bucket-low", MANAGER)}),
        (runs_out(OURS), {("bucket-forecast", MANAGER)}),
        (issued(OURS), {("invoice-issued", PAUL), ("invoice-issued", PENNY)}),
        (overdue(OURS), {("invoice-overdue", PAUL), ("invoice-overdue", PENNY)}),
        (sent_again(OURS), {("invoice-issued", PAUL), ("invoice-issued", PENNY)}),
        (run_ready(), {("run-ready", MANAGER)}),
        (run_finished(), {("run-finished", MANAGER)}),
        # Who sent the rows may have left the page.
        (imported(AGENT), {("import-finished", AGENT), ("import-finished", MANAGER)}),
        (time_waits(), {("time-waiting", MANAGER)}),
        (unsubmitted(AGENT), {("time-unsubmitted", AGENT)}),
        (asked(OURS), {("approval-needed", PAUL), ("approval-needed", APRIL), ("approval-waiting", MANAGER)}),
    ],
)
def test_everybody_hears_what_concerns_them(event: Any, expected: set[tuple[str, UUID]]) -> None:
    assert said(event) == expected


def test_a_ticket_nobody_of_the_client_raised_concerns_its_administrators() -> None:
    assert said(updated(OURS, "resolved"), replace(KNOWN, raised_by=AGENT)) == {("ticket-status", PAUL)}


def test_history_is_no_news() -> None:
    assert said(updated(OURS, "resolved", occurred_at=MONDAY - NEWS - timedelta(seconds=1))) == set()


def test_of_a_clock_on_a_ticket_nobody_knows_managers_hear() -> None:
    (wish,) = wishes(breached(OURS), None, now=MONDAY)

    assert [one.person_id for one in told(wish, PEOPLE)] == [MANAGER]
    assert sentence(wish.kind, wish.words) == "The resolution of a ticket is late"


people_lists = st.lists(
    st.builds(
        lambda number, roles, client, is_active: somebody(UUID(int=number), *roles, client=client, is_active=is_active),
        st.integers(1, 20),
        st.sets(st.sampled_from(sorted({*STAFF_ROLES, *CLIENT_ROLES})), min_size=1),
        st.sampled_from([None, OURS, THEIRS]),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)


@given(people_lists, st.integers(0, 13), st.integers(1, 20), st.integers(1, 20))
def test_nobody_hears_of_another_client_or_after_they_were_shut_out(
    people: list[Person], which: int, raiser: int, actor: int
) -> None:
    event = one_of_each(OURS)[which]
    if hasattr(event, "actor"):
        event = event.model_copy(update={"actor": str(UUID(int=actor))})
    found = wishes(event, replace(KNOWN, raised_by=UUID(int=raiser)), now=MONDAY)

    by_id = {one.id: one for one in people}
    for wish in found:
        reached = [by_id[one.person_id] for one in told(wish, people)]
        assert all(one.is_active and one.of_client_id in (None, OURS) for one in reached)
        assert all((one.kind == "client") == (wish.kind in KINDS["client"]) for one in reached)
        assert len({one.id for one in reached}) == len(reached)
        assert not hasattr(event, "actor") or UUID(int=actor) not in {one.id for one in reached}


@given(people_lists, st.sets(st.integers(1, 20), max_size=20))
def test_an_internal_note_reaches_no_client(people: list[Person], named: set[int]) -> None:
    note = posted(OURS, "agent", is_public=False, mentioned_person_ids=tuple(UUID(int=one) for one in named))

    reached = {person for _, person in said(note, people=people)}

    assert reached == {one.id for one in people if one.kind == "staff" and one.is_active and one.id.int in named}


@given(st.permutations([raised(OURS, PRIYA), assigned(OURS, AGENT), assigned(OURS, OTHER_AGENT, revision=3)]))
def test_a_ticket_is_known_alike_in_whatever_order_its_events_come(events: list[Any]) -> None:
    known = None
    for event in events:
        known = KnownTicket.of(event).newest(known)

    assert known is not None
    assert (known.revision, known.assignee_person_id, known.raised_by) == (3, OTHER_AGENT, PRIYA)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3600)), max_size=30))
def test_groups_hold_everything_once_and_nothing_far_apart(rows: list[tuple[str, int]]) -> None:
    news = [
        {"about": about, "at": MONDAY + timedelta(seconds=seconds)}
        for about, seconds in sorted(rows, key=lambda row: -row[1])
    ]

    groups = grouped(news)

    assert sorted(map(id, (row for group in groups for row in group))) == sorted(map(id, news))
    assert [group[0]["at"] for group in groups] == sorted((group[0]["at"] for group in groups), reverse=True)
    for group in groups:
        assert len({row["about"] for row in group}) == 1
        assert all(a["at"] - b["at"] <= TOGETHER for a, b in zip(group, group[1:], strict=False))
    for about in "abc":
        own = [group for group in groups if group[0]["about"] == about]
        assert all(a[-1]["at"] - b[0]["at"] > TOGETHER for a, b in zip(own, own[1:], strict=False))


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_kind_has_its_words(language: str) -> None:
    with speaking(language):
        found = {
            wish.kind: sentence(wish.kind, wish.words, client="Halcyon")
            for event in one_of_each(OURS)
            for wish in wishes(event, KNOWN, now=MONDAY)
        }

    assert found.keys() == SENTENCES.keys() == TITLES.keys()
    assert found.keys() == {*KINDS["staff"], *KINDS["client"]}
    assert not [text for text in found.values() if "%(" in text or "None" in text]


@given(st.text(max_size=400))
def test_whatever_a_title_holds_a_sentence_is_one_line(title: str) -> None:
    said = sentence("answered", {"ref": "HLO-7", "title": title})

    assert len(said) <= LINE_MAX
    assert said.isprintable()
    assert one_line(said) == said
