"""How the house looks: one row."""

from __future__ import annotations

from msp_kit.database import Transaction
from portal_gateway.brand import Brand
from portal_gateway.colours import Accent
from portal_gateway.logos import Logo


async def current(tx: Transaction) -> Brand | None:
    """Return how the house looks, ``None`` while nobody has set anything."""
    row = await tx.fetchrow("SELECT revision, name, accent_light, accent_dark, logo, logo_type, language FROM branding")
    if row is None:
        return None
    return Brand(
        name=row["name"],
        language=row["language"],
        accent=None if row["accent_light"] is None else Accent(row["accent_light"], row["accent_dark"]),
        logo=None if row["logo"] is None else Logo(row["logo"], row["logo_type"]),
        revision=row["revision"],
    )


async def save(tx: Transaction, brand: Brand) -> bool:
    """Save how the house looks, as the revision after the kept one; ``False`` when that is another one by now."""
    accent, logo = brand.accent, brand.logo
    return bool(
        await tx.fetchval(
            "INSERT INTO branding AS b (revision, name, accent_light, accent_dark, logo, logo_type, language, updated_at)"
            " SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE $1 = 1 OR EXISTS (SELECT FROM branding)"
            " ON CONFLICT (one) DO UPDATE SET revision = excluded.revision, name = excluded.name,"
            " accent_light = excluded.accent_light, accent_dark = excluded.accent_dark, logo = excluded.logo,"
            " logo_type = excluded.logo_type, language = excluded.language, updated_at = excluded.updated_at"
            " WHERE b.revision = excluded.revision - 1 RETURNING true",
            brand.revision,
            brand.name,
            accent and accent.light,
            accent and accent.dark,
            logo and logo.content,
            logo and logo.media_type,
            brand.language,
            tx.now,
        )
    )
