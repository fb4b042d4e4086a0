"""Five services in one process and their cast, once for every test here."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
from cast import actors
from matrix import Stage, operations_of
from neighbours import neighbours
from report import write


@pytest.fixture(scope="session")
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    async with neighbours() as n, actors(n) as cast:
        await n.hush()
        async with httpx.AsyncClient(base_url=n.url, timeout=60) as client:
            document = (await client.get("/api/v1/openapi.json")).json()
        made = Stage(n, cast, operations_of(document), document)
        yield made
    if request.config.getoption("--write-report", default=False):
        write(made)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-report", action="store_true", help="write docs/isolation.md and docs/isolation.json")
