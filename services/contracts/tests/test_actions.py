"""What happens by itself, and what the database refuses on its own."""

from __future__ import annotations

from datetime import date, timedelta

import asyncpg
import pytest

from contracts import reports
from contracts.actions import contracts, lots
from contracts.testing import START, a_client, a_client_with_contract, an_active_contract, an_entry, time_told
from msp_events.contracts import ContractEnded
from msp_kit.database import SYSTEM, Database, Scope
from msp_kit.testing import Speaker, said


async def test_a_lot_lapses_once_its_last_day_is_over(database: Database, speaker: Speaker) -> None:
    async with database.transaction(SYSTEM) as tx:
        client_id = await a_client(tx)
        contract_id = await an_active_contract(tx, client_id, kind="retainer", minutes=120)
        await tx.driver.execute(
            "UPDATE lots SET expires_on = $1, ends_at = $2", date(2026, 11, 4), START + timedelta(days=2)
        )
    await speaker.say(time_told(an_entry(30, "Mon 09:00"), client_id=client_id, contract_id=contract_id))

    for _ in range(2):
        async with database.transaction(SYSTEM) as tx:
            await lots.let_lapse(tx)

    async with database.transaction(SYSTEM) as tx:
        row = await tx.fetchrow("SELECT available, held, expired FROM buckets WHERE contract_id = $1", contract_id)
        assert row is not None
        assert row["held"] == 30
        assert row["available"] == 0
        assert row["expired"] >= 90
        assert await reports.verify(tx) == []


async def test_a_retainer_is_granted_each_month_once(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        client_id = await a_client(tx)
        contract_id = await an_active_contract(tx, client_id, kind="retainer", minutes=120)
        before = await tx.fetchval("SELECT count(*) FROM lots WHERE contract_id = $1", contract_id)
    for _ in range(2):
        async with database.transaction(SYSTEM) as tx:
            assert await lots.grant_retainers(tx) is False

    async with database.transaction(SYSTEM) as tx:
        assert await tx.fetchval("SELECT count(*) FROM lots WHERE contract_id = $1", contract_id) == before
        assert before == (tx.now.year - 2026) * 12 + tx.now.month - 10


async def test_a_contract_ends_when_its_last_day_is_over(database: Database) -> None:
    _, contract_id = await a_client_with_contract(database)
    async with database.transaction(SYSTEM) as tx:
        on = tx.now.date()
        await contracts.end(tx, contract_id, ends_on=on + timedelta(days=1))
        await tx.driver.execute("UPDATE contracts SET ends_on = $1", on - timedelta(days=1))
    for _ in range(2):
        async with database.transaction(SYSTEM) as tx:
            await contracts.end_overdue(tx)

    assert [one.status for one in await said(database, ContractEnded)] == ["active", "ended"]


async def test_time_and_materials_has_no_bucket_and_posts_all_minutes(database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, kind="time_and_materials")

    await speaker.say(time_told(an_entry(75, decision="approved"), client_id=client_id, contract_id=contract_id))

    async with database.transaction(SYSTEM) as tx:
        row = await tx.fetchrow("SELECT time_and_materials, overage, available FROM buckets")
        assert row is not None
        assert (row["time_and_materials"], row["overage"], row["available"]) == (75, 0, 0)
        assert await reports.verify(tx) == []


async def test_the_database_keeps_versions_of_active_contracts(database: Database) -> None:
    await a_client_with_contract(database)

    with pytest.raises(asyncpg.PostgresError, match="kept as it is"):
        async with database.transaction(SYSTEM) as tx:
            await tx.fetch("UPDATE contract_versions SET terms = '{}'::jsonb")


async def test_the_database_itself_hides_other_clients(database: Database, speaker: Speaker) -> None:
    mine, my_contract = await a_client_with_contract(database)
    theirs, their_contract = await a_client_with_contract(database, code="MIL")
    await speaker.say(
        time_told(an_entry(30), client_id=mine, contract_id=my_contract),
        time_told(an_entry(45), client_id=theirs, contract_id=their_contract),
    )

    async with database.transaction(Scope(role="client", client_id=mine, actor="someone")) as tx:
        for table in ("clients", "contracts", "contract_versions", "lots", "buckets", "hours", "postings"):
            rows = await tx.fetch(f"SELECT client_id FROM {table}")
            assert {row["client_id"] for row in rows} == {mine}, table
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tx.fetch("SELECT * FROM rate_cards")
