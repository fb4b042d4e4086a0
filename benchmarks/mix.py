"""A working day through the door: fifty requests a second of what people do, on the whole platform on this machine.

``make bench args="mix:600"`` runs it for ten minutes (60 seconds where no number is given). Requests start at their appointed instants whether
the earlier ones are answered or not, so that a slow platform cannot slow its own measurement.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import uvloop

from benchmarks.entries import CONTRACTS, contracts
from benchmarks.platform import fresh_platform
from msp_local.api import Api
from msp_local.stack import ADMIN_EMAIL, Platform

SECONDS, WARM_UP_SECONDS, PER_SECOND = 60, 10, 50
PASSWORD = "correct horse battery staple"
RAISED = {
    "title": "Printer jams",
    "description": "Since this morning.",
    "job_type": "network",
    "priority": "low",
    "level": "L1",
}
FAILED_FROM = 500


@dataclass(frozen=True)
class Desk:
    """A client's person and what it has."""

    token: str
    ticket_id: str
    ref: str
    contract_id: str


@dataclass(frozen=True)
class Act:
    """One thing somebody does: a page with a cookie, or a call with a token."""

    name: str
    share: int
    """Of a hundred."""
    method: str
    path: Callable[[Desk], str]
    body: Callable[[Desk], dict[str, Any] | None] = lambda _desk: None
    is_staff: bool = False
    is_page: bool = False


ACTS = (
    Act("portal tickets", 25, "GET", lambda _: "/portal/tickets", is_page=True),
    Act("portal home", 10, "GET", lambda _: "/portal", is_page=True),
    Act("portal ticket", 20, "GET", lambda desk: f"/portal/tickets/{desk.ref}", is_page=True),
    Act("balance", 15, "GET", lambda desk: f"/api/v1/contracts/{desk.contract_id}/balance"),
    Act(
        "comment",
        10,
        "POST",
        lambda desk: f"/api/v1/tickets/{desk.ticket_id}/messages",
        lambda _: {"body": "It happened again."},
    ),
    Act(
        "time",
        10,
        "POST",
        lambda _: "/api/v1/time-entries",
        lambda desk: {"ticket_id": desk.ticket_id, "worked_minutes": 15, "note": "Looked at it"},
        is_staff=True,
    ),
    Act("raise", 5, "POST", lambda _: "/api/v1/tickets", lambda _: RAISED),
    Act("dashboard", 5, "GET", lambda _: "/desk/ops", is_staff=True, is_page=True),
)


def run(seconds: int = SECONDS) -> dict[str, Any]:
    """Measure so many seconds of the mix."""
    with fresh_platform() as platform:
        return uvloop.run(_measured(platform, seconds))


def goals(found: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return each goal in words and whether it was reached."""
    return [
        (f"{PER_SECOND} requests a second of the mix: p95 under 300 ms ({found['p95_ms']})", found["p95_ms"] < 300),
        (f"no answer is a failure ({found['failures']})", not found["failures"]),
    ]


async def _measured(platform: Platform, seconds: int) -> dict[str, Any]:
    desks, staff = await people(platform)
    # Always the same mix in the same order.
    chance = random.Random(7)
    acts = chance.choices(ACTS, weights=[act.share for act in ACTS], k=(seconds + WARM_UP_SECONDS) * PER_SECOND)
    turns = itertools.cycle(desks)
    took: dict[str, list[float]] = {act.name: [] for act in ACTS}
    failures: Counter[str] = Counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(act: Act, desk: Desk, *, due: float, is_counted: bool) -> None:
            token = staff if act.is_staff else desk.token
            headers = {"cookie": f"sid={token}"} if act.is_page else {"authorization": f"Bearer {token}"}
            try:
                async with session.request(
                    act.method,
                    platform.url + act.path(desk),
                    json=act.body(desk),
                    headers=headers,
                    allow_redirects=False,
                ) as answer:
                    await answer.read()
                    # A page that sends to the sign-in, or refuses, would be fast and prove nothing.
                    if answer.status >= FAILED_FROM or answer.status not in (200, 201):
                        failures[f"{act.name}: {answer.status}"] += 1
            except aiohttp.ClientError as error:
                failures[f"{act.name}: {type(error).__name__}"] += 1
            if is_counted:
                took[act.name].append(time.perf_counter() - due)

        started = time.perf_counter()
        tasks = []
        for number, act in enumerate(acts):
            due = started + number / PER_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            is_counted = number >= WARM_UP_SECONDS * PER_SECOND
            tasks.append(asyncio.create_task(one(act, next(turns), due=due, is_counted=is_counted)))
        await asyncio.gather(*tasks)
    everything = [seconds for times in took.values() for seconds in times]
    return {
        "seconds": seconds,
        "requests": len(everything),
        "p50_ms": _ms(everything, 50),
        "p95_ms": _ms(everything, 95),
        "p99_ms": _ms(everything, 99),
        "failures": dict(failures),
        "each": {name: {"p50_ms": _ms(times, 50), "p95_ms": _ms(times, 95)} for name, times in took.items()},
    }


def _ms(seconds: list[float], percent: int) -> float:
    return round(1000 * statistics.quantiles(seconds, n=100)[percent - 1], 1)


async def people(platform: Platform) -> tuple[list[Desk], str]:
    """Make clients with a contract, a ticket and a person each; return them and the token of a manager."""
    async with Api(platform.url, email=ADMIN_EMAIL, password=platform.admin_password) as admin:
        desks = []
        for client_id, contract_id, ticket_id in await contracts(admin, CONTRACTS // 5):
            email = f"person.{client_id}@client.example"
            person = {"kind": "client", "client_id": client_id, "email": email, "display_name": "Priya Nair"}
            roles = ["requester", "approver", "billing", "admin"]
            await admin.post("/people", {**person, "roles": roles, "password": PASSWORD})
            async with Api(platform.url, email=email, password=PASSWORD) as signed_in:
                ref = (await signed_in.get(f"/tickets/{ticket_id}"))["ref"]
                desks.append(Desk(signed_in.token, ticket_id, ref, contract_id))
        return desks, admin.token
