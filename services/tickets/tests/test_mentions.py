"""Whom an event concerns: the person who is the assignee, and staff named in a note."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from msp_events.portal import PersonJoined
from msp_events.tickets import MessagePosted, TicketAssigned
from msp_kernel.ids import new_id
from msp_kit.testing import a_client_person, said
from tickets.testing import MONDAY


def a_person(name: str, *, kind: str = "staff", client_id: UUID | None = None, is_active: bool = True) -> PersonJoined:
    return PersonJoined.model_validate(
        {
            "occurred_at": MONDAY,
            "person_id": new_id(),
            "revision": 1,
            "kind": kind,
            "client_id": client_id,
            "display_name": name,
            "roles": ("agent",) if kind == "staff" else ("requester",),
            "is_active": is_active,
        }
    )


async def test_staff_named_in_a_note_are_named_by_the_event(desk: Any) -> None:
    ada, gone, client = (
        a_person("Ada Lovelace"),
        a_person("Grace Hopper", is_active=False),
        a_person("Priya Nair", kind="client", client_id=desk.ours),
    )
    await desk.speaker.say(ada, gone, client)
    ticket = await desk.raised()
    note = {"body": "@ada, @Grace and @Priya Nair: look", "is_public": False}

    posted = await desk.requests.post(desk.agent, f"/tickets/{ticket['id']}/messages", note)

    (event,) = await said(desk.database, MessagePosted)
    assert (posted.status_code, event.mentioned_person_ids) == (201, (ada.person_id,))


@pytest.mark.parametrize("by", ["agent", "client"])
async def test_what_a_client_reads_names_nobody(desk: Any, by: str) -> None:
    await desk.speaker.say(a_person("Ada Lovelace"))
    ticket = await desk.raised()
    caller = desk.agent if by == "agent" else a_client_person(desk.ours, "requester")

    await desk.requests.post(caller, f"/tickets/{ticket['id']}/messages", {"body": "@ada, look", "is_public": True})

    (event,) = await said(desk.database, MessagePosted)
    assert event.mentioned_person_ids == ()


async def test_an_assignment_says_which_person_the_agent_is(desk: Any) -> None:
    person = new_id()
    agents = [await desk.an_agent(person_id=str(person)), await desk.an_agent(name="Nobody's account")]
    ticket = await desk.raised()

    for agent in agents:
        await desk.requests.post(desk.manager, f"/tickets/{ticket['id']}/assign", {"assignee_id": agent["id"]})

    first, second = await said(desk.database, TicketAssigned)
    assert (str(first.assignee_id), first.assignee_person_id) == (agents[0]["id"], person)
    assert (str(second.assignee_id), second.assignee_person_id) == (agents[1]["id"], None)
