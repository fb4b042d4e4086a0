"""A door to knock at, and a mail server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from door import Door, a_door
from post import Postbox, a_postbox


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with a_door() as made:
        yield made


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with a_postbox() as made:
        yield made
