"""A process of its own that tells a ledger about time, to be killed: ``python teller.py URL CLIENT CONTRACT SEED``.

It writes a line after every message that is committed.
"""

from __future__ import annotations

import asyncio
import random
import sys
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid5

from contracts.consumers import consumers
from contracts.domain.entry import TimeEntry
from contracts.testing import START, an_entry, time_told
from msp_kit.database import Database
from msp_kit.inbox import Inbox
from msp_kit.testing import Speaker

FACTS = 40
_NAMES = UUID("7a3f6f0e-2f55-5a0c-8c57-0d0a5d1f2b11")


def facts(contract_id: UUID) -> list[TimeEntry]:
    """Return the facts about a contract: every entry is logged, every second one approved, every fifth one voided."""
    told = []
    for number in range(FACTS):
        entry_id = uuid5(_NAMES, f"{contract_id}:{number}")
        entry = replace(an_entry(7 + number, START + timedelta(hours=number), entry_id=entry_id), agent_id=_NAMES)
        told.append(entry)
        if number % 2 == 0:
            told.append(replace(entry, revision=2, decision="voided" if number % 5 == 0 else "approved"))
    return told


async def tell(url: str, client_id: UUID, contract_id: UUID, seed: int) -> None:
    """Tell all facts in an order of one's own, a message and a transaction each."""
    told = facts(contract_id)
    random.Random(seed).shuffle(told)  # noqa: S311 - a shuffle, not a secret
    database = Database(url, service="contracts", database="contracts", pool_size=2)
    speaker = Speaker(Inbox(database, consumers))
    for entry in told:
        await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))
        sys.stdout.write("told\n")
        sys.stdout.flush()
    await database.close()


if __name__ == "__main__":
    asyncio.run(tell(sys.argv[1], UUID(sys.argv[2]), UUID(sys.argv[3]), int(sys.argv[4])))
