"""The sentences a person reads about a clock."""

from __future__ import annotations

from sla.domain.explain import duration, sentences
from sla.domain.targets import Key
from sla.testing import a_clock, a_promise, a_rule, at, some_terms


def test_every_minute_is_explained() -> None:
    terms = some_terms(a_rule(rule_id="any"), a_rule(rule_id="r1", priority="high"))
    clock = a_clock(promises="4h", since="Mon 15:00")
    clock = clock.paused(at("Mon 16:00"), reason="waiting_on_client", note="asked for logs")
    clock = clock.resumed(at("Tue 09:00"), reason="open")

    told = sentences(clock, terms, now=at("Tue 10:00"))

    assert told[0] == (
        "Resolution within 4 h in the contract's hours: rule r1 of contract version 1,"
        " the most specific of 2 that match; it asks for priority high."
    )
    assert told[1] == "Mon 02 Nov 2026 15:00 to Mon 02 Nov 2026 16:00: 1 h counted."
    assert told[2] == (
        "Mon 02 Nov 2026 16:00 to Tue 03 Nov 2026 09:00: paused, waiting on client, nothing counted (asked for logs)."
    )
    assert told[-1] == "Due on Tue 03 Nov 2026 12:00, 2 h of 4 h used."


def test_closed_hours_are_named() -> None:
    told = sentences(a_clock(promises="4h", since="Mon 16:00"), some_terms(), now=at("Tue 10:00"))

    assert any("2 h counted, 16 h outside hours not counted" in sentence for sentence in told)


def test_a_verdict_says_when_and_why() -> None:
    clock = a_clock(promises="1h", since="Mon 09:00").stopped(at("Mon 11:00"), reason="resolved")

    told = sentences(clock, some_terms(), now=at("Fri 10:00"))

    assert told[-1] == (
        "Stopped on Mon 02 Nov 2026 11:00 (resolved), 2 h of 1 h used: missed."
        " Breached on Mon 02 Nov 2026 10:00, because the budget ended."
    )


def test_a_retarget_is_told_as_the_cause_of_a_breach() -> None:
    clock = a_clock(promises="8h", since="Mon 09:00")
    clock = clock.retargeted(a_promise("1h", since="Mon 12:00"), key=Key("critical", "L1", "network"))

    assert "because the target was changed" in sentences(clock, some_terms(), now=at("Mon 12:30"))[-1]


def test_durations_read_like_speech() -> None:
    assert [duration(seconds) for seconds in (0, 59, 3600, 9360, -60)] == [
        "0 min",
        "59 s",
        "1 h",
        "2 h 36 min",
        "-1 min",
    ]
