"""What holds for a whole page before anybody is known: how the house looks, and the language the browser asks for."""

from __future__ import annotations

import time
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from msp_kernel.ids import bare_within
from msp_kit import telemetry
from msp_kit.database import SYSTEM, Database
from portal_gateway import brand, language
from portal_gateway.actions import branding
from portal_gateway.brand import Brand

log = telemetry.logger(__name__)
CACHE_SECONDS = 1.0
NO_PAGES = ("/api/", "/static/", "/healthz", "/readyz", "/startupz", "/metrics")


class Brands:
    """Finds how the house looks; a change is seen by every process within ``CACHE_SECONDS``."""

    def __init__(self, database: Database, *, name: str) -> None:
        self.database = database
        self.name = name
        self._known = Brand(name)
        self._looked_at = float("-inf")

    async def now(self) -> Brand:
        """Return how the house looks; as it did before, while the database is away."""
        if time.monotonic() - self._looked_at > CACHE_SECONDS:
            self._looked_at = time.monotonic()
            try:
                async with self.database.transaction(SYSTEM) as tx:
                    self._known = await branding.current(tx, name=self.name)
            except Exception:
                log.exception("branding not read")
        return self._known

    def forget(self) -> None:
        """Look again for the next page: it was changed here."""
        self._looked_at = float("-inf")


class Surroundings:
    """Sets brand and language for everything that answers with a page, whose address may hold ids as programs know them."""

    def __init__(self, app: ASGIApp, *, brands: Brands) -> None:
        self.app = app
        self.brands = brands

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and not scope["path"].startswith(NO_PAGES):
            look = await self.brands.now()
            brand.CURRENT.set(look)
            wished = language.asked_for(Headers(scope=scope).get("accept-language", ""))
            language.CURRENT.set(wished or look.language)
            _take_bare_ids(scope)
        await self.app(scope, receive, send)


def _take_bare_ids(scope: Scope) -> None:
    path, query = bare_within(scope["path"]), bare_within(scope["query_string"].decode("latin-1"))
    # In place: layers further out read from it which route answered.
    if path != scope["path"]:
        scope["path"], scope["raw_path"] = path, quote(path).encode()
    scope["query_string"] = query.encode("latin-1")
