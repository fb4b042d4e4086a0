"""Time: as typed, by timer, corrected, late, locked; and what the database never lets through."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import asyncpg
import pytest

from msp_events.billing import PeriodCloseRequested
from msp_events.tickets import TimeLogged, TimeVoided
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.testing import a_staff_person, eventually, said
from tickets import reports
from tickets.testing import MONDAY

LOCK = {"locked_before": "2026-11-10", "reason": "October is with the client"}


async def logged(desk: Any, ticket: dict[str, Any], **given: Any) -> Any:
    body = {"ticket_id": ticket["id"], **given}
    return await desk.requests.post(desk.agent, "/time-entries", body)


async def sealed(desk: Any, *, ends_on: str) -> None:
    await desk.speaker.say(
        PeriodCloseRequested(
            occurred_at=MONDAY,
            period_close_id=new_id(),
            run_id=new_id(),
            client_id=desk.ours,
            starts_on=date(2026, 1, 1),
            ends_on=date.fromisoformat(ends_on),
            timezone="Europe/London",
            lists_unapproved=True,
        )
    )


@pytest.mark.parametrize(("typed", "minutes"), [("45m", 45), ("1h15", 75), ("1.25", 75), ("14:00-14:45", 45)])
async def test_time_is_taken_as_people_type_it(desk: Any, typed: str, minutes: int) -> None:
    ticket = await desk.raised()

    entry = await logged(desk, ticket, time=typed, worked_from="2026-11-09T12:00:00Z")

    assert (entry.status_code, entry.json()["worked_minutes"]) == (201, minutes)
    begins = "2026-11-09T14:00:00Z" if "-" in typed else "2026-11-09T12:00:00Z"
    assert entry.json()["worked_from"] == begins


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"time": "soon"}, "time-not-understood"),
        ({"time": "25h"}, "too-much-time"),
        ({"worked_minutes": 1500}, "invalid-request"),
        ({"time": "1h", "worked_minutes": 5}, "invalid-request"),
        ({}, "invalid-request"),
        ({"worked_minutes": 60, "worked_from": "2199-01-01T00:00:00Z"}, "worked-in-the-future"),
    ],
)
async def test_what_is_no_time_of_the_past_day_is_refused(desk: Any, given: dict[str, Any], code: str) -> None:
    ticket = await desk.raised()

    answer = await logged(desk, ticket, **given)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await said(desk.database, TimeLogged) == []


async def test_work_that_ends_in_the_future_is_refused(desk: Any) -> None:
    ticket = await desk.raised()
    async with desk.database.transaction(SYSTEM) as tx:
        now = tx.now

    answer = await logged(desk, ticket, worked_minutes=120, worked_from=now.isoformat())

    assert (answer.status_code, answer.json()["code"]) == (422, "worked-in-the-future")


async def test_an_overlap_is_a_warning(desk: Any) -> None:
    ticket = await desk.raised()
    await logged(desk, ticket, worked_minutes=60, worked_from="2026-11-09T09:00:00Z")

    touching = await logged(desk, ticket, worked_minutes=30, worked_from="2026-11-09T10:00:00Z")
    overlapping = await logged(desk, ticket, worked_minutes=30, worked_from="2026-11-09T09:59:00Z")

    assert touching.json()["warnings"] == []
    assert overlapping.json()["warnings"] == [
        "overlaps 60 min logged from 2026-11-09 09:00 UTC",
        "overlaps 30 min logged from 2026-11-09 10:00 UTC",
    ]


async def test_a_timer_runs_once_and_becomes_an_entry(desk: Any) -> None:
    ticket = await desk.raised()
    started = await desk.requests.post(desk.agent, "/time-entries/timer", {"ticket_id": ticket["id"], "note": "router"})
    second = await desk.requests.post(desk.agent, "/time-entries/timer", {"ticket_id": ticket["id"]})
    async with desk.database.transaction(SYSTEM) as tx:
        await tx.driver.execute("UPDATE timers SET started_at = started_at - interval '20 minutes 10 seconds'")

    stopped = await desk.requests.post(desk.agent, "/time-entries/timer/stop")
    none = await desk.requests.post(desk.agent, "/time-entries/timer/stop")

    assert (started.status_code, started.json()["ref"]) == (201, ticket["ref"])
    assert (second.status_code, second.json()["code"]) == (409, "conflict")
    assert (stopped.json()["worked_minutes"], stopped.json()["note"]) == (21, "router")
    assert none.status_code == 404
    assert (await desk.requests.get(desk.agent, "/time-entries/timer")).json() is None


async def test_a_timer_of_more_than_a_day_asks_what_of_it_was_work(desk: Any) -> None:
    ticket = await desk.raised()
    await desk.requests.post(desk.agent, "/time-entries/timer", {"ticket_id": ticket["id"]})
    async with desk.database.transaction(SYSTEM) as tx:
        await tx.driver.execute("UPDATE timers SET started_at = started_at - interval '30 hours'")

    refused = await desk.requests.post(desk.agent, "/time-entries/timer/stop")
    taken = await desk.requests.post(desk.agent, "/time-entries/timer/stop", {"worked_minutes": 90})

    assert (refused.status_code, refused.json()["code"]) == (422, "too-much-time")
    assert (taken.status_code, taken.json()["worked_minutes"]) == (201, 90)


async def test_a_correction_is_a_new_entry_that_points_at_the_old_one(desk: Any) -> None:
    ticket = await desk.raised()
    old = (await logged(desk, ticket, worked_minutes=45, worked_from="2026-11-09T09:00:00Z")).json()

    new = await desk.requests.post(
        desk.agent, f"/time-entries/{old['id']}/correct", {"worked_minutes": 30, "reason": "lunch"}
    )
    same = await desk.requests.post(
        desk.agent, f"/time-entries/{new.json()['id']}/correct", {"worked_minutes": 30, "reason": "again"}
    )

    assert (new.status_code, new.json()["corrects_id"], new.json()["warnings"]) == (201, old["id"], [])
    assert (same.status_code, same.json()["code"]) == (422, "corrects-nothing")
    (voided,) = await said(desk.database, TimeVoided)
    assert (str(voided.time_entry_id), voided.decision_reason) == (old["id"], "corrected: lunch")
    assert str((await said(desk.database, TimeLogged))[-1].corrects_id) == old["id"]


async def test_a_sealed_entry_stays_and_the_correction_holds_what_was_missing(desk: Any) -> None:
    ticket = await desk.raised()
    old = (await logged(desk, ticket, worked_minutes=45, worked_from="2026-10-09T09:00:00Z")).json()
    await desk.requests.post(desk.manager, f"/time-entries/{old['id']}/approve")
    await sealed(desk, ends_on="2026-11-01")

    fewer = await desk.requests.post(
        desk.agent, f"/time-entries/{old['id']}/correct", {"worked_minutes": 30, "reason": "x"}
    )
    more = await desk.requests.post(
        desk.agent, f"/time-entries/{old['id']}/correct", {"worked_minutes": 60, "reason": "x"}
    )

    assert (fewer.status_code, fewer.json()["code"]) == (409, "entry-sealed")
    assert (more.json()["worked_minutes"], more.json()["worked_from"], more.json()["is_late"]) == (
        15,
        "2026-10-09T09:45:00Z",
        True,
    )
    async with desk.database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == []


async def test_time_of_a_sealed_period_is_late_and_of_a_locked_one_is_the_manager_s(desk: Any) -> None:
    ticket = await desk.raised()
    await sealed(desk, ends_on="2026-11-01")
    late = await logged(desk, ticket, worked_minutes=5, worked_from="2026-10-31T23:00:00Z")
    in_time = await logged(desk, ticket, worked_minutes=5, worked_from="2026-11-01T00:00:00Z")
    await desk.requests.send(desk.manager, "PUT", f"/time-entries/locks/{desk.ours}", LOCK)

    locked = await logged(desk, ticket, worked_minutes=5, worked_from="2026-11-09T23:00:00Z")
    withdrawn = await desk.requests.post(desk.agent, f"/time-entries/{in_time.json()['id']}/void", {"reason": "x"})
    by_manager = await desk.logged(ticket, by=desk.manager, worked_from="2026-11-09T22:00:00Z")

    assert (late.json()["is_late"], "late entry" in late.json()["warnings"][0]) == (True, True)
    assert in_time.json()["is_late"] is False
    assert [(one.status_code, one.json()["code"]) for one in (locked, withdrawn)] == [(409, "period-locked")] * 2
    assert by_manager["status"] == "submitted"
    assert [one["locked_before"] for one in (await desk.requests.get(desk.agent, "/time-entries/locks")).json()] == [
        "2026-11-10"
    ]


async def test_the_week_adds_up_on_the_wall_of_the_agent(desk: Any) -> None:
    ticket = await desk.raised()
    agent = await desk.an_agent(person_id=str(desk.agent.id))
    await desk.requests.send(
        desk.manager, "PUT", f"/agents/{agent['id']}/shifts", {"timezone": "America/New_York", "shifts": []}
    )
    for worked_from, minutes in (
        ("2026-11-09T03:00:00Z", 30),
        ("2026-11-09T15:00:00Z", 60),
        ("2026-11-15T23:30:00Z", 45),
    ):
        await logged(desk, ticket, worked_minutes=minutes, worked_from=worked_from)

    week = (await desk.requests.get(desk.agent, "/time-entries/week?on=2026-11-12")).json()

    assert (week["starts_on"], week["timezone"], week["overlaps"]) == ("2026-11-09", "America/New_York", 0)
    assert week["day_minutes"] == [60, 0, 0, 0, 0, 0, 45], "03:00 UTC is Sunday of the week before in New York"
    assert (week["rows"][0]["ref"], week["total_minutes"], week["submitted_minutes"]) == (ticket["ref"], 105, 105)


async def test_the_database_lets_nobody_approve_their_own_or_touch_what_is_sealed(desk: Any) -> None:
    ticket = await desk.raised()
    own = await desk.logged(ticket, by=desk.manager, worked_from="2026-10-01T10:00:00Z")
    for statement, arguments, code in (
        (
            "UPDATE time_entries SET status = 'approved', decided_by = $2 WHERE id = $1",
            (str(desk.manager.id),),
            "MSP02",
        ),
        ("UPDATE time_entries SET worked_minutes = 44 WHERE id = $1", (), "MSP01"),
    ):
        with pytest.raises(asyncpg.PostgresError) as refused:
            async with desk.database.transaction(SYSTEM) as tx:
                await tx.driver.execute(statement, own["id"], *arguments)
        assert refused.value.sqlstate == code
    await desk.requests.post(a_staff_person("manager"), f"/time-entries/{own['id']}/approve")
    await sealed(desk, ends_on="2026-11-01")
    with pytest.raises(asyncpg.PostgresError) as refused:
        async with desk.database.transaction(SYSTEM) as tx:
            await tx.driver.execute(
                "UPDATE time_entries SET sealed_in = NULL, status = 'voided' WHERE id = $1", own["id"]
            )
    assert refused.value.sqlstate == "MSP03"


async def test_an_internal_note_stays_at_the_desk(desk: Any) -> None:
    ticket = await desk.raised()
    await logged(desk, ticket, worked_minutes=5, note="Reset", internal_note="their admin is away")

    seen = await desk.requests.get(desk.priya, f"/tickets/{ticket['id']}")

    assert "Reset" in seen.text
    assert "their admin is away" not in seen.text
    assert "their admin is away" not in str(await said(desk.database, TimeLogged))


async def test_approving_a_client_s_time_waits_for_entries_that_are_being_written(desk: Any) -> None:
    ticket = await desk.raised()
    made = [(await logged(desk, ticket, worked_minutes=15)).json() for _ in range(3)]
    async with desk.database.transaction(SYSTEM) as tx:
        # As the consumer does that notes what became of an entry's hours.
        await tx.fetch("SELECT id FROM time_entries WHERE id = $1 FOR UPDATE", made[0]["id"])
        body = {"client_id": str(desk.ours), "before": "2199-01-01T00:00:00Z"}
        approving = asyncio.create_task(desk.requests.post(desk.manager, "/time-entries/approve", body))
        await eventually(lambda: waits_for_a_lock(desk.database))
    answer = await approving

    assert answer.json() == {"approved": 3, "refused": []}


async def waits_for_a_lock(database: Any) -> bool:
    async with database.transaction(SYSTEM) as tx:
        found: bool = await tx.fetchval(
            "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE NOT l.granted AND a.datname = current_database())"
        )
    return found
