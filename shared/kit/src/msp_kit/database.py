"""One request, one message, one tick: one transaction. Nothing else in the platform opens one.

The opening statement takes the role and the client of the caller and reads the database clock: row-level security and
"now" are therefore set in one place, and nobody can forget them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import CursorResult, Executable
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

_OPENING = (
    "SELECT clock_timestamp(), set_config('role', $1, true), "
    "set_config('app.client_id', $2, true), set_config('app.actor', $3, true)"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """On whose behalf a transaction runs. ``client`` sees the rows of ``client_id`` only; ``staff`` sees all."""

    role: Literal["client", "staff"]
    client_id: UUID | None
    actor: str

    def __post_init__(self) -> None:
        assert (self.role == "client") == (self.client_id is not None), "a client scope names its client, staff none"


SYSTEM = Scope(role="staff", client_id=None, actor="system")
"""Consumers, jobs and the relay."""


class Transaction:
    """An open transaction: SQLAlchemy Core through ``execute``, the bare driver through ``fetch`` on hot paths."""

    __slots__ = ("connection", "driver", "has_recorded", "now", "scope", "service")

    def __init__(
        self,
        connection: AsyncConnection,
        driver: asyncpg.Connection[asyncpg.Record],
        *,
        now: datetime,
        scope: Scope,
        service: str,
    ) -> None:
        self.connection = connection
        self.driver = driver
        self.now = now
        """The database clock when the transaction began; the only clock of the platform."""
        self.scope = scope
        self.service = service
        self.has_recorded = False

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run a Core statement."""
        return await self.connection.execute(statement, parameters)

    async def fetch(self, sql: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        """Run SQL text with ``$1`` parameters on the driver and return all rows."""
        rows: Sequence[asyncpg.Record] = await self.driver.fetch(sql, *arguments)
        return rows

    async def fetchrow(self, sql: str, *arguments: Any) -> asyncpg.Record | None:
        """Run SQL text on the driver and return the first row, or ``None``."""
        return await self.driver.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """Run SQL text on the driver and return the first column of the first row."""
        return await self.driver.fetchval(sql, *arguments)

    @contextlib.asynccontextmanager
    async def savepoint(self) -> AsyncIterator[Self]:
        """Undo only what happens inside when it raises."""
        async with self.driver.transaction():
            yield self


class Database:
    """The connection pool of one process."""

    def __init__(self, url: str, *, service: str, database: str, pool_size: int = 12) -> None:
        self.service = service
        self.database = database
        self.url = url
        self.pool_size = pool_size
        self.recorded = asyncio.Event()
        """Set after a commit that recorded events: it wakes this process's relay, or the poker of one without."""
        self.engine: AsyncEngine = create_async_engine(
            _sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=15,
            # The transaction is the driver's own: SQLAlchemy only compiles and runs statements inside it.
            isolation_level="AUTOCOMMIT",
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
            connect_args={
                "server_settings": {
                    "application_name": service,
                    "statement_timeout": "30000",
                    "lock_timeout": "10000",
                    "idle_in_transaction_session_timeout": "30000",
                    "jit": "off",
                },
                "timeout": 10,
            },
        )

    @contextlib.asynccontextmanager
    async def transaction(self, scope: Scope, *, is_snapshot: bool = False) -> AsyncIterator[Transaction]:
        """Open a transaction in ``scope``; commit when the block ends, roll back when it raises.

        In a snapshot, every statement sees one state of the database (long reads that must agree with one another).

        Raises:
            Exception: one that ``is_unavailable`` tells, when the database is away.
        """
        isolation: Literal["repeatable_read"] | None = "repeatable_read" if is_snapshot else None
        async with contextlib.AsyncExitStack() as stack:
            tx = await self._opened(stack, scope, isolation)
            yield tx
        if tx.has_recorded:
            self.recorded.set()

    async def _opened(
        self, stack: contextlib.AsyncExitStack, scope: Scope, isolation: Literal["repeatable_read"] | None
    ) -> Transaction:
        tries_left = self.pool_size + 1
        while True:
            connection, driver = await self._checked_out(stack)
            try:
                await stack.enter_async_context(driver.transaction(isolation=isolation))
                now = await driver.fetchval(
                    _OPENING, f"{self.database}_{scope.role}", str(scope.client_id or ""), scope.actor
                )
            except Exception as error:
                tries_left -= 1
                if not (tries_left and is_unavailable(error)):
                    raise
                # Lost while it lay in the pool, as others there may be; nothing has been done yet: the next one may try.
                with contextlib.suppress(Exception):
                    await stack.aclose()
            else:
                return Transaction(connection, driver, now=now, scope=scope, service=self.service)

    async def _checked_out(
        self, stack: contextlib.AsyncExitStack
    ) -> tuple[AsyncConnection, asyncpg.Connection[asyncpg.Record]]:
        """Return a connection that was not lost while it lay in the pool, and put it back clean with ``stack``."""
        while True:
            connection = await self.engine.connect()
            driver = (await connection.get_raw_connection()).driver_connection
            assert isinstance(driver, asyncpg.Connection)
            if not driver.is_closed():
                stack.push_async_callback(_put_back, connection, driver)
                return connection, driver
            await connection.invalidate()
            await connection.close()

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


async def _put_back(connection: AsyncConnection, driver: asyncpg.Connection[asyncpg.Record]) -> None:
    if driver.is_closed() or driver.is_in_transaction():
        # Never back into the pool with a role and a client still set.
        await connection.invalidate()
    await connection.close()


def _sqlalchemy_url(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(("postgresql+asyncpg", *parts[1:]))


async def connect(url: str, *, application: str) -> asyncpg.Connection[asyncpg.Record]:
    """Open a connection of one's own, outside the pool (relay, listener)."""
    return await asyncpg.connect(url, timeout=10, server_settings={"application_name": application})


# InternalClientError: the driver lost its connection in the middle of a statement, and its own bookkeeping with it.
_AWAY = (
    OSError,
    TimeoutError,
    PoolTimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


def is_unavailable(error: BaseException) -> bool:
    """Return whether an error means that the database is away, and no message is to blame."""
    if isinstance(error, _AWAY):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = sqlstate(error)
    return state is not None and (state[:2] in ("08", "53") or state[:3] == "57P")


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of a database error, through SQLAlchemy's wrapping or bare."""
    original = getattr(error, "orig", None) or error
    state = getattr(original, "sqlstate", None)
    return state if isinstance(state, str) else None
