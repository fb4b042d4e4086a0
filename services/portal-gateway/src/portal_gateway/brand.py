"""How the house presents itself: a value, and the one of the request being answered."""

from __future__ import annotations

import hashlib
from contextvars import ContextVar
from dataclasses import dataclass

from portal_gateway import colours
from portal_gateway.colours import Accent
from portal_gateway.logos import Logo

NAME_CHARACTERS_MAX = 60


@dataclass(frozen=True, slots=True)
class Brand:
    """Name, logo and accent of the MSP, and the language of whoever has said none."""

    name: str
    language: str = "en-GB"
    accent: Accent | None = None
    logo: Logo | None = None
    revision: int = 0
    """0: nobody has set anything."""

    @property
    def style_sheet(self) -> str:
        """Return the style sheet of the accent, empty without one."""
        return "" if self.accent is None else colours.style_sheet(self.accent)

    @property
    def accent_version(self) -> str:
        """Return the hash in the style sheet's address, empty without an accent."""
        return hashlib.sha256(self.style_sheet.encode()).hexdigest()[:12] if self.accent else ""

    @property
    def logo_version(self) -> str:
        """Return the hash in the logo's address, empty without a logo."""
        return hashlib.sha256(self.logo.content).hexdigest()[:12] if self.logo else ""


CURRENT: ContextVar[Brand | None] = ContextVar("brand", default=None)
