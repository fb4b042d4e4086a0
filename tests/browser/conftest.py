"""A real Chromium, and a platform with the demo's MSP in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from msp_local import demo
from msp_local.servers.chromium import FLAGS, chromium_path, lend_driver_libraries
from msp_local.servers.throwaway import cache_folder
from msp_local.stack import ADMIN_EMAIL, Platform


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = await asyncio.to_thread(chromium_path, cache_folder())
    await asyncio.to_thread(lend_driver_libraries, cache_folder())
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=str(path), args=list(FLAGS))
        yield started
        await started.close()


@pytest.fixture(scope="session")
async def demo_platform(platform: Platform) -> Platform:
    """Return the platform of the stories with the demo's MSP in it, as ``make run`` leaves it; look, change little."""
    await demo.seed(platform.url, email=ADMIN_EMAIL, password=platform.admin_password, say=lambda _: None)
    return platform
