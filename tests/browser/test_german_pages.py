"""The desk in German: no page that links lead to has an English word left, and its longer words fit a phone."""

from __future__ import annotations

import re
from functools import cache

from babel.messages.pofile import read_po
from browsing import signed_in, violations
from playwright.async_api import Browser, Page
from walking import walk

from msp_local.demo.seed import sign_ins
from msp_local.stack import Platform
from portal_gateway.language import CATALOGUES

PHONE = 320
LETTERS_MIN = 10
"""A pattern with fewer letters of its own fits names and titles as well."""
NAMES = {"Service desk", "Security", "Time and materials", "Solved, please confirm"}
"""What the demo calls its queues, job types, contracts and canned replies; they are names, and stay."""
SAID = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.parentElement.closest('script, style, .mono, [data-as-written], .bubble, select#language')) found.push(node.textContent);
  }
  for (const one of document.querySelectorAll('[aria-label], [placeholder], [title], [data-tip]'))
    for (const name of ['aria-label', 'placeholder', 'title', 'data-tip']) found.push(one.getAttribute(name) ?? '');
  return found.map((text) => text.replace(/\\s+/g, ' ').trim()).filter(Boolean);
}"""


@cache
def english() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """Return what the pages and the services say in English and otherwise in German: whole texts, and those with gaps."""
    exact: set[str] = set()
    german: set[str] = set()
    shapes = []
    for name in ("de", "prose-de"):
        with (CATALOGUES / f"{name}.po").open("rb") as file:
            catalogue = read_po(file, locale="de")
        for one in catalogue:
            sources = [one.id] if isinstance(one.id, str) else list(one.id)
            words = [one.string] if isinstance(one.string, str) else list(one.string or ())
            german |= set(words)
            for source in sources:
                if not source or source in words or source in NAMES:
                    continue
                plain = re.sub(r"%\(\w+\)s|<[^>]+>", "", source)
                if plain == source:
                    exact.add(source.replace("%%", "%").strip())
                elif sum(letter.isalpha() for letter in plain) >= LETTERS_MIN:
                    parts = re.split(r"%\(\w+\)s|<[^>]+>", source.replace("%%", "%"))
                    shapes.append(re.compile(".+".join(map(re.escape, parts))))
    # A German word may be an English one for something else: Tag, Filter.
    return frozenset(exact - german), tuple(shapes)


async def left_over(page: Page) -> set[str]:
    """Return the texts of the open page that the catalogues have other words for in German."""
    exact, shapes = english()
    said: list[str] = await page.evaluate(SAID)
    return {text for text in said if text in exact or any(one.fullmatch(text) for one in shapes)}


async def test_no_page_of_the_desk_has_a_word_of_english_left(browser: Browser, demo_platform: Platform) -> None:
    (_, manager, password), *_ = sign_ins()
    page, complaints = await signed_in(browser, demo_platform, manager, password=password)
    await page.context.set_extra_http_headers({"accept-language": "de-DE,de;q=0.9"})
    await page.set_viewport_size({"width": PHONE, "height": 900})
    faults: list[str] = []
    seen: set[str] = set()

    async for pattern, is_page in walk(page, "/desk", ()):
        if not is_page or pattern in seen or not pattern.startswith(("/desk", "/settings")):
            continue
        seen.add(pattern)
        faults += [f"{pattern}: {text!r} is English" for text in sorted(await left_over(page))]
        needed = await page.evaluate("document.documentElement.scrollWidth")
        faults += [f"{pattern}: needs {needed} of {PHONE} px"] * (needed > PHONE)
        faults += [f"{pattern}: {one}" for one in await violations(page)]

    assert len(seen) > 40
    assert complaints == []
    assert not faults, "\n".join(faults)
    await page.context.close()


async def test_a_page_in_english_would_be_found(browser: Browser, demo_platform: Platform) -> None:
    (_, manager, password), *_ = sign_ins()
    page, _ = await signed_in(browser, demo_platform, manager, password=password)
    await page.goto("/desk/queues")

    assert {"Time left", "Priority", "Search messages, too"} <= await left_over(page)
    await page.context.close()
