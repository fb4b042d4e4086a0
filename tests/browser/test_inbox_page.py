"""The inbox by hand: the bell rings by itself, a row is done by key, and undone."""

from __future__ import annotations

import pytest
from browsing import accessible, signed_in
from playwright.async_api import Browser, expect
from story import PASSWORD, a_cast

from msp_local.api import Api
from msp_local.stack import Platform


@pytest.mark.parametrize("width", [1280, 320])
async def test_news_ring_and_are_done_by_key(browser: Browser, platform: Platform, admin: Api, width: int) -> None:
    async with a_cast(admin) as cast:
        company = await cast.client(f"Harbour {width}")
        body = {"title": "VPN drops", "description": "x", "job_type": "network", "priority": "high", "level": "L1"}
        async with Api(platform.url, email=company.email, password=PASSWORD) as person:
            ticket = await person.post("/tickets", body)
        page, complaints = await signed_in(browser, platform, company.email, viewport={"width": width, "height": 800})
        await page.goto("/portal/projects")
        await expect(page.locator("[data-bell] .count")).to_be_hidden()

        answer = {"body": "I look at it", "is_public": True, "set_status": "waiting_on_client"}
        await cast.agent.post(f"/tickets/{ticket['id']}/messages", answer)
        # Nobody touches the page: the bell counts by itself.
        await expect(page.locator("[data-bell] .count")).to_have_text("2", timeout=8000)

        await page.locator("[data-bell]").click()
        # What is about one ticket is one row.
        await expect(page.locator("tr[data-href]")).to_have_count(1)
        await accessible(page)
        await page.keyboard.press("j")
        await page.keyboard.press("e")
        await expect(page.get_by_text("All read")).to_be_visible()
        await accessible(page)
        await page.get_by_role("button", name="Undo").click()
        await expect(page.locator("tr[data-href]")).to_have_count(1)
        await page.goto("/settings/notifications")
        await accessible(page)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert complaints == []
        await page.context.close()
