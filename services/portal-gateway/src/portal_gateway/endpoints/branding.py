"""How the house looks, over HTTP."""

from __future__ import annotations

from dataclasses import replace

from fastapi import Request, Response

from msp_kit.revisions import IfMatch, tag
from portal_gateway.actions import branding as verbs
from portal_gateway.guard import SYSTEM, DatabaseNow, VisitorNow, allows, door_router
from portal_gateway.pages.site import site_of
from portal_gateway.schemas.house import BrandingView, SetBranding

router = door_router(tags=["branding"])


@router.get("/branding", openapi_extra=allows(staff=(), client=()))
async def branding(request: Request, database: DatabaseNow, response: Response) -> BrandingView:
    """Return how the house looks."""
    async with database.transaction(SYSTEM) as tx:
        now = await verbs.current(tx, name=site_of(request).brands.name)
    tag(response, now.revision)
    return BrandingView.of(now)


@router.put("/branding", openapi_extra=allows(staff=("admin",)))
async def set_branding(
    body: SetBranding, request: Request, visitor: VisitorNow, database: DatabaseNow, if_revision: IfMatch
) -> BrandingView:
    """Change how the house looks, all of it; without `logo` it keeps the one it has, unless `keeps_logo` is false."""
    brands = site_of(request).brands
    async with database.transaction(SYSTEM) as tx:
        before = await verbs.current(tx, name=brands.name)
        after = await verbs.change(
            tx,
            actor=visitor.caller.id,
            before=before if if_revision is None else replace(before, revision=if_revision),
            name=body.name,
            language=body.language,
            accent_light=body.accent_light or "",
            accent_dark=body.accent_dark or "",
            logo=body.logo,
            keeps_logo=body.keeps_logo,
        )
    brands.forget()
    return BrandingView.of(after)
