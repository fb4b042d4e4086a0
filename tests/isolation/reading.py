"""What an answer says, whatever it is made of, and where its links lead."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import AsyncIterator, Iterable
from urllib.parse import unquote, urljoin, urlsplit

import httpx2 as httpx
from pypdf import PdfReader

LINK = re.compile(r'(?:href|src|data-href|formaction)="([^"]+)"')
PAGES_MAX = 400
OUT = ("/logout", "/static/", "/login", "/portal/view", "/desk/view")
"""Where a walk ends, or begins anew."""


def text_of(answer: httpx.Response) -> str:
    """Return everything an answer says: its headers, the text of a document, its attachments, of a page what it shows."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    headers = "\n".join(f"{name}: {unquote(value)}" for name, value in answer.headers.items())
    if kind == "application/pdf":
        return f"{headers}\n{pdf_text(answer.content)}"
    if kind in ("application/zip", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"):
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            parts = [archive.read(name).decode(errors="replace") for name in archive.namelist()]
        return "\n".join((headers, *parts))
    return f"{headers}\n{html.unescape(answer.text)}"


def pdf_text(content: bytes) -> str:
    """Return the text of a document, what it says of itself, and the files it carries."""
    reader = PdfReader(io.BytesIO(content))
    attached = [part.decode(errors="replace") for files in reader.attachments.values() for part in files]
    return "\n".join((*(page.extract_text() for page in reader.pages), str(dict(reader.metadata or {})), *attached))


def told(text: str, words: Iterable[str]) -> list[str]:
    """Return the words a text holds, as they are written or as part of an address."""
    plain = f"{text}\n{unquote(text)}"
    return [word for word in words if word in plain]


async def walk(
    client: httpx.AsyncClient, start: str, headers: dict[str, str]
) -> AsyncIterator[tuple[str, httpx.Response]]:
    """Open a page and every page and file it leads to, each once."""
    waiting, seen = [start], {start}
    while waiting:
        address = waiting.pop(0)
        answer = await client.get(address, headers=headers)
        yield address, answer
        found = [answer.headers["location"]] if answer.is_redirect else LINK.findall(html.unescape(answer.text))
        for link in found if "pdf" not in answer.headers.get("content-type", "") else ():
            parts = urlsplit(urljoin(address, link))
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            if parts.netloc or not parts.path.startswith("/") or parts.path.startswith(OUT) or target in seen:
                continue
            seen.add(target)
            assert len(seen) < PAGES_MAX, f"too many pages: {sorted(seen)[-20:]}"
            waiting.append(target)
