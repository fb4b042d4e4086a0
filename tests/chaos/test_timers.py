"""Twenty thousand promises fall due while the processes that watch them are killed: each fires once, none is missed."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta

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
KILLS = 15
BATCH = 1000
PATIENCE_SECONDS = 240
"""On a busy machine a worker takes long to start; on a quiet one nothing here waits for more than a few seconds."""
BUDGET = timedelta(minutes=1)
FIRST_DUE = timedelta(seconds=10)
SPREAD = timedelta(seconds=15)
STEPS = ("breach", "escalate:1")


class Fleet:
    """Worker processes of the sla service, some of which die."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start one more worker."""
        environment = {
            **os.environ,
            **self.environment,
            "MSP_HTTP_PORT": str(free_ports(1)[0]),
            "MSP_LOG_LEVEL": "error",
        }
        self.running.append(
            subprocess.Popen([sys.executable, "-m", "sla", "worker"], env=environment, stderr=subprocess.DEVNULL)  # noqa: S603 - ourselves
        )

    def kill(self, chance: random.Random) -> None:
        """Kill a worker in the middle of whatever it does (SIGKILL), and start another."""
        victim = self.running.pop(chance.randrange(len(self.running)))
        victim.kill()
        victim.wait()
        self.start()


@contextmanager
def a_fleet(environment: dict[str, str]) -> Iterator[Fleet]:
    fleet = Fleet(environment)
    try:
        for _ in range(WORKERS):
            fleet.start()
        yield fleet
    finally:
        for process in fleet.running:
            process.kill()
        for process in fleet.running:
            process.wait()


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


async def test_each_promise_fires_once_while_workers_are_killed(deployed: tuple[Database, dict[str, str]]) -> None:
    database, environment = deployed
    chance = random.Random(7)  # noqa: S311 - who dies, not a secret
    await raise_tickets(database)

    with a_fleet(environment) as fleet:
        for number in range(1, KILLS + 1):
            wanted = CLOCKS * number // (KILLS + 1)

            async def has_come_so_far(wanted: int = wanted) -> bool:
                return await fired_count(database) >= wanted

            await eventually(has_come_so_far, within_seconds=PATIENCE_SECONDS)
            await asyncio.to_thread(fleet.kill, chance)

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
