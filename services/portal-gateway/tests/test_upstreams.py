"""A service that is slow, restarts, hangs up or talks nonsense: it is named, the rest goes on, and nothing is done twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from door import ADA, Door, a_door
from upstream import pages, words

from portal_gateway import services

WHOLE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 24\r\n\r\n" + b'{"items":[],"next":null}'
HALF = WHOLE[:-10]
NONSENSE = b"\x00\xffnot a protocol\r\n\r\n"
LONG_HEAD = b"HTTP/1.1 200 OK\r\nx: " + b"a" * 100_000 + b"\r\n\r\n"


@dataclass
class Broken:
    """A service that reads a request, sends these bytes, one after the other for each request, and hangs up."""

    answers: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    is_slow: bool = False
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.split()[0].decode())
        if self.is_slow:
            # Until whoever asks hangs up.
            await reader.read()
        else:
            writer.write(self.answers.pop(0) if self.answers else b"")
        writer.close()


@pytest.fixture
async def broken() -> AsyncIterator[Broken]:
    made = Broken()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()


@pytest.fixture
async def door(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    monkeypatch.setattr(services, "TIMEOUT_SECONDS", 0.3)
    async with a_door(tickets_url=broken.url) as made:
        yield made


@pytest.mark.parametrize("said", [b"", HALF, NONSENSE, LONG_HEAD], ids=["nothing", "half", "nonsense", "a long head"])
@pytest.mark.parametrize(("method", "times"), [("GET", 2), ("POST", 1), ("PUT", 1), ("PATCH", 1), ("DELETE", 1)])
async def test_only_a_read_is_tried_again(door: Door, broken: Broken, method: str, times: int, said: bytes) -> None:
    broken.answers = [said] * 5

    answer = await door.send(ADA, method, "/tickets/1", {} if method != "GET" else None)

    assert broken.asked == [method] * times
    assert answer.status_code == 503
    assert answer.json()["code"] == "service-away"
    assert answer.json()["title"] == "The tickets service is not available"
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_service_that_comes_back_answers_the_second_try(door: Door, broken: Broken) -> None:
    broken.answers = [b"", WHOLE]

    answer = await door.send(ADA, "GET", "/tickets")

    assert (answer.status_code, answer.json()) == (200, {"items": [], "next": None})
    assert broken.asked == ["GET", "GET"]


async def test_a_slow_service_is_given_up_once_and_named(door: Door, broken: Broken) -> None:
    broken.is_slow = True

    answer = await door.send(ADA, "GET", "/tickets")

    # Asking again would make whoever is slow slower, and whoever waits wait twice.
    assert broken.asked == ["GET"]
    assert (answer.status_code, answer.json()["code"]) == (503, "service-away")


def hangs_up(broken: Broken) -> None:
    broken.answers = []


def is_slow(broken: Broken) -> None:
    broken.is_slow = True


def talks_nonsense(broken: Broken) -> None:
    broken.answers = [NONSENSE] * 50


@pytest.mark.parametrize("trouble", [hangs_up, is_slow, talks_nonsense])
@pytest.mark.parametrize(
    ("service", "path"),
    [("sla", "/portal"), ("billing", "/portal/search?text=jam"), ("contracts", "/portal/search?text=jam")],
)
async def test_the_rest_of_a_page_works_and_says_what_is_missing(
    broken: Broken, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[Broken], None], service: str, path: str
) -> None:
    monkeypatch.setattr(services, "TIMEOUT_SECONDS", 1.5)
    trouble(broken)
    async with pages() as shown:
        shown.client._transport.app.state.site.services.urls[service] = broken.url  # type: ignore[attr-defined]
        shown.upstream.answers["/tickets/search"] = []
        page = await shown.get(path, by="client")

    said = words(page.text)
    assert page.status_code == 200
    assert f"{service} service" in said.lower()
    assert [one for one in ("tickets", "sla", "billing", "contracts") if f"{one} service" in said.lower()] == [service]
    assert broken.asked, "the page never asked it"
