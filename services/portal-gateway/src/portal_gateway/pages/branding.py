"""How the house looks: the page of administrators, and the two files every page may ask for."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request, Response

from msp_kit.database import SYSTEM
from portal_gateway import logos
from portal_gateway.actions import branding as verbs
from portal_gateway.actions.branding import BrandChanged, NameMissing
from portal_gateway.brand import Brand
from portal_gateway.colours import NotAColour, UnreadableColour
from portal_gateway.language import LANGUAGES, gettext
from portal_gateway.logos import LogoRefused
from portal_gateway.pages.desk import nav
from portal_gateway.pages.sign_in import database_of
from portal_gateway.pages.site import Site, form_and_file, go, page_route, site_of
from portal_gateway.prose import refusal
from portal_gateway.scope import Visitor, need_staff

router = APIRouter()
PAGE = "/desk/admin/branding"
FOR_EVER, FOR_A_MINUTE = "public, max-age=31536000, immutable", "public, max-age=60"
LOGO_CSP = "default-src 'none'; style-src 'none'; sandbox; frame-ancestors 'none'"
FIELD_OF = {
    LogoRefused: "logo",
    NameMissing: "name",
    NotAColour: "accent",
    UnreadableColour: "accent",
    BrandChanged: "",
}


@page_route(router, PAGE)
async def branding(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show how the house looks, and the form to change it."""
    return await _page(site, visitor, form={})


@page_route(router, PAGE, "POST")
async def change(request: Request, site: Site, visitor: Visitor) -> Response:
    """Change how the house looks; refused, the page says where and what would be accepted."""
    caller = need_staff(visitor, "admin")
    form, file = await form_and_file(request, visitor, most=logos.BYTES_MAX)
    revision = form.get("revision", "")
    try:
        async with database_of(request).transaction(SYSTEM) as tx:
            now = await verbs.current(tx, name=site.brands.name)
            await verbs.change(
                tx,
                actor=caller.id,
                before=replace(now, revision=int(revision) if revision.isdecimal() and len(revision) < 9 else -1),
                name=form.get("name", ""),
                language=form.get("language", ""),
                accent_light=form.get("accent_light", ""),
                accent_dark=form.get("accent_dark", ""),
                logo=file[1] if file else None,
                keeps_logo="remove_logo" not in form,
            )
    except tuple(FIELD_OF) as error:
        return await _page(site, visitor, form=form, problem=refusal(str(error)), field=FIELD_OF[type(error)])
    site.brands.forget()
    return go(PAGE)


async def _page(site: Site, visitor: Visitor, *, form: dict[str, str], problem: str = "", field: str = "") -> Response:
    need_staff(visitor, "admin")
    look = site.look
    shown = {
        "name": look.name,
        "accent_light": look.accent.light if look.accent else "",
        "accent_dark": look.accent.dark if look.accent else "",
        "language": look.language,
        "revision": str(look.revision),
    }
    return site.page(
        "desk/branding.html",
        visitor=visitor,
        title=gettext("Branding"),
        status=422 if problem else 200,
        form={**shown, **form},
        problem=problem,
        field=field,
        languages=LANGUAGES,
        logo_kilobytes=logos.BYTES_MAX // 1000,
        **await nav(site, visitor),
    )


@router.get("/brand/accent.css", include_in_schema=False)
async def accent(request: Request) -> Response:
    """Return the colours of the house as a style sheet: pages carry no style of their own."""
    look = await site_of(request).brands.now()
    return _file(request, look.style_sheet.encode(), media_type="text/css", version=look.accent_version)


@router.get("/brand/logo", include_in_schema=False)
async def logo(request: Request) -> Response:
    """Return the logo: a picture in a page, a download when opened, and never a document that does anything."""
    look: Brand = await site_of(request).brands.now()
    if look.logo is None:
        return Response(status_code=404, headers={"cache-control": "no-store"})
    answer = _file(request, look.logo.content, media_type=look.logo.media_type, version=look.logo_version)
    answer.headers["content-security-policy"] = LOGO_CSP
    answer.headers["content-disposition"] = f'attachment; filename="logo.{look.logo.media_type[6:9]}"'
    return answer


def _file(request: Request, content: bytes, *, media_type: str, version: str) -> Response:
    is_this_one = version and request.query_params.get("v") == version
    headers = {
        "cache-control": FOR_EVER if is_this_one else FOR_A_MINUTE,
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
    }
    return Response(content, media_type=media_type, headers=headers)
