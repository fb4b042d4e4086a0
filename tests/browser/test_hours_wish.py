"""A client asks for more hours from a phone, and sees in the open page how far the answer is."""

from __future__ import annotations

from typing import Any

from browsing import accessible, signed_in
from playwright.async_api import Browser, expect
from story import a_cast

from msp_local.api import Api
from msp_local.stack import Platform

PHONE: dict[str, Any] = {"viewport": {"width": 320, "height": 720}}


async def test_a_wish_for_hours_is_corrected_sent_and_followed(
    browser: Browser, platform: Platform, admin: Api
) -> None:
    async with a_cast(admin) as cast:
        company = await cast.client("More Hours")
        page, _ = await signed_in(browser, platform, company.email, **PHONE)
        await page.goto("/portal/hours")

        await page.get_by_label("Hours wanted").fill("soon")
        await page.get_by_label("Note").fill("For the move")
        await page.get_by_role("button", name="Ask for hours").click()
        await expect(page.get_by_role("alert")).to_be_in_viewport()
        await expect(page.get_by_label("Hours wanted")).to_have_attribute("aria-invalid", "true")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320
        await accessible(page)

        await page.get_by_label("Hours wanted").fill("7:30")
        await expect(page.get_by_label("Note")).to_have_value("For the move")
        await page.get_by_role("button", name="Ask for hours").click()
        await expect(page.locator("h1")).to_contain_text("Top-up of 7:30 h wanted for")
        step = page.locator('#steps [aria-current="step"]')
        await expect(step).to_have_text("Received")
        await expect(page.locator(".live")).to_have_text("Live")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320
        await accessible(page)

        ref = (await page.locator(".id").inner_text()).strip()
        ticket = await cast.agent.get(f"/tickets/{ref}")
        asked = {"body": "From which day?", "set_status": "waiting_on_client"}
        await cast.agent.post(f"/tickets/{ticket['id']}/messages", asked)
        await expect(step).to_have_text("Waiting for you", timeout=15_000)
        await page.context.close()
