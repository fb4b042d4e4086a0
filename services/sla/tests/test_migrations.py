"""The database: its shape is what the code says, and it guards what must not change."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from msp_kernel.ids import new_id
from msp_kit import migrations
from msp_kit.database import SYSTEM, Database, Scope
from msp_kit.inbox import Inbox
from msp_kit.provisioning import with_database
from msp_kit.testing import Speaker, admin_url, drop_database, fresh_database
from sla import reports
from sla.consumers import consumers
from sla.tables import metadata
from sla.testing import ATicket, hours


async def test_the_tables_are_what_the_code_says(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name <> 'alembic_version' ORDER BY table_name, ordinal_position"
        )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["table_name"], []).append(row["column_name"])
    assert found == {name: [column.name for column in table.columns] for name, table in sorted(metadata.tables.items())}


async def test_migrating_twice_does_nothing() -> None:
    made = await fresh_database(database="sla", module="sla")
    try:
        await asyncio.to_thread(migrations.upgrade, "sla", url=made.owner)
    finally:
        await drop_database(made)


async def test_every_table_with_a_client_has_row_level_security(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'client_id'"
            " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
            " AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
        )
    assert [row["relname"] for row in rows] == []


async def test_every_foreign_key_is_indexed(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch(
            "SELECT conname FROM pg_constraint f WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
            " AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = f.conrelid"
            " AND (i.indkey::int2[])[0:cardinality(f.conkey) - 1] = f.conkey)"
        )
    assert [row["conname"] for row in rows] == []


async def a_verdict(database: Database) -> ATicket:
    speaker, ticket = Speaker(Inbox(database, consumers)), ATicket()
    await speaker.say(ticket.contract(calendar=hours("09-17")))
    await speaker.say(ticket.raised(), ticket.message("Tue 09:00"), ticket.resolved("Tue 12:00"))
    return ticket


async def test_a_verdict_is_never_rewritten(database: Database) -> None:
    await a_verdict(database)

    with pytest.raises(asyncpg.PostgresError, match="has its verdict"):
        async with database.transaction(SYSTEM) as tx:
            await tx.driver.execute("UPDATE clocks SET verdict = 'met'")


async def test_client_people_read_their_own_rows_and_write_none(database: Database) -> None:
    ticket = await a_verdict(database)
    ours = Scope(role="client", client_id=ticket.client_id, actor="priya")
    theirs = Scope(role="client", client_id=new_id(), actor="someone")

    for scope, expected in ((ours, 2), (theirs, 0)):
        async with database.transaction(scope) as tx:
            assert await tx.fetchval("SELECT count(*) FROM clocks") == expected
            assert await tx.fetchval("SELECT count(*) FROM firings") == expected
    for table in ("clocks", "tickets", "terms", "firings", "clients"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction(ours) as tx:
                await tx.driver.execute(f"UPDATE {table} SET client_id = client_id")  # noqa: S608 - names from above


async def test_verify_holds_for_an_honest_history(database: Database) -> None:
    await a_verdict(database)

    async with database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == []


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        (
            "UPDATE clocks SET verdict = 'met', breached_at = NULL, breach_reason = ''",
            "verdict is met, its intervals say missed",
        ),
        ("UPDATE clocks SET consumed_seconds = 60", "consumed_seconds is 60"),
        (
            "UPDATE clocks SET intervals = jsonb_set(intervals, '{0,seconds}', '60'), consumed_seconds = 60",
            "interval 1 counts 60 s",
        ),
        ("UPDATE clocks SET stopped_at = started_at", "stopped_at is"),
        ("DELETE FROM firings", "1 breaches, 0 fired"),
        ("UPDATE clocks SET budget_minutes = 100000", "budget_minutes is 100000"),
    ],
)
async def test_verify_names_what_was_tampered_with(database: Database, tampering: str, found: str) -> None:
    await a_verdict(database)
    await as_superuser(database, tampering)

    async with database.transaction(SYSTEM) as tx:
        broken = await reports.verify(tx)

    assert any(found in sentence for sentence in broken), broken


async def as_superuser(database: Database, statement: str) -> None:
    connection = await asyncpg.connect(with_database(admin_url(), database=database.url.rpartition("/")[2]))
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(statement)
    finally:
        await connection.close()
