"""What is foreseen is what a ticket is promised when it is raised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

from hypothesis import given, strategies as st

from sla.domain import life
from sla.domain.foresight import foreseen
from sla.domain.life import Fact
from sla.domain.targets import Flags, Key, Priority
from sla.testing import CLIENT, CONTRACT, TICKET, a_rule, at, some_terms

TERMS = some_terms(
    a_rule("first_response", promises="1h"),
    a_rule(promises="4h"),
    a_rule("resolution", promises="8h", rule_id="servers", job_type="server", priority="high"),
    a_rule("resolution", promises="2h", rule_id="always", priority="critical", flags=Flags(True, True, True)),
    a_rule("first_response", promises=None, rule_id="none", priority="low"),
)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(
    lambda one: one.replace(microsecond=0, tzinfo=UTC)
)


@given(INSTANTS, st.sampled_from(get_args(Priority)), st.sampled_from(("network", "server")))
def test_a_ticket_that_is_raised_is_promised_what_was_foreseen(now: datetime, priority: str, job_type: str) -> None:
    key = Key(priority, "L1", job_type)
    fact = Fact(at=now, status="new", key=key, contract_id=CONTRACT, contract_version=1, raised_at=now)
    ticket, _ = life.heard(None, fact, ticket_id=TICKET, client_id=CLIENT, terms_of=lambda *_: TERMS)

    told = foreseen(TERMS, level="L1", job_type=job_type, at=now)

    assert {one.metric: (one.rule_id, one.due_at) for one in told if one.priority == priority} == {
        clock.metric: (clock.promise.rule_id, clock.due_at) for clock in ticket.clocks
    }


@given(INSTANTS)
def test_time_counts_from_where_it_begins(now: datetime) -> None:
    for one in foreseen(TERMS, level="L1", job_type="network", at=now):
        hours = TERMS.hours(Flags(True, True, True) if one.rule_id == "always" else Flags())
        assert now <= one.begins_at < one.due_at
        assert hours.between(now, one.begins_at) == 0
        assert hours.between(one.begins_at, one.due_at) == one.budget_minutes * 60


def test_outside_the_hours_it_begins_when_they_do_but_for_what_counts_always() -> None:
    told = foreseen(TERMS, level="L1", job_type="network", at=at("Fri 18:00"))

    begins = {(one.priority, one.metric): one.begins_at for one in told}
    assert begins["high", "resolution"] == at("Mon 09:00", week=1)
    assert begins["critical", "resolution"] == at("Fri 18:00")
    assert ("low", "first_response") not in begins
    assert at("Fri 18:00") + timedelta(hours=2) in {one.due_at for one in told}
