"""Twenty thousand promises fall due while the processes that watch them are killed: each fires once, none is missed."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx2 as httpx
import pytest

from msp_events.contracts import EscalationStepTerms
from msp_kit.database import SYSTEM, Database
from msp_kit.inbox import Inbox
from msp_kit.testing import Speaker, a_broker, drop_database, eventually, fresh_database, set_service_environment
from msp_local.servers.processes import free_ports
from sla import reports
from sla.consumers import consumers
from sla.testing import ATicket

CLOCKS = 20_000
WORKERS = 3
AHEAD = 1
"""Workers that are started ahead: whoever is killed has a successor that is on its way already."""
KILLS = 15
BATCH = 1000
PATIENCE_SECONDS = 300
"""On a busy machine a worker takes long to start; on a quiet one nothing here waits for more than a few seconds."""
BUDGET = timedelta(minutes=1)
FIRST_DUE = timedelta(seconds=5)
SPREAD = timedelta(seconds=10)
STEPS = ("breach", "escalate:1")
HAS_TICKED = re.compile(r'^msp_job_tick_seconds_count\{.*job="fire".*\} [1-9]', re.MULTILINE)


@dataclass(frozen=True)
class Process:
    """A worker process, and where it tells its metrics."""

    popen: subprocess.Popen[bytes]
    port: int

    async def has_begun(self) -> bool:
        """Return whether the worker has looked for what is due."""
        try:
            async with httpx.AsyncClient() as client:
                answer = await client.get(f"http://127.0.0.1:{self.port}/metrics", timeout=5)
        except httpx.HTTPError:
            return False
        return HAS_TICKED.search(answer.text) is not None


class Fleet:
    """Worker processes of the sla service, some of which die."""

    def __init__(self, environment: dict[str, str], compiled: Path) -> None:
        # Compiled once for all of them: otherwise a start is mostly reading source text.
        self.environment = {**os.environ, **environment, "PYTHONPYCACHEPREFIX": str(compiled), "MSP_LOG_LEVEL": "error"}
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.running: list[Process] = []

    def start(self) -> None:
        """Start one more worker."""
        port = free_ports(1)[0]
        environment = {**self.environment, "MSP_HTTP_PORT": str(port)}
        command = [sys.executable, "-m", "sla", "worker"]
        self.running.append(Process(subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL), port))  # noqa: S603 - ourselves

    async def kill(self, chance: random.Random) -> None:
        """Kill a worker in the middle of whatever it does (SIGKILL), once it works; another starts ahead of that."""
        self.start()
        for victim in chance.sample(self.running, k=len(self.running)):
            if await victim.has_begun():
                break
        else:
            await eventually(self.running[0].has_begun, within_seconds=PATIENCE_SECONDS)
            victim = self.running[0]
        self.running.remove(victim)
        victim.popen.kill()
        victim.popen.wait()


@contextmanager
def a_fleet(environment: dict[str, str], compiled: Path) -> Iterator[Fleet]:
    fleet = Fleet(environment, compiled)
    try:
        for _ in range(WORKERS + AHEAD):
            fleet.start()
        yield fleet
    finally:
        for process in fleet.running:
            process.popen.kill()
        for process in fleet.running:
            process.popen.wait()


@pytest.fixture
async def deployed() -> AsyncIterator[tuple[Database, dict[str, str]]]:
    made = await fresh_database(database="sla", module="sla")
    database = Database(made.app, service="sla", database="sla", pool_size=4)
    async with a_broker() as amqp_url:
        yield database, set_service_environment(made, MSP_AMQP_URL=amqp_url)
    await database.close()
    await drop_database(made)


async def raise_tickets(database: Database) -> None:
    """Raise tickets whose promises fall due one after the other, beginning in a while."""
    speaker = Speaker(Inbox(database, consumers))
    async with database.transaction(SYSTEM) as tx:
        first_raised_at = tx.now.replace(microsecond=0) + FIRST_DUE - BUDGET
    owner = ATicket()
    chain = (EscalationStepTerms(step=1, to_level="L2"),)
    await speaker.say(owner.contract(targets={"resolution": "1m"}, escalation=chain, thresholds_percent=()))
    for start in range(0, CLOCKS, BATCH):
        await speaker.say(
            *(
                ATicket(
                    client_id=owner.client_id,
                    contract_id=owner.contract_id,
                    raised_at=first_raised_at + SPREAD * number / CLOCKS,
                ).raised()
                for number in range(start, start + BATCH)
            )
        )


async def fired_count(database: Database) -> int:
    async with database.transaction(SYSTEM) as tx:
        found: int = await tx.fetchval("SELECT count(*) FROM firings WHERE kind = 'breach'")
    return found


async def test_each_promise_fires_once_while_workers_are_killed(
    deployed: tuple[Database, dict[str, str]], tmp_path: Path
) -> None:
    database, environment = deployed
    chance = random.Random(7)  # noqa: S311 - who dies, not a secret

    with a_fleet(environment, tmp_path) as fleet:
        await raise_tickets(database)
        for number in range(1, KILLS + 1):
            wanted = CLOCKS * number // (KILLS + 1)

            async def has_come_so_far(wanted: int = wanted) -> bool:
                return await fired_count(database) >= wanted

            await eventually(has_come_so_far, within_seconds=PATIENCE_SECONDS)
            await fleet.kill(chance)

        async def is_all_fired() -> bool:
            return await fired_count(database) == CLOCKS

        await eventually(is_all_fired, within_seconds=PATIENCE_SECONDS)

    async with database.transaction(SYSTEM) as tx:
        steps = await tx.fetch("SELECT step, count(*) AS n, count(DISTINCT clock_id) AS clocks FROM firings GROUP BY 1")
        assert {row["step"]: (row["n"], row["clocks"]) for row in steps} == dict.fromkeys(STEPS, (CLOCKS, CLOCKS))
        assert await tx.fetchval("SELECT count(*) FROM firings WHERE fired_at < due_at") == 0, "none fires too early"
        said = await tx.fetch(
            "SELECT split_part(envelope::jsonb ->> 'type', '.', 5) AS kind, count(*) AS n, count(DISTINCT envelope::jsonb ->> 'subject')"
            " AS clocks FROM bus.event_log GROUP BY 1"
        )
        kinds = ("ClockStarted", "SlaBreached", "EscalationRequested")
        assert {row["kind"]: (row["n"], row["clocks"]) for row in said} == dict.fromkeys(kinds, (CLOCKS, CLOCKS))
        assert await tx.fetchval("SELECT count(*) FROM clocks WHERE next_step_at IS NOT NULL OR revision <> 3") == 0
        assert await reports.verify(tx) == []
