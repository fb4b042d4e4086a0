"""Makes the database and the roles of one service, as an administrator, any number of times.

The process signs in as ``<database>_app``, which owns nothing and may become ``<database>_client`` (the requests of a
client's people, held to one client by row-level security) or ``<database>_staff`` (staff, consumers, jobs).
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import asyncpg


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """How the process and the migrations of one service reach their database."""

    app: str
    owner: str


def with_database(url: str, *, database: str, user: str | None = None, password: str | None = None) -> str:
    """Return ``url`` pointing at another database, and optionally signing in as someone else."""
    parts = urlsplit(url)
    netloc = parts.netloc
    if user is not None:
        netloc = f"{user}:{password}@{parts.hostname}:{parts.port or 5432}"
    return urlunsplit((parts.scheme, netloc, f"/{database}", parts.query, ""))


async def provision(
    admin_url: str, *, database: str, owner_password: str, app_password: str, name: str | None = None
) -> DatabaseUrls:
    """Create or repair roles and database; ``name`` is another name for the database itself (tests)."""
    name = name or database
    connection = await asyncpg.connect(admin_url)
    try:
        # Roles belong to the whole cluster: two provisioners at once would trip over each other.
        await connection.execute("SELECT pg_advisory_lock(7236)")
        await _roles(connection, database=database, owner_password=owner_password, app_password=app_password)
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}" OWNER "{database}_owner"')
        await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
        await connection.execute(f'GRANT CONNECT ON DATABASE "{name}" TO "{database}_app"')
    finally:
        await connection.close()
    return urls(admin_url, database=database, owner_password=owner_password, app_password=app_password, name=name)


def urls(
    admin_url: str, *, database: str, owner_password: str, app_password: str, name: str | None = None
) -> DatabaseUrls:
    """Return the URLs of a provisioned database."""
    name = name or database
    return DatabaseUrls(
        app=with_database(admin_url, database=name, user=f"{database}_app", password=app_password),
        owner=with_database(admin_url, database=name, user=f"{database}_owner", password=owner_password),
    )


async def _roles(
    connection: asyncpg.Connection[asyncpg.Record], *, database: str, owner_password: str, app_password: str
) -> None:
    known = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    for role, attributes, password in (
        (f"{database}_client", "NOLOGIN", None),
        (f"{database}_staff", "NOLOGIN", None),
        (f"{database}_owner", "LOGIN", owner_password),
        (f"{database}_app", "LOGIN NOINHERIT", app_password),
    ):
        verb = "ALTER" if role in known else "CREATE"
        secret = "" if password is None else " PASSWORD " + await _literal(connection, password)
        await connection.execute(f'{verb} ROLE "{role}" {attributes} NOSUPERUSER NOBYPASSRLS{secret}')
    await connection.execute(f'GRANT "{database}_client", "{database}_staff" TO "{database}_app"')


async def _literal(connection: asyncpg.Connection[asyncpg.Record], text: str) -> str:
    quoted: str = await connection.fetchval("SELECT quote_literal($1)", text)
    return quoted
