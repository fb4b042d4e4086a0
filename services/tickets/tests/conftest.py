"""A tickets service on a real database, with two clients and their contracts known."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2 as httpx
import pytest
from pydantic import SecretStr

from msp_kernel.ids import new_id
from msp_kit import identity
from msp_kit.database import SYSTEM, Database
from msp_kit.identity import Caller
from msp_kit.inbox import Inbox
from msp_kit.testing import KEY, Requests, Speaker, a_client_person, a_database, a_staff_person
from tickets import api, consumers
from tickets.actions import assigning
from tickets.settings import Settings
from tickets.testing import JOB_TYPES, a_client, a_contract, a_job_type


@dataclass
class Desk:
    """The service under test and the people around it."""

    database: Database
    requests: Requests
    speaker: Speaker
    ours: UUID = field(default_factory=new_id)
    theirs: UUID = field(default_factory=new_id)
    manager: Caller = field(default_factory=lambda: a_staff_person("manager"))
    agent: Caller = field(default_factory=lambda: a_staff_person("agent", name="Tom Okafor"))

    @property
    def priya(self) -> Caller:
        """Return somebody of our client."""
        return a_client_person(self.ours, "requester", "admin")

    async def raised(self, by: Caller | None = None, **given: Any) -> dict[str, Any]:
        """Raise a ticket and return it."""
        body = {"title": "VPN drops", "job_type": "network", "priority": "high", "level": "L1", **given}
        answer = await self.requests.post(by or self.priya, "/tickets", body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def assigned(self) -> None:
        """Let the assignment job run once."""
        async with self.database.transaction(SYSTEM) as tx:
            await assigning.assign_waiting(tx)

    async def an_agent(self, **given: Any) -> dict[str, Any]:
        """Add an agent."""
        body = {"name": "Tom Okafor", "levels": ["L1", "L2"], "weekly_minutes": 2400, **given}
        answer = await self.requests.post(self.manager, "/agents", body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def logged(self, ticket: dict[str, Any], *, by: Caller | None = None, **given: Any) -> dict[str, Any]:
        """Log time on a ticket and return the entry."""
        body = {"ticket_id": ticket["id"], "worked_minutes": 45, **given}
        answer = await self.requests.post(by or self.agent, "/time-entries", body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def attached(
        self, to: dict[str, Any], by: Caller, *, name: str, content: bytes, more: str = "", of: str = "tickets"
    ) -> httpx.Response:
        """Send a file to a ticket or a project."""
        path = f"/{of}/{to['id']}/attachments?name={name}{more}"
        token = self.requests.signer.sign(by, audience="tickets", method="POST", target=path, body=content)
        headers = {identity.HEADER: token, "content-type": "application/octet-stream"}
        transport = httpx.ASGITransport(app=self.requests.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.post(path, content=content, headers=headers)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_database(service="tickets", database="tickets", module="tickets") as database:
        settings = Settings(
            database_url=SecretStr(database.url),
            amqp_url=SecretStr("amqp://none"),
            identity_public_keys=json.dumps(identity.public_keys([KEY])),
            attachments_url=f"file://{tmp_path}",
        )
        speaker = Speaker(Inbox(database, consumers.consumers))
        made = Desk(database, Requests(api.create(settings, database), "tickets"), speaker)
        await speaker.say(
            *(a_job_type(code) for code in (*JOB_TYPES, "security")),
            a_client(made.ours),
            a_client(made.theirs, code="KES", name="Kestrel Freight"),
            a_contract(made.ours),
            a_contract(made.theirs, ref="C-0002"),
        )
        yield made
