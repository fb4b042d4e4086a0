"""Bodies and views of how the house looks, how a person likes it, and of what is found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Base64Bytes, Field

from msp_kit.api import Body, View
from portal_gateway.brand import Brand
from portal_gateway.language import LANGUAGES
from portal_gateway.schemas.ids import (
    ClientId,
    PersonId,
)


def _spoken(language: str) -> str:
    if language not in LANGUAGES:
        message = f"one of {', '.join(LANGUAGES)}"
        raise ValueError(message)
    return language


Language = Annotated[str, Field(max_length=20, examples=list(LANGUAGES)), AfterValidator(_spoken)]


class PreferencesView(View):
    """How a person likes their pages; without a language it is the browser's choice."""

    language: str | None
    has_shortcuts: bool


class SetPreferences(Body):
    """How a person likes their pages; without a language it is the browser's choice."""

    language: Language | None = None
    has_shortcuts: bool = True


class BrandingView(View):
    """How the house looks: colours without an accent are the platform's own; the logo is at ``logo_address``."""

    name: str
    language: str
    accent_light: str | None
    accent_dark: str | None
    logo_address: str | None
    revision: int

    @classmethod
    def of(cls, brand: Brand) -> BrandingView:
        """Return the view of a brand."""
        return cls(
            name=brand.name,
            language=brand.language,
            accent_light=brand.accent.light if brand.accent else None,
            accent_dark=brand.accent.dark if brand.accent else None,
            logo_address=f"/brand/logo?v={brand.logo_version}" if brand.logo else None,
            revision=brand.revision,
        )


class SetBranding(Body):
    """How the house shall look; ``logo`` is a PNG or SVG in Base64."""

    name: Annotated[str, Field(max_length=200)]
    language: Language
    accent_light: Annotated[str, Field(max_length=40)] | None = None
    accent_dark: Annotated[str, Field(max_length=40)] | None = None
    """Without it, the nearest of the same hue that can be read."""
    logo: Annotated[Base64Bytes, Field(max_length=400_000)] | None = None
    keeps_logo: bool = True


class FoundClientView(View):
    """A client that was found."""

    id: ClientId
    code: str
    name: str


class FoundPersonView(View):
    """A person who was found."""

    id: PersonId
    client_id: ClientId | None
    display_name: str
    email: str
    roles: list[str]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> FoundPersonView:
        """Return the view of a row."""
        names = ("id", "display_name", "email", "roles")
        return cls(client_id=row["of_client_id"], **{name: row[name] for name in names})


class FoundView(View):
    """What was found."""

    clients: list[FoundClientView]
    people: list[FoundPersonView]
