"""kill -9 of any one service, of the broker, of PostgreSQL, in the middle of work: afterwards everything is done once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from story import Cast, Company, a_cast, today

from msp_kit.testing import eventually
from msp_local.api import Api, ApiProblem
from msp_local.services import SERVICES
from msp_local.stack import Platform


def kill_service(name: str) -> Callable[[Platform], None]:
    def kill(platform: Platform) -> None:
        platform.supervisor.supervised[name].kill()

    return kill


def kill_broker(platform: Platform) -> None:
    assert platform.broker is not None
    platform.broker.kill()
    platform.broker.start()
    platform.broker.wait()


def kill_postgres(platform: Platform) -> None:
    assert platform.postgres is not None
    platform.postgres.kill()
    platform.postgres.start()


VICTIMS = {
    **{service.name: kill_service(service.name) for service in SERVICES},
    "rabbitmq": kill_broker,
    "postgresql": kill_postgres,
}


@pytest.mark.parametrize("victim", VICTIMS)
async def test_no_minute_is_lost_or_counted_twice(platform: Platform, admin: Api, victim: str) -> None:
    async with a_cast(admin) as cast:
        company = await cast.client(f"Survivor of {victim}", bucket_minutes=600)
        ticket = await cast.manager.post(
            "/tickets",
            {"client_id": company.id, "title": "x", "job_type": "network", "priority": "low", "level": "L1"},
        )
        logging = asyncio.create_task(logged(cast, ticket, entries=60))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(VICTIMS[victim], platform)
        await watched(platform, logging)
        assert await logging == 60

        await eventually(lambda: agreed(cast, company, count=60), within_seconds=90)
        await cast.manager.post("/time-entries/approve", {"client_id": company.id, "before": "2199-01-01T00:00:00Z"})
        await eventually(lambda: posted(cast, company), within_seconds=60)
        balance = await cast.manager.get(f"/contracts/{company.contract_id}/balance")

    # 60 entries of 15 minutes on a bucket of 600: 600 from the bucket, 300 beyond it.
    assert (balance["consumed_minutes"], balance["overage_minutes"], balance["held_minutes"]) == (600, 300, 0)
    for service in SERVICES:
        if service.name != "portal-gateway":
            assert "everything holds" in await asyncio.to_thread(platform.command, service.name, "verify")


async def logged(cast: Cast, ticket: dict[str, Any], *, entries: int) -> int:
    """Log entries as a patient program does: each with a key of its own, again until it is answered."""
    for number in range(entries):
        body = {"ticket_id": ticket["id"], "worked_minutes": 15, "note": f"entry {number}"}
        await patiently(cast.agent, "/time-entries", body, key=f"{ticket['id']}-{number}")
    return entries


async def patiently(api: Api, path: str, body: dict[str, Any], *, key: str) -> Any:
    ends_at = time.monotonic() + 90
    while True:
        try:
            return await api.post(path, body, key=key)
        except (OSError, ApiProblem) as error:
            is_passing = not isinstance(error, ApiProblem) or error.status >= 500
            if not is_passing or time.monotonic() > ends_at:
                raise
            await asyncio.sleep(0.2)


async def watched(platform: Platform, work: asyncio.Task[int]) -> None:
    """Do what the supervisor of `make run` does until the work is done."""
    while not work.done() or not all(one.is_running() for one in platform.supervisor.supervised.values()):
        platform.supervisor.watch()
        await asyncio.sleep(0.1)


async def agreed(cast: Cast, company: Company, *, count: int) -> bool:
    period = {"from": today().replace(day=1).isoformat(), "to": "2199-01-01"}
    try:
        logged_totals = await cast.manager.get("/time-entries/totals", client_id=company.id, **period)
        ledger = await cast.manager.get("/hours/totals", client_id=company.id, **period)
    except (OSError, ApiProblem):
        return False
    same = (logged_totals["entry_count"], logged_totals["checksum"]) == (ledger["entry_count"], ledger["checksum"])
    return same and ledger["entry_count"] == count


async def posted(cast: Cast, company: Company) -> bool:
    balance = await cast.manager.get(f"/contracts/{company.contract_id}/balance")
    return bool(balance["held_minutes"] == 0)
