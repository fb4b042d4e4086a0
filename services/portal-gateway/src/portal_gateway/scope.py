"""Who asks, and for which client: the only key to data. Nothing else in the gateway reads a session."""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Literal, cast

from starlette.requests import HTTPConnection

from msp_kit.database import SYSTEM, Database
from msp_kit.identity import SAFE_METHODS, Caller
from msp_kit.problems import Forbidden, Unauthenticated
from portal_gateway.actions import keys, sign_in
from portal_gateway.actions.keys import PREFIX, Key
from portal_gateway.person import CLIENT_ROLES, FRESH, Session

COOKIE, SECURE_COOKIE = "sid", "__Host-sid"
CACHE_SECONDS = 1.0
CACHE_MAX = 10_000
TOKEN_CHARACTERS_MAX = 200
CSRF_HEADER, CSRF_FIELD = "x-csrf-token", "csrf_token"


class CsrfFailed(Exception):
    """The form was not sent from a page of ours, or the session is another one now."""


class SecondFactorMissing(Exception):
    """Your company asks for a second factor: add an authenticator app or a passkey before anything else."""


class OutOfScope(Exception):
    """The API key was not made for this."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in person or a program, as the gateway knows them."""

    caller: Caller
    email: str
    csrf_token: str
    has_cookie: bool
    """Came with a cookie, which browsers send by themselves: unsafe methods need the CSRF token."""
    session: Session | None = None
    key: Key | None = None

    @property
    def is_viewing(self) -> bool:
        """Return whether a member of the staff looks at the pages of a client."""
        return self.session is not None and self.session.views_client_id is not None

    def check(self, *, area: str, method: str, is_enrolling: bool = False) -> None:
        """Let a request for an area (a service) through.

        Raises:
            SecondFactorMissing: a second factor comes first.
            OutOfScope: the API key was not made for it.
            Forbidden: who views as a client changes nothing.
        """
        if self.session is not None and self.session.must_enrol and not is_enrolling:
            raise SecondFactorMissing("add an authenticator app or a passkey first")
        wanted = f"{area}:{'read' if method in SAFE_METHODS else 'write'}"
        if self.key is not None and wanted not in self.key.scopes:
            raise OutOfScope(f"the key needs the scope {wanted}")
        if self.caller.is_read_only and method not in SAFE_METHODS:
            raise Forbidden("who views the portal as a client changes nothing")


class Visitors:
    """Finds who a token belongs to; a revoked session or key is gone within ``CACHE_SECONDS``."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._known: OrderedDict[str, tuple[float, Visitor]] = OrderedDict()

    async def of(self, connection: HTTPConnection, *, is_used: bool = True) -> Visitor:
        """Return who asks; an open page that only listens is no use of a session.

        Raises:
            Unauthenticated: no session or key, or one that has ended.
        """
        token, has_cookie = token_of(connection)
        if token is None or len(token) > TOKEN_CHARACTERS_MAX:
            raise Unauthenticated("sign in first")
        now = time.monotonic()
        known = self._known.get(token)
        if known is None or now - known[0] > CACHE_SECONDS:
            self._known.pop(token, None)
            visitor = await self._look_up(token, is_used=is_used)
            self._known[token] = (now, visitor)
            while len(self._known) > CACHE_MAX:
                self._known.popitem(last=False)
        else:
            visitor = known[1]
        # A key is never a cookie: then no page of another site can make a browser send it.
        if has_cookie and visitor.key is not None:
            raise Unauthenticated("sign in first")
        return replace(visitor, has_cookie=True) if has_cookie else visitor

    def forget(self, token: str) -> None:
        """Forget a session at once (sign-out)."""
        self._known.pop(token, None)

    def forget_all(self) -> None:
        """Forget everybody at once: somebody's rights changed."""
        self._known.clear()

    async def _look_up(self, token: str, *, is_used: bool) -> Visitor:
        async with self.database.transaction(SYSTEM) as tx:
            if token.startswith(PREFIX):
                key = await keys.find(tx, token)
                if key is None:
                    raise Unauthenticated("the API key is unknown, was revoked or has expired")
                return Visitor(_program(key), email="", csrf_token="", has_cookie=False, key=key)
            session = await sign_in.session(tx, token, is_used=is_used)
            if session is None:
                raise Unauthenticated("sign in first")
            caller = _viewing(session) or _person(session, is_fresh=tx.now - session.proved_at <= FRESH)
        return Visitor(
            caller, email=session.person.email, csrf_token=session.csrf_token, has_cookie=False, session=session
        )


def _person(session: Session, *, is_fresh: bool) -> Caller:
    person = session.person
    return Caller(
        id=person.id,
        kind=cast("Literal['staff', 'client']", person.kind),
        roles=frozenset(person.roles),
        client_id=person.of_client_id,
        name=person.display_name,
        is_fresh=is_fresh,
    )


def _viewing(session: Session) -> Caller | None:
    if session.views_client_id is None:
        return None
    return Caller(
        id=session.person.id,
        kind="client",
        roles=frozenset(CLIENT_ROLES),
        client_id=session.views_client_id,
        name=session.person.display_name,
        is_read_only=True,
    )


def _program(key: Key) -> Caller:
    # Whoever made the key proved who they are, and chose what it is for.
    return Caller(
        id=key.id,
        kind=cast("Literal['staff', 'client']", key.kind),
        roles=frozenset(key.roles),
        client_id=key.of_client_id,
        name=key.name,
        is_fresh=True,
    )


def token_of(connection: HTTPConnection) -> tuple[str | None, bool]:
    """Return the session token of a request, and whether it came in a cookie."""
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer:
        return bearer.strip(), False
    cookie = connection.cookies.get(SECURE_COOKIE) or connection.cookies.get(COOKIE)
    return (cookie, True) if cookie else (None, False)


def check_csrf(connection: HTTPConnection, visitor: Visitor, *, method: str, given: str | None) -> None:
    """Let a request of a browser through.

    Raises:
        CsrfFailed: it changes something and does not carry the token of the session, or comes from another site.
    """
    if method in SAFE_METHODS or not visitor.has_cookie:
        return
    site = connection.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise CsrfFailed("the request came from another site")
    if given is None or not hmac.compare_digest(given.encode(), visitor.csrf_token.encode()):
        raise CsrfFailed("reload the page and send it again")


def need_staff(visitor: Visitor, *roles: str) -> Caller:
    """Return a staff caller with any of ``roles`` (any role when none is given).

    Raises:
        Forbidden: a client's person, or another role.
    """
    if visitor.caller.kind != "staff" or (roles and not visitor.caller.has_role(*roles)):
        raise Forbidden("this page is not for you")
    return visitor.caller


def need_client(visitor: Visitor) -> Caller:
    """Return a client's caller.

    Raises:
        Forbidden: staff have no portal of their own.
    """
    if visitor.caller.kind != "client":
        raise Forbidden("the portal is for people of a client")
    return visitor.caller
