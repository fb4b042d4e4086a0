"""One request is one trace: from the gateway over the service and the bus to the last listener, and back."""

from __future__ import annotations

from collections.abc import Iterator

import aiohttp
from collector import Collector, Span
from story import a_cast

from msp_kit.testing import eventually
from msp_local.api import Api

TRACE = "5a2d7a520c7b4d0c9a3c6f1d1f0e8a11"


async def test_a_time_entry_is_one_tree_of_spans(admin: Api, spans: Collector) -> None:
    async with a_cast(admin) as cast:
        company = await cast.client("Trace & Sons")
        ticket = await cast.manager.post(
            "/tickets",
            {"client_id": company.id, "title": "x", "job_type": "network", "priority": "low", "level": "L1"},
        )
        headers = {"authorization": f"Bearer {cast.agent.token}", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        body = {"ticket_id": ticket["id"], "worked_minutes": 15, "note": "traced"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{admin.url}/api/v1/time-entries", json=body) as answer,
        ):
            assert answer.status == 201, await answer.text()

    wanted = {
        ("portal-gateway", "POST"),
        ("tickets", "POST /time-entries"),
        ("contracts", "hear TimeLogged"),
        ("tickets", "hear HoursHeld"),
    }

    async def everybody_has_told() -> list[Span]:
        found = spans.of_trace(TRACE)
        return found if wanted <= {(one.service, one.name) for one in found} else []

    found = await eventually(everybody_has_told, within_seconds=30)
    by_id = {one.span_id: one for one in found}
    of = {(one.service, one.name): one for one in found}
    assert {one.service for one in found if one.parent_id not in by_id} == {"portal-gateway"}
    path = list(ancestry(of["tickets", "hear HoursHeld"], by_id))
    expected = ["hear HoursHeld", "hear TimeLogged", "POST /time-entries", "POST"]
    assert [name for name in path if name in expected] == expected


def ancestry(span: Span, by_id: dict[str, Span]) -> Iterator[str]:
    """Yield the names of a span and of those it came from, up to the root."""
    one: Span | None = span
    while one is not None:
        yield one.name
        one = by_id.get(one.parent_id)
