"""A house with its own look, people who read German, and hands that stay on the keyboard: in a real browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from browsing import accessible, signed_in
from playwright.async_api import Browser, Page, expect
from story import a_cast

from msp_local.api import Api
from msp_local.demo.seed import sign_ins
from msp_local.stack import ADMIN_EMAIL, Platform

LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 16" width="80" height="32"><path d="M0 0h40v16z" fill="#7a1f5c"/></svg>'
STRANGERS = ("/login", "/forgot-password", "/choose-password?token=x", "/nowhere")
OF_A_CLIENT = (
    *(
        "/portal",
        "/portal/tickets",
        "/portal/tickets/new",
        "/portal/search?text=a",
        "/portal/projects",
        "/portal/hours",
    ),
    *("/portal/approvals", "/portal/invoices", "/portal/account", "/portal/reports"),
    *("/settings/security", "/settings/preferences", "/settings/people", "/settings/keys", "/settings/audit"),
)
OF_A_FAMILY = ("/desk/ops", "/desk/queues", "/desk/sla", "/desk/billing/invoices", "/desk/buckets", "/settings/people")
PAPER_PIXELS = 794
"""How wide a sheet of A4 is at 96 dots to the inch."""


@asynccontextmanager
async def asking_for(
    browser: Browser, platform: Platform, language: str, *, email: str = "", password: str = ""
) -> AsyncIterator[Page]:
    """Open a page in a browser that asks for a language, signed in where an address is given."""
    if email:
        page, complaints = await signed_in(browser, platform, email, password=password)
    else:
        page, complaints = await browser.new_page(base_url=platform.url), []
    await page.context.set_extra_http_headers({"accept-language": language})
    yield page
    assert complaints == []
    await page.context.close()


async def needed_width(page: Page, path: str) -> int:
    await page.goto(path)
    assert path in page.url
    return int(await page.evaluate("document.documentElement.scrollWidth"))


# ---- languages ------------------------------------------------------------------------------------------------------


async def test_a_client_and_an_agent_work_in_german(browser: Browser, demo_platform: Platform, admin: Api) -> None:
    async with a_cast(admin) as cast:
        company = await cast.client("Nordlicht Werke")
        client, of_client = await signed_in(browser, demo_platform, company.email)
        agent, of_agent = await signed_in(browser, demo_platform, cast.agent.email)
        for page in (client, agent):
            await page.goto("/settings/preferences")
            await page.select_option("#language", "de")
            await page.get_by_role("button", name="Save preferences").click()
            await expect(page.locator("html")).to_have_attribute("lang", "de")

        await client.goto("/portal")
        await client.get_by_role("link", name="Neues Ticket").first.click()
        await client.get_by_label("Hoch").check()
        await client.fill("#title", "VPN bricht ab")
        await client.get_by_role("button", name="Ticket erstellen").click()
        await expect(client.locator("#status")).to_have_text(re.compile("Eingegangen|In Arbeit"))
        await accessible(client)
        ref = (await client.locator(".id").inner_text()).strip()
        await client.goto("/portal/hours")
        await expect(client.locator("[data-balance]")).to_have_text("50:00 h")
        await agent.goto(f"/desk/tickets/{ref}")
        await agent.fill("#dur", "0,75")
        await agent.fill("#nt", "Tunnel neu aufgebaut")
        await agent.get_by_role("button", name="Zeit erfassen").click()
        await expect(client.locator("[data-balance]")).to_have_text("49:15 h", timeout=5000)

        await expect(client.locator("#hours")).to_contain_text("erfasst, noch nicht freigegeben")
        assert (of_client, of_agent) == ([], [])
        await client.context.close()
        await agent.context.close()


async def test_amounts_and_days_are_german_where_the_browser_asks_for_it(
    browser: Browser, demo_platform: Platform
) -> None:
    *_, (_, email, password), _ = sign_ins()
    async with asking_for(browser, demo_platform, "de-DE,de;q=0.9", email=email, password=password) as page:
        await page.goto("/portal/invoices")
        first = await page.locator("tbody tr").first.inner_text()
        assert re.search(r"\d,\d\d\s€|\d,\d\d\s£", first), first
        assert re.search(r"\d+\. \w+\.? 20\d\d", await page.locator("tbody").inner_text())
        await accessible(page)
        for path in ("/portal/search?text=vpn", "/portal/search?text=zzz", "/settings/preferences"):
            await page.goto(path)
            await accessible(page)
        for path in OF_A_CLIENT:
            await page.set_viewport_size({"width": 320, "height": 900})
            assert await needed_width(page, path) <= 320, path


@pytest.mark.parametrize("language", ["en-XA", "de"])
async def test_longer_words_fit_a_phone(browser: Browser, demo_platform: Platform, language: str) -> None:
    *_, (_, email, password), _ = sign_ins()
    async with asking_for(browser, demo_platform, language) as page:
        await page.set_viewport_size({"width": 320, "height": 900})
        too_wide = {path: wide for path in STRANGERS if (wide := await needed_width(page, path)) > 320}
    async with asking_for(browser, demo_platform, language, email=email, password=password) as page:
        await page.set_viewport_size({"width": 320, "height": 900})
        too_wide |= {path: wide for path in OF_A_CLIENT if (wide := await needed_width(page, path)) > 320}
        await page.goto("/portal/tickets?tab=all")
        await page.locator(".list a.title").first.click()
        await page.wait_for_url("**/portal/tickets/*")
        wide = await needed_width(page, page.url)
        too_wide |= {"a ticket": wide} if wide > 320 else {}
        if language == "en-XA":
            assert "·" in await page.locator(".portal-foot").inner_text()

    assert too_wide == {}


# ---- the look -------------------------------------------------------------------------------------------------------


async def test_the_look_of_the_house_is_seen_by_everybody_under_the_strict_policy(
    browser: Browser, demo_platform: Platform
) -> None:
    page, complaints = await signed_in(browser, demo_platform, ADMIN_EMAIL, password=demo_platform.admin_password)
    await page.goto("/desk/admin/branding")
    name = await page.input_value("#name")
    try:
        await page.fill("#name", "Nordlicht IT")
        await page.fill("#accent_light", "#ffd400")
        await page.get_by_role("button", name="Save branding").click()
        await expect(page.locator("#e-accent")).to_contain_text("would be accepted")
        await accessible(page)
        await page.fill("#accent_light", "#7a1f5c")
        await page.set_input_files("#logo", {"name": "l.svg", "mimeType": "image/svg+xml", "buffer": LOGO})
        await page.get_by_role("button", name="Save branding").click()
        await expect(page.locator("form img.logo")).to_be_visible()

        for path in ("/desk/admin/branding", "/settings/security"):
            for theme in ("light", "dark"):
                await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
                await page.goto(path)
                await accessible(page)
        stranger = await browser.new_page(base_url=demo_platform.url)
        await stranger.goto("/login")
        await expect(stranger.locator(".badge")).to_contain_text("Nordlicht IT")
        assert await stranger.eval_on_selector("img.logo", "one => one.naturalWidth") > 0
        shade = await stranger.eval_on_selector(
            "button[data-kind=primary]", "one => getComputedStyle(one).backgroundColor"
        )
        assert shade == "rgb(122, 31, 92)"
        await accessible(stranger)
        await stranger.context.close()
        assert complaints == []
    finally:
        await page.goto("/desk/admin/branding")
        await page.fill("#name", name)
        await page.fill("#accent_light", "")
        await page.fill("#accent_dark", "")
        if await page.locator("[name=remove_logo]").count():
            await page.check("[name=remove_logo]")
        await page.get_by_role("button", name="Save branding").click()
        await page.context.close()


# ---- the keyboard ---------------------------------------------------------------------------------------------------


async def test_the_palette_goes_everywhere_and_knows_what_was_seen_and_what_can_be_done(
    browser: Browser, demo_platform: Platform
) -> None:
    (_, manager, password), *_ = sign_ins()
    page, complaints = await signed_in(browser, demo_platform, manager, password=password)
    await page.goto("/desk/queues")
    await page.locator("tr[data-href] a.title").first.click()
    await expect(page.locator("#head")).to_be_visible()
    ref = page.url.rpartition("/")[2]

    await page.keyboard.press("Control+k")
    options = page.locator("#pal-list [role=option]:visible")
    await expect(options.filter(has_text="Escalate").first).to_be_visible()
    await accessible(page)
    await page.keyboard.type("receivables")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/desk/billing/receivables")
    await page.keyboard.press("/")
    await expect(options.filter(has_text=ref)).to_have_count(1)
    await page.keyboard.type(ref.lower())
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/desk/tickets/{ref}")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("zzz nothing such")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/desk/search?text=*")
    await page.goto("/desk/search?text=harbour")
    await expect(page.get_by_role("link", name="Harbour & Lowe").first).to_be_visible()
    await accessible(page)
    await page.set_viewport_size({"width": 320, "height": 900})
    assert await needed_width(page, "/desk/search?text=harbour") <= 320

    assert complaints == []
    await page.context.close()


async def test_the_list_of_keys_says_what_works_here_and_keys_can_be_switched_off(
    browser: Browser, demo_platform: Platform
) -> None:
    (_, manager, password), *_ = sign_ins()
    page, _ = await signed_in(browser, demo_platform, manager, password=password)
    await page.goto("/desk/queues")
    await page.keyboard.press("?")
    await expect(page.locator("#keys")).to_be_visible()
    await expect(page.locator("#keys .keys > div:visible", has_text="New ticket").first).to_be_visible()
    await expect(page.locator("#keys .keys > div:visible", has_text="Log time")).to_have_count(0)
    await accessible(page)
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await page.keyboard.press("m")
    await page.wait_for_url("**/desk/my")

    await page.goto("/settings/preferences")
    await page.uncheck("[name=has_shortcuts]")
    await page.get_by_role("button", name="Save preferences").click()
    await page.goto("/desk/queues")
    await page.keyboard.press("?")
    await page.keyboard.press("c")
    await expect(page.locator("#keys")).to_be_hidden()
    assert page.url.endswith("/desk/queues")
    await page.keyboard.press("Control+k")
    await expect(page.locator("#palette")).to_be_visible()
    await page.goto("/settings/preferences")
    await page.check("[name=has_shortcuts]")
    await page.get_by_role("button", name="Save preferences").click()
    await page.context.close()


# ---- wall and paper -------------------------------------------------------------------------------------------------


async def test_the_wall_board_is_read_from_afar_and_shows_no_money(browser: Browser, demo_platform: Platform) -> None:
    (_, manager, password), *_ = sign_ins()
    page, complaints = await signed_in(browser, demo_platform, manager, password=password)
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.goto("/desk/ops")
    await page.get_by_role("link", name="Wall board").first.click()
    await expect(page.get_by_role("link", name="Leave the wall board")).to_be_visible()

    figure = await page.eval_on_selector(".kpi .v", "one => parseFloat(getComputedStyle(one).fontSize)")
    row = await page.eval_on_selector("#risk td", "one => parseFloat(getComputedStyle(one).fontSize)")
    await expect(page.locator(".side")).to_be_hidden()
    await expect(page.locator("#ar-h")).to_be_hidden()
    assert figure >= 60
    assert row >= 17
    await accessible(page)
    for width in (320, 1920, 3840):
        await page.set_viewport_size({"width": width, "height": 1080})
        assert await needed_width(page, "/desk/ops?wall=1") <= width
    assert complaints == []
    await page.context.close()


async def test_every_family_of_pages_prints_what_it_says_and_nothing_to_click(
    browser: Browser, demo_platform: Platform
) -> None:
    (_, manager, password), _, (_, client, _), _ = sign_ins()
    for email, paths in ((manager, OF_A_FAMILY), (client, OF_A_CLIENT[:10])):
        page, _ = await signed_in(browser, demo_platform, email, password=password)
        await page.set_viewport_size({"width": PAPER_PIXELS, "height": 1123})
        for path in paths:
            await page.goto(path)
            assert page.url.endswith(path)
            await page.emulate_media(media="print")
            chrome = (
                await page.locator(".side, .topbar .btn, .portal-bar, .tabbar, main .btn, dialog")
                .filter(visible=True)
                .count()
            )
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert (path, chrome) == (path, 0)
            assert wide <= PAPER_PIXELS, path
            assert await page.locator("main").inner_text(), path
            await page.emulate_media(media="screen")
        await page.context.close()
