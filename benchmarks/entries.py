"""From POST of a time entry through the gateway to the balance that can be read, against the floor on the same servers."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import orjson
import uvloop

from benchmarks import floor
from benchmarks.load import MINUTES, Target, flood, steady
from benchmarks.platform import fresh_platform
from msp_kit.provisioning import with_database
from msp_local.api import Api
from msp_local.servers.processes import free_ports, is_listening
from msp_local.stack import ADMIN_EMAIL, Platform
from msp_local.supervisor import Supervised

CONTRACTS = 100
FLOOD_SECONDS = 8.0
STEADY_SECONDS = 10.0
TICK = os.sysconf("SC_CLK_TCK")


def run() -> dict[str, Any]:
    """Measure floor and platform one after the other, and return both with their ratios."""
    found = {"floor": _measured(_floor), "platform": _measured(_platform)}
    ours, bare = found["platform"], found["floor"]
    found["throughput_to_floor"] = round(ours["flood"]["readable_per_second"] / bare["flood"]["readable_per_second"], 2)
    return found


def goals(found: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return each goal in words and whether it was reached."""
    ours = found["platform"]["steady"]
    return [
        (
            f"entries: half of the floor's throughput ({found['throughput_to_floor']})",
            found["throughput_to_floor"] >= 0.5,
        ),
        (f"entries: p50 under 25 ms at 50 a second ({ours['p50_ms']})", ours["p50_ms"] < 25),
        (f"entries: p99 under 100 ms at 50 a second ({ours['p99_ms']})", ours["p99_ms"] < 100),
    ]


def _measured(made: Any) -> dict[str, Any]:
    with made() as (target, processes):
        uvloop.run(steady(target, seconds=2))
        calm = uvloop.run(steady(target, seconds=STEADY_SECONDS))
        before = _cpu(processes)
        full = uvloop.run(flood(target, seconds=FLOOD_SECONDS))
        spent = {name: after - before[name] for name, after in _cpu(processes).items()}
        cpu = {name: round(1000 * seconds / full["entries"], 3) for name, seconds in spent.items()}
    return {"steady": calm, "flood": full, "cpu_ms_per_entry": {**cpu, "all": round(sum(cpu.values()), 3)}}


def _cpu(processes: dict[str, int]) -> dict[str, float]:
    """Return the CPU seconds of processes so far."""
    used = {}
    for name, pid in processes.items():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used[name] = (int(fields[11]) + int(fields[12])) / TICK
    return used


# ---- the floor ----------------------------------------------------------------------------------------------------


@contextmanager
def _floor() -> Iterator[tuple[Target, dict[str, int]]]:
    admin = os.environ["MSP_POSTGRES_URL"]
    vhost = os.environ["MSP_TEST_VHOSTS"].split(",")[0]
    database = asyncio.run(_floor_database(admin))
    ports = dict(zip(("proxy", "writer", "ledger"), free_ports(3), strict=True))
    env = {
        **os.environ,
        "FLOOR_DATABASE": database,
        "FLOOR_AMQP": os.environ["MSP_AMQP_URL"].rstrip("/") + "/" + vhost,
        "FLOOR_WRITER": f"http://127.0.0.1:{ports['writer']}",
        "FLOOR_LEDGER": f"http://127.0.0.1:{ports['ledger']}",
        "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
    }
    with ExitStack() as stack:
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "floor.log"
        started = []
        for name in ("ledger", "writer", "proxy"):
            one = Supervised(name, ["benchmarks.floor", name, str(ports[name])], env=env, log=log)
            one.start()
            stack.callback(one.stop)
            started.append(one)
            while not is_listening(ports[name]):
                assert one.is_running(), log.read_text()
                time.sleep(0.05)

        async def held(session: aiohttp.ClientSession) -> int:
            async with session.get(f"http://127.0.0.1:{ports['proxy']}/total") as answer:
                return int(orjson.loads(await answer.read())["held_minutes"])

        target = Target(
            url=f"http://127.0.0.1:{ports['proxy']}",
            headers={},
            post_path="/time-entries",
            bodies=[
                {"contract_id": n, "worked_minutes": MINUTES, "note": "Reset the tunnel"} for n in range(CONTRACTS)
            ],
            balance_paths=[f"/contracts/{n}/balance" for n in range(CONTRACTS)],
            held=held,
        )
        yield target, {one.name: one.process.pid for one in started if one.process}


async def _floor_database(admin: str) -> str:
    connection = await asyncpg.connect(admin)
    await connection.execute("DROP DATABASE IF EXISTS floor WITH (FORCE)")
    await connection.execute("CREATE DATABASE floor")
    await connection.close()
    url = with_database(admin, database="floor")
    connection = await asyncpg.connect(url)
    await connection.execute(floor.DDL)
    await connection.close()
    return url


# ---- the platform -------------------------------------------------------------------------------------------------


@contextmanager
def _platform() -> Iterator[tuple[Target, dict[str, int]]]:
    with fresh_platform() as platform:
        target = asyncio.run(_target(platform))
        yield target, platform.process_ids()


async def _target(platform: Platform) -> Target:
    """Make clients with large buckets and a ticket each."""
    async with Api(platform.url, email=ADMIN_EMAIL, password=platform.admin_password) as api:
        made = await contracts(api, CONTRACTS)

        async def held(session: aiohttp.ClientSession) -> int:
            async with session.get(f"{platform.url}/api/v1/contracts/balances?limit=200") as answer:
                found = orjson.loads(await answer.read())
            return sum(item["held_minutes"] for item in found["items"])

        return Target(
            url=f"{platform.url}/api/v1",
            headers={"authorization": f"Bearer {api.token}"},
            post_path="/time-entries",
            bodies=[
                {"ticket_id": ticket, "worked_minutes": MINUTES, "note": "Reset the tunnel"} for _, _, ticket in made
            ],
            balance_paths=[f"/contracts/{contract}/balance" for _, contract, _ in made],
            held=held,
        )


async def contracts(api: Api, count: int) -> list[tuple[str, str, str]]:
    """Make so many clients with a large bucket and a ticket; return the ids of client, contract and ticket."""
    await api.post("/job-types", {"code": "network", "name": "Network", "is_billable": True})
    week = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    calendar = await api.post(
        "/calendars", {"name": "Always", "timezone": "UTC", "weekly": week, "holidays": [], "overrides": {}}
    )
    card = await api.post(
        "/rate-cards", {"name": "Bench", "currency": "GBP", "rates": [{"rate_minor": 9200}], "overage_rates": []}
    )
    first = date(datetime.now(UTC).year, 1, 1).isoformat()

    async def one(number: int) -> tuple[str, str, str]:
        code = "B" + "".join(chr(ord("A") + number // 26**place % 26) for place in range(3))
        client = await api.post("/clients", {"code": code, "name": code, "timezone": "UTC", "currency": "GBP"})
        contract = await api.post(
            "/contracts",
            {
                "client_id": client["id"],
                "name": "Bench",
                "kind": "bucket",
                "starts_on": first,
                "currency": "GBP",
                "job_types": ["network"],
                "levels": ["L1"],
                "calendar_id": calendar["id"],
                "targets": [{"metric": "resolution", "budget_minutes": 100_000}],
                "rate_card_id": card["id"],
                "bucket": {"minutes": 10_000_000, "price_minor": 0, "valid_from": first},
            },
        )
        await api.post(f"/contracts/{contract['id']}/activate")
        body = {
            "client_id": client["id"],
            "title": "Bench",
            "job_type": "network",
            "priority": "low",
            "level": "L1",
        }
        while not (await api.get("/tickets/offer", client_id=client["id"]))["contracts"]:
            await asyncio.sleep(0.05)
        ticket = await api.post("/tickets", body)
        return client["id"], contract["id"], ticket["id"]

    return [await one(number) for number in range(count)]
