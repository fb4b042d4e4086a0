"""Canaries: whether anything of a client reaches another one where the matrix does not look.

Each function here tries one way out of the house for everybody it must not lead to, and counts what it tried.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from email.message import EmailMessage
from typing import Any

import httpx2 as httpx
from cast import INSIDE, Side, bare
from ears import STREAMS, Ear, listening, say
from matrix import Report, Stage, bearer
from reading import text_of, told, walk

from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.testing import eventually

END = "queue-the-end"


def cookie(token: str) -> dict[str, str]:
    """Return what a browser sends."""
    return {"cookie": f"sid={token}"}


def others(stage: Stage, side: Side) -> dict[str, str]:
    """Return the tokens of everybody a client's things are hidden from: people and programs of others, and who looks as they do."""
    actors = stage.actors
    found = {f"another client's {role}": token for role, token in actors.theirs.tokens.items()}
    found |= {f"key of another client for {name}": actors.keys[name] for name in ("reading", "writing")}
    if side is not actors.ours:
        found["staff viewing as another client"] = actors.viewing
    return found


def people(tokens: dict[str, str]) -> dict[str, str]:
    """Return the tokens a browser can have."""
    return {name: token for name, token in tokens.items() if not name.startswith("key of")}


async def live(stage: Stage) -> Report:
    """Say one event of every stream of a client, and look at who hears it."""
    report, hub = Report(), stage.n.app.state.hub
    side = stage.actors.ours
    await eventually(lambda: _listens(hub))
    for kind, names in STREAMS.items():
        data = {name: bare(side.objects.get(name, "desk")) for name in names}
        topics = tuple(f"{topic}-{data[name]}" for name in names for topic in (name.removesuffix("_id"), "inbox"))
        wrong = {Ear(who, (*_COMMON, *topics, END)): _head(token) for who, token in others(stage, side).items()}
        right = Ear("staff", (*_COMMON, *topics, END))
        async with listening(stage.n.url, {**wrong, right: _head(stage.actors.staff["admin"])}):
            is_inbox = "person_id" in names
            said = await say(stage.n.amqp_url, kind, None if is_inbox else side.client_id, **data)
            await _the_end(stage, [*wrong, right])
        for ear in wrong:
            own = ear.heard == [END, "tickets", "ops"] and not told(ear.raw.decode(), side.words)
            report.tried("live", ear.name, kind, "" if own else f"heard {ear.heard}")
        hears = [one for one in right.heard if one in said]
        # An inbox is its owner's alone, whoever else may see everything.
        problem = "" if bool(hears) != is_inbox else f"heard {right.heard}"
        report.tried("live", "staff", kind, problem)
    for kind in ("sla.clock.v1.EscalationRequested", "billing.invoice.v1.InvoiceDrafted"):
        quiet = Ear("their own", (*_COMMON, END))
        async with listening(stage.n.url, {quiet: _head(side.tokens["all"])}):
            await say(stage.n.amqp_url, kind, side.client_id, ticket_id=str(new_id()))
            await _the_end(stage, [quiet])
        is_quiet = quiet.heard == [END, "tickets", "ops"]
        report.tried("live", quiet.name, f"{kind}, which is for staff", "" if is_quiet else f"heard {quiet.heard}")
    return report


_COMMON = ("tickets", "ops", "queue-desk", "buckets", "approvals", "invoices")


async def _listens(hub: Any) -> bool:
    return bool(hub.is_listening)


def _head(token: str) -> dict[str, str]:
    return dict(bearer(token))


async def _the_end(stage: Stage, ears: Iterable[Ear]) -> None:
    """Say something that everybody hears: what was said before has then been heard, or never is."""
    waiting = list(ears)
    for client_id in (stage.actors.ours.client_id, stage.actors.theirs.client_id):
        await say(
            stage.n.amqp_url, "tickets.ticket.v1.TicketUpdated", client_id, queue="the-end", ticket_id=str(new_id())
        )

    async def all_heard() -> bool:
        return all(END in ear.heard and ear.heard[-1] == "ops" for ear in waiting)

    await eventually(all_heard)


async def events(stage: Stage, side: Side) -> Report:
    """Read the list of events from its beginning, as everybody else."""
    report = Report()
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        for who, token in others(stage, side).items():
            text, after = "", ""
            while True:
                answer = await client.get(f"/api/v1/events?limit=200{after}", headers=_head(token))
                text += answer.text
                page = answer.json()
                if not page.get("items"):
                    break
                after = f"&after={page['next']}"
            report.tried("events", who, "GET /api/v1/events", told_of(text, side))
        answer = await client.get("/api/v1/events?limit=200", headers=_head(side.tokens["all"]))
        is_there = (
            side.refs["tickets"] in answer.text or bare(side.objects["ticket_id"]).replace("-", "") in answer.text
        )
        report.tried("events", "their own", "GET /api/v1/events", "" if is_there else "they do not see their own")
    return report


def told_of(text: str, side: Side, *, said: str = "") -> str:
    """Return what a text tells of a client, or nothing; what was asked for may be repeated."""
    words = set(told(text, (*side.words, INSIDE))) - set(told(said, side.words))
    return f"tells of {', '.join(sorted(words))}" if words else ""


async def files(stage: Stage, side: Side) -> Report:
    """Take every file and list there is as somebody else: documents, attachments, tables, what is meant for printing."""
    report = Report()
    ours, reads = side.objects, [one for one in stage.operations if one.is_safe and not one.is_public and _is_file(one)]
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        for who, token in others(stage, side).items():
            for one in reads:
                query = "&".join(f"{name}={_sample(name, ours)}" for name in one.queries if name in _ASKED)
                answer = await client.get(f"{one.url(ours)}?{query}", headers=_head(token))
                text = text_of(answer) if answer.status_code < 400 else ""
                report.tried("files", who, one.name, told_of(text, side))
        for one in reads:
            query = "&".join(f"{name}={_sample(name, ours)}" for name in one.queries if name in _ASKED)
            answer = await client.get(f"{one.url(ours)}?{query}", headers=_head(side.tokens["all"]))
            if one.access.get("client") is not None and one.parameters and answer.status_code != 200:
                report.tried("files", "their own", one.name, f"{answer.status_code}: the attempt proves nothing")
    return report


_ASKED = ("from", "to", "client_id", "contract_id", "format")
_FILE = (".csv", ".pdf", ".xml", "/pdf", "/logo", "/attachments/", "/statement", "/documents", "/archive")


def _is_file(one: Any) -> bool:
    return any(part in one.path for part in _FILE)


def _sample(name: str, objects: dict[str, str]) -> str:
    return {"from": "2026-01-01", "to": "2026-12-31", "format": "csv"}.get(name) or objects[name]


async def search(stage: Stage, side: Side) -> Report:
    """Look for everything of a client by its words: it is answered as what nobody ever wrote."""
    report = Report()
    places = ("/api/v1/tickets/search?text=", "/api/v1/tickets?text=", "/portal/search?text=", "/portal/tickets?text=")
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        for who, token in others(stage, side).items():
            for place in places:
                is_page = place.startswith("/portal")
                if is_page and who not in people(others(stage, side)):
                    continue
                headers = cookie(token) if is_page else _head(token)
                for word in (side.canary, side.refs["tickets"], bare(side.objects["ticket_id"])):
                    # Of the same length and shape, and nobody's.
                    unknown = word[:2] + "".join(_OTHER.get(unicodedata.category(one), one) for one in word[2:])
                    found = await client.get(f"{place}{word}", headers=headers)
                    nothing = await client.get(f"{place}{unknown}", headers=headers)
                    left = [one.text.replace(asked, "ASKED") for one, asked in ((found, word), (nothing, unknown))]
                    same = found.status_code == nothing.status_code and _plain(left[0]) == _plain(left[1])
                    report.tried("search", who, place, "" if same else f"{word}: {difference(*map(_plain, left))}")
        answer = await client.get(f"{places[0]}{side.canary}", headers=_head(side.tokens["all"]))
        report.tried("search", "their own", places[0], "" if side.refs["tickets"] in answer.text else "finds nothing")
    return report


_OTHER = {"Nd": "7", "Ll": "q", "Lu": "Q"}


def difference(one: str, other: str) -> str:
    """Return where two texts begin to differ."""
    where = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    return f"…{one[max(0, where - 60) : where + 80]}… / …{other[max(0, where - 60) : where + 80]}…"


def _plain(text: str) -> str:
    return re.sub(r'"(request_id|instance)":"[^"]*"|\d\d:\d\d(:\d\d[.\d]*)?|[0-9a-f]{8}-[0-9a-f-]{27}', "", text)


async def pages(stage: Stage, side: Side) -> Report:
    """Walk through the portal as its people do; then open every address they saw as somebody else, and walk as somebody else."""
    report = Report()
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        own = {}
        async for address, answer in walk(client, "/portal", cookie(side.tokens["all"])):
            own[address] = answer
        names = {address for address in own if told(address.partition("?")[0], side.words)}
        seen = "".join(text_of(answer) for answer in own.values())
        missing = [word for word in (side.canary, *side.refs.values()) if word not in seen]
        report.tried("pages", "their own", "walk", f"never sees {missing}" if missing else "")
        for who, token in people(others(stage, side)).items():
            for address in sorted(own):
                answer = await client.get(address, headers=cookie(token))
                problem = told_of(text_of(answer) if answer.status_code < 400 else "", side, said=address)
                if address in names and answer.status_code not in (403, 404):
                    problem = problem or f"is there: {answer.status_code}"
                report.tried("pages", who, address.partition("?")[0], problem)
            async for address, answer in walk(client, "/portal", cookie(token)):
                text = text_of(answer) if answer.status_code < 400 else ""
                problem = told_of(text, side) or ("fails" if answer.status_code >= 500 else "")
                report.tried("pages", who, f"walk: {address.partition('?')[0]}", problem)
    return report


async def mails(stage: Stage, sides: Iterable[Side]) -> Report:
    """Read every mail that left, and look at whom it went to."""
    report, everybody = Report(), list(sides)
    whose = await _addresses(stage)
    for mail in stage.n.postbox.taken:
        recipient = str(mail["to"])
        client_id = next((of for address, of in whose.items() if address in recipient), "")
        for side in everybody:
            if side.client_id != client_id and client_id:
                words = [word for word in side.words if word != side.company.email]
                found = told(f"{mail}\n{said(mail)}", words)
                report.tried("mail", recipient, str(mail["subject"])[:30], f"tells of {found}" if found else "")
    return report


def said(mail: EmailMessage) -> str:
    """Return the text of a mail."""
    return "".join(str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text")


async def _addresses(stage: Stage) -> dict[str, str]:
    """Return the clients of people by their addresses; nothing for staff."""
    async with stage.n.services["portal-gateway"].database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT email, coalesce(of_client_id::text, '') AS client FROM people")
    return {row["email"]: row["client"] for row in rows}


async def bus(stage: Stage, sides: Iterable[Side]) -> Report:
    """Read everything the services ever said: what is of one client names no other."""
    report, everybody = Report(), list(sides)
    for service in stage.n.services.values():
        async with service.database.transaction(SYSTEM) as tx:
            rows = await tx.fetch(
                "SELECT routing_key, envelope::jsonb->>'mspclient' AS client, envelope FROM bus.event_log"
            )
        for row in rows:
            for side in everybody:
                if row["client"] not in (None, side.client_id):
                    found = told(row["envelope"], (*side.words, INSIDE))
                    report.tried("bus", row["client"], row["routing_key"], f"tells of {found}" if found else "")
    return report


async def digests(stage: Stage) -> None:
    """Let every digest be due now whatever the hour, and wait until all mail has left."""
    gateway = stage.n.services["portal-gateway"].database
    async with gateway.transaction(SYSTEM) as tx:
        # At night mail would wait for the morning.
        await tx.driver.execute(
            "INSERT INTO notification_settings (person_id, zone, digest, channels) SELECT id, 'Europe/London', 'daily', '{}' FROM people"
            " ON CONFLICT (person_id) DO UPDATE SET quiet_from = NULL, quiet_until = NULL"
        )

    async def left() -> list[str]:
        async with gateway.transaction(SYSTEM) as tx:
            await tx.driver.execute("UPDATE notifications SET mail_due_at = $1 WHERE mail_due_at > $1", tx.now)
            rows = await tx.fetch(
                "SELECT 'to be written: ' || kind || ' for ' || person_id AS what FROM notifications"
                " WHERE mail_due_at IS NOT NULL"
                " UNION ALL SELECT concat_ws(', ', m.recipient, m.subject, m.attempts, m.claim, m.due_at, m.last_error)"
                " FROM mails m LEFT JOIN people p ON p.id = m.person_id WHERE m.outcome = ''"
                # Mail to who was shut out or moved in the meantime never leaves.
                " AND (p.id IS NULL OR p.is_active AND p.of_client_id IS NOT DISTINCT FROM m.of_client_id)"
            )
        return [row["what"] for row in rows]

    async def all_left() -> bool:
        return not await left()

    try:
        await eventually(all_left, within_seconds=120)
    except AssertionError as error:
        raise AssertionError(await left()) from error
