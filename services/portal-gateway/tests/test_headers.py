"""What every answer says to browsers, and that no page needs anything inline."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from door import PASSWORD, PAUL, PRIYA, Door, a_door

import portal_gateway
from portal_gateway.armour import YEAR_SECONDS

ANSWERS = {
    "the sign-in page": ("GET", "/login", 200),
    "a page of the portal": ("GET", "/settings/security", 200),
    "a page that leads to the sign-in": ("GET", "/portal/tickets", 303),
    "a page that is not there": ("GET", "/nowhere", 404),
    "a page that is not for them": ("GET", "/desk/my", 403),
    "a style sheet": ("GET", "/static/app.css", 200),
    "a file that is not there": ("GET", "/static/nothing.js", 404),
    "an answer": ("GET", "/api/v1/me", 200),
    "an answer of a service": ("GET", "/api/v1/tickets", 200),
    "a service that is away": ("GET", "/api/v1/clocks", 503),
    "nothing": ("GET", "/api/v1/nothing", 404),
    "another method": ("DELETE", "/api/v1/me", 405),
    "nobody": ("GET", "/api/v1/people", 401),
    "open pages of nobody": ("GET", "/ui/events", 401),
    "the description": ("GET", "/api/v1/openapi.json", 200),
    "too much": ("POST", "/api/v1/sessions", 413),
    "no JSON": ("POST", "/api/v1/sessions", 422),
}
ANONYMOUS = ("a page that leads to the sign-in", "nobody", "open pages of nobody", "the sign-in page")


@pytest.fixture(scope="module")
async def door() -> AsyncIterator[Door]:
    async with a_door(public_url="https://door.example") as made:
        yield made


@pytest.mark.parametrize("name", ANSWERS)
async def test_every_answer_is_armoured(door: Door, name: str) -> None:
    method, path, status = ANSWERS[name]
    headers = {} if name in ANONYMOUS else await door.bearer(PRIYA)
    content = {"too much": b"x" * 2_000_000, "no JSON": b"{"}.get(name)
    if content:
        headers["content-type"] = "application/json"

    answer = await door.client.request(method, path, headers=headers, content=content)

    policy = answer.headers["content-security-policy"]
    assert answer.status_code == status
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["strict-transport-security"] == f"max-age={YEAR_SECONDS}; includeSubDomains"
    assert "server" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers


async def test_what_somebody_reads_is_kept_by_no_cache(door: Door) -> None:
    headers = await door.bearer(PAUL)
    for path in ("/settings/security", "/settings/audit", "/api/v1/me", "/api/v1/people", "/api/v1/tickets"):
        answer = await door.client.get(path, headers=headers)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), path


async def test_the_cookie_is_bound_to_the_host_and_to_encryption(door: Door) -> None:
    form = {"email": PRIYA, "password": PASSWORD}
    answer = await door.client.post("/login", data=form, headers={"x-forwarded-proto": "https"})
    by_itself = (await door.client.post("https://door.example/login", data=form)).headers["set-cookie"]

    assert answer.status_code == 303
    assert by_itself.startswith("__Host-sid=")
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= set(by_itself.lower().split("; "))
    assert "domain" not in by_itself.lower()


async def test_without_encryption_nobody_is_told_to_use_it() -> None:
    async with a_door(public_url="http://door.example") as plain:
        assert "strict-transport-security" not in (await plain.client.get("/login")).headers


def test_no_template_has_anything_inline() -> None:
    templates = Path(portal_gateway.__file__).parent / "templates"
    inline = re.compile(r"""\s(style|on[a-z]+)\s*=\s*["']|<style|<script(?![^>]*\bsrc=)|javascript:""", re.IGNORECASE)
    found = {
        f"{path.name}:{number}": line.strip()[:80]
        for path in templates.rglob("*.html")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if inline.search(line)
    }

    assert found == {}
