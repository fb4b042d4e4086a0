"""What a list is asked for: its filters, kept on every page of it, and the way to what is older."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request

from portal_gateway.pages.site import Failed, Site
from portal_gateway.scope import Visitor

ROWS = 30
"""Rows of a page: some 20 kB, beside the choice of a client that may take as much."""
CLIENTS_MAX = 200
_READ: Mapping[str, Callable[[str], Any]] = {"client_id": UUID, "from": date.fromisoformat, "to": date.fromisoformat}


@dataclass(frozen=True)
class Listing:
    """One page of a list. ``asked`` are the filters as they stand in the address; what makes no sense was left out."""

    asked: Mapping[str, str] = field(default_factory=dict)
    after: str | None = None
    name: str = "after"
    """What the position is called in the address, where a page has two lists."""

    @classmethod
    def of(cls, request: Request, *names: str, name: str = "after") -> Listing:
        """Return what an address asks for."""
        query = request.query_params
        asked = {one: query[one] for one in names if query.get(one) and _makes_sense(one, query[one])}
        return cls(asked, query.get(name) or None, name)

    def query(self, *names: str) -> dict[str, str | None]:
        """Return what the service is asked: these filters, and from where on."""
        return {**{f"{one}_": self.asked.get(one) for one in names}, "after": self.after}

    def link(self, **changes: str | None) -> str:
        """Return the address with other filters, from the beginning unless told; ``None`` takes a filter away."""
        kept = {one: value for one, value in {**self.asked, **changes}.items() if value}
        return f"?{urlencode(kept)}"

    def older(self, cursor: str) -> str:
        """Return the address of what comes after a page."""
        return self.link(**{self.name: cursor})


def _makes_sense(name: str, text: str) -> bool:
    try:
        _READ.get(name, str)(text)
    except ValueError:
        return False
    return True


async def client_options(site: Site, visitor: Visitor) -> list[tuple[str, str]]:
    """Return the clients a list can be filtered by, by name; none while they cannot be told."""
    found = await site.part(site.services.get(visitor.caller, "/clients", limit=CLIENTS_MAX))
    listed = [] if isinstance(found, Failed) else found["items"]
    return sorted(((one["id"], one["name"]) for one in listed), key=lambda one: one[1].casefold())
