"""Tickets and time over HTTP, on a real database."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from msp_events.tickets import MessagePosted, TicketRaised, TicketReopened, TicketResolved, TicketUpdated, TimeLogged
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.testing import a_client_person, a_staff_person, said
from tickets import reports


async def test_refs_count_up_per_client_without_gaps(desk: Any) -> None:
    first, second = await desk.raised(), await desk.raised()
    await desk.requests.post(
        desk.priya, "/tickets", {"title": "x", "job_type": "security", "priority": "low", "level": "L1"}
    )
    third = await desk.raised(a_staff_person("agent"), client_id=str(desk.ours))
    other = await desk.raised(a_client_person(desk.theirs))

    assert [one["ref"] for one in (first, second, third, other)] == ["HLO-1", "HLO-2", "HLO-3", "KES-1"]
    assert len(await said(desk.database, TicketRaised)) == 4


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"job_type": "security"}, 422, "job-type-outside-contract"),
        ({"level": "SA"}, 422, "level-outside-contract"),
        ({"level": "L9"}, 422, "invalid-request"),
        ({"priority": "urgent"}, 422, "invalid-request"),
        ({"title": ""}, 422, "invalid-request"),
        ({"title": "x" * 201}, 422, "invalid-request"),
        ({"colour": "red"}, 422, "invalid-request"),
        ({"contract_id": "17"}, 422, "invalid-request"),
        ({"contract_id": str(new_id())}, 422, "no-active-contract"),
        ({"client_id": str(new_id())}, 404, "not-found"),
    ],
)
async def test_what_cannot_be_raised_is_told(desk: Any, change: dict[str, str], status: int, code: str) -> None:
    body = {"title": "VPN", "job_type": "network", "priority": "high", "level": "L1", **change}

    answer = await desk.requests.post(desk.priya, "/tickets", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await said(desk.database, TicketRaised) == []


async def test_a_refusal_says_what_the_contract_covers(desk: Any) -> None:
    body = {"title": "VPN", "job_type": "security", "priority": "high", "level": "L1"}

    answer = await desk.requests.post(desk.priya, "/tickets", body)

    assert answer.json()["detail"] == "security is not in contract C-0001; it covers network, workplace, server"


async def test_the_offer_is_what_the_contract_covers(desk: Any) -> None:
    (offered,) = (await desk.requests.get(desk.priya, "/tickets/offer")).json()["contracts"]

    assert [one["code"] for one in offered["job_types"]] == ["network", "workplace", "server"]
    assert offered["levels"] == ["L1", "L2", "L3"]


async def test_a_new_ticket_goes_to_the_queue_of_the_first_rule_and_the_agent_with_least_work(desk: Any) -> None:
    await desk.requests.post(desk.manager, "/queues", {"key": "infrastructure", "name": "Infrastructure L2"})
    rule = {"position": 1, "job_types": ["network"], "queue": "infrastructure"}
    saved = (await desk.requests.post(desk.manager, "/routing-rules", rule)).json()
    busy, idle = await desk.an_agent(name="A busy one"), await desk.an_agent(name="B idle one")
    taken = await desk.raised()
    await desk.requests.post(desk.manager, f"/tickets/{taken['id']}/assign", {"assignee_id": busy["id"]})

    ticket = await desk.raised(priority="critical")
    await desk.assigned()

    seen = (await desk.requests.get(desk.agent, f"/tickets/{ticket['ref']}")).json()
    assert (seen["queue"], seen["assignee_id"]) == ("infrastructure", idle["id"])
    routed = next(line for line in seen["activity"] if line["reason"] == "rule 1: network")
    assert (routed["kind"], routed["rule_id"], routed["actor_name"]) == ("routing", saved["id"], "Effigate")
    raised = next(line for line in seen["activity"] if line["kind"] == "raised")
    assert raised["actor_name"] == desk.priya.name
    (choice,) = seen["assignments"]
    assert (choice["agent_name"], [one["agent_id"] for one in choice["runners_up"]]) == ("B idle one", [busy["id"]])
    assert choice["load_percent"] < choice["runners_up"][0]["load_percent"]


async def test_the_first_public_answer_of_an_agent_is_the_first_response(desk: Any) -> None:
    ticket = await desk.raised()

    await desk.requests.post(desk.agent, f"/tickets/{ticket['id']}/messages", {"body": "Internal", "is_public": False})
    await desk.requests.post(desk.agent, f"/tickets/{ticket['id']}/messages", {"body": "Hello"})

    messages = await said(desk.database, MessagePosted)
    assert [(one.is_public, one.first_responded_at is not None) for one in messages] == [(False, False), (True, True)]


async def test_the_client_s_answer_ends_the_waiting_and_reopens_what_was_resolved(desk: Any) -> None:
    ticket = await desk.raised()
    path = f"/tickets/{ticket['id']}/messages"

    await desk.requests.post(desk.agent, path, {"body": "Which router?", "set_status": "waiting_on_client"})
    await desk.requests.post(desk.priya, path, {"body": "The new one"})
    await desk.requests.post(desk.agent, path, {"body": "Done", "set_status": "resolved"})
    await desk.requests.post(desk.priya, path, {"body": "Not yet"})

    moved = await said(desk.database, TicketUpdated, TicketResolved, TicketReopened)
    assert [(type(one).__name__, one.status, one.cycle) for one in moved] == [
        ("TicketUpdated", "waiting_on_client", 1),
        ("TicketUpdated", "open", 1),
        ("TicketResolved", "resolved", 1),
        ("TicketReopened", "open", 2),
    ]


async def test_internal_notes_never_reach_a_client(desk: Any) -> None:
    ticket = await desk.raised()
    note = {"body": "the client is *difficult*", "is_public": False}
    await desk.requests.post(desk.agent, f"/tickets/{ticket['id']}/messages", note)

    seen = await desk.requests.get(desk.priya, f"/tickets/{ticket['id']}")

    assert seen.status_code == 200
    assert "difficult" not in seen.text
    assert not {"activity", "queue", "handling_level", "balance"} & set(seen.json())
    async with desk.database.transaction(desk.priya.scope) as tx:
        assert await tx.fetchval("SELECT count(*) FROM messages") == 0


async def test_messages_are_shown_as_safe_html(desk: Any) -> None:
    ticket = await desk.raised()
    evil = "**bold** <script>alert(1)</script> [x](javascript:alert(1)) ![](http://evil/x.png)"
    await desk.requests.post(desk.priya, f"/tickets/{ticket['id']}/messages", {"body": evil})

    (message,) = (await desk.requests.get(desk.priya, f"/tickets/{ticket['id']}")).json()["messages"]

    assert "<strong>bold</strong>" in message["body_html"]
    assert not any(bad in message["body_html"] for bad in ("<script", 'href="javascript', "<img"))


async def test_another_client_s_ticket_is_like_a_missing_one(desk: Any) -> None:
    ticket = await desk.raised()
    stranger = a_client_person(desk.theirs, "admin")

    for path in (f"/tickets/{ticket['id']}", f"/tickets/{ticket['ref']}"):
        foreign = await desk.requests.get(stranger, path)
        missing = await desk.requests.get(stranger, f"/tickets/{new_id()}")
        assert foreign.status_code == missing.status_code == 404
        assert _told(foreign) == _told(missing)
    for verb, body in (("messages", {"body": "x"}), ("status", {"status": "resolved"})):
        answer = await desk.requests.post(stranger, f"/tickets/{ticket['id']}/{verb}", body)
        assert answer.status_code == 404
    assert (await desk.requests.get(stranger, "/tickets")).json()["items"] == []


async def test_a_change_made_on_an_old_state_is_refused(desk: Any) -> None:
    ticket = await desk.raised()
    path, first = f"/tickets/{ticket['id']}", {"If-Match": '"1"'}

    good = await desk.requests.send(desk.agent, "PATCH", path, {"priority": "low"}, headers=first)
    late = await desk.requests.send(desk.agent, "PATCH", path, {"priority": "critical"}, headers=first)

    assert good.status_code == 200
    assert (late.status_code, late.json()["code"]) == (409, "conflict")


async def test_escalation_moves_who_handles_it_and_not_what_is_billed(desk: Any) -> None:
    ticket = await desk.raised()

    await desk.requests.post(desk.agent, f"/tickets/{ticket['id']}/escalate", {"reason": "needs a packet trace"})

    seen = (await desk.requests.get(desk.agent, f"/tickets/{ticket['id']}")).json()
    assert (seen["level"], seen["handling_level"]) == ("L1", "L2")


async def test_the_queue_is_paged_by_cursor(desk: Any) -> None:
    refs = [(await desk.raised())["ref"] for _ in range(7)]

    seen: list[str] = []
    after = ""
    while True:
        page = (await desk.requests.get(desk.agent, f"/tickets?queue=service-desk&limit=3{after}")).json()
        seen += [row["ref"] for row in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert sorted(seen) == sorted(refs)
    bad = await desk.requests.get(desk.agent, "/tickets?after=bm9wZQ")
    assert (bad.status_code, bad.json()["code"]) == (422, "bad-cursor")


# ---- time ---------------------------------------------------------------------------------------------------------


async def test_logged_time_is_said_with_all_that_contracts_need(desk: Any) -> None:
    ticket = await desk.raised()

    entry = await desk.logged(ticket, note="Reset the tunnel")

    (event,) = await said(desk.database, TimeLogged)
    assert str(event.time_entry_id) == entry["id"]
    assert (event.worked_minutes, event.job_type, event.level, event.status) == (45, "network", "L1", "submitted")
    assert event.ref == ticket["ref"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"worked_minutes": 0}, 422, "invalid-request"),
        ({"worked_minutes": 10**9}, 422, "invalid-request"),
        ({"worked_minutes": 1.5}, 422, "invalid-request"),
        ({"worked_minutes": "45"}, 422, "invalid-request"),
        ({"worked_from": "0001-01-01T00:00:00Z"}, 422, "invalid-request"),
        ({"worked_from": "2026-11-09T09:00:00"}, 422, "invalid-request"),
        ({"worked_from": "2199-01-01T00:00:00Z"}, 422, "worked-in-the-future"),
        ({"level": "SA"}, 422, "level-outside-contract"),
        ({"job_type": "security"}, 422, "job-type-outside-contract"),
        ({"is_billable": True}, 422, "invalid-request"),
        ({"ticket_id": str(new_id())}, 404, "not-found"),
        ({"note": "x\x00y"}, 422, "invalid-request"),
    ],
)
async def test_time_that_cannot_be_logged_is_told(desk: Any, change: dict[str, Any], status: int, code: str) -> None:
    ticket = await desk.raised()

    answer = await desk.requests.post(
        desk.agent, "/time-entries", {"ticket_id": ticket["id"], "worked_minutes": 5, **change}
    )

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await said(desk.database, TimeLogged) == []


async def test_a_closed_ticket_takes_no_time(desk: Any) -> None:
    ticket = await desk.raised()
    await desk.requests.post(desk.agent, f"/tickets/{ticket['id']}/status", {"status": "closed"})

    answer = await desk.requests.post(desk.agent, "/time-entries", {"ticket_id": ticket["id"], "worked_minutes": 5})

    assert (answer.status_code, answer.json()["code"]) == (409, "ticket-closed")


async def test_nobody_approves_their_own_time(desk: Any) -> None:
    ticket = await desk.raised()
    own = await desk.logged(ticket, by=desk.manager)
    entry = await desk.logged(ticket)

    refused = await desk.requests.post(desk.manager, f"/time-entries/{own['id']}/approve")
    as_agent = await desk.requests.post(desk.agent, f"/time-entries/{entry['id']}/approve")
    bulk = await desk.requests.post(desk.manager, "/time-entries/approve", {"ids": [own["id"], entry["id"]]})
    again = await desk.requests.post(desk.manager, f"/time-entries/{entry['id']}/approve")

    assert (refused.status_code, refused.json()["code"]) == (403, "own-time")
    assert as_agent.status_code == 403
    assert bulk.json() == {
        "approved": 1,
        "refused": [{"id": own["id"], "reason": "somebody else has to approve your time"}],
    }
    assert (again.status_code, again.json()["code"]) == (409, "entry-decided")


async def test_two_approvals_at_once_approve_once(desk: Any) -> None:
    ticket = await desk.raised()
    entry = await desk.logged(ticket)

    answers = await asyncio.gather(
        *(desk.requests.post(a_staff_person("manager"), f"/time-entries/{entry['id']}/approve") for _ in range(5))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]


async def test_client_people_cannot_log_or_see_time_of_the_desk(desk: Any) -> None:
    ticket = await desk.raised()
    assert (
        await desk.requests.post(desk.priya, "/time-entries", {"ticket_id": ticket["id"], "worked_minutes": 5})
    ).status_code == 403
    assert (await desk.requests.get(desk.priya, "/time-entries")).status_code == 403


async def test_verify_holds_after_all_of_this(desk: Any) -> None:
    ticket = await desk.raised()
    entry = await desk.logged(ticket)
    await desk.requests.post(desk.manager, f"/time-entries/{entry['id']}/approve")

    async with desk.database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == []


def _told(answer: Any) -> dict[str, Any]:
    """Return a problem without what names the request itself."""
    return {name: value for name, value in answer.json().items() if name not in ("instance", "request_id")}
