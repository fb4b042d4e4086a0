"""The circuit breaker: a service that does not answer is spared, tried once in a while, and named."""

from __future__ import annotations

import pytest
from door import ADA, Door
from upstream import pages, words

from portal_gateway import services
from portal_gateway.services import FAILURES_MAX, PAUSE_SECONDS, PAUSE_SECONDS_MAX, Breaker


class Clock:
    """Time as a test wants it."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(services, "time", made)
    return made


def test_it_opens_lets_one_try_and_closes(clock: Clock) -> None:
    breaker = Breaker()
    for _ in range(FAILURES_MAX - 1):
        breaker.failed()
    assert [breaker.lets_through() for _ in range(3)] == [True, True, True]

    breaker.failed()
    assert [breaker.lets_through() for _ in range(3)] == [False, False, False]

    clock.seconds += PAUSE_SECONDS
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]

    breaker.answered()
    assert [breaker.lets_through() for _ in range(3)] == [True, True, True]


def test_the_pause_grows_and_has_an_end(clock: Clock) -> None:
    breaker, pauses = Breaker(), []
    for _ in range(FAILURES_MAX + 20):
        breaker.failed()
        begun = clock.seconds
        while not breaker.lets_through():
            clock.seconds += PAUSE_SECONDS / 2
        pauses.append(clock.seconds - begun)

    assert pauses[: FAILURES_MAX - 1] == [0.0] * (FAILURES_MAX - 1)
    assert pauses[FAILURES_MAX - 1 :] == sorted(pauses[FAILURES_MAX - 1 :])
    assert (pauses[FAILURES_MAX - 1], pauses[-1]) == (PAUSE_SECONDS, PAUSE_SECONDS_MAX)


async def test_a_service_that_is_away_is_asked_no_more_until_it_is_its_turn(door: Door, clock: Clock) -> None:
    headers = await door.bearer(ADA)
    here = door.app.state.site.services.urls["tickets"]
    door.app.state.site.services.urls["tickets"] = "http://127.0.0.1:1"
    away = [await door.send(headers, "GET", "/tickets") for _ in range(FAILURES_MAX)]
    door.app.state.site.services.urls["tickets"] = here

    spared = await door.send(headers, "GET", "/tickets")
    clock.seconds += PAUSE_SECONDS
    tried = await door.send(headers, "GET", "/tickets")
    again = await door.send(headers, "GET", "/tickets")

    assert [one.status_code for one in (*away, spared, tried, again)] == [503] * (FAILURES_MAX + 1) + [200, 200]
    assert spared.json()["title"] == "The tickets service is not available"
    assert spared.headers["retry-after"] == "5"


@pytest.mark.parametrize(("path", "service"), [("/desk/queues", "tickets"), ("/desk/sla", "sla")])
async def test_a_page_names_the_service_it_misses(path: str, service: str) -> None:
    async with pages(away=service) as shown:
        shown.upstream.answers["/tickets/counts"] = {"open": 3, "unassigned": 0}
        page = await shown.get(path)

    assert page.status_code in (200, 503)
    assert f"{service} service" in words(page.text).lower()
