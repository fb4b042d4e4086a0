"""Who asks, and for which client: the only key to data. Nothing else in the gateway reads a session."""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal, cast

from starlette.requests import HTTPConnection

from msp_kit.database import SYSTEM, Database
from msp_kit.identity import Caller
from msp_kit.problems import Forbidden, Unauthenticated
from portal_gateway import store

COOKIE, SECURE_COOKIE = "sid", "__Host-sid"
CACHE_SECONDS = 1.0
CACHE_MAX = 10_000
CSRF_HEADER, CSRF_FIELD = "x-csrf-token", "csrf_token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class CsrfFailed(Exception):
    """The form was not sent from a page of ours, or the session is another one now."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in person, as the gateway knows them."""

    caller: Caller
    email: str
    csrf_token: str
    has_cookie: bool
    """Came with a cookie, which browsers send by themselves: unsafe methods need the CSRF token."""


class Visitors:
    """Finds who a token belongs to; a revoked session is gone within ``CACHE_SECONDS``."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._known: OrderedDict[str, tuple[float, Caller, str, str]] = OrderedDict()

    async def of(self, connection: HTTPConnection) -> Visitor:
        """Return who asks.

        Raises:
            Unauthenticated: no session, or one that has ended.
        """
        token, has_cookie = token_of(connection)
        if token is None:
            raise Unauthenticated("sign in first")
        now = time.monotonic()
        known = self._known.get(token)
        if known is None or now - known[0] > CACHE_SECONDS:
            known = await self._look_up(token, now)
        _, caller, email, csrf_token = known
        return Visitor(caller=caller, email=email, csrf_token=csrf_token, has_cookie=has_cookie)

    def forget(self, token: str) -> None:
        """Forget a session at once (sign-out)."""
        self._known.pop(token, None)

    async def _look_up(self, token: str, now: float) -> tuple[float, Caller, str, str]:
        async with self.database.transaction(SYSTEM) as tx:
            found = await store.session(tx, store.digest(token))
        if found is None:
            self._known.pop(token, None)
            raise Unauthenticated("sign in first")
        person, csrf_token = found
        caller = Caller(
            id=person.id,
            kind=cast("Literal['staff', 'client']", person.kind),
            roles=frozenset(person.roles),
            client_id=person.of_client_id,
            name=person.display_name,
        )
        self._known[token] = (now, caller, person.email, csrf_token)
        self._known.move_to_end(token)
        while len(self._known) > CACHE_MAX:
            self._known.popitem(last=False)
        return self._known[token]


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
    if method in _SAFE or not visitor.has_cookie:
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
