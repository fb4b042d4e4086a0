"""The clocks of a ticket from its facts: starting, answering, waiting, changing, resolving, coming back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import example, given, settings, strategies as st

from sla.domain import escalation, life
from sla.domain.life import Fact, Happening, Ticket
from sla.domain.proof import recomputed
from sla.domain.targets import Key, Terms
from sla.testing import CLIENT, CONTRACT, TICKET, a_rule, at, some_terms

RAISED_AT = at("Mon 09:00")
STATUSES = ("new", "open", "waiting_on_client", "waiting_on_vendor", "resolved", "closed")


def a_fact(when: str | datetime, status: str = "open", **more: Any) -> Fact:
    moment = at(when) if isinstance(when, str) else when
    key = Key(more.pop("priority", "high"), "L1", "network")
    return Fact(
        **{
            "at": moment,
            "status": status,
            "key": key,
            "contract_id": CONTRACT,
            "contract_version": 1,
            "raised_at": RAISED_AT,
            **more,
        }
    )


def after(
    *facts: Fact, terms: Sequence[Terms] | None = None, ticket: Ticket | None = None
) -> tuple[Ticket, list[Happening]]:
    known = {one.version: one for one in terms or [some_terms()]}

    def terms_of(_contract_id: UUID, version: int) -> Terms:
        return known[version]

    told: list[Happening] = []
    for fact in facts:
        ticket, news = life.heard(ticket, fact, ticket_id=TICKET, client_id=CLIENT, terms_of=terms_of)
        told += news
    assert ticket is not None
    return ticket, told


def summary(told: Sequence[Happening]) -> list[tuple[str, str]]:
    return [(one.kind, one.clock.metric) for one in told]


def test_a_raised_ticket_starts_its_clocks() -> None:
    ticket, told = after(a_fact("Mon 09:00", "new"))

    assert summary(told) == [("started", "first_response"), ("started", "resolution")]
    assert [clock.due_at for clock in ticket.clocks] == [at("Mon 10:00"), at("Mon 13:00")]


def test_only_a_public_message_of_a_human_agent_is_a_first_response() -> None:
    _, after_note = after(a_fact("Mon 09:00", "new"), a_fact("Mon 09:10"))
    ticket, told = after(a_fact("Mon 09:00", "new"), a_fact("Mon 09:10", is_answer=True))

    assert "met" not in [one.kind for one in after_note]
    assert summary(told)[2:] == [("met", "first_response")]
    assert ticket.clocks[0].stopped_at == at("Mon 09:10")


def test_waiting_for_the_client_pauses_the_resolution_only() -> None:
    ticket, told = after(
        a_fact("Mon 09:00", "new"), a_fact("Mon 10:00", "waiting_on_client"), a_fact("Mon 15:00", is_question=True)
    )

    assert summary(told)[2:] == [("paused", "resolution"), ("resumed", "resolution")]
    assert ticket.clocks[1].due_at == at("Tue 10:00")
    assert [one.reason for one in ticket.clocks[1].intervals] == ["raised", "waiting_on_client", "open"]


def test_an_unanswered_client_starts_the_next_response() -> None:
    terms = [some_terms(a_rule("first_response", promises="1h"), a_rule("next_response", promises="2h"))]
    _, told = after(
        a_fact("Mon 09:00", "new"),
        a_fact("Mon 09:05", is_question=True),
        a_fact("Mon 09:10", is_answer=True),
        a_fact("Mon 09:20", is_question=True),
        a_fact("Mon 09:25", is_question=True),
        a_fact("Mon 09:30", is_answer=True),
        a_fact("Mon 09:40", is_question=True),
        terms=terms,
    )

    assert summary(told) == [
        ("started", "first_response"),
        ("met", "first_response"),
        ("started", "next_response"),
        ("met", "next_response"),
        ("started", "next_response"),
    ]
    assert [one.clock.round for one in told if one.kind == "started"] == [1, 1, 2]


def test_a_breach_before_the_stop_is_recorded_at_its_due_instant() -> None:
    ticket, told = after(a_fact("Mon 09:00", "new", priority="low"), a_fact("Tue 09:00", "resolved"))

    breaches = [one for one in told if one.kind == "breached"]
    assert [(one.clock.metric, one.at) for one in breaches] == [
        ("resolution", at("Mon 13:00")),
        ("first_response", at("Mon 10:00")),
    ]
    assert {clock.verdict for clock in ticket.clocks} == {"missed"}


def test_an_answer_that_was_never_needed_is_not_counted() -> None:
    ticket, _ = after(a_fact("Mon 09:00", "new"), a_fact("Mon 09:30", "resolved"))

    assert [(clock.metric, clock.verdict) for clock in ticket.clocks] == [
        ("first_response", "excluded"),
        ("resolution", "met"),
    ]


def test_a_cancelled_ticket_is_not_counted() -> None:
    ticket, _ = after(a_fact("Mon 09:00", "new"), a_fact("Mon 09:30", "closed"))

    assert {clock.verdict for clock in ticket.clocks} == {"excluded"}


def test_another_priority_carries_the_consumed_time_over() -> None:
    terms = [some_terms(a_rule(promises="8h"), a_rule(rule_id="critical", priority="critical", promises="2h"))]
    ticket, told = after(
        a_fact("Mon 09:00", "new", priority="low"), a_fact("Mon 10:00", priority="critical"), terms=terms
    )

    assert summary(told) == [("started", "resolution"), ("retargeted", "resolution")]
    assert told[-1].reason == "priority low to critical"
    assert ticket.clocks[0].due_at == at("Mon 11:00")


def test_a_retarget_below_what_was_used_breaches_once() -> None:
    terms = [some_terms(a_rule(promises="8h"), a_rule(rule_id="critical", priority="critical", promises="1h"))]
    ticket, told = after(
        a_fact("Mon 09:00", "new", priority="low"),
        a_fact("Mon 12:00", priority="critical"),
        a_fact("Mon 12:30", priority="low"),
        a_fact("Mon 13:00", "resolved", priority="low"),
        terms=terms,
    )

    assert summary(told) == [
        ("started", "resolution"),
        ("breached", "resolution"),
        ("retargeted", "resolution"),
        ("retargeted", "resolution"),
        ("missed", "resolution"),
    ]
    assert ticket.clocks[0].breach_reason == "retarget"


def test_a_new_contract_version_is_a_retarget_and_the_clock_remembers_both() -> None:
    terms = [some_terms(a_rule(promises="4h")), some_terms(a_rule(promises="2h"), version=2)]
    ticket, _ = after(a_fact("Mon 09:00", "new"), a_fact("Mon 10:00", contract_version=2), terms=terms)

    assert [promise.contract_version for promise in ticket.clocks[0].promises] == [1, 2]
    assert ticket.clocks[0].due_at == at("Mon 11:00")


def test_no_target_any_more_excludes_and_a_target_again_continues() -> None:
    terms = [some_terms(a_rule(promises="4h"), a_rule(rule_id="none", priority="low", promises=None))]
    ticket, told = after(
        a_fact("Mon 09:00", "new"), a_fact("Mon 10:00", priority="low"), a_fact("Mon 11:00"), terms=terms
    )

    assert [one.kind for one in told] == ["started", "excluded", "started"]
    assert ticket.clocks[-1].due_at == at("Mon 14:00")
    assert ticket.clocks[-1].round == 2


def test_a_reopened_ticket_goes_on_with_what_was_left() -> None:
    ticket, told = after(
        a_fact("Mon 09:00", "new"), a_fact("Mon 12:00", "resolved", is_answer=True), a_fact("Tue 09:00", cycle=2)
    )

    assert [(clock.metric, clock.cycle) for clock in ticket.clocks] == [
        ("first_response", 1),
        ("resolution", 1),
        ("resolution", 2),
    ]
    assert ticket.clocks[-1].due_at == at("Tue 10:00")
    assert ticket.clocks[-1].fired == {"at_risk:50", "at_risk:75"}
    assert told[-1].clock.intervals[0].reason == "reopened"


def test_reopening_under_a_target_that_is_used_up_already_is_a_breach_at_once() -> None:
    terms = [some_terms(a_rule(promises="8h"), a_rule(rule_id="critical", priority="critical", promises="1h"))]
    ticket, told = after(
        a_fact("Mon 09:00", "new", priority="low"),
        a_fact("Mon 12:00", "resolved", priority="low"),
        a_fact("Mon 17:00", priority="critical", cycle=2),
        terms=terms,
    )

    assert [one.kind for one in told] == ["started", "met", "started", "breached"]
    again = ticket.clocks[-1]
    assert (again.breached_at, again.breach_reason, again.is_breach_carried) == (at("Mon 17:00"), "retarget", False)
    assert recomputed(again) == again


def test_a_late_pause_voids_the_breach_that_had_fired_visibly() -> None:
    ticket, _ = after(a_fact("Mon 09:00", "new"), a_fact("Mon 09:30", is_answer=True))
    steps = escalation.steps_of(some_terms(), "resolution")
    clock = ticket.clocks[1]
    for _, step in escalation.due(clock, steps, now=at("Mon 13:10")):
        clock = escalation.fired(clock, step, now=at("Mon 13:10"))
    fired = Ticket(id=ticket.id, client_id=CLIENT, status="open", is_answered=True, clocks=(ticket.clocks[0], clock))

    paused, told = after(a_fact("Mon 12:59", "waiting_on_client"), ticket=fired)

    assert summary(told) == [("voided", "resolution"), ("paused", "resolution")]
    assert "breach" in clock.fired
    assert "breach" not in paused.clocks[1].fired
    assert "at_risk:90" in paused.clocks[1].fired


def test_a_ticket_first_seen_closed_has_its_verdicts_at_once() -> None:
    ticket, told = after(a_fact("Fri 09:00", "closed", resolved_at=at("Mon 12:00"), was_answered=True))

    assert summary(told) == [("started", "resolution"), ("met", "resolution")]
    assert ticket.clocks[0].stopped_at == at("Mon 12:00")


facts = st.lists(
    st.tuples(
        st.integers(0, 10_000),
        st.sampled_from(STATUSES),
        st.sampled_from(["low", "critical"]),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=15,
)


def told_facts(drawn: Sequence[tuple[int, str, str, bool, bool]]) -> list[Fact]:
    return [
        a_fact(
            RAISED_AT + timedelta(minutes=minute),
            status,
            priority=priority,
            is_answer=is_answer,
            is_question=is_question and not is_answer,
        )
        for minute, status, priority, is_answer, is_question in drawn
    ]


EVERY_TARGET = [
    some_terms(
        a_rule("first_response", promises="1h"),
        a_rule("next_response", promises="2h"),
        a_rule(promises="16h"),
        a_rule(rule_id="critical", priority="critical", promises="2h"),
    )
]


@settings(max_examples=300)
@given(facts)
@example(
    [
        (0, "new", "low", False, False),
        (121, "resolved", "low", False, False),
        (480, "new", "critical", False, False),
        (481, "new", "low", False, False),
    ]
)
def test_any_noise_leaves_clocks_that_hold(drawn: Sequence[tuple[int, str, str, bool, bool]]) -> None:
    ticket, told = after(*told_facts(drawn), terms=EVERY_TARGET)

    for clock in ticket.clocks:
        assert recomputed(clock) == clock
        assert (clock.verdict is not None) == (clock.status == "stopped")
    assert len({clock.id for clock in ticket.clocks}) == len(ticket.clocks)
    breaches = [one.clock.id for one in told if one.kind == "breached"]
    assert len(breaches) == len(set(breaches)), "without timers nothing is voided, so a clock breaches once"


@settings(max_examples=300)
@given(facts, st.lists(st.integers(0, 12_000), max_size=15))
def test_timers_that_fire_early_or_late_never_change_a_verdict(
    drawn: Sequence[tuple[int, str, str, bool, bool]], ticks: Sequence[int]
) -> None:
    history = told_facts(drawn)
    replayed, _ = after(*history, terms=EVERY_TARGET)

    live: Ticket | None = None
    for index, fact in enumerate(history):
        live, _ = after(fact, ticket=live, terms=EVERY_TARGET)
        if index < len(ticks):
            live = ticked(live, RAISED_AT + timedelta(minutes=ticks[index]))

    assert live is not None
    assert [verdict_of(clock) for clock in live.clocks if clock.status == "stopped"] == [
        verdict_of(clock) for clock in replayed.clocks if clock.status == "stopped"
    ]


def ticked(ticket: Ticket, now: datetime) -> Ticket:
    moved = []
    for found in ticket.clocks:
        clock = found
        for _, step in escalation.due(found, escalation.steps_of(EVERY_TARGET[0], found.metric), now=now):
            clock = escalation.fired(clock, step, now=now)
        moved.append(clock)
    return Ticket(
        id=ticket.id,
        client_id=ticket.client_id,
        status=ticket.status,
        cycle=ticket.cycle,
        is_answered=ticket.is_answered,
        clocks=tuple(moved),
    )


def verdict_of(clock: Any) -> tuple[Any, ...]:
    return clock.id, clock.verdict, clock.stopped_at, clock.breached_at, clock.breach_reason, clock.intervals
