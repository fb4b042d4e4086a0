"""The platform as the benchmarks use it: five processes on the servers of ``make bench``."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from msp_local.services import SERVICES
from msp_local.stack import Platform


@contextmanager
def fresh_platform(*, vhost: int = 1) -> Iterator[Platform]:
    """Start an empty platform on the ``vhost``-th virtual host of the throw-away broker."""
    with tempfile.TemporaryDirectory() as folder:
        platform = Platform(
            Path(folder),
            postgres=None,
            broker=None,
            postgres_url=os.environ["MSP_POSTGRES_URL"],
            amqp_url=os.environ["MSP_AMQP_URL"].rstrip("/") + "/" + os.environ["MSP_TEST_VHOSTS"].split(",")[vhost],
        )
        try:
            platform.prepare()
            platform.create_admin()
            platform.start()
            platform.wait_until_ready()
            yield platform
        finally:
            platform.stop()
            asyncio.run(_drop())


async def _drop() -> None:
    """The next platform on these servers starts empty, too."""
    connection = await asyncpg.connect(os.environ["MSP_POSTGRES_URL"])
    try:
        for service in SERVICES:
            await connection.execute(f'DROP DATABASE IF EXISTS "{service.database}" WITH (FORCE)')
    finally:
        await connection.close()
