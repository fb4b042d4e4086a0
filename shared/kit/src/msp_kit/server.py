"""The HTTP server of every process: uvicorn, and limits it has none of its own for.

A request that is begun must be told in time and in few words: its head within seconds, of limited size and number of fields;
the body has its limits where it is read (``api.Edge``).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 16_384
HEADERS_MAX = 100
HEAD_SECONDS = 10.0
CONNECTIONS_MAX = 1000
_TOO_LARGE = b"431 Request Header Fields Too Large"
_TOO_SLOW = b"408 Request Timeout"


class Impatient(HttpToolsProtocol):
    """Ends connections whose head of a request is too large, or does not come."""

    head_seconds = HEAD_SECONDS
    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _is_in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head is too large already."""
        super().data_received(data)
        if self._is_in_head and self.parser is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, 0
        self._wait()

    def on_headers_complete(self) -> None:
        """Hand the request on when its head is small enough."""
        self._is_in_head = False
        self._wait_no_more()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > HEAD_BYTES_MAX or len(self.headers) > HEADERS_MAX:
            self._refuse(_TOO_LARGE)
            raise ValueError("the head of the request is too large")  # the parser stops here
        super().on_headers_complete()

    def _wait(self) -> None:
        self._wait_no_more()
        self._timer = self.loop.call_later(self.head_seconds, self._refuse, _TOO_SLOW)

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()


class Server(uvicorn.Server):
    """Ends what would go on for ever before it waits for what is under way."""

    endings: Sequence[Callable[[], None]] = ()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more requests, and leave when those that have begun are answered, or after twenty seconds."""
        for end in self.endings:
            end()
        await super().shutdown(sockets)


def server(
    app: Any, *, host: str = "127.0.0.1", port: int = 0, endings: Sequence[Callable[[], None]] = (), **more: Any
) -> Server:
    """Return the server of an application, as every process runs it; ``endings`` end its streams when it leaves."""
    made = Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=Impatient,
            ws="none",
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=20,
            server_header=False,
            limit_concurrency=CONNECTIONS_MAX,
            **more,
        )
    )
    made.endings = endings
    return made
