"""A door to knock at, pages to look at, and a mail server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from door import Door, a_door
from post import Postbox, a_postbox
from upstream import Pages, pages


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with a_door() as made:
        yield made


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with a_postbox() as made:
        yield made


@pytest.fixture(scope="module")
async def _house() -> AsyncIterator[Pages]:
    async with pages() as made:
        yield made


@pytest.fixture
def house(_house: Pages) -> Pages:
    """The gateway's pages, before services that answer nothing but empty lists yet."""
    _house.upstream.forget()
    return _house
