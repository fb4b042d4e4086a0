"""What an identity provider says is believed only when all of it is right; and how passwords are kept."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from door import PRIYA, Door
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from portal_gateway import oidc, passwords
from portal_gateway.oidc import Provider, ProviderRefused
from portal_gateway.outgoing import ANSWER_BYTES_MAX, Outgoing

NONCE, SECRET = "of-this-question", "a secret of thirty-two characters!"
KEY = RSAKey.generate_key(2048, parameters={"kid": "known", "use": "sig"})
OTHER = RSAKey.generate_key(2048, parameters={"kid": "known", "use": "sig"})


@dataclass
class Fake:
    """A provider that says whatever a test wants."""

    url: str = ""
    changes: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "known"})
    key: Any = field(default_factory=lambda: KEY)
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def token(self) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": "us", "sub": "1", "nonce": NONCE, "iat": now, "exp": now + 300} | self.changes
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(self.header, said, self.key, algorithms=[self.header["alg"]])

    async def answer(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            self.asked.append({name: str(value) for name, value in (await request.post()).items()})
        documents = {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/ask",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            },
            "/keys": {"keys": [KEY.as_dict(private=False)]},
            "/token": {},
        }
        if request.path in self.answers:
            found = self.answers[request.path]
            return found if isinstance(found, web.Response) else web.json_response(found)
        if request.path == "/token":
            return web.json_response({"id_token": self.token()})
        return web.json_response(documents[request.path])

    async def claims(self) -> dict[str, Any]:
        outgoing = Outgoing(urlsplit(self.url).netloc)
        provider = Provider(issuer=self.url, oauth_client_id="us", oauth_client_secret=SECRET)
        return await oidc.claims(
            outgoing,
            provider,
            code="c",
            redirect_uri="https://door.example/login/returned",
            nonce=NONCE,
            verifier="v" * 43,
            epoch_seconds=int(time.time()),
        )


@pytest.fixture
async def fake() -> AsyncIterator[Fake]:
    made, app = Fake(), web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def test_what_is_right_is_believed_and_the_verifier_goes_along(fake: Fake) -> None:
    assert (await fake.claims())["sub"] == "1"
    assert fake.asked[0]["code_verifier"] == "v" * 43


WRONG: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "them"},
    "us among others": {"aud": ["us", "them"]},
    "no audience": {"aud": None},
    "another question": {"nonce": "of-another-question"},
    "no question": {"nonce": None},
    "a question that is no text": {"nonce": [NONCE]},
    "a time long gone": {"exp": 1},
    "no end": {"exp": None},
    "an end that is no number": {"exp": "9999999999"},
    "nobody": {"sub": None},
    "somebody without a name": {"sub": ""},
    "somebody who is a number": {"sub": 1},
    "somebody with a name without end": {"sub": "x" * 256},
}


@pytest.mark.parametrize("why", WRONG)
async def test_a_claim_that_is_wrong_is_not_believed(fake: Fake, why: str) -> None:
    fake.changes = WRONG[why]

    with pytest.raises(ProviderRefused):
        await fake.claims()


async def test_a_signature_that_is_not_theirs_is_not_believed(fake: Fake) -> None:
    public = OctKey.import_key(str(KEY.as_dict(private=False)["n"]))
    forgeries = [
        ({"alg": "RS256", "kid": "known"}, OTHER),
        ({"alg": "RS256", "kid": "unknown"}, OTHER),
        ({"alg": "HS256", "kid": "known"}, OctKey.import_key(SECRET)),
        ({"alg": "HS256", "kid": "known"}, public),
    ]
    for header, key in forgeries:
        fake.header, fake.key = header, key
        with pytest.raises(ProviderRefused):
            await fake.claims()
    fake.header, fake.key = {"alg": "RS256", "kid": "known"}, KEY
    head, said, _ = fake.token().split(".")
    for token in (f"{head}.{said}.", f"eyJhbGciOiJub25lIn0.{said}.", "", "x", "a.b.c", f"{head}.{said}"):
        fake.answers["/token"] = {"id_token": token}
        with pytest.raises(ProviderRefused):
            await fake.claims()


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
async def test_an_answer_that_is_none_is_refused(fake: Fake, path: str) -> None:
    here = {"issuer": "https://evil.example", "authorization_endpoint": "x", "token_endpoint": "x", "jwks_uri": "x"}
    answers: tuple[Any, ...] = (
        web.Response(status=500),
        web.Response(status=302, headers={"location": f"{fake.url}/token"}),
        web.Response(body=b"\x00\xff"),
        web.Response(body=b"[" * 100_000),
        web.Response(body=b"{" + b" " * ANSWER_BYTES_MAX + b"}"),
        {} if path != "/keys" else {"keys": []},
        here if path.startswith("/.well") else {"keys": [{"kty": "oct", "k": "x"}], "id_token": 7},
        {"keys": "none", "id_token": None},
    )
    for answer in answers:
        fake.answers = {path: answer}
        with pytest.raises(ProviderRefused):
            await fake.claims()


async def test_passwords_are_kept_slowly_and_each_in_its_own_way(door: Door) -> None:
    kept = str(await door.sql("SELECT password_hash FROM people WHERE email = $1", PRIYA))
    again = await passwords.hashed("correct horse battery staple")

    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert kept != again
    assert "correct" not in kept
    assert await passwords.matches(kept, "correct horse battery staple")
    assert not await passwords.matches(kept, "Correct horse battery staple")
    assert not await passwords.matches("no hash", "correct horse battery staple")
