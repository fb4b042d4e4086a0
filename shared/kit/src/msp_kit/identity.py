"""Who asks: a short-lived token signed by the gateway, bound to one service, one route and one body.

A service believes nothing else. The token says who the person is, which roles they have and which client they belong to;
the client of a request is never taken from its path, query or body.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, cast
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from msp_kernel.ids import new_id
from msp_kit.database import Scope
from msp_kit.problems import Forbidden, StepUpRequired, Unauthenticated

HEADER = "X-MSP-Identity"
LIFE_SECONDS = 60
LEEWAY_SECONDS = 5
TOKEN_CHARACTERS_MAX = 4096
ISSUER = "portal-gateway"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_ALGORITHMS = ["Ed25519"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The person or program on whose behalf a request runs."""

    id: UUID
    kind: Literal["staff", "client"]
    roles: frozenset[str]
    client_id: UUID | None
    name: str
    is_fresh: bool = False
    """Proved who they are within the last minutes: what moves money or rights asks for it."""
    is_read_only: bool = False
    """Looks at a client's pages on their behalf: sees what they see, changes nothing."""

    def __post_init__(self) -> None:
        assert (self.kind == "client") == (self.client_id is not None), "a client's person has a client, staff has none"

    @property
    def scope(self) -> Scope:
        """Return the scope of this caller's transactions."""
        return Scope(role=self.kind, client_id=self.client_id, actor=str(self.id))

    def has_role(self, *roles: str) -> bool:
        """Return whether the caller has any of ``roles``."""
        return not self.roles.isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call an operation: roles of staff, roles of client people; ``None`` for nobody of the kind."""

    staff: frozenset[str] | None
    client: frozenset[str] | None
    step_up: bool = False
    """It moves money or rights: the caller proved lately who they are."""

    def check(self, caller: Caller, *, method: str) -> None:
        """Let the caller through.

        Raises:
            Forbidden: the caller's kind or role is not among those declared, or may only look.
            StepUpRequired: the caller proved too long ago who they are.
        """
        if caller.is_read_only and method not in SAFE_METHODS:
            raise Forbidden("who views the portal as a client changes nothing")
        wanted = self.staff if caller.kind == "staff" else self.client
        if wanted is None:
            raise Forbidden(f"this is not for {caller.kind} people")
        if wanted and caller.roles.isdisjoint(wanted):
            raise Forbidden(f"this needs one of the roles {', '.join(sorted(wanted))}")
        if self.step_up and not caller.is_fresh:
            raise StepUpRequired("prove once more who you are, then send it again")

    def document(self) -> dict[str, Any]:
        """Return the ``x-msp-access`` member of the OpenAPI operation."""
        return {
            "staff": None if self.staff is None else sorted(self.staff),
            "client": None if self.client is None else sorted(self.client),
            **({"step_up": True} if self.step_up else {}),
        }

    @classmethod
    def of(cls, document: dict[str, Any]) -> Access:
        """Return what an ``x-msp-access`` member says."""
        # What is `None` is left out where the document is written down.
        staff, client = document.get("staff"), document.get("client")
        return cls(
            staff=None if staff is None else frozenset(staff),
            client=None if client is None else frozenset(client),
            step_up=document.get("step_up", False),
        )


def new_key() -> dict[str, Any]:
    """Return a new private Ed25519 key as JWK."""
    return dict(OKPKey.generate_key("Ed25519", parameters={"kid": str(new_id()), "use": "sig"}).as_dict(private=True))


def public_keys(private: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the JWKS of the public halves of private keys."""
    return {"keys": [OKPKey.import_key(key).as_dict(private=False) for key in private]}


class Signer:
    """Makes tokens; only the gateway has one."""

    def __init__(self, private_key: dict[str, Any]) -> None:
        self._key = OKPKey.import_key(private_key)
        self._header = {"alg": "Ed25519", "typ": "msp-id+jwt", "kid": private_key["kid"]}

    def sign(self, caller: Caller, *, audience: str, method: str, target: str, body: bytes) -> str:
        """Return a token for one request. ``target`` is the path with its query, as the service will see it."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "sub": str(caller.id),
            "kind": caller.kind,
            "client": None if caller.client_id is None else str(caller.client_id),
            "roles": sorted(caller.roles),
            "name": caller.name,
            "fresh": caller.is_fresh,
            "ro": caller.is_read_only,
            "iat": now,
            "exp": now + LIFE_SECONDS,
            "htm": method,
            "htu": target,
            "bod": body_digest(body),
        }
        return jwt.encode(self._header, claims, self._key, algorithms=_ALGORITHMS)


class Verifier:
    """Believes tokens of the gateway's published keys, for one service."""

    def __init__(self, jwks: dict[str, Any], *, audience: str) -> None:
        self._keys = KeySet.import_key_set(cast("Any", jwks)) if jwks["keys"] else None
        self._audience = audience

    def verify(self, token: str | None, *, method: str, target: str, body: bytes) -> Caller:
        """Return who asks.

        Raises:
            Unauthenticated: no token, or one that is forged, expired, or made for another service, route or body.
        """
        if token is None or len(token) > TOKEN_CHARACTERS_MAX or self._keys is None:
            raise Unauthenticated("the request carries no identity this service believes")
        try:
            decoded = jwt.decode(token, self._keys, algorithms=_ALGORITHMS)
            claims = decoded.claims
            now = time.time()
            is_ours = (
                decoded.header.get("typ") == "msp-id+jwt"
                and claims["iss"] == ISSUER
                and claims["aud"] == self._audience
                and claims["iat"] - LEEWAY_SECONDS <= now <= claims["exp"] + LEEWAY_SECONDS
                and claims["htm"] == method
                and claims["htu"] == target
                and claims["bod"] == body_digest(body)
            )
            if is_ours:
                return _caller(claims)
        except (JoseError, KeyError, TypeError, ValueError, AssertionError) as error:
            raise Unauthenticated("the request carries no identity this service believes") from error
        raise Unauthenticated("the request carries no identity this service believes")


def body_digest(body: bytes) -> str:
    """Return the digest a token binds a body with."""
    return base64.b64encode(hashlib.sha256(body).digest()).decode() if body else ""


def _caller(claims: dict[str, Any]) -> Caller:
    client = claims["client"]
    return Caller(
        id=UUID(claims["sub"]),
        kind=claims["kind"],
        roles=frozenset(claims["roles"]),
        client_id=None if client is None else UUID(client),
        name=claims["name"],
        is_fresh=claims["fresh"] is True,
        is_read_only=claims["ro"] is not False,
    )
