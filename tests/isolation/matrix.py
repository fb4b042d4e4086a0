"""The attack matrix: every operation of the API times every actor, made from the OpenAPI document.

``cells`` makes them, ``run`` sends them, ``expected`` is told with each cell. Nothing here knows a single operation.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx
from bodies import body_of
from cast import GONE, INSIDE, NOT_MADE, Actors
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey
from neighbours import Neighbours

from msp_kernel.ids import is_prefixed, new_id
from msp_kit import identity
from msp_kit.identity import HEADER, SAFE_METHODS, Caller, Signer
from msp_kit.testing import KEY
from portal_gateway.guard import ENROLLING, LEAVING
from portal_gateway.person import CLIENT_ROLES, STAFF_ROLES

UNKNOWN = str(new_id())
EXTRA = (
    "role",
    "is_admin",
    "status",
    "id",
    "number",
    "total_minor",
    "approved_by",
    "client_id",
    "revision",
    "created_at",
)
FILTERS = ("client_id", "contract_id", "ticket_id", "agent_id", "assignee_id", "text", "after", "queue")
NUMBERS = ("n", "version")
"""Parts of a path that count what an object has, and name nothing by themselves."""
REFUSED_BEFORE = (
    "POST /api/v1/invoices/{invoice_id}/checkout",  # nobody pays online here
    "POST /api/v1/tickets/{ticket}/attachments",  # its name is in the query
)
"""Writes that are refused for something else before it matters whose the object is; all others find nothing."""
AT_ONCE = 12


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    service: str
    access: dict[str, Any]
    is_enrolling: bool
    is_leaving: bool
    parameters: tuple[str, ...]
    queries: tuple[str, ...]
    body: frozenset[str] | None
    """The names a JSON body may have; ``None`` without one."""
    sample: bytes
    """A body that is accepted, as far as its description tells."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_public(self) -> bool:
        return bool(self.access.get("public"))

    @property
    def is_safe(self) -> bool:
        return self.method in SAFE_METHODS

    def allows(self, kind: str, role: str) -> bool:
        wanted = self.access.get(kind)
        return wanted is not None and (not wanted or role in wanted)

    def url(self, objects: dict[str, str], **instead: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: instead.get(found[1], objects[found[1]]), self.path)


@dataclass(frozen=True)
class Cell:
    """One attempt: who tries what, and which answers are right."""

    family: str
    actor: str
    operation: str
    method: str
    url: str
    expected: tuple[int, ...]
    headers: tuple[tuple[str, str], ...] = ()
    content: bytes = b""
    same_as: str = ""
    """Another address whose answer must be the same, byte for byte."""
    never: tuple[str, ...] = ()
    """Words that must not be in the answer."""
    must_say: str = ""


@dataclass
class Report:
    operations: int = 0
    cells: int = 0
    families: dict[str, int] = field(default_factory=dict)
    failures: list[dict[str, Any]] = field(default_factory=list)

    def tried(self, family: str, actor: str, operation: str, problem: str) -> None:
        """Count an attempt; ``problem`` says what was wrong with the answer, or nothing."""
        self.cells += 1
        self.families[family] = self.families.get(family, 0) + 1
        if problem:
            self.failures.append({"family": family, "actor": actor, "operation": operation, "problem": problem})

    def add(self, other: Report) -> None:
        """Count what another one counted."""
        self.operations = max(self.operations, other.operations)
        self.cells += other.cells
        for family, count in other.families.items():
            self.families[family] = self.families.get(family, 0) + count
        self.failures += other.failures


@dataclass
class Stage:
    n: Neighbours
    actors: Actors
    operations: list[Operation]
    document: dict[str, Any]
    report: Report = field(default_factory=Report)
    """What everybody here has tried."""
    caught: dict[str, str] = field(default_factory=dict)
    """The first attempt that got through, for each guard that was taken away."""


def operations_of(document: dict[str, Any]) -> list[Operation]:
    found = []
    for path, methods in sorted(document["paths"].items()):
        for method, operation in sorted(methods.items()):
            parameters = [one for one in operation.get("parameters", []) if one["in"] == "query"]
            found.append(
                Operation(
                    method=method.upper(),
                    path=path,
                    service=operation["x-msp-service"],
                    access=operation["x-msp-access"],
                    is_enrolling=operation.get(ENROLLING, False),
                    is_leaving=operation.get(LEAVING, False),
                    parameters=tuple(re.findall(r"\{(\w+)\}", path)),
                    queries=tuple(one["name"] for one in parameters),
                    body=_names(document, operation),
                    sample=json.dumps(body_of(document, path, method) or {}).encode(),
                )
            )
    return found


def _names(document: dict[str, Any], operation: dict[str, Any]) -> frozenset[str] | None:
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    if "$ref" not in schema:
        return None
    schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return frozenset(schema.get("properties", {})) if schema.get("additionalProperties") is False else None


def bearer(token: str, **more: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"), ("content-type", "application/json"), *more.items())


def cookie(token: str, **more: str) -> tuple[tuple[str, str], ...]:
    return (("cookie", f"sid={token}"), ("content-type", "application/json"), *more.items())


def cells(n: Neighbours, actors: Actors, operations: Iterable[Operation]) -> Iterator[Cell]:
    operations = tuple(operations)
    declared: dict[str, set[str]] = {}
    for one in operations:
        declared.setdefault(_shape(one), set()).add(one.method)
    for one in operations:
        yield from credentials(one, actors)
        yield from roles(one, actors)
        yield from browsers(one, actors)
        yield from methods(one, actors, declared)
        yield from programs(one, actors)
        yield from foreign(one, actors)
        yield from assignments(one, actors)
        if one.service != "portal-gateway":
            yield from direct(one, actors, n)


def cell(one: Operation, family: str, actor: str, actors: Actors, expected: Iterable[int], **more: Any) -> Cell:
    content = b"" if one.is_safe else b"{}"
    return Cell(
        **{
            "family": family,
            "actor": actor,
            "operation": one.name,
            "method": one.method,
            "url": one.url(actors.ours.objects),
            "expected": tuple(expected),
            "content": content,
            **more,
        }
    )


def credentials(one: Operation, actors: Actors) -> Iterator[Cell]:
    """Yield who cannot be believed: nobody, and tokens that are not or no longer good."""
    if one.is_public:
        return
    json_type = ("content-type", "application/json")
    forged = Signer(identity.new_key()).sign(
        _staff("admin"), audience=one.service, method=one.method, target=one.path, body=b"{}"
    )
    tricks = {
        "anonymous": (json_type,),
        "forged identity": (json_type, (HEADER, forged)),
        "trusted by name": (
            json_type,
            ("x-user", "admin"),
            ("x-forwarded-for", "127.0.0.1"),
            ("forwarded", "for=127.0.0.1"),
        ),
        "basic": (json_type, ("authorization", "Basic YWRhOmFkYQ==")),
        "empty bearer": (json_type, ("authorization", "Bearer")),
    }
    for name, token in actors.bad.items():
        tricks[name] = bearer(token)
        tricks[f"{name}, as cookie"] = cookie(token)
    for name, headers in tricks.items():
        yield cell(one, "credentials", name, actors, [401], headers=headers)
    if one.service != "portal-gateway":
        for name, url in {"slash": one.path.replace("/api/v1/", "/api/v1//", 1), "encoded": one.path + "%2f.."}.items():
            yield cell(one, "paths", name, actors, [401, 404, 405], url=url, headers=bearer(actors.staff["admin"]))


def roles(one: Operation, actors: Actors) -> Iterator[Cell]:
    """Yield every role: refused where it is not declared, answered where it is."""
    if one.is_public:
        return
    for kind, known in (("staff", STAFF_ROLES), ("client", CLIENT_ROLES)):
        tokens = actors.staff if kind == "staff" else actors.ours.tokens
        for role in known:
            if not one.allows(kind, role):
                spoofed = (("x-msp-role", "admin"), ("x-http-method-override", "GET"))
                headers = (*bearer(tokens[role]), *spoofed)
                yield cell(one, "roles", f"{kind} {role}", actors, [403], headers=headers)
            elif one.is_safe:
                hidden = (INSIDE, actors.theirs.canary) if kind == "client" else ()
                expected = [200] if not one.parameters else [200, 404]
                query = "?from=2026-01-01&to=2026-12-31" if {"from", "to"} <= set(one.queries) else ""
                if kind == "staff" and "client_id" in one.queries:
                    query = f"{query or '?'}&client_id={actors.ours.company.id}"
                url = one.url(actors.ours.objects) + query
                expected = [200, 404, 422] if one.queries else expected
                # What is there is answered: refusals alone would prove nothing.
                if not one.queries and not set(one.parameters) & {*NOT_MADE, *GONE}:
                    expected = [200]
                headers = bearer(tokens[role])
                yield cell(one, "answers", f"{kind} {role}", actors, expected, headers=headers, url=url, never=hidden)
    if not one.is_safe and not one.is_leaving:
        viewing = cell(one, "read only", "view as client", actors, [403], headers=bearer(actors.viewing))
        yield viewing


def browsers(one: Operation, actors: Actors) -> Iterator[Cell]:
    """Yield what another site could make a browser send, and who must first prove more."""
    if one.is_public:
        return
    token = actors.staff["admin"]
    if not one.is_safe:
        tricks = {
            "no CSRF token": {},
            "wrong CSRF token": {"x-csrf-token": "x" * 32},
            "another site": {"sec-fetch-site": "cross-site", "x-csrf-token": "x"},
            "a form": {"content-type": "application/x-www-form-urlencoded"},
        }
        for name, more in tricks.items():
            yield cell(one, "csrf", name, actors, [403], headers=cookie(token, **more))
    if not one.is_enrolling:
        headers = bearer(actors.enrolling)
        yield cell(
            one, "second factor", "nothing enrolled", actors, [403], headers=headers, must_say="second-factor-missing"
        )
    if one.access.get("step_up"):
        for kind, stale in actors.stale.items():
            if any(one.allows(kind, role) for role in ("admin", "manager", "billing")):
                headers = bearer(stale)
                yield cell(one, "step-up", f"stale {kind}", actors, [403], headers=headers, must_say="step-up-required")


def methods(one: Operation, actors: Actors, declared: dict[str, set[str]]) -> Iterator[Cell]:
    """Yield the methods a path does not have, said plainly and by headers that some servers believe."""
    # Once for each path.
    if one.is_public or one.method != min(declared[_shape(one)]):
        return
    token = actors.staff["admin"]
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - declared[_shape(one)]:
        headers = bearer(token, **{"x-http-method-override": one.method, "x-http-method": one.method})
        content = b"" if method == "GET" else b"{}"
        # A path may be read as another one with an id in it.
        yield cell(
            one, "methods", method, actors, [403, 404, 405, 422], headers=headers, method=method, content=content
        )


def _shape(one: Operation) -> str:
    return re.sub(r"\{\w+\}", "{}", one.path)


def programs(one: Operation, actors: Actors) -> Iterator[Cell]:
    """Yield API keys: ended ones, ones for something else, and one as a cookie."""
    if one.is_public:
        return
    for name in ("revoked", "expired"):
        yield cell(one, "keys", name, actors, [401], headers=bearer(actors.keys[name]))
    other = "writing" if one.is_safe else "reading"
    headers = bearer(actors.keys[other])
    yield cell(one, "keys", "out of scope", actors, [403], headers=headers, must_say="out-of-scope")
    yield cell(one, "keys", "as cookie", actors, [401], headers=cookie(actors.keys[other]))
    if one.access.get("client") is not None and one.parameters:
        good = "reading" if one.is_safe else "writing"
        yield cell(one, "keys", "of another client", actors, [403, 404, 409, 422], headers=bearer(actors.keys[good]))


def foreign(one: Operation, actors: Actors) -> Iterator[Cell]:
    """Yield another client's ids, in the path and in every filter."""
    if one.access.get("client") is None or one.is_public:
        return
    never = (actors.ours.canary, INSIDE)
    headers = bearer(actors.theirs.tokens["all"])
    for name in one.parameters:
        if name in NUMBERS:
            continue
        # The other ids of the path are the caller's own.
        base = actors.theirs.objects
        url = one.url(base, **{name: actors.ours.objects[name]})
        twin = one.url(base, **{name: nobodys(actors.ours.objects[name])})
        reaches = not one.queries if one.is_safe else one.name not in REFUSED_BEFORE
        expected = [404] if reaches else [404, 409, 422]
        content = b"" if one.is_safe else one.sample
        yield cell(
            one,
            "foreign ids",
            name,
            actors,
            expected,
            headers=headers,
            url=url,
            same_as=twin,
            never=never,
            content=content,
        )
    if one.is_safe:
        own = one.url(actors.theirs.objects)
        for name in one.queries:
            value = actors.ours.objects.get(name, actors.ours.canary if name in FILTERS else None)
            if value is None:
                continue
            for query in (f"{name}={value}", f"{name}={actors.theirs.objects.get(name, '')}&{name}={value}"):
                url = f"{own}?{query}"
                expected = [200, 404, 422]
                # Problems say which query was wrong: only answers may not speak of the other client.
                yield cell(
                    one,
                    "foreign filters",
                    query.partition("=")[0],
                    actors,
                    expected,
                    headers=headers,
                    url=url,
                    never=never,
                )


def nobodys(like: str) -> str:
    """Return an id of the same form that nothing has."""
    return f"{like[:4]}{UNKNOWN.replace('-', '')}" if is_prefixed(like) else UNKNOWN


def assignments(one: Operation, actors: Actors) -> Iterator[Cell]:
    """Yield fields nobody may set, and bodies that name another client."""
    if one.body is None or one.is_public:
        return
    token = next(
        (actors.staff[role] for role in ("admin", "manager", "finance", "agent") if one.allows("staff", role)),
        actors.theirs.tokens["all"],
    )
    for name in EXTRA:
        if name not in one.body:
            content = json.dumps({name: "x"}).encode()
            headers = bearer(token)
            yield cell(
                one,
                "mass assignment",
                name,
                actors,
                [404, 409, 422],
                headers=headers,
                content=content,
                must_say=f"/body/{name}",
            )
    if one.access.get("client") is None:
        return
    for name in sorted(one.body & actors.ours.objects.keys() - set(NOT_MADE)):
        # Everything else of the request is the caller's own.
        body = {**json.loads(one.sample), name: actors.ours.objects[name]}
        yield cell(
            one,
            "foreign ids",
            f"{name} in the body",
            actors,
            [403, 404, 409, 422],
            headers=bearer(actors.theirs.tokens["all"]),
            url=one.url(actors.theirs.objects),
            content=json.dumps(body).encode(),
            never=(actors.ours.canary,),
        )


def direct(one: Operation, actors: Actors, n: Neighbours) -> Iterator[Cell]:
    """Yield the way past the gateway: tokens a service must not believe."""
    target = one.url(actors.ours.objects).removeprefix("/api/v1")
    url = n.services[one.service].url + target
    body = b"" if one.is_safe else b"{}"
    for name, token in forgeries(one, target, body).items():
        headers = (("content-type", "application/json"), *(((HEADER, token),) if token else ()))
        yield cell(one, "direct", name, actors, [401], headers=headers, url=url, content=body)
    wrong = next((role for role in STAFF_ROLES if not one.allows("staff", role)), None)
    if wrong is not None:
        token = Signer(KEY).sign(_staff(wrong), audience=one.service, method=one.method, target=target, body=body)
        headers = (("content-type", "application/json"), (HEADER, token))
        yield cell(one, "direct", "wrong role", actors, [403], headers=headers, url=url, content=body)


def forgeries(one: Operation, target: str, body: bytes) -> dict[str, str]:
    """Return tokens that are wrong in one way each."""
    good: dict[str, Any] = {"audience": one.service, "method": one.method, "target": target, "body": body}
    who, signer = _staff("admin"), Signer(KEY)
    token = signer.sign(who, **good)
    head, claims, signature = token.split(".")
    public = OKPKey.import_key(KEY).as_dict(private=False)
    secret = OctKey.import_key(base64.urlsafe_b64decode(str(public["x"]) + "=="))
    values = json.loads(_decoded(claims))
    header = json.loads(_decoded(head))
    other = identity.new_key()
    return {
        "no token": "",
        "no signature": f"{_encoded({**header, 'alg': 'none'})}.{claims}.",
        "public key as secret": jwt.encode({**header, "alg": "HS256"}, values, secret, algorithms=["HS256"]),
        "unknown key": Signer(other).sign(who, **good),
        "own key in the header": jwt.encode(
            {**header, "jwk": OKPKey.import_key(other).as_dict(private=False)},
            values,
            OKPKey.import_key(other),
            algorithms=["Ed25519"],
        ),
        "another signature": f"{head}.{claims}.{signature[:-4]}AAAA",
        "changed claims": f"{head}.{_encoded({**values, 'roles': ['admin', 'owner']})}.{signature}",
        "another service": signer.sign(who, **{**good, "audience": "tickets" if one.service != "tickets" else "sla"}),
        "another method": signer.sign(who, **{**good, "method": "GET" if one.method != "GET" else "POST"}),
        "another path": signer.sign(who, **{**good, "target": "/tickets/other"}),
        "another query": signer.sign(who, **{**good, "target": f"{target}?client_id={UNKNOWN}"}),
        "another body": signer.sign(who, **{**good, "body": b'{"x":1}'}),
        "expired": _signed({**values, "iat": int(time.time()) - 3600, "exp": int(time.time()) - 3000}, header),
        "not yet": _signed({**values, "iat": int(time.time()) + 3000, "exp": int(time.time()) + 3600}, header),
        "another issuer": _signed({**values, "iss": "somebody"}, header),
        "another type": _signed(values, {**header, "typ": "JWT"}),
        "client without one": _signed({**values, "kind": "client"}, header),
        "too long": token + "A" * 5000,
    }


def _signed(claims: dict[str, Any], header: dict[str, Any]) -> str:
    return jwt.encode(header, claims, OKPKey.import_key(KEY), algorithms=["Ed25519"])


def _encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _staff(*roles: str) -> Caller:
    return Caller(id=new_id(), kind="staff", roles=frozenset(roles), client_id=None, name="x", is_fresh=True)


async def run(n: Neighbours, wanted: Iterable[Cell]) -> Report:
    """Send every cell, and return what was not as it should be."""
    report, left = Report(), iter(wanted)
    operations: set[str] = set()
    limits = httpx.Limits(max_connections=AT_ONCE * 2, max_keepalive_connections=AT_ONCE * 2)
    async with httpx.AsyncClient(base_url=n.url, limits=limits, timeout=30) as client:

        async def work() -> None:
            # Made when it is its turn: tokens that are good would not be any more.
            for one in left:
                operations.add(one.operation)
                report.tried(one.family, one.actor, one.operation, await _attempt(client, one))

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    report.operations = len(operations)
    report.failures.sort(key=lambda found: json.dumps(found, sort_keys=True))
    return report


async def _attempt(client: httpx.AsyncClient, one: Cell) -> str:
    answer = await _send(client, one, one.url)
    if answer.status_code not in one.expected:
        return f"answered {answer.status_code}: {answer.text[:200]}"
    if answer.status_code >= 400 and not answer.headers["content-type"].startswith("application/problem+json"):
        return f"a refusal without a problem document: {answer.headers['content-type']}"
    if one.must_say and one.must_say not in answer.text and answer.status_code not in (404, 409):
        return f"does not say {one.must_say}: {answer.text[:200]}"
    # A refusal may repeat what was asked for, an answer may not speak of the other client.
    said = answer.text if answer.status_code < 400 else ""
    if found := [word for word in one.never if word in said]:
        return f"tells of {', '.join(found)}"
    if one.same_as:
        twin = await _send(client, one, one.same_as)
        if _without_names(answer, one.url) != _without_names(twin, one.same_as):
            return f"differs from a missing one: {answer.text[:150]} / {twin.text[:150]}"
    return ""


async def _send(client: httpx.AsyncClient, one: Cell, url: str) -> httpx.Response:
    # An address that begins with two slashes names another host to the client: it is sent as it stands.
    return await client.request(one.method, url, headers=list(one.headers), content=one.content)


def _without_names(answer: httpx.Response, url: str) -> tuple[int, str, list[str]]:
    """Return an answer without what names the request itself."""
    text = re.sub(r'"(request_id|instance)":"[^"]*"', "", answer.text)
    path = url.partition("?")[0]
    for part in path.split("/"):
        if len(part) == 36 or is_prefixed(part):
            text = text.replace(part, "ID")
    headers = sorted(
        f"{name}: {value}"
        for name, value in answer.headers.items()
        if not name.startswith(("x-request-id", "date", "ratelimit", "content-length"))
    )
    return answer.status_code, text, headers
