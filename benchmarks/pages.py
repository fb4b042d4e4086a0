"""Pages as people feel them: when the first content is there, when the largest, whether anything jumps, how soon a key does something.

A real Chromium on the demo's MSP, everything on this machine. ``make bench args="pages:20"`` opens each page twenty times (8 where no number is given).
"""

from __future__ import annotations

import asyncio
import re
import statistics
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from benchmarks.platform import fresh_platform
from msp_local import demo
from msp_local.demo.seed import sign_ins
from msp_local.servers.chromium import FLAGS, chromium_path, lend_driver_libraries
from msp_local.servers.throwaway import cache_folder
from msp_local.stack import ADMIN_EMAIL

TIMES = 8
STAFF = ("/desk/my", "/desk/queues", "/desk/ops", "/desk/sla", "/desk/buckets", "/desk/clients", "/desk/approvals")
CLIENT = ("/portal", "/portal/tickets", "/portal/hours", "/portal/invoices", "/portal/reports")
KEYS = ("j", "j", "k", "j", "Control+k", "s", "l", "a", "ArrowDown", "Escape")
"""The cursor of a list, then the palette: what the keyboard does most."""
_WATCH = """
window.vitals = { largest: 0, shift: 0, delays: [], slowest: 0 };
new PerformanceObserver((list) => { for (const one of list.getEntries()) vitals.largest = one.startTime; })
  .observe({ type: 'largest-contentful-paint', buffered: true });
new PerformanceObserver((list) => { for (const one of list.getEntries()) vitals.shift += one.value; })
  .observe({ type: 'layout-shift', buffered: true });
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) {
    if (one.name !== 'keydown') continue;
    vitals.delays.push(one.processingStart - one.startTime);
    vitals.slowest = Math.max(vitals.slowest, one.duration);
  }
}).observe({ type: 'event', durationThreshold: 16, buffered: true });
"""
_TELL = """() => {
  const [page] = performance.getEntriesByType('navigation');
  const [first] = performance.getEntriesByName('first-contentful-paint');
  return { server: page.responseStart - page.requestStart, first: first ? first.startTime : 0, ...vitals };
}"""
_PAINTED = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))"


def run(times: int = TIMES) -> dict[str, Any]:
    """Measure every page so many times."""
    with fresh_platform() as platform:
        return asyncio.run(_measured(platform.url, platform.admin_password, times))


def goals(found: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return each goal in words and whether it was reached."""
    worst = found["worst"]
    return [
        (
            f"the largest content of every page within a second, p95 ({worst['largest_ms']} ms)",
            worst["largest_ms"] < 1000,
        ),
        (
            f"the first content of every page within half a second, p95 ({worst['first_ms']} ms)",
            worst["first_ms"] < 500,
        ),
        (f"nothing jumps ({worst['shift']})", worst["shift"] == 0),
        (f"the server answers a page within 150 ms, p95 ({worst['server_ms']} ms)", worst["server_ms"] < 150),
        (f"a key waits at most 50 ms, p95 ({worst['key_delay_ms']} ms)", worst["key_delay_ms"] <= 50),
        (f"and shows its effect within 200 ms ({worst['key_to_paint_ms']} ms)", worst["key_to_paint_ms"] <= 200),
    ]


async def _measured(url: str, admin_password: str, times: int) -> dict[str, Any]:
    await demo.seed(url, email=ADMIN_EMAIL, password=admin_password, say=lambda _: None)
    (_, manager, password), _, (_, client, _), _ = sign_ins()
    path = await asyncio.to_thread(chromium_path, cache_folder())
    await asyncio.to_thread(lend_driver_libraries, cache_folder())
    pages: dict[str, dict[str, float]] = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(path), args=list(FLAGS))
        for email, paths in ((manager, STAFF), (client, CLIENT)):
            page = await _signed_in(browser, url, email, password)
            ticket = await _a_ticket(page, paths[1])
            for one in (*paths, ticket):
                kind = re.sub(r"/[A-Z]+-\d+$", "/{ref}", one)
                pages[kind] = await _page(page, one, times)
            await page.context.close()
        await browser.close()
    measures = next(iter(pages.values()))
    return {
        "times": times,
        "worst": {name: max(one[name] for one in pages.values()) for name in measures},
        "pages": pages,
    }


async def _signed_in(browser: Browser, url: str, email: str, password: str) -> Page:
    context = await browser.new_context(base_url=url, viewport={"width": 1440, "height": 900})
    await context.add_init_script(_WATCH)
    page = await context.new_page()
    await page.goto("/login")
    await page.fill("#email", email)
    await page.fill("#password", password)
    await page.get_by_role("button", name="Sign in").first.click()
    await page.wait_for_load_state()
    return page


async def _a_ticket(page: Page, listed: str) -> str:
    await page.goto(listed)
    links: list[str] = await page.eval_on_selector_all(
        "main a[href]", "links => links.map(link => link.getAttribute('href'))"
    )
    return next(link for link in links if re.fullmatch(r"/(desk|portal)/tickets/[A-Z]+-\d+", link))


async def _page(page: Page, path: str, times: int) -> dict[str, float]:
    told = []
    for _ in range(times):
        await page.goto(path)
        await page.evaluate(_PAINTED)
        at_rest = await page.evaluate(_TELL)
        for key in KEYS:
            await page.keyboard.press(key)
            await page.evaluate(_PAINTED)
        keys = await page.evaluate(_TELL)
        told.append({**at_rest, "delays": keys["delays"], "slowest": keys["slowest"]})
    return {
        "server_ms": _p95([one["server"] for one in told]),
        "first_ms": _p95([one["first"] for one in told]),
        "largest_ms": _p95([one["largest"] for one in told]),
        "shift": round(max(one["shift"] for one in told), 4),
        "key_delay_ms": _p95([delay for one in told for delay in one["delays"]]),
        "key_to_paint_ms": round(max(one["slowest"] for one in told), 1),
    }


def _p95(values: list[float]) -> float:
    if len(values) < 2:
        return round(max(values, default=0.0), 1)
    return round(statistics.quantiles(values, n=20, method="inclusive")[-1], 1)
