"""Getting in and out: password, second question, passkey, forgotten passwords, and proving once more who one is."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request, Response

from msp_kit.database import SYSTEM, Database
from msp_kit.problems import Unauthenticated
from portal_gateway.actions import factors, people, providers, sign_in as verbs
from portal_gateway.actions.factors import PasskeyRefused
from portal_gateway.actions.people import TicketSpent
from portal_gateway.actions.sign_in import Half, Origin, SecondFactorRequired, SignedIn, TooManyAttempts
from portal_gateway.house import House
from portal_gateway.language import gettext, mark
from portal_gateway.limits import Limits, TooManyRequests
from portal_gateway.pages.site import Site, form_of, go, page_route, safe_next, site_of
from portal_gateway.passwords import BadPassword
from portal_gateway.prose import refusal
from portal_gateway.scope import COOKIE, SECURE_COOKIE, Visitor, token_of

router = APIRouter()
WRONG = mark("E-mail and password do not belong together.")
WRONG_CODE = mark("That code is not right, or was used before.")


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
    return await login_form(request, wanted=safe_next(request.query_params.get("next"), ""))


@router.post("/login", include_in_schema=False)
async def sign_in(request: Request) -> Response:
    """Answer the first question, or the second; the answer is the same for every cause of failure."""
    form = await form_of(request, None)
    if not _is_ours(request):
        return go("/login")
    email, wanted, half_token = form.get("email", "").strip(), form.get("next", ""), form.get("half", "")
    signed_in: SignedIn | Half | None = None
    try:
        async with database_of(request).transaction(SYSTEM) as tx:
            if half_token:
                signed_in = await verbs.finish(
                    tx,
                    half_token=half_token,
                    code=form.get("code", ""),
                    origin=origin_of(request),
                    house=house_of(request),
                )
            else:
                signed_in = await verbs.sign_in(
                    tx,
                    email=email,
                    password=form.get("password", ""),
                    origin=origin_of(request),
                    house=house_of(request),
                )
    except TooManyAttempts as error:
        return await login_form(
            request, wanted=wanted, email=email, half=half_token, problem=refusal(str(error)), status=429
        )
    if isinstance(signed_in, Half):
        return await login_form(request, wanted=wanted, half=signed_in.token)
    if signed_in is None:
        problem = gettext(WRONG_CODE if half_token else WRONG)
        return await login_form(request, wanted=wanted, email=email, half=half_token, problem=problem, status=401)
    return with_session(request, signed_in, safe_next(wanted, home_of(signed_in.person.kind)))


@router.post("/login/passkey", include_in_schema=False)
async def sign_in_with_passkey(request: Request) -> Response:
    """Start a session with what the browser's passkey answered."""
    form = await form_of(request, None)
    if not _is_ours(request):
        return go("/login")
    try:
        credential = json.loads(form.get("credential", ""))
        if not isinstance(credential, dict):
            raise PasskeyRefused(gettext("this is not an answer of an authenticator"))
        async with database_of(request).transaction(SYSTEM) as tx:
            signed_in = await factors.sign_in_with_passkey(
                tx, credential=credential, origin=origin_of(request), house=house_of(request)
            )
    except (PasskeyRefused, ValueError):
        return await login_form(
            request, wanted=form.get("next", ""), problem=gettext("The passkey was refused."), status=401
        )
    return with_session(request, signed_in, safe_next(form.get("next"), home_of(signed_in.person.kind)))


@router.get("/forgot-password", include_in_schema=False)
async def forgot(request: Request) -> Response:
    """Ask for the address a link is sent to."""
    return site_of(request).page(
        "sign_in/forgot.html", visitor=None, title=gettext("Forgotten password"), is_sent=False
    )


@router.post("/forgot-password", include_in_schema=False)
async def send_link(request: Request) -> Response:
    """Send a link when there is somebody with this address; say the same in any case."""
    form = await form_of(request, None)
    limit_address(request)
    if _is_ours(request):
        async with database_of(request).transaction(SYSTEM) as tx:
            await people.ask_for_reset(tx, email=form.get("email", "").strip()[:254], house=house_of(request))
    return site_of(request).page("sign_in/forgot.html", visitor=None, title=gettext("Forgotten password"), is_sent=True)


@router.get("/choose-password", include_in_schema=False)
async def choose(request: Request) -> Response:
    """Show the form an invitation or a reset leads to."""
    return _choose(request, token=request.query_params.get("token", ""), problem="", status=200)


@router.post("/choose-password", include_in_schema=False)
async def chosen(request: Request) -> Response:
    """Set the password."""
    form = await form_of(request, None)
    token = form.get("token", "")
    if not _is_ours(request):
        return go("/login")
    try:
        limit_address(request)
        async with database_of(request).transaction(SYSTEM) as tx:
            await people.choose_password(tx, token=token, password=form.get("password", ""))
    except (TicketSpent, BadPassword, TooManyRequests) as error:
        return _choose(request, token=token, problem=refusal(str(error)), status=422)
    site_of(request).visitors.forget_all()
    return go("/login")


@page_route(router, "/prove", "GET", "POST")
async def prove(request: Request, site: Site, visitor: Visitor) -> Response:
    """Ask once more who somebody is, and go on where they were."""
    wanted = safe_next(request.query_params.get("next"), home_of(visitor.caller.kind))
    problem = ""
    if request.method == "POST" and visitor.session is not None:
        form = await form_of(request, visitor)
        try:
            async with database_of(request).transaction(SYSTEM) as tx:
                is_right = await verbs.prove(
                    tx,
                    visitor.session,
                    password=form.get("password"),
                    code=form.get("code") or None,
                    origin=origin_of(request),
                    house=house_of(request),
                )
        except (TooManyAttempts, SecondFactorRequired) as error:
            problem, is_right = refusal(str(error)), False
        if is_right:
            site.visitors.forget_all()
            return go(wanted)
        problem = problem or gettext("That is not right.")
    status = 422 if problem else 200
    return site.page(
        "sign_in/prove.html",
        visitor=visitor,
        title=gettext("Is it you?"),
        status=status,
        problem=problem,
        wanted=wanted,
    )


@page_route(router, "/logout", "POST")
async def sign_out(request: Request, site: Site, visitor: Visitor) -> Response:
    """End the session."""
    await form_of(request, visitor)
    token, _ = token_of(request)
    assert token is not None, "a visitor came with one"
    async with database_of(request).transaction(SYSTEM) as tx:
        await verbs.sign_out(tx, token=token)
    site.visitors.forget(token)
    answer = go("/login")
    answer.delete_cookie(SECURE_COOKIE, secure=True, path="/")
    answer.delete_cookie(COOKIE, path="/")
    return answer


@page_route(router, "/view-as/end", "POST")
async def end_view(request: Request, site: Site, visitor: Visitor) -> Response:
    """Stop looking at the pages of a client."""
    await form_of(request, visitor)
    if visitor.session is not None and visitor.is_viewing:
        async with database_of(request).transaction(SYSTEM) as tx:
            await verbs.view_as(tx, visitor.session, client_id=None)
        site.visitors.forget_all()
    return go("/desk/clients")


def with_session(request: Request, signed_in: SignedIn, path: str) -> Response:
    """Send the browser on with the cookie of a new session."""
    answer = go(path)
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


async def login_form(
    request: Request, *, wanted: str, email: str = "", half: str = "", problem: str = "", status: int = 200
) -> Response:
    """Show the form to sign in, with what went wrong, and where else staff may sign in.

    Providers of clients have addresses of their own: their names would tell everybody who the clients are.
    """
    async with database_of(request).transaction(SYSTEM) as tx:
        ways = [] if half else await providers.of_staff(tx)
    return site_of(request).page(
        "login.html",
        visitor=None,
        title=gettext("Sign in"),
        status=status,
        problem=problem,
        email=email,
        wanted=wanted,
        half=half,
        providers=ways,
    )


def _choose(request: Request, *, token: str, problem: str, status: int) -> Response:
    return site_of(request).page(
        "sign_in/choose.html",
        visitor=None,
        title=gettext("Choose a password"),
        status=status,
        problem=problem,
        token=token,
    )


def _is_ours(request: Request) -> bool:
    return request.headers.get("sec-fetch-site") in (None, "same-origin", "none")


def limit_address(request: Request) -> None:
    """Take one request of somebody who has not signed in.

    Raises:
        TooManyRequests: the address asked too often.
    """
    limits: Limits = request.app.state.limits
    limits.of_address(origin_of(request).address)


def database_of(request: Request) -> Database:
    """Return the database of a request."""
    database: Database = request.app.state.database
    return database


def house_of(request: Request) -> House:
    """Return what is known of this installation."""
    house: House = request.app.state.house
    return house


def origin_of(request: Request) -> Origin:
    """Return where a request came from."""
    address = request.client.host if request.client else ""
    return Origin(user_agent=request.headers.get("user-agent", ""), address=address)
