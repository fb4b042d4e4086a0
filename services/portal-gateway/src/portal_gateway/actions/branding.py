"""Changing how the house looks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from portal_gateway import colours, logos
from portal_gateway.actions.notes import note
from portal_gateway.brand import NAME_CHARACTERS_MAX, Brand
from portal_gateway.language import LANGUAGES
from portal_gateway.store import branding as store


class NameMissing(Exception):
    """The house needs a name people can read."""


class BrandChanged(Exception):
    """Somebody else changed how the house looks meanwhile."""


async def current(tx: Transaction, *, name: str) -> Brand:
    """Return how the house looks; with this name while nobody has set anything."""
    return await store.current(tx) or Brand(name)


async def change(
    tx: Transaction,
    *,
    actor: UUID,
    before: Brand,
    name: str,
    language: str,
    accent_light: str,
    accent_dark: str,
    logo: bytes | None,
    keeps_logo: bool,
) -> Brand:
    """Change how the house looks; without a light accent it has the platform's own.

    Raises:
        NameMissing, NotAColour, UnreadableColour, LogoRefused: something given is not accepted.
        BrandChanged: ``before`` is no longer how it looks.
    """
    shown = " ".join(name.split())
    if not shown or len(shown) > NAME_CHARACTERS_MAX or not shown.isprintable():
        raise NameMissing(f"the name has 1 to {NAME_CHARACTERS_MAX} printable characters")
    kept = before.logo if keeps_logo else None
    after = replace(
        before,
        name=shown,
        language=language if language in LANGUAGES else before.language,
        accent=colours.accent(accent_light, accent_dark) if accent_light.strip() else None,
        logo=kept if logo is None else logos.checked(logo),
        revision=before.revision + 1,
    )
    if not await store.save(tx, after):
        raise BrandChanged("somebody else changed it meanwhile; look at it as it is now, and change it again")
    await note(tx, actor=actor, action="branding-changed", what="branding", before=_said(before), after=_said(after))
    return after


def _said(brand: Brand) -> dict[str, Any]:
    return {
        "name": brand.name,
        "language": brand.language,
        "accent": brand.accent and [brand.accent.light, brand.accent.dark],
        "logo": brand.logo_version or None,
    }
