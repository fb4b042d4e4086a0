"""A real Chromium, and a platform with the demo's MSP in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from browsing import a_browser
from playwright.async_api import Browser

from msp_local import demo
from msp_local.api import Api
from msp_local.stack import ADMIN_EMAIL, Platform


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as started:
        yield started


@pytest.fixture(scope="session")
async def demo_platform(platform: Platform) -> Platform:
    """Return the platform of the stories with the demo's MSP in it, as ``make run`` leaves it; look, change little.

    The demo comes to an empty platform only: whoever wants it comes before the stories that bring clients of their own.
    """
    async with Api(platform.url, email=ADMIN_EMAIL, password=platform.admin_password) as admin:
        clients = await admin.get("/clients", limit=1)
    assert not clients["items"], "the demo came too late: a story was told before it"
    await demo.seed(platform.url, email=ADMIN_EMAIL, password=platform.admin_password, say=lambda _: None)
    return platform
