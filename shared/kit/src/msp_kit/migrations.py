"""Alembic for every service: one environment, dated names, and the two things every first migration needs.

A service's ``migrations/env.py`` is two lines: import ``run`` and call it. ``python -m msp_kit.migrations sla "create
clocks"`` writes an empty migration for a service.
"""

from __future__ import annotations

import asyncio
import os
import pathlib
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from alembic import command, context
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

LOCK_TIMEOUT = "10s"
_LOCK_KEY = 7237


def config(module: str, *, url: str | None = None) -> Config:
    """Return the Alembic configuration of a service, without an ini file."""
    made = Config()
    location = pathlib.Path(str(resources.files(module))) / "migrations"
    made.set_main_option("script_location", str(location))
    made.set_main_option("file_template", "%%(rev)s")
    made.set_main_option("path_separator", "os")
    made.attributes["url"] = url
    return made


def head(module: str) -> str:
    """Return the revision a service's code expects."""
    found = ScriptDirectory.from_config(config(module)).get_current_head()
    assert found is not None, f"{module} has no migration"
    return found


def upgrade(module: str, *, url: str) -> None:
    """Migrate a service's database to head; a second run does nothing, two at once wait for one another."""
    command.upgrade(config(module, url=url), "head")


def new(module: str, *, name: str) -> pathlib.Path:
    """Write an empty dated migration after the newest one, and return its path. Needs no database."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    assert slug, "a migration has a name"
    made = command.revision(config(module), message=name, rev_id=f"{datetime.now(UTC):%Y%m%d}_{slug}")
    assert made is not None, "one revision was asked for"
    assert not isinstance(made, list), "one revision was asked for"
    return pathlib.Path(made.path)


def run(metadata: MetaData | None = None) -> None:
    """Run the migrations (called by ``migrations/env.py``)."""
    url = context.config.attributes["url"] or os.environ["MSP_MIGRATE_DATABASE_URL"]
    asyncio.run(_run(url, metadata))


async def _run(url: str, metadata: MetaData | None) -> None:
    engine = create_async_engine(urlunsplit(("postgresql+asyncpg", *urlsplit(url)[1:])), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_migrate, metadata)
        await connection.commit()
    await engine.dispose()


def _migrate(connection: Connection, metadata: MetaData | None) -> None:
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()


# ---- what migrations say ------------------------------------------------------------------------------------------


def execute(op: Any, script: str) -> None:
    """Run a script of several statements as it stands (asyncpg prepares one statement at a time otherwise)."""
    adapted = op.get_bind().connection.dbapi_connection
    adapted.run_async(lambda driver: driver.execute(script))


def create_bus(op: Any, *, service: str, database: str) -> None:
    """Create the ``bus`` schema of a service's database: log, outbox, inbox, idempotency."""
    script = resources.files("msp_kit").joinpath("bus.sql").read_text()
    execute(op, script.replace("{database}", database))
    execute(op, f"INSERT INTO bus.self (service) VALUES ('{service}')")
    execute(op, f"GRANT SELECT ON alembic_version TO {database}_app, {database}_staff")


def grant_staff(op: Any, *tables: str, database: str, verbs: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Let staff, consumers and jobs use tables that belong to no client."""
    for table in tables:
        execute(op, f"GRANT {verbs} ON {table} TO {database}_staff")


def protect(
    op: Any,
    table: str,
    *,
    database: str,
    client_verbs: Sequence[str] = ("SELECT",),
    staff_verbs: Sequence[str] | None = None,
) -> None:
    """Put a client-owned table (it has ``client_id uuid NOT NULL``) behind row-level security.

    Client people see and write rows of their own client only; staff sees all. ``client_verbs`` may be empty.
    """
    staff = ", ".join(staff_verbs if staff_verbs is not None else ("SELECT", "INSERT", "UPDATE", "DELETE"))
    grants = f"GRANT {staff} ON {table} TO {database}_staff;"
    if client_verbs:
        grants += f"GRANT {', '.join(client_verbs)} ON {table} TO {database}_client;"
    execute(
        op,
        f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
        CREATE POLICY of_client ON {table} TO {database}_client
            USING (client_id = bus.client_id()) WITH CHECK (client_id = bus.client_id());
        CREATE POLICY of_staff ON {table} TO {database}_staff, {database}_owner USING (true) WITH CHECK (true);
        {grants}
        """,
    )


if __name__ == "__main__":
    sys.stdout.write(f"{new(sys.argv[1].replace('-', '_'), name=sys.argv[2])}\n")
