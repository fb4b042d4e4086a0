"""The chain: what a step asks for, and the quiet hours it waits out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, strategies as st

from msp_kernel.business_time import Calendar
from sla.domain import escalation, explain
from sla.domain.clock import Clock
from sla.domain.escalation import Step
from sla.domain.targets import EscalationStep, Key, Terms
from sla.testing import MONDAY, a_clock, at, some_terms

NIGHTS = {day: [["18:00", "08:00"]] for day in ("mon", "tue", "wed", "thu")}
WEEKENDS = {
    "fri": [["18:00", "24:00"]],
    "sat": [["00:00", "24:00"]],
    "sun": [["00:00", "24:00"]],
    "mon": [["00:00", "08:00"]],
}
QUIET = Calendar.from_json(
    {"timezone": "UTC", "weekly": {**WEEKENDS, **NIGHTS, "mon": [["00:00", "08:00"], ["18:00", "08:00"]]}}
)
CHAIN = (
    EscalationStep(step=1, metric="resolution", at_percent=50, to_level="L2", notify=("lead",)),
    EscalationStep(
        step=2, metric="resolution", at_percent=100, to_level="L3", to_queue="network", to_priority="critical"
    ),
)


def terms_with(quiet: Calendar | None, **more: Any) -> Terms:
    return some_terms(escalation=CHAIN, quiet=quiet, in_hours="24x7", **more)


def chain_of(clock: Clock, terms: Terms) -> list[datetime]:
    return [
        at
        for at, step in escalation.pending(clock, escalation.steps_of(terms, "resolution"))
        if step.kind == "escalate"
    ]


def test_a_step_that_falls_in_quiet_hours_waits_for_their_end() -> None:
    clock = a_clock(promises="4h", since="Mon 17:00", in_hours="24x7")

    assert chain_of(clock, terms_with(None)) == [at("Mon 19:00"), at("Mon 21:00")]
    assert chain_of(clock, terms_with(QUIET)) == [at("Tue 08:00"), at("Tue 08:00")]


def test_a_whole_quiet_weekend_is_waited_out() -> None:
    clock = a_clock(promises="4h", since="Fri 19:00", in_hours="24x7")

    assert chain_of(clock, terms_with(QUIET)) == [at("Mon 08:00", week=1)] * 2


def test_quiet_hours_are_half_open() -> None:
    ends_at_six = a_clock(promises="1h", since="Mon 17:00", in_hours="24x7")
    ends_at_eight = a_clock(promises="1h", since="Tue 07:00", in_hours="24x7")

    assert chain_of(ends_at_six, terms_with(QUIET)) == [at("Mon 17:30"), at("Tue 08:00")]
    assert chain_of(ends_at_eight, terms_with(QUIET)) == [at("Tue 08:00"), at("Tue 08:00")]


def test_critical_tickets_escalate_at_any_hour() -> None:
    clock = replace(a_clock(promises="4h", since="Mon 17:00", in_hours="24x7"), key=Key("critical", "L1", "network"))

    assert chain_of(clock, terms_with(QUIET)) == [at("Mon 19:00"), at("Mon 21:00")]


def test_warnings_and_breaches_are_facts_and_do_not_wait() -> None:
    clock = a_clock(promises="4h", since="Mon 17:00", in_hours="24x7")
    steps = escalation.steps_of(terms_with(QUIET), "resolution")

    fired = [(one.key, when) for when, one in escalation.due(clock, steps, now=at("Mon 22:00"))]

    assert fired == [
        ("at_risk:50", at("Mon 19:00")),
        ("at_risk:75", at("Mon 20:00")),
        ("at_risk:90", at("Mon 20:36")),
        ("breach", at("Mon 21:00")),
    ]


def test_a_step_asks_for_level_queue_and_priority() -> None:
    (_, second) = [one for one in escalation.steps_of(terms_with(None), "resolution") if one.kind == "escalate"]

    assert (second.to_level, second.to_queue, second.to_priority) == ("L3", "network", "critical")


def test_two_steps_with_one_number_fire_once() -> None:
    twice = (replace(CHAIN[0], to_level=None), replace(CHAIN[0], to_level="L3"))

    steps = escalation.steps_of(some_terms(escalation=twice), "resolution")

    assert [one.key for one in steps if one.kind == "escalate"] == ["escalate:1"]


def test_the_explanation_says_that_a_step_waits() -> None:
    clock = a_clock(promises="4h", since="Mon 17:00", in_hours="24x7")

    text = explain.sentences(clock, terms_with(QUIET), now=at("Mon 17:30"))

    assert (
        "Escalation step 1 moves the ticket to L2, tells lead on Tue 03 Nov 2026 08:00 at the end of the quiet hours."
        in text
    )
    assert (
        "Escalation step 2 moves the ticket to L3 and network, raises its priority to critical on Tue 03 Nov 2026 08:00"
        " at the end of the quiet hours." in text
    )


@given(st.integers(0, 20_000), st.integers(1, 3000))
def test_a_step_never_falls_due_in_quiet_hours_nor_before_its_percentage(start: int, budget_minutes: int) -> None:
    clock = a_clock(promises=f"{budget_minutes}m", since=MONDAY + timedelta(minutes=start), in_hours="24x7")
    step = Step(80, 2, "escalate:1", "escalate", 1, quiet=QUIET)

    falls_due = step.falls_due(clock)

    reached = clock.instant_of(80)
    assert reached is not None
    assert falls_due >= reached
    assert not QUIET.is_open(falls_due)
    assert QUIET.between(reached, falls_due) == (falls_due - reached).total_seconds(), "it waits for nothing else"
