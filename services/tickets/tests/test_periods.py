"""A sealed period that contracts opened again: its time can change, and is sealed anew."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from msp_events.billing import PeriodCloseRequested
from msp_events.contracts import PeriodReopened
from msp_events.tickets import WorklogSealed
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.testing import said
from tickets import reports
from tickets.testing import MONDAY

PERIOD = {"occurred_at": MONDAY, "starts_on": date(2026, 10, 1), "ends_on": date(2026, 11, 1)}


async def asked(desk: Any, close_id: UUID, *, attempt: int = 1) -> None:
    await desk.speaker.say(
        PeriodCloseRequested(
            period_close_id=close_id,
            run_id=new_id(),
            client_id=desk.ours,
            timezone="Europe/London",
            attempt=attempt,
            **PERIOD,
        )
    )


async def approved(desk: Any, ticket: dict[str, Any], **given: Any) -> dict[str, Any]:
    body = {"ticket_id": ticket["id"], "worked_from": "2026-10-09T09:00:00Z", **given}
    entry: dict[str, Any] = (await desk.requests.post(desk.agent, "/time-entries", body)).json()
    await desk.requests.post(desk.manager, f"/time-entries/{entry['id']}/approve")
    return entry


async def test_a_reopened_period_lets_its_time_change_and_is_sealed_anew(desk: Any) -> None:
    ticket, close_id = await desk.raised(), new_id()
    entry = await approved(desk, ticket, worked_minutes=45)
    await asked(desk, close_id)
    path = f"/time-entries/{entry['id']}/correct"
    sealed = await desk.requests.post(desk.agent, path, {"worked_minutes": 30, "reason": "x"})
    event = PeriodReopened(period_close_id=close_id, client_id=desk.ours, reason="an entry was wrong", **PERIOD)

    await desk.speaker.say(event)
    await desk.speaker.say(event)
    fewer = await desk.requests.post(desk.agent, path, {"worked_minutes": 30, "reason": "counted twice"})
    await desk.requests.post(desk.manager, f"/time-entries/{fewer.json()['id']}/approve")
    await asked(desk, close_id, attempt=2)

    assert (sealed.status_code, sealed.json()["code"]) == (409, "entry-sealed")
    assert (fewer.status_code, fewer.json()["is_late"]) == (201, False)
    assert [(one.entry_count, one.worked_minutes) for one in await said(desk.database, WorklogSealed)] == [
        (1, 45),
        (1, 30),
    ]
    async with desk.database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == []


async def test_the_database_opens_no_entry_without_its_period(desk: Any) -> None:
    entry = await approved(desk, await desk.raised(), worked_minutes=45)
    await asked(desk, new_id())

    with pytest.raises(asyncpg.PostgresError) as refused:
        async with desk.database.transaction(SYSTEM) as tx:
            await tx.driver.execute("UPDATE time_entries SET sealed_in = NULL WHERE id = $1", entry["id"])

    assert refused.value.sqlstate == "MSP03"
