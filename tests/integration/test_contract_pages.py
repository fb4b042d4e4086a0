"""The pages of clients, contracts and approvals over the real contracts service; the other services are away."""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
import re
import socket
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx2 as httpx
import pytest
import uvicorn
from pydantic import SecretStr

from contracts import api as contracts_api, testing
from contracts.actions import approvals
from contracts.consumers import consumers
from contracts.settings import Settings as ContractsSettings
from msp_kit import identity
from msp_kit.database import SYSTEM, Database
from msp_kit.inbox import Inbox
from msp_kit.testing import KEY, Speaker, a_database
from portal_gateway import api
from portal_gateway.actions import people as persons
from portal_gateway.settings import Settings

PASSWORD = "correct horse battery staple"
NOWHERE = "http://127.0.0.1:1"
KEYS = json.dumps(identity.public_keys([KEY]))


@contextlib.asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    server.should_exit = True
    await serving


class Desk:
    """A browser per person, and the database of the contracts service."""

    def __init__(self, client: httpx.AsyncClient, database: Database, client_id: UUID) -> None:
        self.client, self.database, self.client_id = client, database, client_id
        self.tokens: dict[str, str] = {}

    async def send(self, who: str, method: str, path: str, **form: Any) -> httpx.Response:
        if who not in self.tokens:
            body = {"email": f"{who}@people.example", "password": PASSWORD}
            self.tokens[who] = (await self.client.post("/api/v1/sessions", json=body)).json()["token"]
        headers = {"authorization": f"Bearer {self.tokens[who]}"}
        return await self.client.request(method, path, headers=headers, data=form or None)

    async def get(self, who: str, path: str) -> str:
        answer = await self.send(who, "GET", path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return str(answer.text)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with (
        a_database(service="contracts", database="contracts", module="contracts") as database,
        a_database(service="portal-gateway", database="portal_gateway", module="portal_gateway") as people,
    ):
        nothing = SecretStr("amqp://127.0.0.1:1/")
        own = ContractsSettings(database_url=SecretStr(database.url), amqp_url=nothing, identity_public_keys=KEYS)
        async with database.transaction(SYSTEM) as tx:
            client_id = await testing.a_client(tx)
        async with people.transaction(SYSTEM) as tx:
            for name, kind, roles in (
                ("mia", "staff", ("manager",)),
                ("ada", "staff", ("agent",)),
                ("priya", "client", ("approver",)),
                ("raj", "client", ("requester",)),
            ):
                await persons.add_person(
                    tx,
                    kind=kind,
                    client_id=client_id if kind == "client" else None,
                    email=f"{name}@people.example",
                    display_name=name.title(),
                    roles=roles,
                    password=PASSWORD,
                    actor="test",
                )
        async with served(contracts_api.create(own, database)) as url:
            settings = Settings(
                database_url=SecretStr(people.url),
                amqp_url=nothing,
                identity_public_keys=KEYS,
                identity_private_key=SecretStr(json.dumps(KEY)),
                tickets_url=NOWHERE,
                sla_url=NOWHERE,
                contracts_url=url,
                billing_url=NOWHERE,
                brand_name="Meridian IT",
            )
            app = api.create(settings, people)
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://door") as client,
            ):
                yield Desk(client, database, client_id)


async def a_contract(desk: Desk, *, is_active: bool = True, **more: Any) -> UUID:
    async with desk.database.transaction(SYSTEM) as tx:
        make = testing.an_active_contract if is_active else testing.a_draft
        return await make(tx, desk.client_id, **more)


async def test_a_client_is_shown_with_its_contracts_and_people_and_open_tickets_fail_alone(desk: Desk) -> None:
    await a_contract(desk)

    listed = await desk.get("ada", "/desk/clients")
    added = await desk.send("ada", "POST", "/desk/clients/HLO/contacts", name="Priya Nair", email="p@hlo.example")
    refused = await desk.send("ada", "POST", "/desk/clients/HLO/contacts", name="Nobody", email="nowhere")
    page = await desk.get("ada", "/desk/clients/hlo")

    assert '<a class="title" href="/desk/clients/HLO">Harlow Dental</a>' in listed
    assert (added.status_code, refused.status_code) == (303, 422)
    assert "The contact was not added." in refused.text
    assert "Priya Nair" in page
    assert 'href="/desk/contracts/C-0001"' in page
    assert "50:00" in page
    assert "Tickets are not available" in page
    assert (await desk.send("ada", "GET", "/desk/clients/ZZZ")).status_code == 404
    assert (await desk.send("priya", "GET", "/desk/clients/HLO")).status_code == 403


async def test_every_part_of_a_contract_is_shown(desk: Desk) -> None:
    await a_contract(desk, targets=[testing.a_target(90, priority="critical")])

    async def part(name: str) -> str:
        return await desk.get("ada", f"/desk/contracts/C-0001{name}")

    assert "network" in await part("")
    assert "1 h 30 min" in await part("/sla")
    assert "€90.00" in await part("/rates")
    assert "In force" in await part("/history")
    assert "priority-without-target" in await part("/lint")
    assert "No tests yet" in await part("/tests")
    assert (await desk.send("ada", "GET", "/desk/contracts/C-9999")).status_code == 404


async def test_what_90_minutes_would_cost_is_shown(desk: Desk) -> None:
    await a_contract(desk, minutes=60)

    query = "duration=1h30&at=2026-11-24T10:00&job_type=network&level=L1"
    page = await desk.get("ada", f"/desk/contracts/C-0001/simulate?{query}")
    odd = await desk.send("ada", "GET", "/desk/contracts/C-0001/simulate?duration=soon")

    assert "1 h 30 min worked count as 1 h 30 min" in page
    assert "the bucket goes from 1:00 h to 0:00 h" in page
    assert "<b>€45.00</b>" in page
    assert "network is in scope" in page
    assert odd.status_code == 422
    assert "Write the duration as" in odd.text


async def test_a_failing_test_keeps_a_draft_a_draft_and_the_page_says_why(desk: Desk) -> None:
    await a_contract(desk, is_active=False)
    tests = "/desk/contracts/C-0001/tests"
    case = {"event": "work", "job_type": "network", "level": "L1", "at": "Mon 09:00", "duration": "90m"}

    unreadable = await desk.send("mia", "POST", tests, name="Odd", **{**case, "at": "soon", "price": "1.00"})
    written = await desk.send("mia", "POST", tests, name="90 min cost 138.00", **case, price="138.00")
    page = await desk.get("mia", tests)
    refused = await desk.send("mia", "POST", "/desk/contracts/C-0001/activate")

    assert unreadable.status_code == 422
    assert "The test was not saved." in unreadable.text
    assert written.status_code == 303
    assert "price: expected 138.00, found 135.00" in page
    assert refused.status_code == 422
    assert (
        "The contract was not activated. C-0001: 90 min cost 138.00: price: expected 138.00, found 135.00"
        in refused.text
    )
    assert (await desk.send("ada", "POST", tests, name="x", **case)).status_code == 403


async def test_a_draft_is_activated_and_tests_are_removed(desk: Desk) -> None:
    await a_contract(desk, is_active=False)
    tests = "/desk/contracts/C-0001/tests"
    case = {"event": "ticket", "job_type": "network", "level": "L1", "priority": "low", "at": "Mon 09:00"}
    await desk.send("mia", "POST", tests, name="low is due the same day", **case, due_at="Mon 17:00")
    page = await desk.get("mia", tests)
    case_id = page.partition('name="remove" value="')[2][:36]

    active = await desk.send("mia", "POST", "/desk/contracts/C-0001/activate")
    removed = await desk.send("mia", "POST", tests, remove=case_id)

    assert "Holds" in page
    assert (active.status_code, removed.status_code) == (303, 303)
    assert "No tests yet" in await desk.get("mia", tests)


async def test_the_client_approves_work_beyond_its_hours_in_the_portal(desk: Desk) -> None:
    contract_id = await a_contract(desk, minutes=60, exhaustion_policy="needs_approval")
    agreed, declined = testing.an_entry(90), testing.an_entry(30, "Tue 09:00")
    told = [testing.time_told(one, client_id=desk.client_id, contract_id=contract_id) for one in (agreed, declined)]
    await Speaker(Inbox(desk.database, consumers)).say(*told)

    page = await desk.get("priya", "/portal/approvals")
    silent = await desk.send(
        "priya", "POST", f"/portal/approvals/{declined.id}", decision="declined", overage_minutes="30"
    )
    yes = await desk.send("priya", "POST", f"/portal/approvals/{agreed.id}", decision="approved", overage_minutes="30")
    no = await desk.send(
        "priya",
        "POST",
        f"/portal/approvals/{declined.id}",
        decision="declined",
        overage_minutes="30",
        reason="No, thanks",
    )
    async with desk.database.transaction(SYSTEM) as tx:
        await approvals.settle(tx)

    assert page.count("30 min beyond your hours, €45.00") == 2
    assert silent.status_code == 409
    assert "Say why you decline." in silent.text
    assert (yes.status_code, no.status_code) == (303, 303)
    after = await desk.get("priya", "/portal/approvals")
    assert "Nothing waits for you" in after
    assert "No, thanks" in after
    assert (await desk.send("raj", "GET", "/portal/approvals")).status_code in (403, 404)
    assert (await desk.send("mia", "GET", "/portal/approvals")).status_code == 403


async def test_a_manager_registers_a_client_and_drafts_a_contract_that_the_linter_shows(desk: Desk) -> None:
    await a_contract(desk)
    who = {"name": "Acme Mills", "code": "acm", "timezone": "Europe/Berlin", "currency": "EUR", "country": "DE"}
    assert 'href="/desk/new-client"' in await desk.get("mia", "/desk/clients")
    assert 'href="/desk/new-client"' not in await desk.get("ada", "/desk/clients")
    odd = await desk.send("mia", "POST", "/desk/new-client", **{**who, "timezone": "Nowhere/Else"})
    made = await desk.send("mia", "POST", "/desk/new-client", **who)
    assert (odd.status_code, made.status_code) == (422, 303)
    assert "The client was not saved. timezone:" in odd.text
    assert 'value="Acme Mills"' in odd.text, "what was typed stays"
    assert 'href="/desk/clients/ACM/new-contract"' in await desk.get("mia", "/desk/clients/ACM")

    path = "/desk/clients/ACM/new-contract"
    page = await desk.get("mia", path)
    chosen = {
        name: page.split(f'name="{name}"')[1].split('<option value="')[1].split('"')[0]
        for name in ("calendar_id", "rate_card_id")
    }
    terms = {
        **chosen,
        "name": "Support 10 h",
        "kind": "bucket",
        "starts_on": "2026-11-01",
        "job_types": ["network", "server"],
        "levels": ["L1"],
        "hours": "10",
        "price": "900.50",
        "critical-resolution": "1.5",
    }
    refused = await desk.send("mia", "POST", path, **{**terms, "hours": "a few"})
    drafted = await desk.send("mia", "POST", path, **terms)

    assert (refused.status_code, drafted.status_code) == (422, 303)
    assert "bucket/minutes" in refused.text
    assert drafted.headers["location"] == "/desk/contracts/C-0002/lint"
    assert "priority-without-target" in await desk.get("mia", "/desk/contracts/C-0002/lint")
    assert "1 h 30 min" in await desk.get("mia", "/desk/contracts/C-0002/sla")
    shown = await desk.get("mia", "/desk/contracts/C-0002")
    assert "This is a draft" in shown
    assert "10:00" in shown
    assert (await desk.send("mia", "POST", "/desk/contracts/C-0002/activate")).status_code == 303
    assert "This is a draft" not in await desk.get("mia", "/desk/contracts/C-0002")


async def test_agents_and_clients_draft_nothing(desk: Desk) -> None:
    for who in ("ada", "priya"):
        for path in ("/desk/new-client", "/desk/clients/HLO/new-contract"):
            assert (await desk.send(who, "GET", path)).status_code == 403
            assert (await desk.send(who, "POST", path, name="x")).status_code == 403


AMENDED = {
    "effective_from": "2026-12-01",
    "version": "1",
    "name": "Managed support",
    "priority": "100",
    "job_types": "network",
    "levels": ["L1", "L2"],
    "exhaustion_policy": "overage",
    "minimum_minutes": "0",
    "increment_minutes": "1",
    "any-resolution": "4",
    "item-text": "Backup",
    "item-price": "49.50",
    "item-frequency": "monthly",
    "intent": "look",
}


def hidden(page: str) -> dict[str, str]:
    """Return the fields of the form that brings a proposal into force."""
    form = page.partition('name="key"')[2].partition("</form>")[0]
    found = re.findall(r'name="([^"]+)" value="([^"]*)"', f'name="key"{form}')
    return {name: html.unescape(value) for name, value in found}


async def test_a_change_is_tried_in_the_form_and_then_brought_into_force_or_not(desk: Desk) -> None:
    await a_contract(desk)
    path = "/desk/contracts/C-0001/amend"

    assert f'href="{path}"' in await desk.get("mia", "/desk/contracts/C-0001")
    assert f'href="{path}"' not in await desk.get("ada", "/desk/contracts/C-0001")
    assert 'name="any-resolution" value="8"' in await desk.get("mia", path)
    tried = await desk.send("mia", "POST", path, **AMENDED)
    before = await desk.get("mia", "/desk/contracts/C-0001/history")
    made = await desk.send("mia", "POST", path, **hidden(tried.text))
    again = await desk.send("mia", "POST", path, **hidden(tried.text))
    late = await desk.send("mia", "POST", path, **{**hidden(tried.text), "key": str(uuid4())})

    assert tried.status_code == 200
    for line in ("server is no longer in scope", "Resolution of all tickets: 8 h -&gt; 4 h", "item.1: 1 x Backup"):
        assert line in tried.text, line
    assert "Bring into force on 1 Dec 2026" in tried.text
    assert "Backup" not in before
    assert (made.status_code, made.headers["location"]) == (303, "/desk/contracts/C-0001/history")
    assert again.status_code == 303, "a second press of the button is the first one"
    assert (late.status_code, "version 2 is the newest one" in late.text) == (422, True)
    after = await desk.get("mia", "/desk/contracts/C-0001/history")
    assert "Resolution of all tickets: 8 h -&gt; 4 h" in after
    assert 'name="item-0" value="49.50"' in await desk.get("mia", path)


async def test_days_that_do_not_fit_and_odd_numbers_are_refused_beside_their_fields(desk: Desk) -> None:
    await a_contract(desk)
    path = "/desk/contracts/C-0001/amend"
    await desk.send("mia", "POST", path, **{**AMENDED, "intent": "activate"})

    overlap = await desk.send("mia", "POST", path, **{**AMENDED, "version": "2", "effective_from": "2026-11-20"})
    odd = await desk.send(
        "mia", "POST", path, **{**AMENDED, "version": "2", "any-resolution": "soon", "increment_minutes": "-5"}
    )
    empty = await desk.send("mia", "POST", path, **{**AMENDED, "version": "2", "levels": ""})

    assert overlap.status_code == 422
    fault = overlap.text.partition('id="effective_from-err">')[2].partition("</span>")[0].rpartition("</svg>")[2]
    assert fault.startswith("from 2026-12-01 on version 2 is in force; a change from 2026-11-20 on would overlap it")
    assert 'value="2026-11-20"' in overlap.text, "what was typed stays"
    assert 'name="item-text" value="Backup"' in overlap.text
    assert odd.status_code == 422
    assert 'id="any-resolution-err"' in odd.text
    assert 'value="soon"' in odd.text
    assert 'id="increment_minutes-err"' in odd.text
    assert empty.status_code == 200
    assert "scope-without-levels" in empty.text
    assert "Cannot come into force" in empty.text
    assert "Bring into force" not in empty.text
    for who in ("ada", "priya"):
        assert (await desk.send(who, "GET", path)).status_code == 403
        assert (await desk.send(who, "POST", path, **AMENDED)).status_code == 403


async def test_a_test_that_would_fail_keeps_a_change_from_coming_into_force(desk: Desk) -> None:
    await a_contract(desk)
    case = {"event": "work", "job_type": "network", "level": "L1", "at": "Mon 09:00", "duration": "90m"}
    await desk.send("mia", "POST", "/desk/contracts/C-0001/tests", name="90 min cost 135.00", **case, price="135.00")

    tried = await desk.send("mia", "POST", "/desk/contracts/C-0001/amend", **{**AMENDED, "increment_minutes": "60"})
    forced = await desk.send(
        "mia", "POST", "/desk/contracts/C-0001/amend", **{**AMENDED, "increment_minutes": "60", "intent": "activate"}
    )

    assert "90 min cost 135.00: price: expected 135.00, found 180.00" in tried.text
    assert "Bring into force" not in tried.text
    assert forced.status_code == 422
    assert "expected 135.00, found 180.00" in forced.text
