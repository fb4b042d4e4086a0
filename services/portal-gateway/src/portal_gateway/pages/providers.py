"""To an identity provider and back."""

from __future__ import annotations

import hmac

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from msp_kit.database import SYSTEM
from msp_kit.problems import NotFound
from portal_gateway import oidc
from portal_gateway.actions import providers
from portal_gateway.actions.providers import NotLetIn, Visit
from portal_gateway.language import gettext
from portal_gateway.oidc import Provider, ProviderRefused
from portal_gateway.outgoing import Outgoing
from portal_gateway.pages.sign_in import database_of, home_of, house_of, login_form, origin_of, with_session
from portal_gateway.pages.site import failure, safe_next, site_of
from portal_gateway.prose import refusal

router = APIRouter()
STATE_COOKIE = "oidc"
STATE_SECONDS = 600


@router.get("/login/with/{slug}", include_in_schema=False)
async def to_provider(request: Request, slug: str) -> Response:
    """Send the browser to a provider; a cookie ties the way back to this very browser."""
    outgoing: Outgoing = request.app.state.outgoing
    house = house_of(request)
    next_path = safe_next(request.query_params.get("next"), "")
    try:
        async with database_of(request).transaction(SYSTEM) as tx:
            visit = await providers.begin(tx, slug=slug[:40], next_path=next_path, house=house)
        address = await oidc.authorization_url(
            outgoing,
            _provider(visit),
            redirect_uri=f"{house.public_url}/login/returned",
            state=visit.state,
            nonce=visit.nonce,
            verifier=visit.verifier,
        )
    except NotFound:
        return failure(site_of(request), None, status=404)
    except ProviderRefused as error:
        return await login_form(request, wanted=next_path, problem=refusal(str(error)), status=503)
    answer = RedirectResponse(address, status_code=303, headers={"cache-control": "no-store"})
    is_secure = request.url.scheme == "https"
    answer.set_cookie(
        STATE_COOKIE, visit.state, max_age=STATE_SECONDS, httponly=True, secure=is_secure, samesite="lax", path="/login"
    )
    return answer


@router.get("/login/returned", include_in_schema=False)
async def from_provider(request: Request) -> Response:
    """Start a session for whom the provider means."""
    outgoing: Outgoing = request.app.state.outgoing
    house, given = house_of(request), request.query_params
    state, code = given.get("state", ""), given.get("code", "")
    kept = request.cookies.get(STATE_COOKIE, "")
    if not code or not state or not hmac.compare_digest(state.encode(), kept.encode()):
        return await login_form(
            request, wanted="", problem=gettext("Signing in was not finished. Try again."), status=401
        )
    try:
        async with database_of(request).transaction(SYSTEM) as tx:
            visit = await providers.returned(tx, state=state, house=house)
            now = int(tx.now.timestamp())
        if visit is None:
            return await login_form(request, wanted="", problem=gettext("That took too long. Try again."), status=401)
        claims = await oidc.claims(
            outgoing,
            _provider(visit),
            code=code,
            redirect_uri=f"{house.public_url}/login/returned",
            nonce=visit.nonce,
            verifier=visit.verifier,
            epoch_seconds=now,
        )
        async with database_of(request).transaction(SYSTEM) as tx:
            signed_in = await providers.welcome(tx, visit.provider, claims, origin=origin_of(request))
    except (ProviderRefused, NotLetIn) as error:
        return await login_form(request, wanted="", problem=refusal(str(error)), status=403)
    site_of(request).visitors.forget_all()
    answer = with_session(request, signed_in, safe_next(visit.next_path, home_of(signed_in.person.kind)))
    answer.delete_cookie(STATE_COOKIE, path="/login")
    return answer


def _provider(visit: Visit) -> Provider:
    row = visit.provider
    return Provider(issuer=row["issuer"], oauth_client_id=row["oauth_client_id"], oauth_client_secret=visit.secret)
