"""A billing office on a real database: the service, its jobs, and the people around it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2 as httpx
from pydantic import SecretStr

from billing import api, consumers, reports
from billing.actions import issuing, runs
from billing.settings import Settings
from billing.testing import OCTOBER, SELLER, a_client, a_contract, answers, posted
from msp_events.billing import PeriodCloseRequested
from msp_kernel.ids import new_id
from msp_kit import identity
from msp_kit.database import SYSTEM, Database
from msp_kit.identity import Caller
from msp_kit.inbox import Inbox
from msp_kit.testing import KEY, Requests, Speaker, a_client_person, a_database, a_staff_person, said

PERIOD = {"starts_on": OCTOBER[0].isoformat(), "ends_on": OCTOBER[1].isoformat()}


@dataclass
class Office:
    """The service under test and the people around it."""

    database: Database
    requests: Requests
    speaker: Speaker
    client: UUID = field(default_factory=new_id)
    contract: UUID = field(default_factory=new_id)
    manager: Caller = field(default_factory=lambda: a_staff_person("finance"))

    @property
    def payer(self) -> Caller:
        """Return somebody of the client who sees its invoices."""
        return a_client_person(self.client, "billing")

    async def get(self, path: str, *, by: Caller | None = None) -> Any:
        """Return what a GET answers."""
        answer = await self.requests.get(by or self.manager, path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, *, by: Caller | None = None) -> Any:
        """Return what a POST answers when it is taken."""
        answer = await self.requests.post(by or self.manager, path, body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def put(self, path: str, body: Any, *, by: Caller | None = None) -> httpx.Response:
        """Send a PUT."""
        return await self.requests.send(by or self.manager, "PUT", path, body)

    async def refused(self, path: str, body: Any = None, *, by: Caller | None = None) -> tuple[str, str]:
        """Return code and detail of a POST that is refused."""
        answer = await self.requests.post(by or self.manager, path, body)
        assert answer.status_code >= 400, answer.text
        problem = answer.json()
        return problem["code"], str(problem.get("errors") or problem.get("detail"))

    async def drafted(self, *entries: Any) -> dict[str, Any]:
        """Bill some entries up to the draft, and return it."""
        await self.speaker.say(*entries)
        await self.speaker.say(*answers(await self.asked(), list(entries)))
        await self.work()
        (found,) = (await self.get("/invoices?status=draft"))["items"]
        draft: dict[str, Any] = await self.get(f"/invoices/{found['id']}")
        return draft

    async def verified(self) -> list[str]:
        """Return what does not hold."""
        async with self.database.transaction(SYSTEM) as tx:
            return list(await reports.verify(tx))

    async def asked(self) -> PeriodCloseRequested:
        """Start October's run and return what billing asked."""
        answer = await self.requests.post(self.manager, "/billing-runs", PERIOD)
        assert answer.status_code == 201, answer.text
        asked: PeriodCloseRequested = (await said(self.database, PeriodCloseRequested))[-1]
        return asked

    async def run(self) -> dict[str, Any]:
        """Return October's run."""
        listed = (await self.requests.get(self.manager, "/billing-runs")).json()["items"]
        found: dict[str, Any] = (await self.requests.get(self.manager, f"/billing-runs/{listed[0]['id']}")).json()
        return found

    async def work(self) -> None:
        """Let the jobs run until they have nothing to do."""
        for tick in (runs.draft_next, issuing.issue_next):
            is_busy = True
            while is_busy:
                async with self.database.transaction(SYSTEM) as tx:
                    is_busy = await tick(tx, default_seller=SELLER)

    async def issued(self, *entries: Any) -> dict[str, Any]:
        """Bill some entries and return the issued invoice."""
        entries = entries or (posted(self.client, self.contract, minutes=150, overage=90),)
        await self.speaker.say(*entries)
        await self.speaker.say(*answers(await self.asked(), list(entries)))
        await self.work()
        run = await self.run()
        await self.requests.post(self.manager, f"/billing-runs/{run['id']}/issue", {})
        await self.work()
        (found,) = (await self.requests.get(self.manager, "/invoices?kind=invoice&status=issued")).json()["items"]
        answer = await self.requests.get(self.manager, f"/invoices/{found['id']}")
        invoice: dict[str, Any] = answer.json()
        return invoice


@contextlib.asynccontextmanager
async def an_office() -> AsyncIterator[Office]:
    """Give an office with one client and one contract."""
    async with a_database(service="billing", database="billing", module="billing") as database:
        settings = Settings(
            database_url=SecretStr(database.url),
            amqp_url=SecretStr("amqp://none"),
            identity_public_keys=json.dumps(identity.public_keys([KEY])),
            brand_name=SELLER["name"],
            seller=SELLER,
        )
        speaker = Speaker(Inbox(database, consumers.consumers))
        made = Office(database, Requests(api.create(settings, database), "billing"), speaker)
        await speaker.say(a_client(made.client), a_contract(made.client, made.contract))
        yield made
