"""Two clients with one of everything, staff and people of every role, and every kind of bad credential."""

from __future__ import annotations

import base64
import contextlib
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2 as httpx
from neighbours import ADMIN, PASSWORD, Neighbours
from story import Cast, Company, a_cast, first_of_month, next_month, today

from msp_kernel.ids import is_prefixed, new_id, parsed
from msp_kit.database import SYSTEM
from msp_kit.testing import eventually
from msp_local.api import Api, ApiProblem
from portal_gateway.actions.keys import SCOPES
from portal_gateway.person import CLIENT_ROLES, STAFF_ROLES

INSIDE = "CANARY-INSIDE"
LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>'
NOT_MADE = tuple(
    "absence_id adjustment_id agent_id charge_id contact_id credit_id kind line_id link_id milestone_id name "
    "needs_id other_id period_close_id reply_id rule_id task_id template_id test_id view_id write_off_id".split()
)
"""Kinds of objects only staff deals with: nobody makes them here, and only who may ask at all is tried."""
GONE = ("passkey_id",)
"""Kinds of objects of the caller alone that nobody has here."""
SHARED = ("rate_card_id", "calendar_id", "job_type_id", "run_id")
"""Kinds of objects of the house, which belong to no client."""
MONTH = (first_of_month(today()).isoformat(), next_month(today()).isoformat())


def bare(given: str) -> str:
    """Return an id as the services keep it: a UUID without what kind of thing it is of."""
    return str(UUID(given.rpartition("_")[2])) if is_prefixed(given) else given


@dataclass
class Side:
    """A client: its canary, its people's tokens, and one object of each kind."""

    canary: str
    company: Company
    tokens: dict[str, str] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    """What pages call some of them, by the part of the path before."""

    @property
    def words(self) -> tuple[str, ...]:
        """Return what nobody else may ever read: what was written, and every id and name of what is only theirs."""
        own = {value for name, value in self.objects.items() if name not in (*SHARED, *NOT_MADE, *GONE, "n", "version")}
        ids = {form for one in own for form in (bare(one), bare(one).replace("-", ""))}
        return (self.canary, *sorted(ids), *self.refs.values(), self.company.email)

    @property
    def client_id(self) -> str:
        """Return the client's id as the services keep it."""
        return bare(self.company.id)


@dataclass
class Actors:
    ours: Side
    theirs: Side
    staff: dict[str, str]
    bad: dict[str, str]
    """Tokens that are no longer, or never were, good."""
    stale: dict[str, str]
    enrolling: str
    viewing: str
    keys: dict[str, str]
    person_ids: dict[str, UUID]
    cast: Cast
    """Who makes things for a client as staff would."""


async def sign_in(url: str, email: str) -> str:
    async with Api(url, email=email, password=PASSWORD) as api:
        return api.token


async def sign_in_anew(n: Neighbours, made: Actors) -> None:
    """Give everybody a session again: what got through may have ended theirs."""
    for role in STAFF_ROLES:
        made.staff[role] = await sign_in(n.url, f"{role}@meridian.example")
    for side in (made.ours, made.theirs):
        for role in CLIENT_ROLES:
            side.tokens[role] = await sign_in(n.url, f"{role}.{side.canary.lower()}@client.example")
        side.tokens["all"] = await sign_in(n.url, side.company.email)


@contextlib.asynccontextmanager
async def actors(n: Neighbours) -> AsyncIterator[Actors]:
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(Api(n.url, email=ADMIN, password=PASSWORD))
        cast = await stack.enter_async_context(a_cast(admin))
        await admin.post("/queues", {"key": "desk", "name": "Desk"})
        await admin.send("PUT", "/seller/logo", body={"content": base64.b64encode(LOGO).decode()})
        sides = [await a_side(n, cast, canary) for canary in ("CANARY-OURS", "CANARY-THEIRS")]
        staff = {}
        for role in STAFF_ROLES:
            email = f"{role}@meridian.example"
            await admin.post("/people", _person("staff", email, [role]))
            staff[role] = await sign_in(n.url, email)
        made = Actors(
            ours=sides[0],
            theirs=sides[1],
            staff=staff,
            bad={},
            stale={},
            enrolling="",
            viewing="",
            keys={},
            person_ids={},
            cast=cast,
        )
        await _bad_credentials(n, admin, made)
        yield made


async def a_side(n: Neighbours, cast: Any, canary: str) -> Side:
    company = await cast.client(f"{canary} Ltd")
    side = Side(canary, company)
    for role in CLIENT_ROLES:
        email = f"{role}.{canary.lower()}@client.example"
        await cast.admin.post("/people", {**_person("client", email, [role]), "client_id": company.id})
        side.tokens[role] = await sign_in(n.url, email)
    side.tokens["all"] = await sign_in(n.url, company.email)
    async with Api(n.url, email=company.email, password=PASSWORD) as person:
        ticket = await person.post(
            "/tickets",
            {
                "title": f"{canary} title",
                "description": f"{canary} description",
                "job_type": "network",
                "priority": "high",
                "level": "L1",
            },
        )
        await person.post(f"/tickets/{ticket['id']}/messages", {"body": f"{canary} message"})
        attachment = await a_file(n, person, ticket["id"], canary)
        me = await person.get("/me")
        session = (await person.get("/sessions"))["items"][0]["id"]
        key = await person.post("/api-keys", {"name": canary, "roles": ["requester"], "scopes": ["tickets:read"]})
    await cast.agent.post(f"/tickets/{ticket['id']}/messages", {"body": f"{INSIDE} {canary}", "is_public": False})
    await cast.agent.post(f"/tickets/{ticket['id']}/messages", {"body": f"{canary} answer", "is_public": True})
    project = await cast.manager.post(
        "/projects",
        {
            "client_id": company.id,
            "contract_id": company.contract_id,
            "name": f"{canary} project",
            "is_client_visible": True,
        },
    )
    entry = await cast.agent.post(
        "/time-entries", {"ticket_id": ticket["id"], "worked_minutes": 40, "note": f"{canary} work"}
    )

    async def clock() -> str | None:
        found = (await cast.agent.get("/clocks", ticket_id=ticket["id"]))["items"]
        return found[0].get("id") or found[0].get("clock_id") if found else None

    async def notification() -> str | None:
        async with Api(n.url) as person:
            person.token = side.tokens["all"]
            found = (await person.get("/notifications"))["items"]
        return found[0]["id"] if found else None

    clock_id, notification_id = await eventually(clock), await eventually(notification)
    assert clock_id is not None
    assert notification_id is not None
    await cast.manager.post(
        f"/billing-profiles/{company.id}/charges",
        {
            "contract_id": company.contract_id,
            "kind": "item",
            "text": f"{canary} charge",
            "amount_minor": 5000,
            "frequency": "once",
            "starts_on": MONTH[0],
        },
    )
    run, invoice = await _billed(cast, company.id)
    paid = await cast.manager.post(
        "/payments",
        {
            "client_id": company.id,
            "amount_minor": 100,
            "currency": "GBP",
            "received_on": MONTH[0],
            "method": "transfer",
            "reference": f"{canary} reference",
        },
    )
    number = (await cast.manager.get(f"/invoices/{invoice}"))["number"]
    side.refs = {"tickets": ticket["ref"], "projects": project["ref"], "invoices": number}
    shared = {
        f"{name.replace('-', '_')}_id": (await cast.manager.get(f"/{name}s", limit=200))["items"][-1]["id"]
        for name in ("rate-card", "calendar", "job-type")
    }
    side.objects = {
        "ticket": ticket["id"],
        "ticket_id": ticket["id"],
        "entry_id": entry["id"],
        "time_entry_id": entry["id"],
        "contract_id": company.contract_id,
        "client_id": company.id,
        "invoice": invoice,
        "invoice_id": invoice,
        "run_id": run,
        **shared,
        "person_id": me["id"],
        "session_id": session,
        "key_id": key["id"],
        "passkey_id": str(new_id()),
        "audience": company.id,
        "clock_id": clock_id,
        "notification_id": notification_id,
        "attachment_id": attachment["id"],
        "project_id": project["id"],
        "payment_id": paid["id"],
        "n": "1",
        "version": "1",
        **{name: str(new_id()) for name in NOT_MADE},
    }
    return side


async def a_file(n: Neighbours, person: Api, ticket_id: str, canary: str) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=n.url, timeout=30) as client:
        answer = await client.post(
            f"/api/v1/tickets/{ticket_id}/attachments?name={canary}.txt",
            headers={"authorization": f"Bearer {person.token}"},
            content=f"{canary} content".encode(),
        )
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


async def _billed(cast: Any, client: str) -> tuple[str, str]:
    await cast.manager.post("/time-entries/approve", {"client_id": client, "before": f"{MONTH[1]}T00:00:00Z"})
    run = await cast.manager.post("/billing-runs", {"starts_on": MONTH[0], "ends_on": MONTH[1], "client_ids": [client]})

    async def item(status: str) -> dict[str, Any] | None:
        seen = await cast.manager.get(f"/billing-runs/{run['id']}")
        (found,) = [one for one in seen["items"] if one["client_id"] == client]
        return found if found["status"] == status else None

    await eventually(lambda: item("drafted"))
    await cast.manager.post(f"/billing-runs/{run['id']}/issue", {})
    issued = await eventually(lambda: item("issued"))
    assert issued is not None
    return run["id"], issued["invoice_id"]


async def _bad_credentials(n: Neighbours, admin: Api, made: Actors) -> None:
    gateway = n.services["portal-gateway"].database
    expired, ended, shut_out, stale, enrolling, viewing = [
        await _somebody(n, admin, name) for name in ("expired", "ended", "shut-out", "stale", "enrolling", "viewing")
    ]
    third = await admin.post("/clients", _client("Third"))
    careful = f"careful.{secrets.token_hex(4)}@third.example"
    await admin.post("/people", {**_person("client", careful, list(CLIENT_ROLES)), "client_id": third["id"]})
    await admin.send("PUT", f"/second-factor-policies/{third['id']}", body={"is_required": True})
    made.enrolling = await sign_in(n.url, careful)
    for name, (token, person_id) in {"expired": expired, "ended": ended, "shut out": shut_out}.items():
        made.bad[name] = token
        made.person_ids[name] = parsed("person", person_id)
    made.bad["tampered"] = enrolling[0][:-1] + ("A" if enrolling[0][-1] != "A" else "B")
    made.bad["truncated"] = enrolling[0][:20]
    made.bad["nonsense"] = "%00' OR 1=1 --"
    made.stale["staff"] = stale[0]
    made.stale["client"] = await sign_in(n.url, made.theirs.company.email)
    made.viewing = viewing[0]
    async with Api(n.url) as looking:
        looking.token = viewing[0]
        await looking.send("PUT", "/sessions/current/view", body={"client_id": made.ours.company.id})
    await _keys(n, admin, made)
    # Seen once while they were good: what is remembered of them must not outlive them.
    for token in (*made.bad.values(), *made.keys.values()):
        async with Api(n.url) as somebody:
            somebody.token = token
            with contextlib.suppress(Exception):
                await somebody.get("/me")
    async with gateway.transaction(SYSTEM) as tx:
        await tx.driver.execute(
            "UPDATE sessions SET expires_at = clock_timestamp() WHERE person_id = $1", made.person_ids["expired"]
        )
        await tx.driver.execute("DELETE FROM sessions WHERE person_id = $1", made.person_ids["ended"])
        await tx.driver.execute("UPDATE people SET is_active = false WHERE id = $1", made.person_ids["shut out"])
        for token in made.stale.values():
            await tx.driver.execute(
                "UPDATE sessions SET proved_at = proved_at - interval '1 hour' WHERE token_sha256 = sha256(convert_to($1, 'UTF8'))",
                token,
            )
        await tx.driver.execute("UPDATE api_keys SET revoked_at = clock_timestamp() WHERE name = 'revoked'")
        await tx.driver.execute("UPDATE api_keys SET expires_at = clock_timestamp() WHERE name = 'expired'")
    await eventually(
        lambda: _all_gone(n, [*made.bad.values(), made.keys["revoked"], made.keys["expired"]]), within_seconds=5
    )


async def _all_gone(n: Neighbours, tokens: list[str]) -> bool:
    for token in tokens:
        try:
            async with Api(n.url) as somebody:
                somebody.token = token
                await somebody.get("/me")
        except ApiProblem as refused:
            if refused.status == 401:
                continue
        return False
    return True


async def _keys(n: Neighbours, admin: Api, made: Actors) -> None:
    client = made.theirs.company.id
    for name, scopes in {"revoked": SCOPES, "expired": SCOPES, "reading": _of("read"), "writing": _of("write")}.items():
        key = await admin.post(
            "/api-keys", {"name": name, "client_id": client, "roles": list(CLIENT_ROLES), "scopes": list(scopes)}
        )
        made.keys[name] = key["key"]


def _of(verb: str) -> list[str]:
    return [scope for scope in SCOPES if scope.endswith(f":{verb}")]


async def _somebody(n: Neighbours, admin: Api, name: str) -> tuple[str, str]:
    email = f"{name}@meridian.example"
    made = await admin.post("/people", _person("staff", email, ["admin", "manager"]))
    return await sign_in(n.url, email), made["id"]


def _person(kind: str, email: str, roles: list[str]) -> dict[str, Any]:
    return {"kind": kind, "email": email, "display_name": "Sam Field", "roles": roles, "password": PASSWORD}


def _client(name: str) -> dict[str, Any]:
    address = {"lines": ["1 Quay"], "city": "Bristol", "postcode": "BS1 1SA", "country": "GB"}
    code = "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(5))
    return {"code": code, "name": name, "timezone": "Europe/London", "currency": "GBP", "billing_address": address}
