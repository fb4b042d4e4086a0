"""Row-level security, set in the one place that opens a transaction."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError

from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database, Scope, sqlstate


async def test_a_client_sees_and_writes_its_own_rows_only(database: Database) -> None:
    ours, theirs = (Scope(role="client", client_id=new_id(), actor="someone") for _ in range(2))
    insert = "INSERT INTO notes (client_id, id, text) VALUES ($1, $2, 'x')"

    async with database.transaction(ours) as tx:
        await tx.driver.execute(insert, ours.client_id, new_id())
    async with database.transaction(theirs) as tx:
        assert await tx.fetchval("SELECT count(*) FROM notes") == 0
    with pytest.raises(Exception, match="row-level security") as refused:
        async with database.transaction(theirs) as tx:
            await tx.driver.execute(insert, ours.client_id, new_id())
    assert sqlstate(refused.value) == "42501"
    async with database.transaction(SYSTEM) as tx:
        assert await tx.fetchval("SELECT count(*) FROM notes") == 1


async def test_without_a_scope_nothing_can_be_read(database: Database) -> None:
    async with database.engine.connect() as connection:
        with pytest.raises(DBAPIError, match="permission denied"):
            await connection.exec_driver_sql("SELECT * FROM notes")


async def test_what_was_said_cannot_be_changed_even_by_the_owner(database: Database) -> None:
    with pytest.raises(Exception, match="permission denied"):
        async with database.transaction(SYSTEM) as tx:
            await tx.driver.execute("UPDATE bus.event_log SET routing_key = 'x'")
