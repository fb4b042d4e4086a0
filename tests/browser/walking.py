"""Walking the pages as people do: following every link, to each kind of page once."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter, deque
from collections.abc import AsyncIterator, Collection
from urllib.parse import parse_qsl, urlsplit

from fastapi.routing import APIRoute
from playwright.async_api import Page

import portal_gateway.pages

OF_A_KIND_MAX = 3


def page_patterns() -> set[str]:
    """Return the path patterns of all pages there are."""
    found = set()
    for module in pkgutil.iter_modules(portal_gateway.pages.__path__):
        router = getattr(importlib.import_module(f"portal_gateway.pages.{module.name}"), "router", None)
        for route in [] if router is None else router.routes:
            if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
                found.add(route.path)
    return found


def pattern_of(path: str, patterns: set[str]) -> str | None:
    """Return the pattern a path belongs to; of several the one that says most of it in plain letters."""
    fitting = [one for one in patterns if re.fullmatch(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(one)), path)]
    return max(fitting, key=lambda one: len(re.sub(r"\{[^}]*\}", "", one)), default=None)


async def walk(page: Page, start: str, unseen: Collection[str]) -> AsyncIterator[tuple[str, bool]]:
    """Go to one address of every kind that links lead to, and give its pattern; whether it is open as a page, too.

    Two addresses are of one kind when they have the same pattern and the same names in their queries. Some more of each
    are opened while patterns below ``start`` are ``unseen``: the first one may be empty, and lead nowhere.
    """
    patterns = page_patterns()
    waiting, spare = deque([start]), deque[str]()
    known: set[str] = set()
    opened: Counter[tuple[str | None, frozenset[str]]] = Counter()
    while waiting or (spare and any(one.startswith(start) for one in unseen)):
        is_spare = not waiting
        path = spare.popleft() if is_spare else waiting.popleft()
        parts = urlsplit(path)
        pattern = pattern_of(parts.path, patterns)
        kind = (pattern, frozenset(name for name, _ in parse_qsl(parts.query)))
        if pattern is None or path in known or opened[kind] == OF_A_KIND_MAX:
            continue
        if opened[kind] and not is_spare:
            spare.append(path)
            continue
        known.add(path)
        opened[kind] += 1
        is_page = not parts.path.endswith((".pdf", ".csv", ".json", ".xml"))
        if not is_page:
            answer = await page.context.request.get(path)
            assert answer.status == 200, f"{path} answers {answer.status}"
        else:
            shown = await page.goto(path)
            assert shown is not None
            assert shown.status == 200, f"{path} answers {shown.status}"
            links = await page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
            waiting += [local for link in links if (local := _local(link, page.url)) is not None]
        yield pattern, is_page


def _local(link: str, here: str) -> str | None:
    parts, own = urlsplit(link), urlsplit(here)
    if parts.netloc != own.netloc:
        return None
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
