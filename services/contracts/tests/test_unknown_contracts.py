"""Events about contracts nobody has told us of: they wait, are tried again, and are parked with a reason at last."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from contracts.testing import a_client, a_client_with_contract, a_draft, an_active_contract, an_entry, time_told
from msp_events.contracts import HoursHeld
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database
from msp_kit.inbox import RETRY_SECONDS
from msp_kit.provisioning import DatabaseUrls
from msp_kit.testing import Speaker, said, superuser_url


async def inbox(database: Database) -> list[tuple[Any, ...]]:
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT status, error_code, error_text, attempts FROM bus.inbox")
    return [tuple(row) for row in rows]


async def let_time_pass(database: Database) -> None:
    connection = await asyncpg.connect(superuser_url(DatabaseUrls(app=database.url, owner="")))
    try:
        await connection.execute("UPDATE bus.inbox SET next_at = clock_timestamp() WHERE status = 'retry'")
    finally:
        await connection.close()


async def test_time_on_an_unknown_contract_is_tried_again_and_parked_with_a_reason(
    database: Database, speaker: Speaker
) -> None:
    contract_id = new_id()
    await speaker.say(time_told(an_entry(60), client_id=new_id(), contract_id=contract_id))
    statuses = [(await inbox(database))[0][0]]

    for _ in RETRY_SECONDS:
        await let_time_pass(database)
        await speaker.inbox.sweep()
        statuses.append((await inbox(database))[0][0])

    ((status, code, text, _),) = await inbox(database)
    assert statuses == ["retry"] * len(RETRY_SECONDS) + ["parked"]
    assert (status, code) == ("parked", "Transient")
    assert text.startswith(f"contract {contract_id} of client")
    assert text.endswith("is not known here")


async def test_time_that_came_before_its_contract_is_held_when_the_contract_is_there(
    database: Database, speaker: Speaker
) -> None:
    async with database.transaction(SYSTEM) as tx:
        client_id = await a_client(tx)
    contract_id, entry = new_id(), an_entry(60)
    await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))
    async with database.transaction(SYSTEM) as tx:
        await an_active_contract(tx, client_id, contract_id=contract_id)

    await let_time_pass(database)
    await speaker.inbox.sweep()

    assert [one[0] for one in await inbox(database)] == ["done"]
    assert [one.time_entry_id for one in await said(database, HoursHeld)] == [entry.id]


async def test_time_on_a_draft_is_refused_and_not_kept_waiting(database: Database, speaker: Speaker) -> None:
    async with database.transaction(SYSTEM) as tx:
        client_id = await a_client(tx)
        draft_id = await a_draft(tx, client_id)

    await speaker.say(time_told(an_entry(60), client_id=client_id, contract_id=draft_id))

    assert [one[0] for one in await inbox(database)] == ["done"]


@pytest.mark.parametrize("minutes", [0, -5, 1.5, "much", None, 1441])
async def test_minutes_that_are_none_are_parked_with_the_reason_and_move_nothing(
    database: Database, speaker: Speaker, minutes: object
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    good = speaker.envelope(time_told(an_entry(60), client_id=client_id, contract_id=contract_id))
    data = {**good.data, "worked_minutes": minutes}

    await speaker.inbox.accept(
        [replace(good, data=data, body=json.dumps({**json.loads(good.body), "data": data}).encode())]
    )

    ((status, _, text, _),) = await inbox(database)
    assert status == "parked"
    assert "worked_minutes" in text
    async with database.transaction(SYSTEM) as tx:
        assert await tx.fetchval("SELECT available FROM buckets WHERE contract_id = $1", contract_id) == 600
