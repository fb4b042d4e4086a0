"""A fresh database for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from msp_kit.database import Database
from msp_kit.testing import a_database

# A busy machine is no bug: properties have no time limit.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    async with a_database(service="sla", database="sla", module="sla") as opened:
        yield opened
