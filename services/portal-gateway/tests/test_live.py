"""Live updates over a real broker and a real socket: who hears what, and what a page that comes back is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import aio_pika
import aiohttp
import orjson
import pytest
from door import ADA, PRIYA, Door, a_door
from hypothesis import given, strategies as st
from pydantic import SecretStr

from msp_kernel.ids import new_id
from msp_kit import server, topology
from msp_kit.testing import a_broker, a_socket, eventually
from portal_gateway import live
from portal_gateway.live import LOOK_AFRESH, Hub, Listener


@dataclass
class House:
    door: Door
    url: str
    amqp_url: str

    @property
    def hub(self) -> Hub:
        hub: Hub = self.door.app.state.hub
        return hub

    async def say(self, kind: str, client_id: UUID, **data: object) -> None:
        """Say an event on the bus, as the relay of a service does."""
        owner, stream, _, _ = kind.split(".")
        document = {
            "specversion": "1.0",
            "id": str(new_id()),
            "source": f"/msp/{owner}",
            "type": f"msp.{kind}" if not kind.startswith("msp.") else kind,
            "subject": f"{stream}:{new_id()}",
            "time": "2026-03-02T09:00:00+00:00",
            "mspclient": str(client_id),
            "datacontenttype": "application/json",
            "data": data,
        }
        connection = await aio_pika.connect(self.amqp_url)
        async with connection:
            exchange = await (await connection.channel()).get_exchange(topology.EVENTS_EXCHANGE, ensure=False)
            await exchange.publish(aio_pika.Message(orjson.dumps(document)), routing_key=kind)

    @contextlib.asynccontextmanager
    async def listening(self, email: str, *topics: str, last: str = "", taken_over: str = "") -> AsyncIterator[Page]:
        """Open the stream of a page, and wait until it is open."""
        headers = await self.door.bearer(email)
        headers |= {"last-event-id": last} if last else {}
        params = {"topics": ",".join(topics), "last": taken_over}
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.url}/ui/events", params=params, headers=headers) as answer,
        ):
            assert answer.status == 200
            page = Page(answer)
            assert await page.block() == ["retry: 2000"]
            yield page


@dataclass
class Page:
    answer: aiohttp.ClientResponse

    async def block(self) -> list[str]:
        """Return the lines of the next block, or nothing when the stream has ended."""
        lines: list[str] = []
        async with asyncio.timeout(10):
            while line := (await self.answer.content.readline()).decode().rstrip("\n"):
                lines.append(line)
        return lines

    async def heard(self) -> tuple[str, str, str]:
        """Return id, event and data of the next signal."""
        mark, event, data = [line.partition(": ")[2] for line in await self.block()]
        return mark, event, data


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with a_broker() as amqp_url, a_door(amqp_url=SecretStr(amqp_url)) as door:
        sock = a_socket()
        served = server.server(door.app, lifespan="off")
        serving = asyncio.create_task(served.serve(sockets=[sock]))
        made = House(door, f"http://127.0.0.1:{sock.getsockname()[1]}", amqp_url)
        yield made
        served.should_exit = served.force_exit = True
        await serving


async def listening_house(house: House) -> None:
    async def is_listening() -> bool:
        return house.hub.is_listening

    await eventually(is_listening)


async def test_a_client_hears_its_own_and_staff_hears_all(house: House) -> None:
    await listening_house(house)
    ours, theirs = house.door.client_id, new_id()
    async with house.listening(PRIYA, "tickets", "invoices") as client, house.listening(ADA, "ticket-1") as staff:
        await house.say("tickets.ticket.v1.TicketUpdated", theirs, ticket_id="1")
        await house.say("billing.invoice.v1.InvoiceDrafted", ours, invoice_id="9")
        await house.say("tickets.ticket.v1.MessagePosted", ours, ticket_id="3", is_public=False)
        await house.say("tickets.ticket.v1.TicketUpdated", ours, ticket_id="4", changed=["handling_level"])
        await house.say("tickets.ticket.v1.TicketUpdated", ours, ticket_id="2")

        # Neither the other client's ticket, nor a draft nobody has issued, nor an internal note, nor who works on it came before.
        assert (await client.heard())[1:] == ("signal", "tickets")
        assert (await staff.heard())[1:] == ("signal", "ticket-1")
        assert client.answer.content.total_bytes < 100


async def test_a_page_that_comes_back_hears_what_it_missed(house: House) -> None:
    await listening_house(house)
    ours = str(house.door.client_id)
    async with house.listening(PRIYA, "tickets") as page:
        house.hub.publish(["tickets"], ours)
        last, _, _ = await page.heard()
    house.hub.publish(["tickets", "invoices"], str(new_id()))
    house.hub.publish(["tickets"], ours)

    async with house.listening(PRIYA, "tickets", last=last) as page:
        mark, event, _ = await page.heard()

    assert (event, mark) == ("signal", f"{house.hub.epoch}-{house.hub.kept[-1].moment}")


def test_a_mark_says_when_and_not_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next mark is the same whatever happens to others in between."""
    marks = []
    for happens in (0, 50):
        hub = Hub("amqp://nowhere")
        hub.epoch = "here"
        monkeypatch.setattr("portal_gateway.live.time.monotonic_ns", lambda: 5_000_000)
        first = hub.mark
        for _ in range(happens):
            hub.publish(["tickets"], str(new_id()))
        monkeypatch.setattr("portal_gateway.live.time.monotonic_ns", lambda: 9_000_000)
        marks.append((first, hub.mark))

    assert marks[0] == marks[1] == ("here-5000", "here-9000")


async def test_a_tab_that_takes_over_says_in_the_address_where_it_goes_on(house: House) -> None:
    await listening_house(house)
    ours, last = str(house.door.client_id), house.hub.mark
    house.hub.publish(["tickets"], ours)

    async with house.listening(PRIYA, "tickets", taken_over=last) as page:
        assert await page.heard() == (f"{house.hub.epoch}-{house.hub.kept[-1].moment}", "signal", "tickets")


async def test_a_page_says_what_it_has_seen(house: House) -> None:
    await listening_house(house)
    house.hub.publish(["tickets"], None)
    headers = await house.door.bearer(PRIYA)

    before = house.hub.mark
    answer = await house.door.client.get("/ui/inbox", headers=headers)

    assert before < answer.json()["at"] < house.hub.mark


async def test_a_quiet_stream_says_how_far_it_has_come(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await listening_house(house)
    monkeypatch.setattr(live, "PING_SECONDS", 0.05)
    async with house.listening(PRIYA, "tickets") as page:
        house.hub.publish(["invoices"], str(house.door.client_id))
        mark = house.hub.mark

        heard = await page.heard()
        while heard[0] < mark:
            heard = await page.heard()

        assert heard[1:] == ("beat", "-")
        assert house.hub.missed(Listener(frozenset({"invoices"})), heard[0]) == []


def test_a_browser_asks_for_no_more_topics_than_a_stream_has() -> None:
    script = (Path(live.__file__).parent / "static" / "app.js").read_text()

    assert f"const MOST = {live.TOPICS_MAX}," in script


@pytest.mark.parametrize("last", ["17", "00000000-1", "x-y", f"{'9' * 400}"])
async def test_a_page_from_another_process_looks_afresh_whoever_shows_it(house: House, last: str) -> None:
    async with house.listening(PRIYA, "tickets", last=last) as page:
        assert (await page.heard())[1:] == ("resync", "")


async def test_a_stream_ends_with_its_session(house: House) -> None:
    async with house.listening(PRIYA, "tickets") as page:
        await house.door.sql("DELETE FROM sessions")
        house.door.app.state.visitors.forget_all()
        house.hub.publish(["tickets"], str(house.door.client_id))

        assert await page.block() == []
        assert page.answer.content.at_eof()


async def test_listening_is_no_use_of_a_session(house: House) -> None:
    async with house.listening(PRIYA, "tickets") as page:
        await house.door.sql("UPDATE sessions SET seen_at = seen_at - interval '10 minutes'")
        house.door.app.state.visitors.forget_all()
        before = await house.door.sql("SELECT max(seen_at) FROM sessions")
        house.hub.publish(["tickets"], str(house.door.client_id))
        await page.heard()

        assert await house.door.sql("SELECT max(seen_at) FROM sessions") == before


async def test_nobody_opens_streams_without_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "STREAMS_OF_PERSON_MAX", 1)
    async with house.listening(PRIYA, "tickets"):
        second = await house.door.client.get("/ui/events", headers=await house.door.bearer(PRIYA))
        assert (second.status_code, second.headers["retry-after"]) == (503, "30")
        async with house.listening(ADA, "tickets"):
            assert len(house.hub.listeners) == 2


async def test_after_the_broker_was_away_every_page_looks_afresh(house: House) -> None:
    await listening_house(house)
    async with house.listening(PRIYA, "tickets") as page:
        assert house.hub.connection is not None
        await house.hub.connection.close()

        assert (await page.heard())[1] == "resync"


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_what_was_missed_is_told_whole_or_not_at_all(published: int, last: int) -> None:
    hub, page = Hub("amqp://nowhere"), Listener(frozenset({"tickets"}))
    marks = [hub.mark]
    for _ in range(published):
        hub.publish(["tickets"], None)
        marks.append(f"{hub.epoch}-{hub.kept[-1].moment}")

    missed = hub.missed(page, marks[last] if last <= published else "of another process")

    known = published - live.KEPT_MAX <= last <= published
    told = [f"{hub.epoch}-{one.moment}" for one in missed]
    assert told == marks[last + 1 :] if known else len(told) == 1
    assert [one.topic == LOOK_AFRESH for one in missed[:1]] in ([], [not known])


def test_a_page_that_does_not_read_is_told_to_look_afresh() -> None:
    hub, page = Hub("amqp://nowhere"), Listener(frozenset({"tickets"}))
    hub.listeners.add(page)
    for _ in range(live.WAITING_MAX + 1):
        hub.publish(["tickets"], None)

    assert page.signals.qsize() == 1
    assert page.signals.get_nowait().topic == LOOK_AFRESH
