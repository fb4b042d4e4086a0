"""An invoice for somebody without an account: whoever has its link sees that one document, and nothing else."""

from __future__ import annotations

import json
from uuid import UUID

from fastapi import APIRouter, Request, Response

from msp_kit.identity import Caller
from portal_gateway.language import gettext
from portal_gateway.limits import TooManyRequests
from portal_gateway.pages import shown
from portal_gateway.pages.billing_admin import as_picture
from portal_gateway.pages.invoices import as_file
from portal_gateway.pages.sign_in import limit_address
from portal_gateway.pages.site import Site, failure, site_of
from portal_gateway.prose import refusal
from portal_gateway.services import Answer, Refused, ServiceAway

router = APIRouter()
HOST = Caller(id=UUID(int=1), kind="staff", roles=frozenset({"finance"}), client_id=None, name="Invoice links")
"""The gateway itself, towards billing, which knows nobody by a link. Nothing but `_ask` may use it: the token is the key."""
NOINDEX = {"x-robots-tag": "noindex, nofollow"}


@router.get("/i/{token}", include_in_schema=False)
async def hosted(request: Request, token: str) -> Response:
    """Show the invoice behind a link."""
    site = site_of(request)
    try:
        found = (await _ask(request, site, "/hosted-invoices", token)).json()
    except (TooManyRequests, Refused, ServiceAway) as error:
        return _not_shown(site, error)
    standing = shown.standing(found, shown.now().date())
    title = _invoice(found["number"])
    answer = site.page("hosted.html", visitor=None, title=title, invoice=found, standing=standing, token=token)
    answer.headers.update(NOINDEX)
    return answer


@router.get("/i/{token}/invoice.pdf", include_in_schema=False)
async def hosted_pdf(request: Request, token: str) -> Response:
    """Download the document behind a link."""
    site = site_of(request)
    try:
        found = await _ask(request, site, "/hosted-invoices/pdf", token)
        if found.status != 200:
            found.json()
    except (TooManyRequests, Refused, ServiceAway) as error:
        return _not_shown(site, error)
    answer = as_file(found, media_type="application/pdf", name="invoice.pdf")
    answer.headers.update(NOINDEX)
    return answer


@router.get("/i/{token}/logo", include_in_schema=False)
async def hosted_logo(request: Request, token: str) -> Response:
    """Show the logo of the document behind a link."""
    site = site_of(request)
    try:
        answer = as_picture(await _ask(request, site, "/hosted-invoices/logo", token))
    except (TooManyRequests, Refused, ServiceAway) as error:
        return _not_shown(site, error)
    answer.headers.update(NOINDEX)
    return answer


async def _ask(request: Request, site: Site, path: str, token: str) -> Answer:
    limit_address(request)
    return await site.services.send(HOST, "POST", path, body=json.dumps({"token": token}).encode())


def _invoice(number: str) -> str:
    return gettext("Invoice %(number)s") % {"number": number}


def _not_shown(site: Site, error: Exception) -> Response:
    if isinstance(error, TooManyRequests):
        answer = failure(site, None, status=429, detail=refusal(str(error)))
        answer.headers["retry-after"] = str(error.state.reset_seconds)
    elif isinstance(error, ServiceAway):
        answer = failure(site, None, status=503, detail=refusal(str(error)))
    else:
        # Unknown, expired and revoked are not told apart.
        answer = failure(
            site,
            None,
            status=404,
            detail=gettext("This link leads nowhere, or has ended. Sign in, or ask for a new one."),
        )
    answer.headers.update(NOINDEX)
    return answer
