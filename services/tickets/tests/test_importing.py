"""History of another system: everything is taken or refused with a reason, and taken once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from msp_events.tickets import MessagePosted, TicketClosed, TicketRaised, TimeLogged
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.testing import said
from tickets import reports


def an_update(seq: int, at: str, status: str, **given: Any) -> dict[str, Any]:
    return {"seq": seq, "at": f"2016-03-{at}:00Z", "status": status, "agent": "Resolver 17", **given}


def a_ticket(client_id: Any, ref: str = "INC1", **given: Any) -> dict[str, Any]:
    updates = [
        an_update(1, "01T09:30", "new", worked_minutes=15, is_agent_reply=True),
        an_update(2, "01T10:00", "waiting_on_client"),
        an_update(3, "01T09:45", "open"),
        an_update(4, "01T12:00", "resolved", worked_minutes=15),
        an_update(5, "06T12:00", "closed"),
    ]
    default = {
        "external_ref": ref,
        "client_id": str(client_id),
        "title": f"{ref}: mail",
        "job_type": "network",
        "priority": "medium",
        "level": "L1",
        "queue": "group-70",
        "assignee": "Resolver 17",
        "raised_at": "2016-03-01T09:00:00Z",
        "updates": updates,
    }
    return {**default, **given}


async def imported(desk: Any, *tickets: dict[str, Any]) -> dict[str, Any]:
    answer = await desk.requests.post(desk.manager, "/imports", {"source": "old desk", "tickets": list(tickets)})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_history_is_told_with_its_own_instants(desk: Any) -> None:
    done = await imported(desk, a_ticket(desk.ours))

    assert done == {"tickets_created": 1, "updates_accepted": 5, "already_known": 0, "refused": []}
    (raised,) = await said(desk.database, TicketRaised)
    (closed,) = await said(desk.database, TicketClosed)
    (answered,) = await said(desk.database, MessagePosted)
    logged = await said(desk.database, TimeLogged)
    assert (f"{raised.occurred_at:%m-%d %H:%M}", raised.is_imported) == ("03-01 09:00", True)
    assert f"{closed.occurred_at:%m-%d %H:%M}" == "03-06 12:00"
    assert f"{answered.first_responded_at:%H:%M}" == "09:30"
    assert [(one.worked_minutes, f"{one.worked_from:%H:%M}") for one in logged] == [(15, "09:15"), (15, "11:45")]


async def test_an_update_older_than_the_one_before_happened_right_after_it(desk: Any) -> None:
    await imported(desk, a_ticket(desk.ours))

    seen = (await desk.requests.get(desk.manager, "/tickets/HLO-1")).json()
    notes = [line["text"] for line in seen["activity"] if line["kind"] == "import"]
    assert notes == ["update 3 was dated 2016-03-01 09:45, earlier than the one before"]


async def test_importing_again_changes_nothing(desk: Any) -> None:
    tickets = [a_ticket(desk.ours, f"INC{number}") for number in range(5)]
    await imported(desk, *tickets)
    before = len(await said(desk.database))

    done = await imported(desk, *tickets)

    assert done == {"tickets_created": 0, "updates_accepted": 0, "already_known": 30, "refused": []}
    assert len(await said(desk.database)) == before


async def test_two_imports_at_once_take_everything_once(desk: Any) -> None:
    tickets = [a_ticket(desk.ours, f"INC{number}") for number in range(8)]

    done = await asyncio.gather(*(imported(desk, *tickets) for _ in range(4)))

    assert sum(one["tickets_created"] for one in done) == 8
    assert sum(one["updates_accepted"] for one in done) == 40
    assert len(await said(desk.database, TimeLogged)) == 16
    async with desk.database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == []


async def test_more_updates_of_a_known_ticket_are_taken(desk: Any) -> None:
    whole = a_ticket(desk.ours)
    await imported(desk, {**whole, "updates": whole["updates"][:2]})

    done = await imported(desk, whole)

    assert (done["updates_accepted"], done["already_known"]) == (3, 3)


async def test_what_cannot_be_taken_comes_back_with_its_reason_and_the_rest_is_taken(desk: Any) -> None:
    good = a_ticket(desk.ours, "GOOD")
    twice = {
        **a_ticket(desk.ours, "TWICE"),
        "updates": [an_update(1, "01T10:00", "open"), an_update(1, "01T11:00", "resolved")],
    }

    done = await imported(
        desk,
        a_ticket(desk.ours, "SCOPE", job_type="security"),
        a_ticket(new_id(), "NOBODY"),
        a_ticket(desk.ours, "EARLY", raised_at="2015-01-01T00:00:00Z"),
        twice,
        good,
    )

    assert done["tickets_created"] == 2
    assert {(one["external_ref"], one["seq"], one["reason"].split(";")[0]) for one in done["refused"]} == {
        ("SCOPE", None, "security is not in contract C-0001"),
        ("NOBODY", None, "there is no such client"),
        ("EARLY", None, "the client has no contract in force on this day"),
        ("TWICE", 1, "there are two updates with this number"),
    }


@pytest.mark.parametrize(
    "change",
    [{"priority": "-100"}, {"raised_at": "0001-01-01T00:00:00Z"}, {"title": "?" * 201}, {"updates": [{"seq": -1}]}],
)
async def test_malformed_history_is_told_where(desk: Any, change: dict[str, Any]) -> None:
    body = {"source": "old desk", "tickets": [a_ticket(desk.ours, **change)]}

    answer = await desk.requests.post(desk.manager, "/imports", body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert answer.json()["errors"][0]["pointer"].startswith("/body/tickets/0/")


async def test_agents_do_not_import(desk: Any) -> None:
    body = {"source": "old desk", "tickets": [a_ticket(desk.ours)]}

    assert (await desk.requests.post(desk.agent, "/imports", body)).status_code == 403
