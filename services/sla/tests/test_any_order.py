"""A verdict follows from the facts: whatever order they arrive in, however often, live with timers or told as history."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st

from msp_events.base import Event
from msp_events.contracts import EscalationStepTerms
from msp_kit import deadletters
from msp_kit.database import SYSTEM, Database
from msp_kit.inbox import Inbox
from msp_kit.testing import Speaker, a_database
from sla import actions, reports
from sla.consumers import consumers
from sla.testing import MONDAY, ATicket, hours

TARGETS = {"first_response": "1h", "next_response": "2h", "resolution": "8h", "resolution critical": "2h"}
CHAIN = (EscalationStepTerms(step=1, at_percent=80, to_level="L2"), EscalationStepTerms(step=2, to_level="L3"))
STEPS = (
    "answer",
    "note",
    "wait",
    "client answers",
    "raise priority",
    "lower priority",
    "resolve",
    "close",
    "reopen",
    "merge",
)
# Minutes since the last fact; below zero: told after a fact that happened later.
STORIES = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(-90, 900)), min_size=1, max_size=12)


def told(ticket: ATicket, other: ATicket, story: Sequence[tuple[str, int]]) -> list[Event]:
    """Return what is said of a ticket, and of the one that is merged into it, in the order in which it is said."""
    events: list[Event] = [ticket.raised(), other.raised(priority="critical")]
    moment = ticket.raised_at
    for step, minutes in story:
        moment = max(moment + timedelta(minutes=minutes), ticket.raised_at)
        status = ticket.state["status"]
        is_done = status in ("resolved", "closed")
        if step in ("answer", "note"):
            events.append(ticket.message(moment, is_public=step == "answer"))
        elif step == "client answers":
            more = {"status": "open"} if status == "waiting_on_client" else {}
            events.append(ticket.message(moment, "client", **more))
        elif step.endswith("priority"):
            events.append(ticket.moved(moment, priority="critical" if step.startswith("raise") else "low"))
        elif step == "merge" and other.state["status"] != "closed":
            events += [other.moved(moment, status="closed"), ticket.moved(moment, priority="critical")]
        elif step == "wait" and not is_done:
            events.append(ticket.moved(moment, status="waiting_on_client"))
        elif step == "resolve" and not is_done:
            events.append(ticket.resolved(moment))
        elif step == "close" and status == "resolved":
            events.append(ticket.moved(moment, status="closed"))
        elif step == "reopen" and is_done:
            events.append(ticket.reopened(moment))
    return events


class Way:
    """One way for a story to arrive: a contract and two tickets of its own."""

    def __init__(self, database: Database, story: Sequence[tuple[str, int]]) -> None:
        self.database = database
        self.speaker = Speaker(Inbox(database, consumers))
        raised_at = MONDAY + timedelta(hours=8, minutes=30)
        self.ticket = ATicket(raised_at=raised_at)
        self.other = ATicket(client_id=self.ticket.client_id, contract_id=self.ticket.contract_id, raised_at=raised_at)
        contract = self.ticket.contract(calendar=hours("09-17"), targets=TARGETS, escalation=CHAIN)
        self.contract = self.speaker.envelope(contract)
        self.facts = [self.speaker.envelope(event) for event in told(self.ticket, self.other, story)]

    async def fire(self) -> None:
        async with self.database.transaction(SYSTEM) as tx:
            while await actions.fire_due(tx):
                pass

    async def in_order(self) -> None:
        """Tell everything at once, as an import does."""
        await self.speaker.inbox.accept([self.contract, *self.facts])

    async def live(self) -> None:
        """Tell fact after fact; timers run in between, long after what they time, so that they fire too much."""
        await self.speaker.inbox.accept([self.contract])
        for fact in self.facts:
            await self.speaker.inbox.accept([fact])
            await self.fire()

    async def shuffled(self, chance: random.Random) -> None:
        """Tell facts in any order, some twice, in any batches, the terms somewhere among them; timers run in between."""
        waiting = [self.contract, *self.facts]
        waiting += chance.sample(waiting, k=len(waiting) // 2)
        chance.shuffle(waiting)
        while waiting:
            size = chance.randint(1, 4)
            batch, waiting = waiting[:size], waiting[size:]
            await self.speaker.inbox.accept(batch)
            if chance.random() < 0.3:
                await self.fire()
        while await deadletters.open_messages(self.database):
            async with self.database.transaction(SYSTEM) as tx:
                await tx.driver.execute("UPDATE bus.inbox SET next_at = clock_timestamp() WHERE status = 'retry'")
            assert await self.speaker.inbox.sweep(), "what is open can be tried again"

    async def outcome(self) -> list[tuple[Any, ...]]:
        """Return the clocks of both tickets with their intervals, and the breaches that stand."""
        await self.fire()
        found = []
        async with self.database.transaction(SYSTEM) as tx:
            for name, ticket in (("ticket", self.ticket), ("other", self.other)):
                rows = await tx.fetch(
                    "SELECT metric, cycle, round, status, verdict, breached_at, breach_reason, is_breach_carried, stopped_at,"
                    " stop_reason, due_at, carried_seconds, consumed_seconds, intervals,"
                    " (SELECT count(*) FROM firings WHERE clock_id = id AND kind = 'breach' AND voided_at IS NULL) AS breaches"
                    " FROM clocks WHERE ticket_id = $1 ORDER BY metric, cycle, round",
                    ticket.ticket_id,
                )
                found += [(name, *row.values()) for row in rows]
        return found


async def check(database: Database, story: Sequence[tuple[str, int]], chance: random.Random) -> None:
    ways = [Way(database, story) for _ in range(3)]
    await ways[0].in_order()
    await ways[1].live()
    await ways[2].shuffled(chance)

    expected = await ways[0].outcome()
    assert len(expected) >= 4, "both tickets have their clocks"
    assert await ways[1].outcome() == expected
    assert await ways[2].outcome() == expected
    async with database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == []


def test_verdicts_follow_from_the_facts_in_whatever_order_they_arrive() -> None:
    with asyncio.Runner() as runner:
        made = a_database(service="sla", database="sla", module="sla")
        database = runner.run(made.__aenter__())
        try:

            @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
            @given(STORIES, st.integers(0, 2**32))
            def holds(story: list[tuple[str, int]], seed: int) -> None:
                # A seed, not hypothesis' own generator: that one may give up in the middle of a story.
                runner.run(check(database, story, random.Random(seed)))  # noqa: S311 - a shuffle, not a secret

            holds()
        finally:
            runner.run(made.__aexit__(None, None, None))
