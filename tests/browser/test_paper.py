"""On paper: an invoice, a statement, a ticket and a report as Chromium prints them, and the board on a large screen."""

from __future__ import annotations

import io
import re

import pytest
from browsing import accessible, signed_in
from playwright.async_api import Browser, Page
from pypdf import PdfReader

from msp_local.demo.seed import sign_ins
from msp_local.stack import Platform

PAPER_PIXELS = 688
"""What A4 has between its margins."""
WORKED_WITH = ".side, .portal-bar, .portal-foot, .tabbar, .btn, dialog, .composer, .filters, .live"
# A table that scrolls on the screen is cut off on paper.
_CUT_OFF = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.ariaLabel || one.className)"


async def first_of(page: Page, path: str, pattern: str) -> str:
    """Return the first link of a page to an address of a kind."""
    await page.goto(path)
    links: list[str] = await page.eval_on_selector_all(
        "main a[href]", "links => links.map(link => link.getAttribute('href'))"
    )
    return next(link for link in links if re.fullmatch(pattern, link))


@pytest.mark.parametrize(
    ("who", "path", "kind", "said"),
    [
        ("client", "/portal/invoices", r"/portal/invoices/[\w-]+", ("Invoice", "INV-", "Total", "VAT")),
        ("client", "/portal/hours", "", ("Hours", "Statement", "Balance", "left of")),
        (
            "client",
            "/portal/reports",
            "",
            ("Reports", "By priority", "Promises by month", "Tickets and hours", "Critical"),
        ),
        ("client", "/portal/account", "", ("Statement of account", "Closing balance")),
        ("manager", "/desk/queues", r"/desk/tickets/[\w-]+", ("Raised", "Level")),
        ("manager", "/desk/billing/invoices", r"/desk/billing/invoices/[\w-]+", ("Invoice", "Total")),
        ("manager", "/desk/sla", "", ("SLA compliance", "By priority", "SLA met")),
    ],
)
async def test_what_is_printed_is_whole_and_nothing_to_work_with(
    browser: Browser, demo_platform: Platform, who: str, path: str, kind: str, said: tuple[str, ...]
) -> None:
    (_, manager, password), _, (_, client, _), _ = sign_ins()
    page, _ = await signed_in(
        browser, demo_platform, client if who == "client" else manager, password=password, color_scheme="dark"
    )
    await page.goto(await first_of(page, path, kind) if kind else path)
    title = await page.locator("h1").inner_text()

    await page.set_viewport_size({"width": PAPER_PIXELS, "height": 1010})
    await page.emulate_media(media="print", color_scheme="dark")
    shown = await page.locator(WORKED_WITH).filter(visible=True).count()
    wide = await page.evaluate("document.documentElement.scrollWidth")
    cut_off = await page.eval_on_selector_all(".flush, .as-table", _CUT_OFF)
    ink = await page.eval_on_selector("main", "one => getComputedStyle(one).color")
    paper = await page.eval_on_selector("html", "one => getComputedStyle(one).backgroundColor")
    sheets = PdfReader(io.BytesIO(await page.pdf(format="A4", prefer_css_page_size=True))).pages
    text = re.sub(r"\s+", " ", " ".join(sheet.extract_text() for sheet in sheets))

    assert (shown, cut_off) == (0, [])
    assert wide <= PAPER_PIXELS
    assert paper == "rgb(255, 255, 255)"
    assert max(int(one) for one in re.findall(r"\d+", ink)[:3]) < 100, "dark on white, whatever the screen was"
    assert [one for one in said if one.lower() not in text.lower()] == []
    assert title.splitlines()[0].strip()[:20] in text
    assert "Sign out" not in text
    # A statement of a hundred rows is some sheets, not a hundred.
    assert len(sheets) <= 8
    await page.context.close()


async def test_the_board_fills_a_large_screen(browser: Browser, demo_platform: Platform) -> None:
    (_, manager, password), *_ = sign_ins()
    page, complaints = await signed_in(browser, demo_platform, manager, password=password)
    await page.set_viewport_size({"width": 2560, "height": 1440})
    await page.goto("/desk/ops?wall=1")

    needed = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    widest = await page.evaluate(
        "Math.max(...[...document.querySelectorAll('main .card')].map(one => one.getBoundingClientRect().right))"
    )
    rows = await page.eval_on_selector("#risk td", "one => parseFloat(getComputedStyle(one).fontSize)")
    worked_with = await page.locator("main .btn, .side, .topbar [data-action]").filter(visible=True).count()

    assert needed[0] <= 2560
    assert needed[1] <= 1440, "a board on a wall is not scrolled"
    assert widest > 2400, "it uses the screen"
    assert rows >= 21
    assert worked_with == 0
    await accessible(page)
    assert complaints == []
    await page.context.close()
