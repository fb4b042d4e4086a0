"""A real browser, people signed in to it, and what every page must pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from story import PASSWORD

from msp_local.servers.chromium import FLAGS, chromium_path, lend_driver_libraries
from msp_local.servers.throwaway import cache_folder
from msp_local.stack import Platform

RULES: dict[str, Any] = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS: dict[str, Any] = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""The rules of those that ask for colours: all that another theme can change."""
# What passes is not described, and what does not comes back as its rule and first place only.
_RUN = """async rules => {
  const found = await axe.run({ runOnly: rules, resultTypes: ['violations'] });
  return found.violations.map(one => [one.id, one.nodes[0].html.slice(0, 120)]);
}"""


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    """Start Chromium."""
    path = await asyncio.to_thread(chromium_path, cache_folder())
    await asyncio.to_thread(lend_driver_libraries, cache_folder())
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=str(path), args=list(FLAGS))
        yield started
        await started.close()


async def signed_in(
    browser: Browser, platform: Platform, email: str, *, password: str = PASSWORD, **options: Any
) -> tuple[Page, list[str]]:
    """Return a page of a person, and the list its console complaints go to."""
    context: BrowserContext = await browser.new_context(base_url=platform.url, **options)
    page = await context.new_page()
    complaints: list[str] = []
    page.on(
        # The browser itself complains about an answer of 422, which a form with a mistake in it is meant to get.
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type in ("error", "warning") and "status of 422" not in message.text
            else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto("/login")
    await page.fill("#email", email)
    await page.fill("#password", password)
    await page.get_by_role("button", name="Sign in").first.click()
    await page.wait_for_load_state()
    assert not page.url.endswith("/login"), f"{email} could not sign in"
    return page, complaints


async def violations(page: Page, rules: dict[str, Any] = RULES) -> list[tuple[str, str]]:
    """Return what breaks WCAG 2.2 AA: the rule and the first place."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE_SCRIPT)
    return [(rule, place) for rule, place in await page.evaluate(_RUN, rules)]


async def accessible(page: Page) -> None:
    """Fail where axe-core finds a violation of WCAG 2.2 AA."""
    assert await violations(page) == []
