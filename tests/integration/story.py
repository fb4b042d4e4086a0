"""The cast of a story: an MSP with agents and a manager, and clients with contracts, made through the API as staff would."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msp_kit.testing import eventually
from msp_local.api import Api

PASSWORD = "correct horse battery staple"  # noqa: S105 - of people who live for one test
JOB_TYPES = ("network", "workplace", "server", "cloud", "security")
IN_SCOPE = ("network", "workplace", "server")
LEVELS = ("L1", "L2", "L3")
AROUND_THE_CLOCK = {
    "timezone": "Europe/London",
    "weekly": {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
    "holidays": [],
    "overrides": {},
}


def first_of_month(on: date) -> date:
    """Return the first day of a month."""
    return on.replace(day=1)


def next_month(on: date) -> date:
    """Return the first day of the following month."""
    return (on.replace(day=1) + timedelta(days=32)).replace(day=1)


def today() -> date:
    """Return today in UTC."""
    return datetime.now(UTC).date()


@dataclass
class Cast:
    """Who plays in a story, signed in."""

    admin: Api
    manager: Api
    agent: Api
    agent_id: str

    async def client(self, name: str, **terms: Any) -> Company:
        """Register a client with an active bucket contract and a person who may do everything on its side."""
        return await a_company(self, name, **terms)


@dataclass
class Company:
    """A client company of a story and its person."""

    id: str
    contract_id: str
    email: str


@asynccontextmanager
async def a_cast(admin: Api) -> AsyncIterator[Cast]:
    """Make an MSP: catalogue, queue, an agent, a manager."""
    async with AsyncExitStack() as stack:
        for code in JOB_TYPES:
            known = [item["code"] async for item in admin.pages("/job-types")]
            if code not in known:
                await admin.post("/job-types", {"code": code, "name": code.capitalize(), "is_billable": True})

        async def person(name: str, *roles: str) -> tuple[Api, str]:
            email = f"{name.lower().replace(' ', '.')}.{secrets.token_hex(4)}@meridian.example"
            made = await admin.post(
                "/people",
                {"kind": "staff", "email": email, "display_name": name, "roles": list(roles), "password": PASSWORD},
            )
            return await stack.enter_async_context(Api(admin.url, email=email, password=PASSWORD)), made["id"]

        agent, person_id = await person("Tom Okafor", "agent")
        manager, _ = await person("Sofia Marsh", "manager")
        made = await admin.post(
            "/agents",
            {
                "person_id": person_id,
                "name": "Tom Okafor",
                "levels": list(LEVELS),
                "skills": list(JOB_TYPES),
                "queues": [],
                "weekly_minutes": 2400,
            },
        )
        yield Cast(admin=admin, manager=manager, agent=agent, agent_id=made["id"])


def a_target(metric: str, minutes: int, **more: Any) -> dict[str, Any]:
    """Return an SLA target that counts around the clock."""
    flags = {"after_hours": True, "weekends": True, "holidays": True}
    return {"metric": metric, "budget_minutes": minutes, **flags, **more}


async def a_company(
    cast: Cast,
    name: str,
    *,
    bucket_minutes: int = 3000,
    targets: list[dict[str, Any]] | None = None,
    escalation: list[dict[str, Any]] | None = None,
) -> Company:
    """Register a client, a calendar, a rate card and a bucket contract, activate it, and invite its person."""
    admin, starts_on = cast.manager, first_of_month(today()) - timedelta(days=31)
    code = "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(5))
    client = await admin.post(
        "/clients",
        {
            "code": code,
            "name": name,
            "timezone": "Europe/London",
            "currency": "GBP",
            "billing_address": {
                "lines": ["12 Baldwin Street"],
                "city": "Bristol",
                "postcode": "BS1 1SA",
                "country": "GB",
            },
        },
    )
    calendar = await admin.post("/calendars", {"name": f"{code} always", **AROUND_THE_CLOCK})
    card = await admin.post(
        "/rate-cards",
        {
            "name": f"{code} standard",
            "currency": "GBP",
            "rates": [
                {"level": level, "rate_minor": rate} for level, rate in zip(LEVELS, (8000, 9200, 11_000), strict=True)
            ],
            "overage_rates": [],
        },
    )
    contract = await admin.post(
        "/contracts",
        {
            "client_id": client["id"],
            "name": "Bucket 50 h",
            "kind": "bucket",
            "starts_on": starts_on.isoformat(),
            "currency": "GBP",
            "job_types": list(IN_SCOPE),
            "levels": list(LEVELS),
            "calendar_id": calendar["id"],
            "targets": targets or [a_target("first_response", 60), a_target("resolution", 480)],
            "escalation": escalation or [{"step": 1, "metric": "resolution", "at_percent": 100, "to_level": "L2"}],
            "rounding": {"increment_minutes": 15, "minimum_minutes": 15, "direction": "up", "level": "entry"},
            "rate_card_id": card["id"],
            "bucket": {"minutes": bucket_minutes, "price_minor": 400_000, "valid_from": starts_on.isoformat()},
        },
    )
    await admin.post(f"/contracts/{contract['id']}/activate")
    email = f"{code.lower()}@client.example"
    await cast.admin.post(
        "/people",
        {
            "kind": "client",
            "client_id": client["id"],
            "email": email,
            "display_name": "Priya Nair",
            "roles": ["requester", "approver", "billing", "admin"],
            "password": PASSWORD,
        },
    )

    async def terms_are_known() -> bool:
        # A ticket can be raised once the terms have reached the tickets service.
        found = await cast.manager.get("/tickets/offer", client_id=client["id"])
        return bool(found["contracts"])

    await eventually(terms_are_known)
    return Company(id=client["id"], contract_id=contract["id"], email=email)
