"""A page asks the database as many times however much it shows."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from sqlalchemy import event

from tickets.testing import JOB_TYPES

LISTS = (
    "/tickets?status=open_any&queue=service-desk",
    "/tickets?text=vpn&sort=updated",
    "/tickets/search?text=vpn",
    "/tickets/counts",
    "/queues",
    "/agents",
    "/workload",
    "/workload/suggestions",
    "/projects",
    "/projects/HLO-P1",
    "/time-entries",
    "/time-entries/waiting",
    "/time-entries/to-approve",
    "/time-entries/locks",
    "/time-entries/locks/changes",
    "/tickets/HLO-1",
    "/routing-rules",
    "/agents/absences",
)


@pytest.fixture
def statements(desk: Any) -> list[str]:
    """Return what the service asks its database, as it does."""
    asked: list[str] = []

    def heard(one: asyncpg.connection.LoggedQuery) -> None:
        asked.append(one.query)

    @event.listens_for(desk.database.engine.sync_engine, "checkout")
    def listen(connection: Any, *_more: Any) -> None:
        connection.driver_connection.add_query_logger(heard)

    # What SQLAlchemy runs is prepared first, which the driver does not tell.
    @event.listens_for(desk.database.engine.sync_engine, "before_cursor_execute")
    def listen_too(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    return asked


async def grown(desk: Any, agent: dict[str, Any]) -> None:
    """Add to everything that lists show."""
    ticket = await desk.raised(tags=["vip"])
    first = "/tickets/" + (await desk.requests.get(desk.agent, "/tickets/HLO-1")).json()["id"]
    await desk.requests.post(desk.priya, f"{first}/messages", {"body": "vpn again"})
    await desk.requests.post(desk.agent, f"{first}/links", {"other_id": ticket["id"], "kind": "relates_to"})
    await desk.requests.post(desk.agent, f"/tickets/{ticket['id']}/merge", {"into_id": first.rpartition("/")[2]})
    await desk.requests.post(desk.manager, f"/tickets/{ticket['id']}/assign", {"assignee_id": agent["id"]})
    await desk.logged({"id": first.rpartition("/")[2]})
    other = await desk.an_agent(name=f"Agent {ticket['ref']}")
    year = {"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2199-01-01T00:00:00Z"}
    await desk.requests.post(desk.manager, f"/agents/{other['id']}/absences", year)
    offer = (await desk.requests.get(desk.priya, "/tickets/offer")).json()["contracts"][0]
    body = {"client_id": str(desk.ours), "contract_id": offer["contract_id"], "name": "Move"}
    await desk.requests.post(desk.manager, "/projects", body)
    project = (await desk.requests.get(desk.agent, "/projects/HLO-P1")).json()
    task = {"title": "Desks", "job_type": JOB_TYPES[0], "level": "L1", "assignee_id": agent["id"]}
    await desk.requests.post(desk.agent, f"/projects/{project['id']}/tasks", task)
    await desk.requests.post(desk.agent, f"/projects/{project['id']}/milestones", {"name": "In"})
    await desk.raised()


async def test_a_page_asks_as_often_for_many_rows_as_for_one(desk: Any, statements: list[str]) -> None:
    async def asked(path: str) -> int:
        statements.clear()
        answer = await desk.requests.get(desk.manager, path)
        assert answer.status_code == 200, answer.text
        return len(statements)

    agent = await desk.an_agent()
    await desk.raised()
    await grown(desk, agent)
    few = {path: await asked(path) for path in LISTS}
    for _ in range(3):
        await grown(desk, agent)
    many = {path: await asked(path) for path in LISTS}

    assert many == few
    # Begin, role and commit are three of them.
    assert few["/tickets?status=open_any&queue=service-desk"] == 4
    assert few["/tickets/HLO-1"] <= 16
