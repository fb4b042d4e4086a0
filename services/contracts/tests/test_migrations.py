"""The database as the migrations make it."""

from __future__ import annotations

import asyncio

from contracts.tables import metadata
from msp_kit import migrations
from msp_kit.database import SYSTEM, Database
from msp_kit.testing import drop_database, fresh_database


async def test_migrating_twice_changes_nothing() -> None:
    made = await fresh_database(database="contracts", module="contracts")
    try:
        await asyncio.to_thread(migrations.upgrade, "contracts", url=made.owner)
    finally:
        await drop_database(made)


async def test_tables_are_what_the_code_believes(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch(
            "SELECT table_name, column_name, is_nullable = 'YES' AS is_nullable FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
        )

    there = {(row["table_name"], row["column_name"], row["is_nullable"]) for row in rows}
    believed = {
        (table.name, column.name, bool(column.nullable)) for table in metadata.sorted_tables for column in table.columns
    }
    assert there == believed


async def test_every_table_of_a_client_has_row_level_security(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'client_id'"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
            " AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
        )

    assert [row["relname"] for row in rows] == []


async def test_every_foreign_key_is_indexed(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch(
            """
            SELECT k.conname FROM pg_constraint k
             WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace
               AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.conrelid
                                  AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)
            """
        )

    assert [row["conname"] for row in rows] == []
