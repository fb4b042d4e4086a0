"""Fills a new platform through its API, as people would: nothing is written behind its back."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msp_local.api import Api, ApiProblem
from msp_local.demo.cast import AGENTS, CLIENTS, CONTACTS, JOB_TYPES, LEVELS, QUEUES, ROUTES, TITLES, ClientCard
from msp_local.demo.money import bill_last_months, months_back
from msp_local.demo.projects import add_project
from msp_local.demo.texts import add_texts

PASSWORD = "effigate demo 2026"
MANAGER = "sofia.marsh@meridian.example"
SOURCE = "demo-history"
TRIES_MAX = 150
PRESSING_MINUTES = (140, 190, 222, 231, 300, 420)
"""How long ago the critical tickets were raised that are to be resolved within 240 minutes."""
_NAMESPACE = uuid.UUID("1d1c3d6e-55f7-5c5e-9a4f-0a4a1b6a7c10")
Say = Callable[[str], None]
SignIns = list[tuple[str, str, str]]
_WEEK = {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
_BUDGETS = {"critical": (15, 240), "high": (30, 480), "medium": (120, 960), "low": (240, 2400)}


def _email(name: str, domain: str) -> str:
    return f"{name.lower().replace(' ', '.')}@{domain}.example"


def sign_ins() -> SignIns:
    """Return who can sign in to the demo: role, e-mail, password."""
    return [
        ("manager (Sofia Marsh)", MANAGER, PASSWORD),
        ("agent (Tom Okafor)", _email("Tom Okafor", "meridian"), PASSWORD),
        ("Harbour & Lowe (Priya Nair)", _email("Priya Nair", "hlo"), PASSWORD),
        ("Kestrel Freight (George Hall)", _email("George Hall", "kes"), PASSWORD),
    ]


async def seed(url: str, *, email: str, password: str, say: Say) -> SignIns:
    """Fill the platform when it has no client yet; return the sign-ins."""
    async with Api(url, email=email, password=password) as admin:
        if (await admin.get("/clients", limit=1))["items"]:
            return sign_ins()
        say("a new database: filling it with a demo MSP")
        dice = random.Random(20261123)
        await _msp(admin)
        say(f"{len(AGENTS)} agents, {len(QUEUES)} queues, {len(JOB_TYPES)} job types")
        contracts = await _clients(admin, say)
        async with Api(url, email=MANAGER, password=PASSWORD) as manager:
            await _terms_known(manager, contracts)
            await _history(manager, contracts, dice, say)
            await _today(url, manager, contracts, dice)
            await _import(manager, [_pressing(number, contracts) for number in range(len(PRESSING_MINUTES))])
            await add_project(manager, client_id=contracts[CLIENTS[0].code])
            await add_texts(manager)
            say("open tickets in every state, a project")
            await bill_last_months(manager, say)
    return sign_ins()


# ---- the MSP ------------------------------------------------------------------------------------------------------


async def _msp(admin: Api) -> None:
    for code, name, is_billable in JOB_TYPES:
        await admin.post("/job-types", {"code": code, "name": name, "is_billable": is_billable})
    for key, name in QUEUES:
        await admin.post("/queues", {"key": key, "name": name}, key=f"demo-queue-{key}")
    for position, match, queue in ROUTES:
        await _rule(admin, {"position": position, **match, "queue": queue})
    await _person(admin, "Sofia Marsh", ["manager"], MANAGER)
    for agent in AGENTS:
        made = await _person(admin, agent.name, ["agent"], _email(agent.name, "meridian"))
        await admin.post(
            "/agents",
            {
                "person_id": made["id"],
                "name": agent.name,
                "levels": list(agent.levels),
                "skills": list(agent.skills),
                "queues": list(agent.queues),
                "weekly_minutes": 2250,
            },
        )


async def _rule(admin: Api, rule: dict[str, Any]) -> None:
    for _ in range(TRIES_MAX):
        try:
            await admin.post("/routing-rules", rule)
        except ApiProblem as problem:
            # A job type that tickets has not heard of yet: no ticket could have it.
            if problem.code != "rule-never-matches":
                raise
            await asyncio.sleep(0.2)
        else:
            return
    raise AssertionError(rule)


async def _person(admin: Api, name: str, roles: list[str], email: str, client_id: str | None = None) -> dict[str, Any]:
    body = {"email": email, "display_name": name, "roles": roles, "password": PASSWORD}
    kind = {"kind": "staff"} if client_id is None else {"kind": "client", "client_id": client_id}
    made: dict[str, Any] = await admin.post("/people", {**body, **kind})
    return made


# ---- clients and contracts ----------------------------------------------------------------------------------------


async def _clients(admin: Api, say: Say) -> dict[str, str]:
    """Return client ids by code."""
    calendar = await admin.post(
        "/calendars",
        {
            "name": "Mon-Fri 08-18, England",
            "timezone": "Europe/London",
            "weekly": _WEEK,
            "holidays": [],
            "overrides": {"2026-12-24": [["08:00", "12:00"]]},
            "holiday_country": "GB",
            "holiday_subdivision": "ENG",
            "holiday_years": [2026, 2027],
        },
    )
    card = await admin.post("/rate-cards", _rate_card())
    starts_on = months_back(3)

    async def make(one: ClientCard) -> tuple[str, str]:
        client_id = str(uuid.uuid5(_NAMESPACE, one.code))
        await admin.post("/clients", _client(one, client_id))
        contract = await admin.post("/contracts", _contract(one, client_id, calendar["id"], card["id"], starts_on))
        await admin.post(f"/contracts/{contract['id']}/activate")
        contact = CONTACTS[CLIENTS.index(one) % len(CONTACTS)]
        roles = ["requester", "approver", "billing", "admin"]
        await _person(admin, contact, roles, _email(contact, one.code.lower()), client_id)
        return one.code, client_id

    made = dict([await make(one) for one in CLIENTS])
    say(f"{len(made)} clients with contracts")
    return made


def _rate_card() -> dict[str, Any]:
    rates = [
        {"level": level, "rate_minor": rate} for level, rate in zip(LEVELS, (6800, 9200, 11_500, 14_500), strict=True)
    ]
    # Twice the regular rate outside hours; nights and weekends name their condition, so they win.
    for level, rate in zip(LEVELS, (10_200, 13_800, 17_250, 21_750), strict=True):
        rates += [
            {"level": level, "condition": condition, "rate_minor": rate}
            for condition in ("after_hours", "weekend", "holiday")
        ]
    return {"name": "Standard 2026", "currency": "GBP", "rates": rates, "overage_rates": []}


def _client(one: ClientCard, client_id: str) -> dict[str, Any]:
    return {
        "id": client_id,
        "code": one.code,
        "name": one.name,
        "timezone": "Europe/London",
        "currency": "GBP",
        "billing_address": {"lines": ["12 High Street"], "city": one.city, "postcode": "BS1 1SA", "country": "GB"},
    }


def _contract(one: ClientCard, client_id: str, calendar: str, card: str, starts_on: date) -> dict[str, Any]:
    targets: list[dict[str, Any]] = [
        {"metric": metric, "priority": priority, "budget_minutes": minutes}
        for priority, budgets in _BUDGETS.items()
        for metric, minutes in zip(("first_response", "resolution"), budgets, strict=True)
    ]
    for target in targets:
        if target["priority"] == "critical":
            target |= {"after_hours": True, "weekends": True, "holidays": True}
    body: dict[str, Any] = {
        "client_id": client_id,
        "name": {"bucket": f"Bucket {one.bucket_hours} h", "retainer": f"Retainer {one.bucket_hours} h a month"}.get(
            one.kind, "Time and materials"
        ),
        "kind": one.kind,
        "starts_on": starts_on.isoformat(),
        "currency": "GBP",
        "job_types": list(one.job_types),
        "levels": list(one.levels),
        "calendar_id": calendar,
        "targets": targets,
        "escalation": [
            {"step": 1, "metric": "resolution", "at_percent": 90, "to_level": None, "notify": ["assignee"]},
            {"step": 2, "metric": "resolution", "at_percent": 100, "to_level": "L2", "notify": ["manager"]},
            {"step": 3, "metric": "resolution", "at_percent": 150, "to_level": "L3", "notify": ["manager"]},
        ],
        "pausing_statuses": ["waiting_on_client", "waiting_on_vendor", "scheduled"],
        "rounding": {"increment_minutes": 15, "minimum_minutes": 15, "direction": "up", "level": "entry"},
        "weights": [{"condition": "weekend", "percent": 150}, {"condition": "holiday", "percent": 200}],
        "rate_card_id": card,
        "billing": {"tax_category": "S", "tax_rate_basis_points": 2000, "payment_days": 30},
    }
    if one.kind == "bucket":
        body["bucket"] = {
            "minutes": one.bucket_hours * 60,
            "price_minor": one.bucket_hours * 8200,
            "valid_from": starts_on.isoformat(),
        }
    if one.kind == "retainer":
        body["bucket"] = {"minutes": one.bucket_hours * 60, "price_minor": 0, "valid_from": starts_on.isoformat()}
        body["fixed_items"] = [
            {
                "item_id": "retainer",
                "text": f"Retainer, {one.bucket_hours} h a month",
                "quantity": 1,
                "unit_minor": one.bucket_hours * 7900,
                "frequency": "monthly",
                "starts_on": starts_on.isoformat(),
            }
        ]
    return body


async def _terms_known(manager: Api, clients: dict[str, str]) -> None:
    for client_id in clients.values():
        while not (await manager.get("/tickets/offer", client_id=client_id))["contracts"]:
            await asyncio.sleep(0.1)


# ---- three months of history --------------------------------------------------------------------------------------


async def _history(manager: Api, clients: dict[str, str], dice: random.Random, say: Say) -> None:
    tickets = [_past_ticket(one, clients[one.code], dice, number) for one in CLIENTS for number in range(one.busy * 3)]
    tickets.sort(key=lambda one: one["raised_at"])
    for start in range(0, len(tickets), 50):
        await _import(manager, tickets[start : start + 50])
    say(f"{len(tickets)} tickets of three months")


async def _import(manager: Api, tickets: list[dict[str, Any]]) -> None:
    for _ in range(TRIES_MAX):
        answer = await manager.post("/imports", {"source": SOURCE, "tickets": tickets})
        if not answer["refused"]:
            return
        # A client may become known to tickets after its contract: the two travel apart. The same import again is safe.
        assert all(one["reason"] == "there is no such client" for one in answer["refused"]), answer["refused"][:3]
        await asyncio.sleep(0.2)
    raise AssertionError(answer["refused"][:3])


def _past_ticket(one: ClientCard, client_id: str, dice: random.Random, number: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    first = datetime.combine(months_back(3), datetime.min.time(), UTC)
    span_days = max((now - first).days - 4, 1)
    day = first + timedelta(days=dice.randrange(span_days))
    day += timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))
    raised = day.replace(hour=8) + timedelta(minutes=dice.randrange(0, 540))
    job_type, level = dice.choice(one.job_types), dice.choice((one.levels[0], *one.levels[:2]))
    priority = dice.choices(("critical", "high", "medium", "low"), (1, 3, 8, 5))[0]
    able = [agent for agent in AGENTS if job_type in agent.skills and level in agent.levels] or list(AGENTS)
    agent = dice.choice(able).name
    # Most are answered and solved well inside their budgets, some are not: nobody believes 100 %.
    answer_minutes, solve_minutes = _BUDGETS[priority]
    answered = raised + timedelta(minutes=max(2, int(answer_minutes * dice.choice((0.2, 0.3, 0.5, 0.8, 0.9, 1.3)))))
    solved = answered + timedelta(minutes=int(solve_minutes * dice.choice((0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 1.4)) * 0.8))
    updates: list[dict[str, Any]] = [
        _update(1, answered, "open", agent, worked_minutes=dice.choice((10, 15, 25))),
    ]
    if dice.random() < 0.3:
        updates.append(_update(2, answered + timedelta(minutes=10), "waiting_on_client", agent))
        solved += timedelta(minutes=60)
        updates.append(_update(3, answered + timedelta(minutes=55), "open", agent))
    updates.append(_update(4, solved, "resolved", agent, worked_minutes=dice.choice((20, 30, 45, 45, 60, 90, 120))))
    updates.append(_update(5, solved + timedelta(days=2), "closed", agent))
    updates = [update for update in updates if datetime.fromisoformat(update["at"]) < now - timedelta(minutes=5)]
    return {
        "external_ref": f"{one.code}-{number}",
        "client_id": client_id,
        "contact_name": dice.choice(CONTACTS),
        "title": dice.choice(TITLES[job_type]),
        "job_type": job_type,
        "priority": priority,
        "level": level,
        "queue": "service-desk",
        "assignee": agent,
        "raised_at": raised.isoformat(),
        "updates": updates,
    }


def _update(seq: int, at: datetime, status: str, agent: str, *, worked_minutes: int = 0) -> dict[str, Any]:
    made = {"seq": seq, "at": at.isoformat(), "status": status, "agent": agent, "assignee": agent}
    return {**made, "worked_minutes": worked_minutes, "is_agent_reply": worked_minutes > 0}


# ---- today --------------------------------------------------------------------------------------------------------


async def _today(url: str, manager: Api, clients: dict[str, str], dice: random.Random) -> None:
    """Raise open tickets, and bring them into every state."""
    async with Api(url, email=_email("Tom Okafor", "meridian"), password=PASSWORD) as tom:
        statuses = ("new", "open", "waiting_on_client", "waiting_on_vendor", "scheduled", "resolved")
        for index, one in enumerate(CLIENTS[:20] + CLIENTS[:16]):
            job_type = one.job_types[index % len(one.job_types)]
            ticket = await manager.post(
                "/tickets",
                {
                    "client_id": clients[one.code],
                    "title": TITLES[job_type][index % len(TITLES[job_type])],
                    "description": "Since this morning. It comes back after a minute or two, and then it is gone again.",
                    "job_type": job_type,
                    "priority": ("high", "medium", "low", "critical")[index % 4],
                    "level": one.levels[min(index % 3, len(one.levels) - 1)],
                    "contact_name": CONTACTS[index % len(CONTACTS)],
                },
            )
            await _bring_to(tom, ticket, statuses[index % len(statuses)], dice)


def _pressing(number: int, clients: dict[str, str]) -> dict[str, Any]:
    """Return a critical ticket that was raised some time ago: its clock runs day and night, so it is soon or long late."""
    one = CLIENTS[number * 3]
    raised = datetime.now(UTC) - timedelta(minutes=PRESSING_MINUTES[number])
    job_type, level = one.job_types[0], one.levels[0]
    able = [agent for agent in AGENTS if job_type in agent.skills and level in agent.levels] or list(AGENTS)
    agent = able[number % len(able)].name
    return {
        "external_ref": f"{one.code}-pressing-{number}",
        "client_id": clients[one.code],
        "contact_name": CONTACTS[number % len(CONTACTS)],
        "title": TITLES[job_type][number % len(TITLES[job_type])],
        "job_type": job_type,
        "priority": "critical",
        "level": level,
        "queue": "service-desk",
        "assignee": agent,
        "raised_at": raised.isoformat(),
        "updates": [_update(1, raised + timedelta(minutes=8), "open", agent, worked_minutes=10)],
    }


async def _bring_to(tom: Api, ticket: dict[str, Any], status: str, dice: random.Random) -> None:
    if status == "new":
        return
    text = {
        "open": "Thanks, I can see it on your firewall and am looking into it.",
        "waiting_on_client": "Could you tell me whether anything was changed over the weekend?",
        "waiting_on_vendor": "The provider has confirmed a fault on the line; I will keep you posted.",
        "scheduled": "The part is ordered; I will be with you on Thursday at 10:00.",
        "resolved": "It works again: the setting was lost with the last update.",
    }[status]
    body = {"body": text, "is_public": True}
    await tom.post(f"/tickets/{ticket['id']}/messages", {**body, "set_status": status} if status != "open" else body)
    if dice.random() < 0.6:
        minutes = dice.choice((15, 20, 30, 45))
        await tom.post("/time-entries", {"ticket_id": ticket["id"], "worked_minutes": minutes, "note": "Analysis"})
