"""A billing run as it is watched: progress comes by itself, what blocks leads to where it is solved, issuing ends it."""

from __future__ import annotations

import re

from browsing import accessible, signed_in
from playwright.async_api import Browser, Page, expect
from story import Cast, Company, a_cast, next_month, today

from msp_local.api import Api
from msp_local.stack import Platform

PATIENCE = 30_000
STEP = ".steps li"


async def worked(cast: Cast, company: Company, *, is_approved: bool) -> str:
    """Log an hour for a company, and return the entry."""
    body = {"client_id": company.id, "title": "Router", "job_type": "network", "priority": "low", "level": "L1"}
    ticket = await cast.manager.post("/tickets", body)
    logged = {"ticket_id": ticket["id"], "worked_minutes": 20, "note": "Reset the tunnel"}
    entry = await cast.agent.post("/time-entries", logged)
    if is_approved:
        await approved(cast, company)
    return str(entry["id"])


async def approved(cast: Cast, company: Company) -> None:
    await cast.manager.post("/time-entries/approve", {"client_id": company.id, "before": "2199-01-01T00:00:00Z"})


async def is_untouched(page: Page) -> bool:
    """Return whether the page is still the one that was opened: nobody loaded it again."""
    return bool(await page.evaluate("window.wasOpenedOnce === true"))


async def test_a_run_is_watched_without_touching_the_page(browser: Browser, platform: Platform, admin: Api) -> None:
    async with a_cast(admin) as cast:
        companies = [await cast.client(f"Watched {number}") for number in range(3)]
        for company in companies:
            await worked(cast, company, is_approved=company is not companies[2])
        page, complaints = await signed_in(browser, platform, cast.manager.email)
        first = today().replace(day=1)
        period = {"starts_on": first.isoformat(), "ends_on": next_month(first).isoformat()}
        run = await cast.manager.post("/billing-runs", {**period, "client_ids": [one.id for one in companies]})
        # A run of the period that there was already takes these in.
        others = len((await cast.manager.get(f"/billing-runs/{run['id']}"))["items"]) - len(companies)

        await page.goto(f"/desk/billing/runs/{run['id']}")
        await page.evaluate("window.wasOpenedOnce = true")
        drafts = page.locator(STEP).nth(2)
        await expect(drafts).to_contain_text(f"{others + 2} of {others + 3}", timeout=PATIENCE)
        await expect(page.locator("#progress")).to_contain_text(
            f"{others + 3} of {others + 3} clients", timeout=PATIENCE
        )
        approving = page.locator("#drafts").get_by_role("link", name="Approve")
        await expect(approving).to_have_attribute("href", re.compile(r"^/desk/approvals\?client_id=[0-9a-f-]{36}$"))
        await accessible(page)

        await approved(cast, companies[2])
        await cast.manager.post(f"/billing-runs/{run['id']}/retry", {})
        await expect(drafts).to_contain_text(f"{others + 3} of {others + 3}", timeout=PATIENCE)
        issue = page.get_by_role("button", name=re.compile("Issue 3 invoices"))
        await expect(issue).to_be_visible(timeout=PATIENCE)
        assert await is_untouched(page)

        await issue.click()
        await page.wait_for_load_state()
        await page.evaluate("window.wasOpenedOnce = true")
        await expect(page.locator(STEP).nth(3)).to_contain_text(f"{others + 3} of {others + 3}", timeout=PATIENCE)
        await expect(issue).to_have_count(0)
        assert await is_untouched(page)
        assert complaints == []
        await page.context.close()
