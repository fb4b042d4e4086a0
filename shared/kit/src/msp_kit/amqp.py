"""One way to open a connection to the broker."""

from __future__ import annotations

import aio_pika
from aio_pika.abc import AbstractConnection
from aio_pika.connection import make_url

CONNECT_SECONDS = 10.0


async def connect(url: str, *, timeout_seconds: float = CONNECT_SECONDS) -> AbstractConnection:
    """Open a connection; the caller closes it.

    One that cannot be opened is closed here: left alone, the library's object would do so whenever memory is tidied, and
    there may be no loop then.

    Raises:
        OSError, AMQPError: the broker is away, or does not let us in.
    """
    connection = aio_pika.Connection(make_url(url))
    try:
        await connection.connect(timeout=timeout_seconds)
    except BaseException:
        await connection.close()
        raise
    return connection
