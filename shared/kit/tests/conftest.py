"""The probe: a service small enough to test the kit with."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import AsyncIterator

import pytest

from msp_kit.database import Database
from msp_kit.testing import a_database

sys.path.insert(0, str(pathlib.Path(__file__).parent))


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    async with a_database(service="sla", database="probe", module="probe") as opened:
        yield opened
