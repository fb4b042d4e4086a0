"""Links that need no account: an invoice for whoever was sent it, the end of mail, a password to be chosen."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2 as httpx
from canaries import told_of
from cast import bare, sign_in
from matrix import Report, Stage, bearer
from reading import text_of

from msp_kit.database import SYSTEM
from msp_local.api import Api
from portal_gateway.actions import mailing
from portal_gateway.house import House
from portal_gateway.store import people


@dataclass
class Links:
    """The tokens of links to the invoices of two clients: good ones, and ones that have ended."""

    ours: str
    theirs: str
    revoked: str
    expired: str


async def links(stage: Stage) -> Links:
    """Make links to invoices, and end some of them."""
    tokens, ids = {}, {}
    async with Api(stage.n.url) as finance:
        finance.token = await sign_in(stage.n.url, "finance@meridian.example")
        for name in ("ours", "theirs", "revoked", "expired"):
            side = stage.actors.theirs if name == "theirs" else stage.actors.ours
            made = await finance.post(f"/invoices/{side.objects['invoice_id']}/links", {"days": 30})
            ids[name], tokens[name] = made["id"], made["token"]
        await finance.post(f"/invoice-links/{ids['revoked']}/revoke", {})
    async with stage.n.services["billing"].database.transaction(SYSTEM) as tx:
        await tx.driver.execute(
            "UPDATE invoice_links SET expires_at = clock_timestamp() WHERE id = $1", bare(ids["expired"])
        )
    return Links(**tokens)


async def hosted(stage: Stage, made: Links) -> Report:
    """Open invoices with tokens that are not good, and with that of another client."""
    report = Report()
    wrong = {
        "ended by somebody": made.revoked,
        "ended by itself": made.expired,
        "of other letters": made.ours.swapcase(),
        "one letter short": made.ours[:-1],
        "one letter long": f"{made.ours}A",
        "another letter": made.ours[:-1] + ("A" if made.ours[-1] != "A" else "B"),
        "what is kept of it": hashlib.sha256(made.ours.encode()).hexdigest(),
        "the invoice": stage.actors.ours.objects["invoice_id"],
        "its number": stage.actors.ours.refs["invoices"],
        "anything": "%25",
    }
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        unknown = await client.get(f"/i/{'x' * 43}")
        for place in ("", "/invoice.pdf", "/logo"):
            for name, token in wrong.items():
                answer = await client.get(f"/i/{token}{place}")
                same = answer.status_code == unknown.status_code == 404
                report.tried("hosted invoices", name, f"/i/…{place}", "" if same else f"answered {answer.status_code}")
            answer = await client.get(f"/i/{made.theirs}{place}")
            problem = told_of(text_of(answer), stage.actors.ours)
            report.tried("hosted invoices", "with the link of another client", f"/i/…{place}", problem)
        own = await client.get(f"/i/{made.theirs}")
        is_shown = stage.actors.theirs.refs["invoices"] in own.text
        report.tried("hosted invoices", "their own", "/i/…", "" if is_shown else "is not shown")
    return report


async def mail_links(stage: Stage) -> Report:
    """Follow links of mails that were not sent: to stop somebody's mail, and to choose somebody's password."""
    report, house = Report(), stage.n.app.state.house
    person_id = bare(stage.actors.ours.objects["person_id"])
    before = await _settings(stage)
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        for name, token in _unsubscribing(house, person_id).items():
            answer = await client.post(f"/unsubscribe/{token}")
            is_refused = answer.status_code == 404 and await _settings(stage) == before
            report.tried("mail links", name, "/unsubscribe/…", "" if is_refused else f"answered {answer.status_code}")
        for name, token in (await _tickets(stage, client)).items():
            answer = await client.post(
                "/api/v1/passwords", json={"token": token, "password": secrets.token_urlsafe(16)}
            )
            is_refused = 400 <= answer.status_code < 500
            report.tried("mail links", name, "POST /passwords", "" if is_refused else f"answered {answer.status_code}")
    return report


def _unsubscribing(house: House, person_id: str) -> dict[str, str]:
    good = mailing.unsubscribe_token(house, UUID(person_id))
    return {
        "an id for a token": _text(UUID(person_id).bytes),
        "an id that looks like one": person_id,
        "a token for something else": _text(house.sealer.seal(UUID(person_id).bytes, purpose="something else")),
        "a token of another house": _text(
            type(house.sealer)("another key").seal(UUID(person_id).bytes, purpose="unsubscribe")
        ),
        "a token with another end": good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"),
        "half a token": good[: len(good) // 2],
    }


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


async def _settings(stage: Stage) -> Any:
    headers = dict(bearer(stage.actors.ours.tokens["all"]))
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        return (await client.get("/api/v1/notifications/settings", headers=headers)).json()


async def _tickets(stage: Stage, client: httpx.AsyncClient) -> dict[str, str]:
    """Return links to choose a password that are good no more, or never were."""
    gateway = stage.n.services["portal-gateway"].database
    used, expired = "used-" + "u" * 30, "expired-" + "e" * 30
    async with gateway.transaction(SYSTEM) as tx:
        somebody = await people.by_email(tx, "ended@meridian.example")
        assert somebody is not None
        await people.add_ticket(
            tx, token=used, person_id=somebody.id, purpose="reset", expires_at=tx.now.replace(year=2100)
        )
    answer = await client.post("/api/v1/passwords", json={"token": used, "password": secrets.token_urlsafe(16)})
    assert answer.status_code == 204, answer.text
    async with gateway.transaction(SYSTEM) as tx:
        await people.add_ticket(tx, token=expired, person_id=somebody.id, purpose="reset", expires_at=tx.now)
    return {
        "a used link": used,
        "a link that has ended": expired,
        "what is kept of a link": hashlib.sha256(expired.encode()).hexdigest(),
        "a link nobody was sent": "n" * 43,
    }
