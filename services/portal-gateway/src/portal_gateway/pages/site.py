"""What every page needs: the visitor, the services, the templates, and how failures look."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import jinja2
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import UploadFile

from msp_kit import telemetry
from msp_kit.identity import SAFE_METHODS
from msp_kit.problems import Forbidden, Unauthenticated
from portal_gateway import brand, charts, language, tape
from portal_gateway.brand import Brand
from portal_gateway.language import gettext, mark, ngettext, pgettext
from portal_gateway.pages import shown
from portal_gateway.pages.places import KEYS, places
from portal_gateway.pages.surroundings import Brands
from portal_gateway.prose import refusal, say
from portal_gateway.scope import (
    CSRF_FIELD,
    CSRF_HEADER,
    CsrfFailed,
    OutOfScope,
    SecondFactorMissing,
    Visitor,
    Visitors,
    check_csrf,
    need_client,
    need_staff,
)
from portal_gateway.services import Refused, ServiceAway, Services

log = telemetry.logger(__name__)
HERE = Path(__file__).resolve().parent.parent
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
ENROLMENT = "/settings/security"
STATEMENT_FORMS = ("pdf", "csv", "json")
FORM_BYTES_MAX, FIELDS_MAX = 1_000_000, 500
"""Twenty thousand letters of any script take a quarter of it."""
TOO_LARGE = mark("Nothing was sent. Go back: your text is still there; shorten it or put it into a file.")
ZONE = "Europe/London"
LIVE_SINCE: ContextVar[str] = ContextVar("live_since", default="")
"""Where the live signals stood when the page began to be made: what comes after is not in it."""
Handler = Callable[..., Coroutine[Any, Any, Response]]


@dataclass
class Failed:
    """A part of a page that could not be fetched: the rest of the page works and says what is missing."""

    service: str
    detail: str
    request_id: str


class FormTooLarge(Exception):
    """A form holds more than any of ours can."""


class FormUnreadable(Exception):
    """What was sent is no form: not UTF-8, or of more fields than any of ours has."""


class Site:
    """The pages' surroundings, one per process."""

    def __init__(self, *, services: Services, visitors: Visitors, brands: Brands) -> None:
        self.services = services
        self.visitors = visitors
        self.brands = brands
        self.client_names: Callable[[Any], Awaitable[str | None]]
        self.versions = _versions()
        self.environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        # The extension is what puts them there; the name is not in its type.
        self.environment.install_gettext_callables(gettext, ngettext, newstyle=True, pgettext=pgettext)  # type: ignore[attr-defined]
        self.environment.globals.update(
            charts=charts,
            tape=tape,
            shown=shown,
            asset=self.asset,
            STATUS=shown.STATUS,
            CLIENT_STATUS=shown.CLIENT_STATUS,
            METRIC=shown.METRIC,
            zone=ZONE,
            places=places,
            KEYS=KEYS,
        )
        self.environment.filters.update(
            hours=shown.hours,
            duration=shown.duration,
            money=shown.money,
            day=shown.day,
            until=shown.until,
            percent=shown.share,
            word=shown.word,
            inside=shown.inside,
            say=say,
            refusal=refusal,
        )

    def asset(self, name: str) -> str:
        """Return the address of a static file with the hash of its content: it may be cached for ever."""
        return f"/static/{name}?v={self.versions[name]}"

    @property
    def look(self) -> Brand:
        """Return how the house looks, for the request being answered."""
        return brand.CURRENT.get() or Brand(self.brands.name)

    def page(
        self, template: str, *, visitor: Visitor | None, title: str, status: int = 200, **context: Any
    ) -> Response:
        """Render a page."""
        now = shown.now()
        look = self.look
        html = self.environment.get_template(template).render(
            visitor=visitor,
            title=f"{title}, {look.name}",
            look=look,
            brand=look.name,
            lang=language.CURRENT.get(),
            page=template.removesuffix(".html"),
            heading=title,
            now=now,
            csrf=visitor.csrf_token if visitor else "",
            request_id=telemetry.request_id.get(),
            live_since=LIVE_SINCE.get(),
            **context,
        )
        return HTMLResponse(html, status_code=status, headers=HEADERS)

    async def part(self, fetched: Awaitable[Any]) -> Any:
        """Return what was fetched, or why it could not be."""
        try:
            return await fetched
        except ServiceAway as error:
            return Failed(error.service, refusal(str(error)), telemetry.request_id.get())
        except Refused as error:
            if error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
                raise
            return Failed("", refusal(str(error)), telemetry.request_id.get())

    async def early(self, fetched: Awaitable[Any]) -> Any:
        """Return a part as ``part`` does; a service that has not heard of something new yet, and says so with a 404, has none."""
        try:
            return await self.part(fetched)
        except Refused as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return Failed("", refusal(str(error)), telemetry.request_id.get())

    async def parts(self, *fetched: Awaitable[Any]) -> list[Any]:
        """Fetch parts side by side; each fails alone."""
        return list(await asyncio.gather(*(self.part(one) for one in fetched)))


def site_of(request: Request) -> Site:
    """Return the surroundings of a request."""
    site: Site = request.app.state.site
    return site


async def form_of(request: Request, visitor: Visitor | None) -> dict[str, str]:
    """Return the fields of a plain form after the CSRF check; of a repeated field, the values joined by commas.

    Raises:
        CsrfFailed: the form does not carry the session's token.
        FormTooLarge: it is too long to be one of ours.
        FormUnreadable: it cannot be read without losing something.
    """
    body = await request.body()
    if len(body) > FORM_BYTES_MAX:
        raise FormTooLarge
    fields: dict[str, str] = {}
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError as error:
        raise FormUnreadable from error
    if any("\0" in text for pair in pairs for text in pair):
        # No database of ours keeps it, and no keyboard has it.
        raise FormUnreadable
    for name, value in pairs:
        fields[name] = f"{fields[name]},{value}" if name in fields else value
    if visitor is not None:
        given = request.headers.get(CSRF_HEADER) or fields.pop(CSRF_FIELD, None)
        check_csrf(request, visitor, method="POST", given=given)
    return fields


async def form_and_file(
    request: Request, visitor: Visitor, *, most: int | None = None
) -> tuple[dict[str, str], tuple[str, bytes] | None]:
    """Return the fields of a form after the CSRF check, and its file: name and content, of which ``most`` bytes and one more.

    Raises:
        CsrfFailed, FormTooLarge, FormUnreadable: as ``form_of``.
    """
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return await form_of(request, visitor), None
    async with request.form(max_files=1, max_fields=FIELDS_MAX, max_part_size=FORM_BYTES_MAX) as given:
        fields = {name: one for name, one in given.items() if isinstance(one, str)}
        token = request.headers.get(CSRF_HEADER) or fields.pop(CSRF_FIELD, "")
        check_csrf(request, visitor, method="POST", given=token)
        if any("\0" in text for pair in fields.items() for text in pair):
            raise FormUnreadable
        file = next((one for one in given.values() if isinstance(one, UploadFile) and one.filename), None)
        if file is None:
            return fields, None
        return fields, (str(file.filename), await file.read(-1 if most is None else most + 1))


async def statement_file(
    request: Request, site: Site, visitor: Visitor, path: str, form: str, *, days: int
) -> Response:
    """Return a statement of hours as ``csv``, ``json`` or ``pdf``: of the days asked for, by default the last ones."""
    if form not in STATEMENT_FORMS:
        return failure(site, visitor, status=404)
    today = shown.now().date()
    asked = request.query_params
    first = _day_of(asked.get("from"), otherwise=today - timedelta(days=days))
    last = _day_of(asked.get("to"), otherwise=today)
    if first is None or last is None or last < first:
        return failure(site, visitor, status=422, detail=gettext("Choose a first and a last day, in this order."))
    query = urlencode({"from": first, "to": last + timedelta(days=1)})
    suffix = "" if form == "json" else f".{form}"
    answer = await site.services.send(visitor.caller, "GET", f"{path}/statement{suffix}?{query}")
    answer.json()  # raises what the service refused
    name = f"hours-{first}-to-{last}.{form}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(answer.body, media_type=answer.content_type, headers=headers)


def _day_of(text: str | None, *, otherwise: date) -> date | None:
    """Return a day as a form sends it, ``None`` for anything else and for a year nobody keeps books of."""
    if not text:
        return otherwise
    try:
        on = date.fromisoformat(text)
    except ValueError:
        return None
    return on if 2000 <= on.year < 2199 else None


def go(path: str) -> Response:
    """Send the browser to another page after a form."""
    return RedirectResponse(path, status_code=HTTPStatus.SEE_OTHER, headers={"cache-control": "no-store"})


def page_route(router: APIRouter, path: str, *methods: str) -> Callable[[Handler], Handler]:
    """Register ``async def f(request, site, visitor, …)`` as a page; failures become styled pages."""

    def register(function: Handler) -> Handler:
        async def handle(request: Request) -> Response:
            site = site_of(request)
            LIVE_SINCE.set(request.app.state.hub.mark)
            visitor: Visitor | None = None
            try:
                visitor = await site.visitors.of(request)
                if visitor.session is not None and visitor.session.person.language:
                    language.CURRENT.set(visitor.session.person.language)
                _check_place(request, visitor)
                return await function(request, site, visitor, **request.path_params)
            except Unauthenticated:
                return go(f"/login?next={_local(request)}")
            except SecondFactorMissing:
                return go(ENROLMENT)
            except (Forbidden, CsrfFailed, OutOfScope) as error:
                return failure(site, visitor, status=403, detail=refusal(str(error)))
            except FormUnreadable:
                return failure(site, visitor, status=400)
            except FormTooLarge:
                return failure(site, visitor, status=413, detail=gettext(TOO_LARGE))
            except ServiceAway as error:
                return failure(site, visitor, status=503, detail=refusal(str(error)))
            except Refused as error:
                if error.document.get("code") == "step-up-required":
                    return go(f"/prove?next={quote(_page_before(request))}")
                # For a page, what is foreign, forbidden or missing is one and the same.
                status = 404 if error.status in (403, 404, 422) and request.method == "GET" else error.status
                return failure(site, visitor, status=status, detail="" if status == 404 else refusal(str(error)))
            except Exception:
                log.exception("page failed", path=request.url.path)
                return failure(site, visitor, status=500)

        router.add_api_route(path, handle, methods=list(methods or ("GET",)), include_in_schema=False)
        return function

    return register


def _check_place(request: Request, visitor: Visitor) -> None:
    """Let a visitor into a part of the house: the desk is for staff, the portal for clients, whatever the page says."""
    path = request.url.path
    if visitor.key is not None:
        raise OutOfScope(gettext("pages are for people; a key is for the API"))
    is_settling = path.startswith(("/settings", "/prove", "/logout", "/view-as"))
    is_enrolling = path.startswith((ENROLMENT, "/prove", "/logout"))
    visitor.check(area="pages", method="GET", is_enrolling=is_enrolling)
    if path == "/desk" or path.startswith("/desk/"):
        need_staff(visitor)
    elif path == "/portal" or path.startswith("/portal/"):
        need_client(visitor)
    elif not is_settling:
        raise Forbidden(gettext("this page belongs to no part of the house"))
    # Who views as a client changes nothing, but can go away.
    if visitor.is_viewing and request.method not in SAFE_METHODS and not path.startswith(("/logout", "/view-as")):
        raise Forbidden(gettext("you look at the portal as a client: nothing can be changed"))


def _page_before(request: Request) -> str:
    if request.method == "GET":
        return _local(request)
    before = urlsplit(request.headers.get("referer", ""))
    return safe_next(before.path, "/") if before.netloc == request.url.netloc else "/"


_SAID = {
    400: (mark("That request was not understood"), mark("Go back and try again.")),
    403: (
        mark("This page is not for you"),
        mark("Your role does not include it. Ask an administrator if you need it."),
    ),
    404: (mark("There is nothing here"), mark("The address may be mistyped, or it may not be yours to see.")),
    409: (mark("Somebody was faster"), mark("Reload the page to see how it stands now.")),
    413: (mark("That is too much at once"), mark("Send less.")),
    422: (mark("Something is not valid"), mark("Check what you entered.")),
    429: (mark("Too many requests"), mark("Wait a little and try again.")),
    500: (mark("Something went wrong on our side"), mark("Nothing was changed. The request id leads us to the cause.")),
    503: (mark("A part of the platform is away"), mark("Try again in a few seconds.")),
}


def failure(site: Site, visitor: Visitor | None, *, status: int, detail: str = "") -> Response:
    """Return a styled page for a failure."""
    said, advice = (gettext(one) for one in _SAID.get(status, _SAID[500]))
    return site.page("failure.html", visitor=visitor, title=said, status=status, said=said, advice=detail or advice)


def _local(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}{'?' + query if query else ''}" if request.method == "GET" else "/"


def safe_next(path: str | None, default: str) -> str:
    """Return a path of our own to go to; another site's address is never followed."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")):
        return default
    parts = urlsplit(path)
    return default if parts.scheme or parts.netloc else path


def _versions() -> dict[str, str]:
    # Six digits: each icon of a page names its file with them.
    found = {}
    for path in sorted((HERE / "static").rglob("*")):
        if path.is_file():
            name = path.relative_to(HERE / "static").as_posix()
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()[:6]
    return found


def as_json(value: Any) -> str:
    """Return JSON for a data attribute."""
    return json.dumps(value, separators=(",", ":"))
