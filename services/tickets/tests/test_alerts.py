"""Alerts: one ticket for what goes on, over HTTP and over the bus."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from msp_events.monitoring import AlertCleared, AlertFired
from msp_events.tickets import TicketRaised
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.testing import said
from tickets import reports
from tickets.testing import MONDAY


def an_alert(desk: Any, **given: Any) -> dict[str, Any]:
    default = {
        "client_code": "HLO",
        "system": "zabbix",
        "dedup_key": "gw-01:ping",
        "state": "firing",
        "severity": "warning",
        "title": "gw-01 does not answer",
        "job_type": "network",
    }
    return {**default, **given}


async def told(desk: Any, **given: Any) -> Any:
    answer = await desk.requests.post(desk.agent, "/alerts", an_alert(desk, **given))
    return (answer.json()["step"], answer.json()["ref"]) if answer.status_code == 200 else answer


async def test_what_goes_on_is_one_ticket_until_it_is_closed(desk: Any) -> None:
    opened = await told(desk)
    again = await told(desk)
    worse = await told(desk, severity="critical")
    seen = (await desk.requests.get(desk.agent, "/tickets/HLO-1")).json()
    over, over_again = await told(desk, state="cleared"), await told(desk, state="cleared")
    back = await told(desk)
    await desk.requests.post(desk.agent, f"/tickets/{seen['id']}/status", {"status": "closed"})
    anew = await told(desk)

    assert [opened, again, worse, over, over_again, back, anew] == [
        ("open", "HLO-1"),
        ("nothing", "HLO-1"),
        ("tell", "HLO-1"),
        ("resolve", "HLO-1"),
        ("nothing", "HLO-1"),
        ("reopen", "HLO-1"),
        ("open", "HLO-2"),
    ]
    assert (seen["priority"], seen["source"], seen["tags"]) == ("critical", "alert", ["alert"])
    async with desk.database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == []


async def test_many_tellings_at_once_open_one_ticket(desk: Any) -> None:
    steps = await asyncio.gather(*(told(desk) for _ in range(6)))

    assert sorted(step for step, _ in steps) == ["nothing"] * 5 + ["open"]
    assert len(await said(desk.database, TicketRaised)) == 1


async def test_old_news_changes_nothing(desk: Any) -> None:
    await told(desk, at="2026-11-09T10:00:00Z")
    await told(desk, state="cleared", at="2026-11-09T10:05:00Z")

    late = await told(desk, at="2026-11-09T10:01:00Z")

    assert late == ("nothing", "HLO-1")
    assert (await desk.requests.get(desk.agent, "/tickets/HLO-1")).json()["status"] == "resolved"


async def test_over_the_bus_a_repeated_alert_is_one_ticket(desk: Any) -> None:
    facts = {name: value for name, value in an_alert(desk).items() if name not in ("client_code", "state")}
    fired = AlertFired(occurred_at=MONDAY, alert_id=new_id(), client_id=desk.ours, **facts)
    cleared = AlertCleared(occurred_at=MONDAY + timedelta(minutes=5), alert_id=new_id(), client_id=desk.ours, **facts)

    (envelope,) = await desk.speaker.say(fired)
    await desk.speaker.inbox.accept([envelope])
    await desk.speaker.say(AlertFired(**{**dict(fired), "alert_id": new_id()}))
    await desk.speaker.say(cleared)

    assert len(await said(desk.database, TicketRaised)) == 1
    assert (await desk.requests.get(desk.agent, "/tickets/HLO-1")).json()["status"] == "resolved"


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"client_code": "NOPE"}, 404, "not-found"),
        ({"job_type": "security"}, 422, "job-type-outside-contract"),
        ({"client_id": str(new_id())}, 422, "invalid-request"),
        ({"severity": "bad"}, 422, "invalid-request"),
    ],
)
async def test_alerts_nobody_can_take_are_told_why(desk: Any, given: dict[str, Any], status: int, code: str) -> None:
    answer = await told(desk, **given)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_an_alert_nobody_can_take_over_the_bus_is_put_aside(desk: Any) -> None:
    facts = {name: value for name, value in an_alert(desk).items() if name not in ("client_code", "state")}

    await desk.speaker.say(AlertFired(occurred_at=MONDAY, alert_id=new_id(), client_id=new_id(), **facts))

    async with desk.database.transaction(SYSTEM) as tx:
        assert await tx.fetchval("SELECT status FROM bus.inbox WHERE type LIKE '%AlertFired'") == "parked"
