"""What the escalation chain of a contract does to a ticket, on a real database."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msp_events.sla import EscalationRequested
from msp_events.tickets import TicketAssigned, TicketUpdated
from msp_kernel.ids import new_id
from msp_kit.testing import said
from tickets.testing import MONDAY


def a_step(ticket: dict[str, Any], **asked: Any) -> EscalationRequested:
    """Return a step of the chain of a ticket's resolution clock."""
    return EscalationRequested.model_validate(
        {
            "occurred_at": MONDAY,
            "clock_id": new_id(),
            "ticket_id": ticket["id"],
            "client_id": ticket["client_id"],
            "contract_id": new_id(),
            "revision": 4,
            "metric": "resolution",
            "rule_id": "r1",
            "status": "running",
            "budget_minutes": 240,
            "consumed_seconds": 10_800,
            "remaining_seconds": 3600,
            "step": 1,
            **asked,
        }
    )


async def a_queue(desk: Any, key: str) -> None:
    answer = await desk.requests.post(desk.manager, "/queues", {"key": key, "name": key.capitalize()})
    assert answer.status_code == 201, answer.text


async def seen(desk: Any, ticket: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await desk.requests.get(desk.agent, f"/tickets/{ticket['id']}")).json()
    return found


async def test_a_step_moves_level_queue_and_priority_and_not_what_is_billed(desk: Any) -> None:
    await a_queue(desk, "network-desk")
    expert = await desk.an_agent(name="Mei Tan", levels=["L2"], queues=["network-desk"], skills=["network"])
    ticket = await desk.raised(priority="low")

    await desk.speaker.say(a_step(ticket, to_level="L2", to_queue="network-desk", to_priority="critical"))

    now = await seen(desk, ticket)
    assert (now["handling_level"], now["queue"], now["priority"], now["level"]) == (
        "L2",
        "network-desk",
        "critical",
        "L1",
    )
    assert now["assignee_id"] == expert["id"]
    (told,) = [one for one in await said(desk.database, TicketUpdated, TicketAssigned) if "priority" in one.changed]
    assert told.ticket_id == UUID(ticket["id"])
    assert told.reason == "step 1 of the escalation chain, resolution"


async def test_a_step_never_moves_a_ticket_down(desk: Any) -> None:
    ticket = await desk.raised(priority="critical")
    await desk.speaker.say(a_step(ticket, to_level="L3"))

    await desk.speaker.say(a_step(ticket, step=2, to_level="L2", to_priority="medium"))

    now = await seen(desk, ticket)
    assert (now["handling_level"], now["priority"]) == ("L3", "critical")


async def test_a_step_that_only_tells_people_is_in_the_history(desk: Any) -> None:
    ticket = await desk.raised()

    await desk.speaker.say(a_step(ticket, notify=["lead", "manager"]))

    history = (await desk.requests.get(desk.agent, f"/tickets/{ticket['id']}")).text
    assert "escalation step 1; told: lead, manager" in history


async def test_a_queue_that_is_gone_is_named_and_routing_decides(desk: Any) -> None:
    ticket = await desk.raised()

    await desk.speaker.say(a_step(ticket, to_level="L2", to_queue="no-such-queue"))

    answer = await desk.requests.get(desk.agent, f"/tickets/{ticket['id']}")
    assert (answer.json()["handling_level"], answer.json()["queue"]) == ("L2", "service-desk")
    assert "there is no queue no-such-queue" in answer.text
