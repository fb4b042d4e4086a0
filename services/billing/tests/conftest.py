"""Fixtures of the billing tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from office import Office, an_office


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with an_office() as made:
        yield made
