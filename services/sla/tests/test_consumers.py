"""Hearing tickets and terms, on a real database."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from msp_events.base import Event
from msp_events.contracts import EscalationStepTerms
from msp_events.sla import (
    ClockExcluded,
    ClockPaused,
    ClockResumed,
    ClockRetargeted,
    ClockStarted,
    ClockState,
    SlaBreached,
    SlaBreachVoided,
    SlaMet,
    SlaMissed,
)
from msp_kernel.ids import new_id
from msp_kit import deadletters
from msp_kit.database import SYSTEM, Database
from msp_kit.testing import Speaker, said
from sla import actions, reports
from sla.testing import ATicket, at, hours

OFFICE = hours("09-17")


def told(events: Sequence[ClockState]) -> list[tuple[str, str]]:
    return [(type(one).__name__, one.metric) for one in events]


async def stored(database: Database) -> list[dict[str, Any]]:
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch(
            "SELECT id, metric, cycle, round, status, verdict, due_at, breached_at, breach_reason, stopped_at,"
            " consumed_seconds, intervals, revision FROM clocks ORDER BY id"
        )
    return [dict(row) for row in rows]


def a_whole_life(ticket: ATicket) -> list[Event]:
    return [
        ticket.raised(),
        ticket.message("Mon 09:20", is_public=False),
        ticket.message("Mon 09:30"),
        ticket.moved("Mon 10:00", status="waiting_on_client", reason="asked for logs"),
        ticket.message("Mon 15:00", "client", status="open"),
        ticket.moved("Mon 15:30", priority="critical"),
        ticket.resolved("Mon 16:00"),
        ticket.reopened("Tue 09:00"),
        ticket.resolved("Tue 09:30"),
    ]


async def test_a_whole_life_is_told_as_clock_events(database: Database, speaker: Speaker) -> None:
    ticket = ATicket()
    targets = {"first_response": "1h", "resolution": "4h", "resolution critical": "3h"}
    await speaker.say(ticket.contract(calendar=OFFICE, targets=targets))

    await speaker.say(*a_whole_life(ticket))

    events = await said(database)
    assert told([one for one in events if one.metric == "first_response"]) == [
        ("ClockStarted", "first_response"),
        ("SlaMet", "first_response"),
    ]
    resolution = [one for one in events if one.metric == "resolution" and one.cycle == 1]
    assert [type(one) for one in resolution] == [ClockStarted, ClockPaused, ClockResumed, ClockRetargeted, SlaMet]
    assert [type(one) for one in events if one.cycle == 2] == [ClockStarted, SlaMet]
    assert [one.revision for one in resolution] == list(range(1, len(resolution) + 1))
    paused = next(one for one in events if isinstance(one, ClockPaused))
    assert (paused.reason, paused.consumed_seconds, paused.due_at) == ("waiting_on_client", 3600, None)
    resumed = next(one for one in events if isinstance(one, ClockResumed))
    assert resumed.due_at == at("Tue 10:00")
    retargeted = next(one for one in events if isinstance(one, ClockRetargeted))
    assert (retargeted.budget_minutes, retargeted.consumed_seconds) == (180, 5400)
    again = next(one for one in events if isinstance(one, ClockStarted) and one.cycle == 2)
    assert (again.consumed_seconds, again.due_at) == (7200, at("Tue 10:00"))


async def test_two_deliveries_are_one(database: Database, speaker: Speaker) -> None:
    ticket = ATicket()
    await speaker.say(ticket.contract(calendar=OFFICE))
    envelopes = await speaker.say(*a_whole_life(ticket))
    once = (await stored(database), len(await said(database)))

    await speaker.inbox.accept(envelopes)
    await speaker.inbox.accept(envelopes[2:4])

    assert (await stored(database), len(await said(database))) == once


async def test_any_arrival_order_gives_the_same_clocks(database: Database, speaker: Speaker) -> None:
    tickets = [ATicket() for _ in range(6)]
    for ticket in tickets:
        ticket.contract_id, ticket.client_id = tickets[0].contract_id, tickets[0].client_id
    contract = tickets[0].contract(calendar=OFFICE)
    envelopes = [speaker.envelope(event) for ticket in tickets for event in a_whole_life(ticket)]
    random.Random(7).shuffle(envelopes)  # noqa: S311 - a shuffle, not a secret

    await speaker.inbox.accept(envelopes[:20])
    await speaker.say(contract)
    for chunk in (envelopes[20:31], envelopes[31:32], envelopes[32:]):
        await speaker.inbox.accept(chunk)
    await _sweep_until_quiet(database, speaker)

    rows = await stored(database)
    assert len(rows) == 18
    by_kind = {(row["metric"], row["cycle"], row["verdict"], row["consumed_seconds"]) for row in rows}
    assert by_kind == {
        ("first_response", 1, "met", 1800),
        ("resolution", 1, "met", 7200),
        ("resolution", 2, "met", 9000),
    }
    assert await deadletters.open_messages(database) == []


async def _sweep_until_quiet(database: Database, speaker: Speaker) -> None:
    while await deadletters.open_messages(database):
        async with database.transaction(SYSTEM) as tx:
            await tx.driver.execute("UPDATE bus.inbox SET next_at = clock_timestamp() WHERE status = 'retry'")
        assert await speaker.inbox.sweep(), "what is open can be tried again"


async def test_terms_may_arrive_after_the_ticket(database: Database, speaker: Speaker) -> None:
    ticket = ATicket()
    await speaker.say(ticket.raised())
    (waiting,) = await deadletters.open_messages(database)

    await speaker.say(ticket.contract())
    await _sweep_until_quiet(database, speaker)

    assert waiting.status == "retry"
    assert len(await stored(database)) == 2


async def test_an_older_version_of_the_terms_may_arrive_after_its_successor(
    database: Database, speaker: Speaker
) -> None:
    ticket = ATicket()
    second = speaker.envelope(ticket.contract(version=2), seq=2)
    first = speaker.envelope(ticket.contract(version=1), seq=1)

    await speaker.inbox.accept([second])
    await speaker.inbox.accept([first])
    await speaker.say(ticket.raised())

    assert len(await stored(database)) == 2


async def test_a_version_said_again_with_other_terms_is_parked_with_the_difference(
    database: Database, speaker: Speaker
) -> None:
    ticket = ATicket()
    await speaker.say(ticket.contract(), ticket.contract(name="Care Plus"))

    await speaker.say(ticket.contract(targets={"resolution": "2h"}))

    (parked,) = await deadletters.open_messages(database)
    assert parked.status == "parked"
    assert "known with other targets" in (parked.error_text or "")


async def test_terms_kept_before_a_field_was_known_are_the_same_terms(database: Database, speaker: Speaker) -> None:
    ticket = ATicket()
    chain = (EscalationStepTerms(step=1, to_level="L2"),)
    await speaker.say(ticket.contract(escalation=chain))
    async with database.transaction(SYSTEM) as tx:
        await tx.driver.execute(
            "UPDATE terms SET terms = terms - 'quiet_hours' - 'sla_credits' #- '{escalation,0,to_queue}'"
            " #- '{escalation,0,to_priority}'"
        )

    await speaker.say(ticket.contract(escalation=chain))
    assert await deadletters.open_messages(database) == []

    await speaker.say(ticket.contract(escalation=chain, quiet_hours={"sun": [["00:00", "24:00"]]}))
    (parked,) = await deadletters.open_messages(database)
    assert "known with other quiet_hours" in (parked.error_text or "")


@pytest.mark.parametrize(
    ("calendar", "reason"),
    [
        ({"timezone": "Mars/Olympus", "weekly": {"mon": [["09:00", "17:00"]]}}, "UnknownTimezone"),
        ({"timezone": "UTC", "weekly": {}}, "CalendarWithoutHours"),
        ({"timezone": "UTC", "weekly": {"mon": [["9", "17"]]}}, "BadWindow"),
    ],
)
async def test_a_calendar_that_is_none_is_parked_with_its_reason(
    database: Database, speaker: Speaker, calendar: dict[str, Any], reason: str
) -> None:
    await speaker.say(ATicket().contract(calendar=calendar))

    (parked,) = await deadletters.open_messages(database)
    assert parked.status == "parked"
    assert reason in (parked.error_text or "")


async def test_history_gives_a_breach_at_its_due_instant_and_says_it_once(database: Database, speaker: Speaker) -> None:
    ticket = ATicket()
    await speaker.say(ticket.contract(calendar=OFFICE))

    await speaker.say(ticket.raised(is_imported=True), ticket.message("Tue 09:00"), ticket.resolved("Tue 12:00"))

    breaches = await said(database, SlaBreached)
    assert sorted((one.metric, one.occurred_at, one.breached_at) for one in breaches) == [
        ("first_response", at("Mon 10:00"), at("Mon 10:00")),
        ("resolution", at("Mon 13:00"), at("Mon 13:00")),
    ]
    assert sorted(told(await said(database, SlaMissed))) == [
        ("SlaMissed", "first_response"),
        ("SlaMissed", "resolution"),
    ]
    async with database.transaction(SYSTEM) as tx:
        assert await actions.fire_due(tx) is False
        assert await tx.fetchval("SELECT count(*) FROM firings WHERE kind = 'breach'") == 2
        assert await tx.fetchval("SELECT count(*) FROM firings WHERE kind <> 'breach'") == 0


async def test_a_pause_that_comes_late_voids_the_breach_that_had_fired(database: Database, speaker: Speaker) -> None:
    now = await database_now(database)
    ticket = ATicket(raised_at=now - timedelta(hours=5))
    await speaker.say(ticket.contract(targets={"resolution": "4h"}))
    await speaker.say(ticket.raised())
    async with database.transaction(SYSTEM) as tx:
        await actions.fire_due(tx)

    await speaker.say(ticket.moved(now - timedelta(hours=2), status="waiting_on_client"))
    await speaker.say(ticket.moved(now - timedelta(hours=1), status="open"))
    await speaker.say(ticket.resolved(now))

    kinds = [type(one) for one in await said(database)]
    assert kinds.count(SlaBreached) == 1
    (voided,) = await said(database, SlaBreachVoided)
    assert (voided.is_breached, voided.status) == (False, "paused")
    assert "waiting_on_client" in voided.because
    assert kinds[-1] is SlaMet
    async with database.transaction(SYSTEM) as tx:
        firings = await tx.fetch("SELECT step, voided_because FROM firings ORDER BY percent")
        assert await reports.verify(tx) == []
    assert [(row["step"], row["voided_because"] is None) for row in firings] == [
        ("at_risk:50", True),
        ("at_risk:75", True),
        ("at_risk:90", True),
        ("breach", False),
    ]


async def database_now(database: Database) -> datetime:
    async with database.transaction(SYSTEM) as tx:
        return tx.now.replace(microsecond=0)


async def test_an_event_from_the_future_counts_now_and_says_so(database: Database, speaker: Speaker) -> None:
    now = await database_now(database)
    ticket = ATicket(raised_at=now - timedelta(hours=1))
    await speaker.say(ticket.contract(), ticket.raised())

    await speaker.say(ticket.moved(now + timedelta(days=400), status="waiting_on_client"))

    paused = next(row for row in await stored(database) if row["status"] == "paused")
    assert paused["consumed_seconds"] in range(3600, 3700)
    assert "in the future" in paused["intervals"][-1]["note"]


async def test_an_instant_no_calendar_knows_is_parked(database: Database, speaker: Speaker) -> None:
    ticket = ATicket(raised_at=datetime.fromisoformat("0001-01-02T00:00:00+00:00"))
    await speaker.say(ticket.contract())

    await speaker.say(ticket.raised())

    (parked,) = await deadletters.open_messages(database)
    assert parked.status == "parked"
    assert "1970" in (parked.error_text or "")


async def test_one_ticket_that_cannot_be_taken_harms_no_other(database: Database, speaker: Speaker) -> None:
    good, bad = ATicket(), ATicket()
    await speaker.say(good.contract())

    await speaker.say(good.raised(), bad.raised(), good.message("Mon 09:30"))

    assert ("SlaMet", "first_response") in told(await said(database))
    (waiting,) = await deadletters.open_messages(database)
    assert waiting.subject == f"ticket:{bad.ticket_id}"


async def test_cancelled_tickets_are_excluded(database: Database, speaker: Speaker) -> None:
    ticket = ATicket()
    await speaker.say(ticket.contract(calendar=OFFICE), ticket.raised(), ticket.moved("Mon 09:10", status="closed"))

    assert sorted(told(await said(database, ClockExcluded))) == [
        ("ClockExcluded", "first_response"),
        ("ClockExcluded", "resolution"),
    ]


async def test_the_clocks_of_a_merged_ticket_name_the_ticket_that_took_over(
    database: Database, speaker: Speaker
) -> None:
    kept = ATicket()
    gone, unheard, foreign = (ATicket(client_id=kept.client_id, contract_id=kept.contract_id) for _ in range(3))
    other = ATicket()
    await speaker.say(kept.contract(calendar=OFFICE), other.contract(), kept.raised(ref="HLO-7"), other.raised())
    nobody = new_id()

    await speaker.say(*(one.raised() for one in (gone, unheard, foreign)))
    for source, into in ((gone, kept.ticket_id), (unheard, nobody), (foreign, other.ticket_id)):
        # Answering was breached at 10:00; the rest was not, and resolving is promised by the other ticket now.
        await speaker.say(source.moved("Mon 10:30", status="closed", merged_into_id=into))

    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT ticket_id, metric, verdict, stop_reason FROM clocks WHERE status = 'stopped'")
    names = {gone.ticket_id: "HLO-7", unheard.ticket_id: str(nobody), foreign.ticket_id: str(other.ticket_id)}
    assert {(row["ticket_id"], row["metric"]): (row["verdict"], row["stop_reason"]) for row in rows} == {
        (ticket_id, metric): (verdict, f"merged into {name}")
        for ticket_id, name in names.items()
        for metric, verdict in (("first_response", "missed"), ("resolution", "excluded"))
    }


TEN_YEARS = 10 * 365 * 24 * 60


@pytest.mark.parametrize("minutes", [0, -5, 366 * 24 * 60 + 1, TEN_YEARS, 10**7, 10**7 + 1])
async def test_a_target_no_clock_can_count_towards_is_parked_with_its_reason(
    database: Database, speaker: Speaker, minutes: int
) -> None:
    ticket = ATicket()
    contract = ticket.contract(targets={"resolution": "4h"})
    # As another program would write it: past the checks of our own types.
    wrong = contract.targets[0].model_copy(update={"budget_minutes": minutes})

    await speaker.say(contract.model_copy(update={"targets": (wrong,)}))

    (parked,) = await deadletters.open_messages(database)
    assert parked.status == "parked"
    assert "minutes" in (parked.error_text or "")
    async with database.transaction(SYSTEM) as tx:
        assert await tx.fetchval("SELECT count(*) FROM terms") == 0


async def test_a_ticket_under_the_contract_of_another_client_is_not_taken(database: Database, speaker: Speaker) -> None:
    ticket = ATicket()
    await speaker.say(ticket.contract())
    ticket.client_id = new_id()

    await speaker.say(ticket.raised())

    (refused,) = await deadletters.open_messages(database)
    assert refused.status == "parked"
    assert "another client" in (refused.error_text or "")
    assert await stored(database) == []
