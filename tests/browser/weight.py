"""What a page may weigh: its HTML, its scripts and styles, how often it asks, and how much there is to lay out."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Page

from portal_gateway.pages.site import HERE

HTML_BYTES_MAX = 60_000
CODE_BYTES_MAX = 30_000
"""Scripts and styles together, compressed."""
REQUESTS_MAX = 12
NODES_MAX = 2_500

_ASKED = """() => ({
  html: performance.getEntriesByType('navigation')[0].decodedBodySize,
  files: performance.getEntriesByType('resource').map(one => one.name),
  nodes: document.querySelectorAll('*').length,
})"""


async def too_heavy(page: Page) -> list[str]:
    """Return which of its budgets the open page breaks."""
    found = await page.evaluate(_ASKED)
    # What the page asks for by itself afterwards (its stream, the bell) is not there to show it.
    files = {urlsplit(one).path for one in found["files"] if not urlsplit(one).path.startswith("/ui/")}
    code = sum(
        _compressed(HERE / one.removeprefix("/"))
        for one in files
        if one.startswith("/static/") and one.endswith((".css", ".js"))
    )
    told = (
        ("bytes of HTML", found["html"], HTML_BYTES_MAX),
        ("bytes of compressed scripts and styles", code, CODE_BYTES_MAX),
        ("requests", 1 + len(files), REQUESTS_MAX),
        ("elements", found["nodes"], NODES_MAX),
    )
    return [f"{weight} {what}, {most} are allowed" for what, weight, most in told if weight > most]


@cache
def _compressed(path: Path) -> int:
    return len(gzip.compress(path.read_bytes()))
