"""Every page there is, in both themes and on a phone: clean console, no sideways scroll, WCAG 2.2 AA, within its budget.

With ``MSP_SCREENS`` naming a folder (`make screens`) each page is also kept there as a picture.
"""

from __future__ import annotations

import asyncio
import os
import re
from itertools import chain
from pathlib import Path

from browsing import COLOURS, RULES, signed_in, violations
from playwright.async_api import Browser, Page
from walking import page_patterns, walk
from weight import too_heavy

from msp_local.demo.seed import sign_ins
from msp_local.stack import ADMIN_EMAIL, Platform

THEMES = {"light": RULES, "dark": COLOURS}
"""What is the same in both is looked at in the first."""
WIDTHS = (1440, 320)
BETWEEN = (390, 768, 1024)
"""Of these widths only that nothing scrolls sideways."""
UNLINKED = {
    "/": "it sends everybody on to their first page",
    "/prove": "what moves money or rights leads to it after ten minutes",
    "/login/with/{slug}": "it sends everybody on to an identity provider",
    "/login/returned": "an identity provider sends everybody here, and it sends them on",
    "/brand/logo": "a picture in every page, once there is one: test_brand_and_language looks at it",
    "/brand/accent.css": "a style sheet of every page, once there is an accent: test_brand_and_language looks at it",
    "/i/{token}": "its address is shown once, to whoever makes the link: test_billing_pages opens it",
    "/i/{token}/invoice.pdf": "the page of a link leads to it",
    "/i/{token}/logo": "a picture on the page of a link",
    "/desk/admin/billing/logo": "a picture on the billing settings",
    "/ui/inbox": "the bell of every page asks it for a number",
    "/unsubscribe/{token}": "a mail leads to it: test_news_mail opens it",
    "/desk/sla/what-if/changed.csv": "offered when a what-if has run, which test_sla_pages does",
}
STRANGERS = ("/login", "/forgot-password", "/choose-password")
"""Pages before signing in."""


async def test_every_page_is_clean_fits_a_phone_and_is_accessible(browser: Browser, demo_platform: Platform) -> None:
    (_, manager, password), (_, agent, _), (_, client, _), _ = sign_ins()
    stranger = await browser.new_page(base_url=demo_platform.url)
    faults: list[str] = []
    for path in STRANGERS:
        await stranger.goto(path)
        faults += [f"{path}: {fault}" for fault in await looked_at(stranger, path)]
    await stranger.close()

    seen: set[str] = set()
    unseen = page_patterns() - {*STRANGERS} - UNLINKED.keys()
    # Staff and clients have different pages: they walk side by side.
    faults += [
        *chain.from_iterable(
            await asyncio.gather(
                walked(browser, demo_platform, manager, password, "/desk", seen=seen, unseen=unseen),
                walked(browser, demo_platform, client, password, "/portal", seen=set(), unseen=unseen),
            )
        ),
        *await walked(
            browser, demo_platform, ADMIN_EMAIL, demo_platform.admin_password, "/desk", seen=seen, unseen=unseen
        ),
        *await walked(browser, demo_platform, agent, password, "/desk", seen=seen, unseen=unseen),
    ]

    assert not faults, "\n".join(faults)
    assert not unseen, f"no link leads to {sorted(unseen)}"


async def walked(
    browser: Browser, platform: Platform, email: str, password: str, start: str, *, seen: set[str], unseen: set[str]
) -> list[str]:
    """Return what is wrong with the pages somebody reaches that were not ``seen``."""
    page, complaints = await signed_in(browser, platform, email, password=password)
    faults = []
    async for pattern, is_page in walk(page, start, unseen):
        if is_page and pattern not in seen:
            name = pattern if pattern.startswith(start) else f"{start}{pattern}"
            faults += [f"{pattern}: {fault}" for fault in await looked_at(page, name)]
        seen.add(pattern)
        unseen.discard(pattern)
        faults += [f"{pattern}: console: {one}" for one in complaints]
        complaints.clear()
    await page.context.close()
    return faults


async def looked_at(page: Page, name: str) -> list[str]:
    """Return what is wrong with the open page: its weight, and how it is in both themes and two widths."""
    faults = await too_heavy(page)
    for theme, rules in THEMES.items():
        await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        # Half-way between two themes a button has the contrast of neither.
        await page.evaluate("Promise.allSettled(document.getAnimations().map(one => one.finished))")
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 900})
            faults += await too_wide(page, width)
            faults += [f"{theme}, {width} px: {one}" for one in await violations(page, rules)]
            await kept(page, f"{_file_name(name)}-{'desktop' if width > 400 else 'phone'}-{theme}")
    for width in BETWEEN:
        await page.set_viewport_size({"width": width, "height": 900})
        faults += await too_wide(page, width)
    return faults


async def too_wide(page: Page, width: int) -> list[str]:
    """Return whether the page scrolls sideways."""
    needed = await page.evaluate("document.documentElement.scrollWidth")
    return [f"needs {needed} of {width} px"] if needed > width else []


async def kept(page: Page, name: str) -> None:
    """Keep a picture when somebody asked for pictures."""
    folder = os.environ.get("MSP_SCREENS")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=False)


def _file_name(pattern: str) -> str:
    return re.sub(r"[^a-z]+", "-", pattern.lower()).strip("-")
