"""Locked time: who locks and opens it, and that nobody but a manager comes in by another door."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from msp_events.billing import PeriodCloseRequested
from msp_events.tickets import TimeLogged, TimeVoided
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.testing import a_staff_person, said
from tickets.testing import MONDAY

LOCK = {"locked_before": "2026-11-10", "reason": "October is with the client"}
INSIDE, OUTSIDE = "2026-11-09T10:00:00Z", "2026-11-11T10:00:00Z"


async def logged(desk: Any, ticket: dict[str, Any], **given: Any) -> Any:
    return await desk.requests.post(desk.agent, "/time-entries", {"ticket_id": ticket["id"], **given})


async def locked(desk: Any, client: Any = None) -> None:
    path = f"/time-entries/locks/{client or desk.ours}"
    assert (await desk.requests.send(desk.manager, "PUT", path, LOCK)).status_code == 204


async def test_who_locked_and_opened_a_period_stays_known(desk: Any) -> None:
    path = f"/time-entries/locks/{desk.ours}"
    await desk.requests.send(desk.manager, "PUT", path, LOCK)
    opened = await desk.requests.send(desk.manager, "PUT", path, {"locked_before": None, "reason": "One more entry"})
    ticket = await desk.raised()

    entry = await logged(desk, ticket, worked_minutes=5, worked_from="2026-11-09T10:00:00Z")
    changes = (await desk.requests.get(desk.agent, "/time-entries/locks/changes")).json()

    assert (opened.status_code, entry.status_code) == (204, 201)
    assert (await desk.requests.get(desk.agent, "/time-entries/locks")).json() == []
    assert [(one["locked_before"], one["reason"], one["changed_by"]) for one in changes] == [
        (None, "One more entry", desk.manager.name),
        ("2026-11-10", "October is with the client", desk.manager.name),
    ]


async def test_a_lock_is_the_manager_s_has_a_reason_and_leaves_today_open(desk: Any) -> None:
    async with desk.database.transaction(SYSTEM) as tx:
        in_two_days = (tx.now + timedelta(days=2)).date().isoformat()
    path = f"/time-entries/locks/{desk.ours}"

    answers = [
        await desk.requests.send(who, "PUT", where, body)
        for who, where, body in (
            (desk.agent, path, LOCK),
            (desk.priya, path, LOCK),
            (desk.manager, path, {"locked_before": "2026-11-10"}),
            (desk.manager, path, {**LOCK, "reason": ""}),
            (desk.manager, path, {**LOCK, "locked_before": in_two_days}),
            (desk.manager, f"/time-entries/locks/{new_id()}", LOCK),
        )
    ]

    assert [one.status_code for one in answers] == [403, 403, 422, 422, 422, 404]
    assert answers[4].json()["code"] == "period-not-over"
    assert (await desk.requests.get(desk.agent, "/time-entries/locks")).json() == []


async def test_an_entry_of_a_locked_period_is_not_corrected_away_to_an_open_day(desk: Any) -> None:
    ticket = await desk.raised()
    entry = (await logged(desk, ticket, worked_minutes=30, worked_from=INSIDE)).json()
    await locked(desk)
    path, away = f"/time-entries/{entry['id']}/correct", {"worked_from": OUTSIDE, "reason": "other day"}

    refused = await desk.requests.post(desk.agent, path, away)
    by_manager = await desk.requests.post(desk.manager, path, away)

    assert (refused.status_code, refused.json()["code"]) == (409, "period-locked")
    assert by_manager.status_code == 201


async def test_time_does_not_leave_a_locked_period_with_its_ticket_or_arrive_in_one(desk: Any) -> None:
    dispatcher = a_staff_person("dispatcher")
    ticket = await desk.raised()
    await logged(desk, ticket, worked_minutes=30, worked_from=INSIDE)
    move = f"/tickets/{ticket['id']}/move"
    body = {"client_id": str(desk.theirs), "reason": "wrong client"}
    refused = []
    for client in (desk.ours, desk.theirs):
        await locked(desk, client)
        refused.append(await desk.requests.post(dispatcher, move, body))
        opened = {"locked_before": None, "reason": "x"}
        await desk.requests.send(desk.manager, "PUT", f"/time-entries/locks/{client}", opened)

    moved = await desk.requests.post(dispatcher, move, body)

    assert [(one.status_code, one.json()["code"]) for one in refused] == [(409, "period-locked")] * 2
    assert moved.status_code == 201, moved.text
    assert len(await said(desk.database, TimeVoided)) == 1


async def test_time_that_moves_into_a_sealed_period_is_late_there(desk: Any) -> None:
    ticket = await desk.raised()
    await logged(desk, ticket, worked_minutes=30, worked_from="2026-10-09T10:00:00Z")
    await desk.speaker.say(
        PeriodCloseRequested(
            occurred_at=MONDAY,
            period_close_id=new_id(),
            run_id=new_id(),
            client_id=desk.theirs,
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 11, 1),
            timezone="Europe/London",
            lists_unapproved=True,
        )
    )

    body = {"client_id": str(desk.theirs), "reason": "wrong client"}
    await desk.requests.post(desk.manager, f"/tickets/{ticket['id']}/move", body)

    anew = (await said(desk.database, TimeLogged))[-1]
    entry = (await desk.requests.get(desk.manager, f"/time-entries/{anew.time_entry_id}")).json()
    assert (anew.client_id, entry["is_late"]) == (desk.theirs, True)
