"""Getting in and out."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from msp_kit.database import SYSTEM, Database
from msp_kit.problems import Unauthenticated
from portal_gateway import actions
from portal_gateway.actions import TooManyAttempts
from portal_gateway.pages.site import Site, form_of, go, page_route, safe_next, site_of
from portal_gateway.scope import COOKIE, SECURE_COOKIE, Visitor, token_of

router = APIRouter()
WRONG = "E-mail and password do not belong together."


def home_of(kind: str) -> str:
    """Return the first page of a kind of person."""
    return "/portal" if kind == "client" else "/desk/queues"


@router.get("/", include_in_schema=False)
async def root(request: Request) -> Response:
    """Send everybody to their first page."""
    try:
        visitor = await site_of(request).visitors.of(request)
    except Unauthenticated:
        return go("/login")
    return go(home_of(visitor.caller.kind))


@router.get("/login", include_in_schema=False)
async def login(request: Request) -> Response:
    """Show the form."""
    wanted = safe_next(request.query_params.get("next"), "")
    return site_of(request).page("login.html", visitor=None, title="Sign in", problem="", email="", wanted=wanted)


@router.post("/login", include_in_schema=False)
async def sign_in(request: Request) -> Response:
    """Start a session; the answer is the same for every cause of failure."""
    site = site_of(request)
    form = await form_of(request, None)
    email, wanted = form.get("email", "").strip(), form.get("next", "")
    if request.headers.get("sec-fetch-site") not in (None, "same-origin", "none"):
        return go("/login")
    database: Database = request.app.state.database
    problem, signed_in = WRONG, None
    try:
        async with database.transaction(SYSTEM) as tx:
            signed_in = await actions.sign_in(
                tx,
                email=email,
                password=form.get("password", ""),
                user_agent=request.headers.get("user-agent", ""),
                address=request.client.host if request.client else "",
            )
    except TooManyAttempts as error:
        problem = str(error)
    if signed_in is None:
        return site.page(
            "login.html", visitor=None, title="Sign in", status=401, problem=problem, email=email, wanted=wanted
        )
    answer = go(safe_next(wanted, home_of(signed_in.person.kind)))
    is_secure = request.url.scheme == "https"
    answer.set_cookie(
        SECURE_COOKIE if is_secure else COOKIE,
        signed_in.token,
        httponly=True,
        secure=is_secure,
        samesite="lax",
        path="/",
    )
    return answer


@page_route(router, "/logout", "POST")
async def sign_out(request: Request, site: Site, visitor: Visitor) -> Response:
    """End the session."""
    await form_of(request, visitor)
    token, _ = token_of(request)
    assert token is not None
    database: Database = request.app.state.database
    async with database.transaction(SYSTEM) as tx:
        await actions.sign_out(tx, token=token)
    site.visitors.forget(token)
    answer = go("/login")
    answer.delete_cookie(SECURE_COOKIE, secure=True, path="/")
    answer.delete_cookie(COOKIE, path="/")
    return answer
