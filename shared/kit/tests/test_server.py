"""The HTTP server as every process runs it, over raw sockets: what could be read in two ways, what never ends, what is too much."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from msp_kit import api, server
from msp_kit.testing import a_socket

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n"


class App:
    """Answers with what was asked, inside the real edge."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


class House:
    def __init__(self, app: App, port: int) -> None:
        self.app = app
        self.port = port

    async def send(self, content: bytes) -> bytes:
        """Send bytes on a connection of their own, say that no more come, and return everything that is answered."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(content)
        writer.write_eof()
        try:
            async with asyncio.timeout(5):
                return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    app, sock = App(), a_socket()
    edge = api.Edge(app, service="test", body_bytes_max=1000)
    served: uvicorn.Server = server.server(edge, lifespan="off")
    serving = asyncio.create_task(served.serve(sockets=[sock]))
    yield House(app, sock.getsockname()[1])
    served.should_exit = served.force_exit = True
    await serving


def a_post(*headers: str, body: bytes = b"") -> bytes:
    lines = ["POST /front HTTP/1.1", "host: x", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


AMBIGUOUS = {
    "both lengths": a_post("content-length: 6", "transfer-encoding: chunked", body=b"0\r\n\r\nX" + SMUGGLED),
    "both lengths, the other order": a_post(
        "transfer-encoding: chunked", "content-length: 4", body=b"1e\r\n" + SMUGGLED[:30] + b"\r\n0\r\n\r\n"
    ),
    "two different lengths": a_post("content-length: 0", f"content-length: {len(SMUGGLED)}", body=SMUGGLED),
    "the same length twice": a_post("content-length: 0", "content-length: 0", body=SMUGGLED),
    "a list of lengths": a_post("content-length: 0, 0", body=SMUGGLED),
    "a signed length": a_post("content-length: +0", body=SMUGGLED),
    "a negative length": a_post("content-length: -1", body=SMUGGLED),
    "a hexadecimal length": a_post("content-length: 0x0", body=SMUGGLED),
    "a huge length": a_post(f"content-length: {2**64}", body=SMUGGLED),
    "another encoding last": a_post("transfer-encoding: chunked, identity", body=b"0\r\n\r\n" + SMUGGLED),
    "an unknown encoding": a_post("transfer-encoding: xchunked", body=b"0\r\n\r\n" + SMUGGLED),
    "a space before the colon": a_post("transfer-encoding : chunked", body=b"0\r\n\r\n" + SMUGGLED),
    "a folded header": a_post("x: y\r\n transfer-encoding: chunked", "content-length : 0", body=SMUGGLED),
    "a chunk that is no number": a_post("transfer-encoding: chunked", body=b"zz\r\n\r\n" + SMUGGLED),
    "a chunk with a sign": a_post("transfer-encoding: chunked", body=b"+0\r\n\r\n" + SMUGGLED),
    "a chunk with 0x": a_post("transfer-encoding: chunked", body=b"0x0\r\n\r\n" + SMUGGLED),
    "a chunk longer than it says": a_post("transfer-encoding: chunked", body=b"1\r\nab\r\n0\r\n\r\n" + SMUGGLED),
    "a chunk of too many digits": a_post("transfer-encoding: chunked", body=b"f" * 17 + b"\r\n" + SMUGGLED),
    "bare line feeds in the chunks": a_post("transfer-encoding: chunked", body=b"0\n\n" + SMUGGLED),
    "a NUL in a header": a_post("x: a\0b", "content-length: 0", body=SMUGGLED),
    "no such protocol": b"GET /front HTTP/9.9\r\nhost: x\r\n\r\n" + SMUGGLED,
}


@pytest.mark.parametrize("name", AMBIGUOUS)
async def test_what_could_be_read_in_two_ways_hides_no_second_request(house: House, name: str) -> None:
    answer = await house.send(AMBIGUOUS[name])

    assert "/smuggled" not in house.app.asked
    assert b" 200 " not in answer


async def test_plain_requests_one_after_the_other_are_answered(house: House) -> None:
    answer = await house.send(a_post("transfer-encoding: chunked", body=b"2\r\nab\r\n0\r\n\r\n") + SMUGGLED)

    assert house.app.asked == ["/front", "/smuggled"]
    assert answer.count(b"HTTP/1.1 200 ") == 2


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * server.HEAD_BYTES_MAX + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"a" * server.HEAD_BYTES_MAX + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * (server.HEADERS_MAX + 1) + b"\r\n",
        # Never ends: what was sent so far is enough.
        b"GET / HTTP/1.1\r\nx: " + b"a" * (2 * server.HEAD_BYTES_MAX),
    ],
    ids=["address", "one field", "many fields", "no end"],
)
async def test_a_head_that_is_too_large_is_refused(house: House, head: bytes) -> None:
    answer = await house.send(head)

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert house.app.asked == []


async def test_as_many_headers_as_are_accepted_are_accepted(house: House) -> None:
    head = b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * server.HEADERS_MAX + b"\r\n"

    assert (await house.send(head)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nhost:", SMUGGLED + b"GET / HT"])
async def test_who_does_not_finish_a_head_is_not_waited_for(
    house: House, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.Impatient, "head_seconds", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(begun)

    async with asyncio.timeout(5):
        answer = await reader.read()

    writer.close()
    assert b"HTTP/1.1 408 " in answer


async def test_who_does_not_finish_a_body_is_not_waited_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "BODY_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(a_post("content-length: 10", body=b"12345"))

    async with asyncio.timeout(5):
        answer = await reader.readuntil(b"}")

    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"/problems/body-too-slow" in answer


async def test_a_body_of_unknown_length_has_the_same_limit(house: House) -> None:
    chunks = b"3e9\r\n" + b"a" * 1001 + b"\r\n0\r\n\r\n"

    answer = await house.send(a_post("transfer-encoding: chunked", body=chunks))

    assert answer.startswith(b"HTTP/1.1 413 ")
