"""Many tabs of one browser: one stream for all of them, which outlives the tab that keeps it and ends with the session."""

from __future__ import annotations

import asyncio

from browsing import signed_in
from playwright.async_api import Browser, BrowserContext, Page, Request, Route, expect
from story import PASSWORD, Cast, a_cast

from msp_kit.testing import eventually
from msp_local.api import Api
from msp_local.stack import Platform

TABS = 10
STREAM = "/ui/events"


class Streams:
    """The streams a browser has open."""

    def __init__(self, context: BrowserContext) -> None:
        self._pages: dict[Request, Page] = {}
        context.on("request", self._began)
        context.on("requestfailed", self._ended)
        context.on("requestfinished", self._ended)

    def _began(self, request: Request) -> None:
        if STREAM in request.url:
            self._pages[request] = request.frame.page

    def _ended(self, request: Request) -> None:
        self._pages.pop(request, None)

    @property
    def open(self) -> list[Page]:
        """Return the page of each; with a page its streams go."""
        return [page for page in self._pages.values() if not page.is_closed()]

    async def are(self, count: int) -> None:
        """Wait until so many are open."""

        async def are_as_many() -> bool:
            return len(self.open) == count

        await eventually(are_as_many)


async def tabs_with_tickets(context: BrowserContext, cast: Cast, email: str) -> dict[str, Page]:
    """Open a tab for each of so many tickets of a client; give them by ticket."""
    found = {}
    async with Api(cast.admin.url, email=email, password=PASSWORD) as person:
        for number in range(TABS):
            body = {"title": f"Printer {number}", "job_type": "network", "priority": "low", "level": "L1"}
            ticket = await person.post("/tickets", body)
            found[ticket["id"]] = await context.new_page()
            # A tab that got no connection would never come to its end.
            await found[ticket["id"]].goto(f"/portal/tickets/{ticket['ref']}")
    return found


async def all_hear(cast: Cast, tabs: dict[str, Page], text: str) -> None:
    """Answer on every ticket, and wait until every tab shows it."""
    for ticket_id in tabs:
        await cast.agent.post(f"/tickets/{ticket_id}/messages", {"body": text})
    for page in tabs.values():
        await expect(page.locator("#main")).to_contain_text(text, timeout=15_000)


async def test_ten_tabs_share_a_stream_that_outlives_its_tab(browser: Browser, platform: Platform, admin: Api) -> None:
    async with a_cast(admin) as cast:
        company = await cast.client("Ten Tabs")
        first, complaints = await signed_in(browser, platform, company.email)
        streams = Streams(first.context)
        tabs = await tabs_with_tickets(first.context, cast, company.email)
        await first.close()
        for page in tabs.values():
            await expect(page.locator(".live")).to_have_text("Live", timeout=15_000)
        await all_hear(cast, tabs, "We look at it.")
        await streams.are(1)

        # Whoever takes over is held back until all has happened: nobody listens meanwhile.
        may_listen = asyncio.Event()
        asked: list[str] = []

        async def hold_back(route: Route) -> None:
            asked.append(route.request.url)
            await may_listen.wait()
            await route.continue_()

        await first.context.route(f"**{STREAM}*", hold_back)
        (leader,) = streams.open
        tabs = {ticket: page for ticket, page in tabs.items() if page is not leader}
        await leader.close()
        for ticket_id in tabs:
            await cast.agent.post(f"/tickets/{ticket_id}/messages", {"body": "It is done."})
        may_listen.set()
        for page in tabs.values():
            await expect(page.locator("#main")).to_contain_text("It is done.", timeout=15_000)

        assert "last=" in asked[0]
        assert not asked[0].endswith("last=")
        await all_hear(cast, tabs, "Anything else?")
        await streams.are(1)
        assert complaints == []
        await first.context.close()


async def test_signing_out_in_one_tab_ends_the_stream_of_all(browser: Browser, platform: Platform, admin: Api) -> None:
    async with a_cast(admin) as cast:
        company = await cast.client("Away")
        page, _ = await signed_in(browser, platform, company.email)
        streams = Streams(page.context)
        other = await page.context.new_page()
        await other.goto("/portal/hours")
        await page.goto("/portal/hours")
        await expect(other.locator(".live")).to_have_text("Live")
        await expect(page.locator(".live")).to_have_text("Live")

        await streams.are(1)
        await page.get_by_role("button", name="Sign out").click()

        await expect(other.locator(".live")).to_have_text("Signed out", timeout=10_000)
        await streams.are(0)
        await page.context.close()


async def test_a_browser_without_locks_has_a_stream_for_each_tab(
    browser: Browser, platform: Platform, admin: Api
) -> None:
    async with a_cast(admin) as cast:
        company = await cast.client("No Locks")
        page, complaints = await signed_in(browser, platform, company.email)
        await page.context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
        streams = Streams(page.context)
        other = await page.context.new_page()
        for one in (page, other):
            await one.goto("/portal/hours")
            await expect(one.locator(".live")).to_have_text("Live")

        await streams.are(2)
        assert complaints == []
        await page.context.close()
