"""Timers: each step fires exactly once, at its instant, by any number of workers."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from msp_events.contracts import EscalationStepTerms
from msp_events.sla import EscalationRequested, SlaAtRisk, SlaBreached
from msp_kit import jobs
from msp_kit.database import SYSTEM, Database
from msp_kit.testing import Speaker, eventually, said
from sla import actions, store
from sla.jobs import JOBS
from sla.testing import ATicket

CHAIN = (
    EscalationStepTerms(step=1, at_percent=75, to_level="L2", notify=("lead",)),
    EscalationStepTerms(step=2, at_percent=100, to_level="L3"),
    EscalationStepTerms(step=3, at_percent=150, to_level="SA"),
)
FOUR_HOURS = {"resolution": "4h"}


async def now_of(database: Database) -> datetime:
    async with database.transaction(SYSTEM) as tx:
        return tx.now.replace(microsecond=0)


async def fire(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        await actions.fire_due(tx)


async def fired(database: Database) -> list[str]:
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT step FROM firings ORDER BY due_at, percent, step")
    return [row["step"] for row in rows]


async def next_step_at(database: Database) -> Any:
    async with database.transaction(SYSTEM) as tx:
        return await tx.fetchval("SELECT next_step_at FROM clocks")


async def test_what_fell_due_while_nobody_looked_fires_at_once_and_once(database: Database, speaker: Speaker) -> None:
    now = await now_of(database)
    ticket = ATicket(raised_at=now - timedelta(hours=5))
    await speaker.say(ticket.contract(targets=FOUR_HOURS, escalation=CHAIN), ticket.raised())

    await fire(database)
    await fire(database)

    assert await fired(database) == ["at_risk:50", "at_risk:75", "escalate:1", "at_risk:90", "breach", "escalate:2"]
    assert [one.threshold_percent for one in await said(database, SlaAtRisk)] == [50, 75, 90]
    (breach,) = await said(database, SlaBreached)
    assert (breach.occurred_at, breach.breached_at) == (now - timedelta(hours=1), now - timedelta(hours=1))
    assert (breach.remaining_seconds, breach.is_breached) == (0, True)
    steps = [(one.step, one.to_level, one.notify) for one in await said(database, EscalationRequested)]
    assert steps == [(1, "L2", ("lead",)), (2, "L3", ("manager",))]
    assert await next_step_at(database) == now + timedelta(hours=1)


async def test_revisions_of_a_clock_have_no_gap(database: Database, speaker: Speaker) -> None:
    now = await now_of(database)
    ticket = ATicket(raised_at=now - timedelta(hours=5))
    await speaker.say(ticket.contract(targets=FOUR_HOURS, escalation=CHAIN), ticket.raised())
    await fire(database)
    await speaker.say(ticket.resolved(now))

    revisions = [one.revision for one in await said(database)]
    assert revisions == list(range(1, len(revisions) + 1))


async def test_nothing_fires_before_its_instant_or_while_paused(database: Database, speaker: Speaker) -> None:
    now = await now_of(database)
    early, waiting = (ATicket(raised_at=now - timedelta(hours=1)) for _ in range(2))
    waiting.contract_id, waiting.client_id = early.contract_id, early.client_id
    await speaker.say(early.contract(targets=FOUR_HOURS, escalation=CHAIN))
    await speaker.say(early.raised(), waiting.raised(status="waiting_on_client"))

    await fire(database)

    assert await fired(database) == []


async def test_two_workers_share_the_work_and_fire_each_step_once(database: Database, speaker: Speaker) -> None:
    now = await now_of(database)
    tickets = [ATicket(raised_at=now - timedelta(hours=5)) for _ in range(600)]
    for ticket in tickets:
        ticket.contract_id, ticket.client_id = tickets[0].contract_id, tickets[0].client_id
    await speaker.say(tickets[0].contract(targets=FOUR_HOURS, escalation=CHAIN))
    for start in range(0, len(tickets), 200):
        await speaker.say(*(ticket.raised() for ticket in tickets[start : start + 200]))

    async def work() -> None:
        has_more = True
        while has_more:
            async with database.transaction(SYSTEM) as tx:
                has_more = await actions.fire_due(tx)

    await asyncio.gather(*(work() for _ in range(4)))
    await work()

    counts = Counter(await fired(database))
    expected = ("at_risk:50", "at_risk:75", "escalate:1", "at_risk:90", "breach", "escalate:2")
    assert counts == dict.fromkeys(expected, 600)
    assert len(await said(database, SlaBreached)) == 600


async def test_a_stop_that_races_with_the_timer_says_one_breach(database: Database, speaker: Speaker) -> None:
    now = await now_of(database)
    tickets = [ATicket(raised_at=now - timedelta(hours=5)) for _ in range(50)]
    for ticket in tickets:
        ticket.contract_id, ticket.client_id = tickets[0].contract_id, tickets[0].client_id
    await speaker.say(tickets[0].contract(targets=FOUR_HOURS))
    await speaker.say(*(ticket.raised() for ticket in tickets))

    await asyncio.gather(
        fire(database), speaker.say(*(ticket.resolved(now) for ticket in tickets)), fire(database), fire(database)
    )

    breached = Counter(one.ticket_id for one in await said(database, SlaBreached))
    assert set(breached.values()) == {1}
    assert len(breached) == 50


async def test_the_job_fires_within_its_poll(database: Database, speaker: Speaker) -> None:
    now = await now_of(database)
    ticket = ATicket(raised_at=now - timedelta(seconds=59))
    stopping = asyncio.Event()
    running = asyncio.create_task(jobs.run(JOBS[0], database, stopping=stopping))
    await speaker.say(ticket.contract(targets={"resolution": "1m"}), ticket.raised())

    async def breaches() -> list[SlaBreached]:
        return await said(database, SlaBreached)

    (breach,) = await eventually(breaches)
    stopping.set()
    await running

    assert breach.occurred_at == now + timedelta(seconds=1)
    async with database.transaction(SYSTEM) as tx:
        late = await tx.fetchval("SELECT fired_at - due_at FROM firings WHERE step = 'breach'")
    assert late >= timedelta(0)


async def test_acknowledging_stops_the_chain_but_not_the_breach(database: Database, speaker: Speaker) -> None:
    now = await now_of(database)
    ticket = ATicket(raised_at=now - timedelta(hours=3, minutes=10))
    await speaker.say(ticket.contract(targets=FOUR_HOURS, escalation=CHAIN), ticket.raised())
    await fire(database)
    async with database.transaction(SYSTEM) as tx:
        clock_id = await tx.fetchval("SELECT id FROM clocks")
        await actions.acknowledge(tx, clock_id, actor="sofia")

    await move_time(database, ticket, hours=3)
    await fire(database)

    assert sorted(await fired(database)) == ["at_risk:50", "at_risk:75", "at_risk:90", "breach", "escalate:1"]


async def move_time(database: Database, ticket: ATicket, *, hours: int) -> None:
    """Let the clock of a ticket have started earlier, as if time had gone by."""
    async with database.transaction(SYSTEM) as tx:
        clock = (await store.lock_tickets(tx, [ticket.ticket_id]))[ticket.ticket_id].clocks[0]
        earlier = clock.started_at - timedelta(hours=hours)
        await tx.driver.execute(
            "UPDATE clocks SET started_at = $2, running_since = $2, next_step_at = now(),"
            " intervals = jsonb_set(intervals, '{0,starts_at}', to_jsonb($3::text)) WHERE id = $1",
            clock.id,
            earlier,
            earlier.isoformat(),
        )


async def test_an_import_in_progress_fires_nothing_until_its_story_is_told(
    database: Database, speaker: Speaker
) -> None:
    now = await now_of(database)
    ticket = ATicket(raised_at=now - timedelta(days=30))
    await speaker.say(ticket.contract(targets=FOUR_HOURS, escalation=CHAIN), ticket.raised(is_imported=True))

    await fire(database)

    assert await fired(database) == []
    assert await next_step_at(database) > now + timedelta(seconds=20)
    await let_the_hold_pass(database)
    await fire(database)
    assert await fired(database) == [
        "at_risk:50",
        "at_risk:75",
        "escalate:1",
        "at_risk:90",
        "breach",
        "escalate:2",
        "escalate:3",
    ]


async def let_the_hold_pass(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        await tx.driver.execute("UPDATE clocks SET next_step_at = now() WHERE next_step_at IS NOT NULL")
