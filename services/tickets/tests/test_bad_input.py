"""What should never come in, at every door it could come in by: refused or handled with a clear message, and nothing lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from msp_events.tickets import TicketUpdated, TimeLogged
from msp_kit.database import SYSTEM
from msp_kit.testing import a_staff_person, said
from tickets import reports

HUGE, TURNING = "x" * 100_000, "\u202e\u200f\u2066"
MORNING = "2026-11-09T09:00:00Z"


async def shown(desk: Any, ticket: dict[str, Any], more: str = "") -> dict[str, Any]:
    found: dict[str, Any] = (await desk.requests.get(desk.agent, f"/tickets/{ticket['id']}{more}")).json()
    return found


async def sent(desk: Any, verb: str, path: str, body: Any, **more: Any) -> tuple[int, str]:
    answer = await desk.requests.send(desk.manager, verb, path, body, **more)
    return answer.status_code, answer.json().get("code", "") if answer.content else ""


# ---- levels outside the contract ----------------------------------------------------------------------------------


async def test_a_level_outside_the_contract_is_refused_at_every_door(desk: Any) -> None:
    ticket = await desk.raised()
    entry = await desk.logged(ticket, worked_from=MORNING)
    here, raised = f"/tickets/{ticket['id']}", {"title": "VPN", "job_type": "network", "priority": "low"}

    refused = {
        door: await sent(desk, verb, path, body)
        for door, verb, path, body in (
            ("raise", "POST", "/tickets", {**raised, "client_id": str(desk.ours), "level": "SA"}),
            ("change", "PATCH", here, {"level": "SA"}),
            ("split", "POST", f"{here}/split", {"title": "Second", "level": "SA"}),
            ("log time", "POST", "/time-entries", {"ticket_id": ticket["id"], "worked_minutes": 5, "level": "SA"}),
            ("correct", "POST", f"/time-entries/{entry['id']}/correct", {"level": "SA", "reason": "x"}),
        )
    }

    assert refused == dict.fromkeys(refused, (422, "level-outside-contract"))
    assert (await shown(desk, ticket))["level"] == "L1"
    assert len(await said(desk.database, TimeLogged)) == 1


# ---- time on closed tickets ---------------------------------------------------------------------------------------


async def test_time_on_a_closed_ticket_is_refused_at_every_door_and_a_running_timer_waits(desk: Any) -> None:
    ticket = await desk.raised()
    entry = await desk.logged(ticket, worked_from=MORNING)
    body = {"ticket_id": ticket["id"]}
    await desk.requests.post(desk.manager, "/time-entries/timer", body)
    await desk.requests.post(desk.agent, f"/tickets/{ticket['id']}/status", {"status": "closed"})

    refused = [
        await sent(desk, "POST", path, given)
        for path, given in (
            ("/time-entries", {**body, "worked_minutes": 5}),
            ("/time-entries", {**body, "time": "45m"}),
            ("/time-entries/timer/stop", {}),
            (f"/time-entries/{entry['id']}/correct", {"worked_minutes": 5, "reason": "x"}),
        )
    ]
    started = await desk.requests.post(desk.agent, "/time-entries/timer", body)

    assert refused == [(409, "ticket-closed")] * 4
    assert (started.status_code, started.json()["code"]) == (409, "ticket-closed")
    assert len(await said(desk.database, TimeLogged)) == 1
    timer = (await desk.requests.get(desk.manager, "/time-entries/timer")).json()
    assert timer["ref"] == ticket["ref"], "what the timer shows is not lost"
    await desk.requests.post(desk.agent, f"/tickets/{ticket['id']}/status", {"status": "open"})
    assert (await desk.requests.post(desk.manager, "/time-entries/timer/stop")).status_code == 201


# ---- entries of 25 hours, entries in the future -------------------------------------------------------------------


async def test_an_entry_of_25_hours_is_refused_at_every_door(desk: Any) -> None:
    ticket = await desk.raised()
    entry = await desk.logged(ticket, worked_from=MORNING)
    place = {"ticket_id": ticket["id"], "worked_from": MORNING}
    await desk.requests.post(desk.manager, "/time-entries/timer", {"ticket_id": ticket["id"]})

    refused = [
        (await sent(desk, "POST", path, given))[0]
        for path, given in (
            ("/time-entries", {**place, "worked_minutes": 1500}),
            ("/time-entries", {**place, "time": "25h"}),
            ("/time-entries/timer/stop", {"worked_minutes": 1500}),
            (f"/time-entries/{entry['id']}/correct", {"worked_minutes": 1500, "reason": "x"}),
            (f"/time-entries/{entry['id']}/correct", {"time": "25h", "reason": "x"}),
        )
    ]
    whole_day = await desk.requests.post(desk.agent, "/time-entries", {**place, "time": "24h"})

    assert refused == [422] * 5
    assert whole_day.json()["worked_minutes"] == 1440


async def test_an_entry_in_the_future_is_refused_and_one_that_ends_now_is_not(desk: Any) -> None:
    ticket = await desk.raised()
    entry = await desk.logged(ticket, worked_from=MORNING)
    async with desk.database.transaction(SYSTEM) as tx:
        in_an_hour, an_hour_ago = ((tx.now + timedelta(hours=hours)).isoformat() for hours in (1, -1))
    body = {"ticket_id": ticket["id"], "worked_minutes": 60}

    new = await sent(desk, "POST", "/time-entries", {**body, "worked_from": in_an_hour})
    corrected = await sent(
        desk, "POST", f"/time-entries/{entry['id']}/correct", {"worked_from": in_an_hour, "reason": "x"}
    )
    ends_now = await desk.requests.post(desk.agent, "/time-entries", {**body, "worked_from": an_hour_ago})

    assert new == corrected == (422, "worked-in-the-future")
    assert ends_now.status_code == 201


# ---- rules that can never match -----------------------------------------------------------------------------------


async def test_a_rule_is_not_changed_into_one_that_can_never_match(desk: Any) -> None:
    whole = {"position": 1, "queue": "service-desk", "levels": ["L1"]}
    await desk.requests.post(desk.manager, "/routing-rules", whole)
    second = (
        await desk.requests.post(desk.manager, "/routing-rules", {**whole, "position": 2, "levels": ["L2"]})
    ).json()

    refused = await desk.requests.send(
        desk.manager, "PUT", f"/routing-rules/{second['id']}", {**whole, "position": 2, "words": ["vpn"]}
    )

    assert (refused.status_code, refused.json()["code"]) == (422, "rule-never-matches")
    kept = [one["levels"] for one in (await desk.requests.get(desk.agent, "/routing-rules")).json()["items"]]
    assert kept == [["L1"], ["L2"]]


# ---- titles of 100 kB, or of right-to-left marks ------------------------------------------------------------------


@pytest.mark.parametrize("text", [HUGE, TURNING], ids=["100 kB", "right-to-left marks"])
async def test_titles_and_names_nobody_can_read_are_refused_at_every_door(desk: Any, text: str) -> None:
    ticket = await desk.raised()
    here = f"/tickets/{ticket['id']}"
    contract = ticket["contract_id"]
    project = {"client_id": str(desk.ours), "contract_id": contract}
    made = (await desk.requests.post(desk.manager, "/projects", {**project, "name": "Move"})).json()
    kind = {"job_type": "network", "level": "L1"}

    refused = {
        path: await sent(desk, verb, path, body)
        for verb, path, body in (
            ("POST", "/tickets", {**kind, "title": text, "priority": "low", "client_id": str(desk.ours)}),
            ("PATCH", here, {"title": text}),
            ("POST", f"{here}/split", {"title": text}),
            ("POST", "/projects", {**project, "name": text}),
            ("POST", f"/projects/{made['id']}/tasks", {**kind, "title": text}),
            ("POST", f"/projects/{made['id']}/milestones", {"name": text, "position": 1}),
            ("POST", "/queues", {"key": "odd", "name": text}),
            ("POST", "/agents", {"name": text, "levels": ["L1"], "weekly_minutes": 60}),
            ("POST", "/canned-replies", {"name": text, "body": "Hello"}),
            ("POST", "/ticket-templates", {"name": text, "title": "Laptop"}),
            ("POST", "/ticket-views", {"name": text, "filters": {}}),
        )
    }

    assert refused == dict.fromkeys(refused, (422, "invalid-request"))
    assert (await shown(desk, ticket))["title"] == "VPN drops"


async def test_marks_in_a_name_that_can_be_read_are_left_out(desk: Any) -> None:
    await desk.requests.post(desk.manager, "/queues", {"key": "vip", "name": "\u202eVIP\u202c desk\n"})
    agent = await desk.an_agent(name="Tom\u200f  Okafor")

    queues = (await desk.requests.get(desk.agent, "/queues")).json()["items"]

    assert "VIP desk" in [one["name"] for one in queues]
    assert agent["name"] == "Tom Okafor"
    assert (await sent(desk, "POST", "/queues", {"key": "long", "name": "x" * 121}))[0] == 422


# ---- two agents saving at once ------------------------------------------------------------------------------------


async def test_two_agents_who_save_what_they_read_at_once_never_overwrite_one_another(desk: Any) -> None:
    ticket = await desk.raised()
    path, read = f"/tickets/{ticket['id']}", {"If-Match": '"1"'}
    wishes = [{"title": f"VPN {number}"} for number in range(5)]

    answers = await asyncio.gather(
        *(desk.requests.send(a_staff_person("agent"), "PATCH", path, wish, headers=read) for wish in wishes)
    )

    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409, 409]
    (won,) = [wish for wish, one in zip(wishes, answers, strict=True) if one.status_code == 200]
    late = next(one.json() for one in answers if one.status_code == 409)
    assert won["title"] in late["detail"], "who came late reads what it says now"
    seen = await shown(desk, ticket)
    assert (seen["title"], seen["revision"]) == (won["title"], 2)
    assert len(await said(desk.database, TicketUpdated)) == 1


async def test_two_agents_who_change_different_things_at_once_lose_neither(desk: Any) -> None:
    ticket = await desk.raised()
    changes = [{"title": "VPN in Leeds"}, {"priority": "low"}, {"tags": ["vpn"]}, {"level": "L2"}]

    answers = await asyncio.gather(
        *(
            desk.requests.send(a_staff_person("agent"), "PATCH", f"/tickets/{ticket['id']}", change)
            for change in changes
        ),
        *(
            desk.requests.post(a_staff_person("agent"), f"/tickets/{ticket['id']}/messages", {"body": f"Note {number}"})
            for number in range(3)
        ),
    )

    assert {one.status_code for one in answers} <= {200, 201}
    seen = await shown(desk, ticket)
    assert (seen["title"], seen["priority"], seen["tags"], seen["level"]) == ("VPN in Leeds", "low", ["vpn"], "L2")
    assert sorted(one["body_text"] for one in seen["messages"]) == ["Note 0", "Note 1", "Note 2"]
    async with desk.database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == []


# ---- what says nothing, or says it twice --------------------------------------------------------------------------


async def test_approving_says_which_entries_once_and_in_one_way(desk: Any) -> None:
    entry = await desk.logged(await desk.raised(), worked_from=MORNING)
    of_client = {"client_id": str(desk.ours), "before": MORNING}
    unclear: list[dict[str, Any]] = [
        {},
        {"ids": []},
        {"client_id": str(desk.ours)},
        {**of_client, "ids": [entry["id"]]},
    ]

    answers = [await sent(desk, "POST", "/time-entries/approve", body) for body in unclear]

    assert answers == [(422, "invalid-request")] * 4
    assert (await sent(desk, "GET", f"/time-entries/{entry['id']}", None))[0] == 200


async def test_a_queue_that_is_there_already_is_told_and_not_passed_over(desk: Any) -> None:
    for body in ({"key": "service-desk", "name": "Renamed"}, {"key": "other", "name": "Service desk"}):
        assert await sent(desk, "POST", "/queues", body) == (409, "conflict"), body
