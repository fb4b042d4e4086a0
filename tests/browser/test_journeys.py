"""How people really work: without scripts, with the keyboard alone, through a gateway that goes away and comes back."""

from __future__ import annotations

import asyncio
import re

from browsing import accessible, signed_in
from playwright.async_api import Browser, expect
from story import PASSWORD, a_cast, a_target

from msp_local.api import Api
from msp_local.stack import Platform

TITLE = "The label printer prints blanks"


async def test_a_client_is_helped_without_scripts(browser: Browser, platform: Platform, admin: Api) -> None:
    async with a_cast(admin) as cast:
        company = await cast.client("No Scripts")
        page, complaints = await signed_in(browser, platform, company.email, java_script_enabled=False)

        await page.get_by_role("link", name="New ticket").first.click()
        await page.get_by_label("High").check()
        await page.fill("#title", TITLE)
        await page.get_by_role("button", name="Raise ticket").click()
        await expect(page.locator("h1")).to_have_text(TITLE)
        ref = (await page.locator(".id").inner_text()).strip()
        ticket = await cast.agent.get(f"/tickets/{ref}")
        await cast.agent.post(f"/tickets/{ticket['id']}/messages", {"body": "Which roll is in it?"})
        await page.reload()
        await expect(page.locator("#main")).to_contain_text("Which roll is in it?")
        await page.fill("#reply", "The blue one.")
        await page.get_by_role("button", name=re.compile("Send|Reply")).click()
        await expect(page.locator("#main")).to_contain_text("The blue one.")
        await page.set_input_files(
            "input[type=file]", {"name": "roll.txt", "mimeType": "text/plain", "buffer": b"blue"}
        )
        await page.get_by_role("button", name="Add file", exact=True).click()
        async with page.expect_download() as started:
            await page.get_by_role("link", name="roll.txt").first.click()
        assert (await (await started.value).path()).read_bytes() == b"blue"
        await page.goto("/portal/hours")
        async with page.expect_download() as started:
            await page.get_by_role("link", name="CSV").click()
        assert b"minutes" in (await (await started.value).path()).read_bytes()

        assert complaints == []
        await page.context.close()


async def test_an_agent_works_by_the_keyboard_alone(browser: Browser, platform: Platform, admin: Api) -> None:
    async with a_cast(admin) as cast:
        # Soonest due, so on the first page of the queue, whatever other stories left in it.
        company = await cast.client("Keys Only", targets=[a_target("first_response", 5)])
        raised = {"client_id": company.id, "title": TITLE, "job_type": "network", "priority": "critical", "level": "L1"}
        ticket = await cast.manager.post("/tickets", raised)
        context = await browser.new_context(base_url=platform.url)
        page = await context.new_page()
        press = page.keyboard.press

        await page.goto("/login")
        await page.locator("#email").focus()
        await page.keyboard.type(cast.agent.email)
        await press("Tab")
        await page.keyboard.type(PASSWORD)
        await press("Enter")
        await page.wait_for_url("**/desk/**")
        # The queue, the row, the ticket.
        await press("g")
        # Whoever signs in may be there already: it is gone to all the same.
        async with page.expect_navigation(url="**/desk/queues*"):
            await press("q")
        rows = page.locator("tr[data-href]")
        for _ in range(await rows.count()):
            await press("j")
            if await page.locator(f"tr.cursor[data-href$='/{ticket['ref']}']").count():
                break
        await press("Enter")
        await expect(page.locator("h1")).to_have_text(TITLE)
        # The reply, and the time.
        await press("r")
        await page.keyboard.type("On my way.")
        await press("Control+Enter")
        await expect(page.locator("#main")).to_contain_text("On my way.")
        await press("t")
        await press("Control+a")
        await page.keyboard.type("25m")
        await press("Enter")
        await expect(page.locator("#entries")).to_contain_text("25 min")
        # The list of keys, and the palette.
        await press("Escape")
        await page.locator("body").click(position={"x": 2, "y": 2})
        await press("?")
        await expect(page.locator("#keys")).to_be_visible()
        await press("Escape")
        await expect(page.locator("#keys")).to_be_hidden()
        await press("Control+k")
        await page.keyboard.type("worklo")
        await press("Enter")
        await page.wait_for_url("**/desk/workload")

        entries = [one async for one in cast.agent.pages("/time-entries", ticket_id=ticket["id"])]
        assert [one["worked_minutes"] for one in entries] == [25]
        await context.close()


async def test_a_page_outlives_the_gateway(browser: Browser, platform: Platform, admin: Api) -> None:
    """The open page says that it is not live, comes back by itself, and shows what happened meanwhile."""
    async with a_cast(admin) as cast:
        company = await cast.client("Patient")
        raised = {"client_id": company.id, "title": TITLE, "job_type": "network", "priority": "low", "level": "L1"}
        ticket = await cast.manager.post("/tickets", raised)
        page, _ = await signed_in(browser, platform, company.email)
        await page.goto(f"/portal/tickets/{ticket['ref']}")
        live = page.locator(".live")
        await expect(live).to_have_text("Live")

        await asyncio.to_thread(platform.supervisor.supervised["portal-gateway"].kill)
        await expect(live).not_to_have_text("Live")
        # The supervisor starts it again.
        await asyncio.to_thread(platform.wait_until_ready)
        await expect(live).to_have_text("Live", timeout=30_000)
        await cast.agent.post(f"/tickets/{ticket['id']}/messages", {"body": "Back again."})
        await expect(page.locator("#main")).to_contain_text("Back again.", timeout=30_000)
        await page.context.close()


async def test_the_page_fits_twice_as_large(browser: Browser, platform: Platform, admin: Api) -> None:
    """At 200 % of 1280 pixels there are 640 left."""
    async with a_cast(admin) as cast:
        company = await cast.client("Large Letters")
        page, _ = await signed_in(
            browser, platform, company.email, viewport={"width": 640, "height": 360}, device_scale_factor=2
        )
        for path in ("/portal", "/portal/tickets/new", "/portal/hours", "/portal/reports"):
            await page.goto(path)
            assert await page.evaluate("document.documentElement.scrollWidth") <= 640, path
        await page.context.close()


async def test_a_new_ticket_says_what_it_would_be_promised_before_it_is_raised(
    browser: Browser, platform: Platform, admin: Api
) -> None:
    async with a_cast(admin) as cast:
        company = await cast.client("Foreseen")
        offer = await cast.manager.get("/tickets/offer", client_id=company.id)
        raised = {"client_id": company.id, "title": "The printer jams", "job_type": "network", "priority": "low"}
        ticket = await cast.manager.post("/tickets", {**raised, "level": "L1"})
        page, complaints = await signed_in(browser, platform, company.email)
        await page.goto("/portal/tickets/new")
        told = page.locator("#p-high")
        await expect(told).to_contain_text("fix by")

        # What is said follows what is chosen and typed, and nothing that was typed goes.
        await page.fill("#title", "My printer jams, too")
        levels = offer["contracts"][0]["levels"]
        await page.select_option("#level", levels[-1])
        await expect(page.locator("#notes")).to_contain_text(levels[-1])
        await expect(page.locator("#similar a")).to_have_text(f"{ticket['ref']}, The printer jams")
        await accessible(page)
        await page.set_input_files("#file", {"name": "jam.txt", "mimeType": "text/plain", "buffer": b"It jams."})
        await page.get_by_role("button", name="Raise ticket").click()

        await expect(page.locator("h1")).to_have_text("My printer jams, too")
        await expect(page.locator("#files")).to_contain_text("jam.txt")
        assert complaints == []
        await page.context.close()
