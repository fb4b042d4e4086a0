"""The chain on a real database: what a step asks for is said, and quiet hours hold it back."""

from __future__ import annotations

from datetime import datetime, timedelta

from msp_events.contracts import EscalationStepTerms
from msp_events.sla import EscalationRequested, SlaBreached
from msp_kit.database import SYSTEM, Database
from msp_kit.testing import Requests, Speaker, a_staff_person, said
from sla import actions
from sla.testing import ATicket

MANAGER = a_staff_person("manager")
CHAIN = (
    EscalationStepTerms(step=1, at_percent=50, notify=("lead",)),
    EscalationStepTerms(step=2, to_level="L3", to_queue="network-desk", to_priority="critical"),
)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


async def now_of(database: Database) -> datetime:
    async with database.transaction(SYSTEM) as tx:
        return tx.now.replace(microsecond=0)


async def fire(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        await actions.fire_due(tx)


def quiet_until(ends_at: datetime) -> dict[str, list[list[str]]]:
    """Return quiet hours, in UTC, that began 12 hours before an instant; they fall on every day alike."""
    starts_at = ends_at - timedelta(hours=12)
    return {day: [[f"{starts_at:%H:%M}", f"{ends_at:%H:%M}"]] for day in WEEKDAYS}


async def overdue(speaker: Speaker, now: datetime, *, priority: str = "high", quiet_ends_at: datetime) -> ATicket:
    """Return a ticket whose resolution was due an hour ago."""
    ticket = ATicket(raised_at=now - timedelta(hours=5), state={"priority": priority})
    quiet = quiet_until(quiet_ends_at)
    await speaker.say(
        ticket.contract(targets={"resolution": "4h"}, escalation=CHAIN, quiet_hours=quiet), ticket.raised()
    )
    return ticket


async def test_a_step_says_level_queue_and_priority(database: Database, speaker: Speaker, requests: Requests) -> None:
    now = await now_of(database)
    ticket = await overdue(speaker, now, quiet_ends_at=now - timedelta(hours=6))

    await fire(database)

    asked = [
        (one.step, one.to_level, one.to_queue, one.to_priority) for one in await said(database, EscalationRequested)
    ]
    assert asked == [(1, None, None, None), (2, "L3", "network-desk", "critical")]
    (clock,) = (await requests.get(MANAGER, f"/clocks?ticket_id={ticket.ticket_id}")).json()["items"]
    assert [(one["step"], one["to_queue"]) for one in clock["escalations"]] == [(1, None), (2, "network-desk")]


async def test_quiet_hours_hold_the_chain_back_and_not_the_breach(
    database: Database, speaker: Speaker, requests: Requests
) -> None:
    now = await now_of(database)
    ends_at = (now + timedelta(hours=2)).replace(second=0)
    ticket = await overdue(speaker, now, quiet_ends_at=ends_at)

    await fire(database)

    assert len(await said(database, SlaBreached)) == 1
    assert await said(database, EscalationRequested) == []
    (clock,) = (await requests.get(MANAGER, f"/clocks?ticket_id={ticket.ticket_id}")).json()["items"]
    assert (clock["next_step"]["kind"], clock["next_step"]["step"]) == ("escalate", 1)
    assert datetime.fromisoformat(clock["next_step"]["at"]) == ends_at


async def test_critical_tickets_escalate_in_quiet_hours_too(database: Database, speaker: Speaker) -> None:
    now = await now_of(database)
    await overdue(speaker, now, priority="critical", quiet_ends_at=now + timedelta(hours=2))

    await fire(database)

    assert len(await said(database, EscalationRequested)) == 2
