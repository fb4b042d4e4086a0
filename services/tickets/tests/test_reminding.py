"""Reminders of time: of what waits, once a day; of what is missing, once before a month is over."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from msp_events.tickets import TimeUnsubmitted, TimeWaiting
from msp_kit.database import SYSTEM
from msp_kit.testing import said
from tickets.actions import reminding
from tickets.domain.reminder import CLOSING_DAYS, is_nearly_over, month_of

NOVEMBER = date(2026, 11, 30)


async def reminded(desk: Any, verb: Any, on: date) -> None:
    async with desk.database.transaction(SYSTEM) as tx:
        while await verb(tx, on=on):
            pass


async def logged(desk: Any, minutes: int) -> dict[str, Any]:
    ticket = await desk.raised()
    body = {"ticket_id": ticket["id"], "worked_minutes": minutes, "worked_from": "2026-11-09T09:00:00Z"}
    answer = await desk.requests.post(desk.agent, "/time-entries", body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_waiting_time_is_said_once_a_day_while_there_is_some(desk: Any) -> None:
    await reminded(desk, reminding.remind_of_waiting, NOVEMBER)
    entry = await logged(desk, 60)
    await logged(desk, 35)
    for _ in range(2):
        await reminded(desk, reminding.remind_of_waiting, NOVEMBER)
    await desk.requests.post(desk.manager, f"/time-entries/{entry['id']}/approve", {})
    await reminded(desk, reminding.remind_of_waiting, NOVEMBER + timedelta(days=1))

    found = await said(desk.database, TimeWaiting)

    assert [(one.entry_count, one.worked_minutes, one.period_ends_on) for one in found] == [
        (2, 95, date(2026, 12, 1)),
        (1, 35, date(2027, 1, 1)),
    ]


async def test_an_agent_hears_of_a_running_timer_and_of_rejected_time_before_the_month_is_over(desk: Any) -> None:
    entry = await logged(desk, 60)
    rejected = await desk.requests.post(
        desk.manager, f"/time-entries/{entry['id']}/reject", {"reason": "which router?"}
    )
    assert rejected.status_code == 200
    ticket = await desk.raised()
    await desk.requests.post(desk.agent, "/time-entries/timer", {"ticket_id": ticket["id"]})
    async with desk.database.transaction(SYSTEM) as tx:
        await tx.driver.execute("UPDATE timers SET started_at = started_at - interval '20 minutes 10 seconds'")

    for on in (date(2026, 11, 28), date(2026, 11, 29), NOVEMBER):
        await reminded(desk, reminding.remind_of_unsubmitted, on)

    (told,) = await said(desk.database, TimeUnsubmitted)
    assert (told.person_id, told.open_minutes, told.period_ends_on) == (desk.agent.id, 80, date(2026, 12, 1))


async def test_nobody_hears_of_time_that_is_submitted(desk: Any) -> None:
    await logged(desk, 60)

    await reminded(desk, reminding.remind_of_unsubmitted, NOVEMBER)

    assert await said(desk.database, TimeUnsubmitted) == []


@pytest.mark.parametrize("verb", [reminding.remind_of_waiting, reminding.remind_of_unsubmitted])
async def test_two_workers_remind_once(desk: Any, verb: Any) -> None:
    await logged(desk, 60)
    ticket = await desk.raised()
    await desk.requests.post(desk.agent, "/time-entries/timer", {"ticket_id": ticket["id"]})

    await asyncio.gather(*(reminded(desk, verb, NOVEMBER) for _ in range(4)))

    assert len(await said(desk.database, TimeWaiting)) + len(await said(desk.database, TimeUnsubmitted)) == 1


@given(st.dates(date(2000, 1, 1), date(2199, 12, 1)))
def test_every_month_is_nearly_over_on_its_last_days_and_no_other(on: date) -> None:
    starts_on, ends_on = month_of(on)

    assert starts_on <= on < ends_on
    assert ends_on.day == starts_on.day == 1
    assert is_nearly_over(on) == (on + timedelta(days=CLOSING_DAYS) >= ends_on)
