"""OpenID Connect as a client: authorization code with PKCE; who somebody is stands in a signed token, never in a parameter."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from portal_gateway.outgoing import Outgoing, OutgoingFailed, OutgoingRefused

ALGORITHMS = ["RS256", "PS256", "ES256", "Ed25519"]
LEEWAY_SECONDS = 60


class ProviderRefused(Exception):
    """The identity provider's answer does not belong to our question, or cannot be believed."""


@dataclass(frozen=True, slots=True)
class Provider:
    """An identity provider as it is registered here."""

    issuer: str
    oauth_client_id: str
    oauth_client_secret: str


async def authorization_url(
    outgoing: Outgoing, provider: Provider, *, redirect_uri: str, state: str, nonce: str, verifier: str
) -> str:
    """Return the address to send the browser to.

    Raises:
        ProviderRefused: the provider cannot be reached, or says it is somebody else.
    """
    known = await _discover(outgoing, provider)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = urlencode(
        {
            "response_type": "code",
            "client_id": provider.oauth_client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
    )
    return f"{known['authorization_endpoint']}?{query}"


async def claims(
    outgoing: Outgoing,
    provider: Provider,
    *,
    code: str,
    redirect_uri: str,
    nonce: str,
    verifier: str,
    epoch_seconds: int,
) -> dict[str, Any]:
    """Exchange a code, and return what the provider says of the person who signed in.

    Raises:
        ProviderRefused: the code is not good, or the token is not for us, not for this question, or not signed by them.
    """
    known = await _discover(outgoing, provider)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
    try:
        basic = (provider.oauth_client_id, provider.oauth_client_secret)
        tokens = await outgoing.json(str(known["token_endpoint"]), form=form, basic=basic)
        keys = KeySet.import_key_set(cast("Any", await outgoing.json(str(known["jwks_uri"]))))
        decoded = jwt.decode(str(tokens["id_token"]), keys, algorithms=ALGORITHMS)
    except (OutgoingFailed, OutgoingRefused, JoseError, KeyError, ValueError) as error:
        raise ProviderRefused("the provider's answer cannot be believed") from error
    said = decoded.claims
    audience = said.get("aud")
    is_ours = (
        said.get("iss") == provider.issuer
        and audience in (provider.oauth_client_id, [provider.oauth_client_id])
        and isinstance(said.get("exp"), int)
        and said["exp"] + LEEWAY_SECONDS > epoch_seconds
        and hmac.compare_digest(str(said.get("nonce", "")).encode(), nonce.encode())
        and isinstance(said.get("sub"), str)
        and 0 < len(said["sub"]) <= 255
    )
    if not is_ours:
        raise ProviderRefused("the provider's answer is not for this house or this question")
    return dict(said)


async def _discover(outgoing: Outgoing, provider: Provider) -> dict[str, Any]:
    try:
        known = await outgoing.json(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    except (OutgoingFailed, OutgoingRefused) as error:
        raise ProviderRefused(f"the identity provider cannot be reached: {error}") from error
    wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    if known.get("issuer") != provider.issuer or not all(isinstance(known.get(name), str) for name in wanted):
        raise ProviderRefused("the identity provider says it is somebody else")
    return known
