"""Hostile input at the real door: refused with the place or kept exactly, never a failure of ours, and nothing lost."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import hostile
import httpx2 as httpx
import pytest
from cast import NOT_MADE, Side, a_side, bare
from life import is_about
from matrix import Operation, Stage, bearer
from reading import text_of
from tables import written

from tickets.domain.text import one_line

CALM = ("people", "sessions", "api-keys")
"""What could end the sessions these tests ask with."""


@dataclass(frozen=True)
class Asker:
    """Sends requests as members of the staff, or as somebody of the client everything here is done to."""

    client: httpx.AsyncClient
    stage: Stage
    side: Side

    def token(self, one: Operation) -> str:
        for role in ("manager", "admin", "finance", "agent"):
            if one.allows("staff", role):
                return self.stage.actors.staff[role]
        return self.side.tokens["all"]

    async def send(self, token: str, method: str, url: str, content: bytes = b"") -> httpx.Response:
        return await self.client.request(method, url, headers=list(bearer(token)), content=content)

    def wrong(self, answer: httpx.Response) -> str:
        """Return what is wrong with an answer, whatever was asked."""
        if answer.status_code >= 500:
            return f"{answer.status_code}: {answer.text[:200]}"
        kind = answer.headers.get("content-type", "")
        if answer.status_code >= 400 and not kind.startswith("application/problem+json"):
            return f"{answer.status_code} without a problem document: {kind}"
        return ""


@pytest.fixture(scope="module")
async def asker(stage: Stage) -> AsyncIterator[Asker]:
    async with stage.n.hearing():
        side = await a_side(stage.n, stage.actors.cast, "CANARY-HOSTILE")
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        yield Asker(client, stage, side)


@dataclass(frozen=True)
class Field:
    """A text somebody can write: how, and where it is read again."""

    who: str
    method: str
    path: str
    body: Callable[[str], dict[str, Any]]
    read: str
    """The list it is found in; empty when what was written has an address of its own."""


FIELDS = {
    "title of a ticket": Field(
        "client",
        "POST",
        "/tickets",
        lambda text: {"title": text, "description": "", "job_type": "network", "priority": "low", "level": "L1"},
        "/tickets/{id}",
    ),
    "description of a ticket": Field(
        "client",
        "POST",
        "/tickets",
        lambda text: {"title": "x", "description": text, "job_type": "network", "priority": "low", "level": "L1"},
        "/tickets/{id}",
    ),
    "body of a message": Field(
        "client", "POST", "/tickets/{ticket}/messages", lambda text: {"body": text}, "/tickets/{ticket}"
    ),
    "note of a time entry": Field(
        "agent",
        "POST",
        "/time-entries",
        lambda text: {"ticket_id": "{ticket_id}", "worked_minutes": 1, "note": text},
        "/time-entries?ticket_id={ticket_id}&limit=200",
    ),
    "name of a project": Field(
        "manager",
        "POST",
        "/projects",
        lambda text: {"client_id": "{client_id}", "contract_id": "{contract_id}", "name": text},
        "/projects/{id}",
    ),
    "text of a charge": Field(
        "manager",
        "POST",
        "/billing-profiles/{client_id}/charges",
        lambda text: {
            "contract_id": "{contract_id}",
            "kind": "item",
            "text": text,
            "amount_minor": 1,
            "frequency": "once",
            "starts_on": "2026-01-01",
        },
        "/billing-profiles/{client_id}/charges",
    ),
    "reference of a payment": Field(
        "finance",
        "POST",
        "/payments",
        lambda text: {
            "client_id": "{client_id}",
            "amount_minor": 1,
            "currency": "GBP",
            "received_on": "2026-01-01",
            "method": "transfer",
            "reference": text,
        },
        "/payments?client_id={client_id}&limit=200",
    ),
    "name of a key": Field(
        "client",
        "POST",
        "/api-keys",
        lambda text: {"name": text, "roles": ["requester"], "scopes": ["tickets:read"]},
        "/api-keys",
    ),
}


LINES = ("title", "name of a project")


def texts_in(found: Any) -> Iterator[str]:
    """Yield every text of a document."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, list | dict):
        for one in found.values() if isinstance(found, dict) else found:
            yield from texts_in(one)


@pytest.mark.parametrize("name", FIELDS)
async def test_a_text_is_kept_exactly_or_refused_with_its_place(asker: Asker, name: str) -> None:
    field, wrong, kept = FIELDS[name], {}, 0
    objects = asker.side.objects
    token = asker.side.tokens["all"] if field.who == "client" else asker.stage.actors.staff[field.who]
    for why, text in hostile.TEXTS.items():
        body = json.loads(_filled(json.dumps(field.body("{text}")), objects).replace('"{text}"', json.dumps(text)))
        path = _filled(field.path, objects).replace("{text}", quote(text, safe=""))
        answer = await asker.send(token, field.method, f"/api/v1{path}", json.dumps(body).encode())
        if problem := asker.wrong(answer):
            wrong[why] = problem
        elif answer.status_code == 422:
            wrong |= {} if answer.json().get("errors") or answer.json().get("detail") else {why: answer.text}
        elif answer.status_code >= 400:
            wrong[why] = answer.text
        else:
            made = answer.json().get("id", "") if answer.content else ""
            read = await asker.send(token, "GET", f"/api/v1{_filled(field.read, {**objects, 'id': made})}")
            kept += 1
            # A title is one line of visible text by its rules (`one_line`); everything else is kept as it was typed.
            expected = one_line(text) if name.startswith(LINES) else text.strip()
            if expected not in set(texts_in(read.json())):
                wrong[why] = f"{text!r} is not in {read.text[:200]}"

    assert wrong == {}
    assert kept >= len(hostile.TEXTS) // 2, "what is always refused is never kept"


def _filled(text: str, objects: dict[str, str]) -> str:
    for name, value in objects.items():
        text = text.replace(f"{{{name}}}", value)
    return text


async def test_what_was_kept_is_inert_wherever_it_is_shown(asker: Asker) -> None:
    token, headers = asker.side.tokens["all"], {"cookie": f"sid={asker.side.tokens['all']}"}
    made = {}
    for why, text in hostile.TEXTS.items():
        body = {"title": text, "description": text, "job_type": "network", "priority": "low", "level": "L1"}
        answer = await asker.send(token, "POST", "/api/v1/tickets", json.dumps(body).encode())
        if answer.status_code == 201:
            made[why] = answer.json()["ref"]
    wrong = {}
    for why, ref in made.items():
        page = await asker.client.get(f"/portal/tickets/{ref}", headers=headers)
        text = hostile.TEXTS[why]
        if page.status_code != 200 or text.split("\n")[0].split("\r")[0].strip() not in html.unescape(page.text):
            wrong[why] = f"{page.status_code}: not shown"
        if any(one in page.text for one in ("<script>alert", "<img src=x", "<svg/onload", "49 ", 'href="javascript:')):
            wrong[why] = "is more than text"
    table = await asker.send(token, "GET", "/api/v1/tables/tickets.csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    cells = [value for row in rows for value in row.values()]
    formulas = [cell for cell in cells if cell[:1] in "=+-@\t\r" and cell[:1] and not cell.lstrip("-").isdigit()]

    assert wrong == {}
    assert formulas == []
    assert {f"'{hostile.TEXTS[why]}" for why in made if why.startswith("a formula")} <= set(cells)
    assert len(made) >= len(hostile.TEXTS) // 2


async def test_documents_of_hostile_texts_can_be_read(asker: Asker) -> None:
    agent, contract = asker.stage.actors.staff["agent"], asker.side.objects["contract_id"]
    for text in hostile.TEXTS.values():
        body = {"ticket_id": asker.side.objects["ticket_id"], "worked_minutes": 1, "note": text[:200]}
        await asker.send(agent, "POST", "/api/v1/time-entries", json.dumps(body).encode())
    days = "from=2026-01-01&to=2026-12-31"
    for form in ("", ".csv", ".pdf"):
        answer = await asker.send(
            asker.side.tokens["all"], "GET", f"/api/v1/contracts/{contract}/statement{form}?{days}"
        )
        assert answer.status_code == 200, answer.text
        assert text_of(answer)


BODIES = {
    "POST /api/v1/tickets": {"title": "x", "description": "y", "job_type": "network", "priority": "low", "level": "L1"},
    "POST /api/v1/tickets/{ticket}/messages": {"body": "x"},
    "POST /api/v1/time-entries": {"note": "x", "ticket_id": "{ticket_id}", "worked_minutes": 5},
    "POST /api/v1/projects": {"name": "x", "client_id": "{client_id}", "contract_id": "{contract_id}"},
    "POST /api/v1/payments": {
        "reference": "x",
        "client_id": "{client_id}",
        "amount_minor": 1,
        "currency": "GBP",
        "received_on": "2026-01-01",
        "method": "transfer",
    },
    "POST /api/v1/api-keys": {"name": "x", "roles": ["requester"], "scopes": ["tickets:read"]},
    "PUT /api/v1/notifications/settings": {"zone": "Europe/London", "digest": "daily"},
    "POST /api/v1/sessions": {"email": "nobody@nowhere.example", "password": "correct horse battery staple"},
    "POST /api/v1/people": {
        "display_name": "x",
        "kind": "client",
        "client_id": "{client_id}",
        "email": "x@client.example",
        "roles": ["requester"],
    },
    "PATCH /api/v1/clients/{client_id}": {"name": "x"},
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_is_none_is_refused_and_nothing_is_written(asker: Asker, name: str) -> None:
    (one,) = [found for found in asker.stage.operations if found.name == name]
    good = json.loads(_filled(json.dumps(BODIES[name]), asker.side.objects))
    token = asker.side.tokens["all"] if one.access.get("client") is not None else asker.token(one)
    before, wrong = await written(asker.stage), {}
    for why, content in hostile.bodies(good).items():
        if one.method == "PATCH" and why == "null for a text":
            # Says that nothing changes there.
            continue
        answer = await asker.send(token, one.method, one.url(asker.side.objects), content)
        problem = asker.wrong(answer)
        if problem or answer.status_code not in (400, 413, 422):
            wrong[why] = problem or f"answered {answer.status_code}: {answer.text[:100]}"

    assert wrong == {}
    after = await written(asker.stage)
    assert [table for table in before if before[table] != after[table]] == []


async def test_every_operation_refuses_what_could_be_read_in_two_ways(asker: Asker) -> None:
    wrong = {}
    wanted = [one for one in asker.stage.operations if not one.is_safe and one.body and json.loads(one.sample)]
    for one in wanted:
        name, value = next(iter(json.loads(one.sample).items()))
        pair = f"{json.dumps(name)}:{json.dumps(value)}".encode()
        for why, content in {
            "a name twice": b"{" + pair + b"," + one.sample[1:],
            "a surrogate": b'{"\\ud800":1,' + one.sample[1:],
            "NUL in UTF-16": '{"a":"\0"}'.encode("utf-16"),
            "NaN": b'{"a":NaN,' + one.sample[1:],
            "depth": b'{"a":' + b"[" * 200 + b"]" * 200 + b"}",
        }.items():
            answer = await asker.send(asker.token(one), one.method, one.url(asker.side.objects), content)
            if asker.wrong(answer) or answer.status_code < 400:
                wrong[f"{one.name}: {why}"] = f"{answer.status_code} {answer.text[:100]}"

    assert wrong == {}
    assert len(wanted) > 50


def _fields(asker: Asker, one: Operation, kinds: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Yield the fields of a body of some types, and each value to be tried."""
    path = asker.stage.document["paths"][one.path][one.method.lower()]
    schema = path["requestBody"]["content"]["application/json"]["schema"]
    schema = asker.stage.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for name, described in schema.get("properties", {}).items():
        for form in (described, *described.get("anyOf", ())):
            kind = form.get("format") or form.get("type")
            for value in kinds.get(kind, ()):
                yield name, value


async def test_numbers_and_days_at_the_edge_are_refused_or_kept(asker: Asker) -> None:
    kinds = {
        "integer": hostile.NUMBERS,
        "date": tuple(json.dumps(one) for one in hostile.DATES),
        "date-time": tuple(json.dumps(one) for one in hostile.INSTANTS),
    }
    wrong, tried = {}, 0
    for one in asker.stage.operations:
        if one.is_safe or one.is_public or not one.body or not is_about(one) or one.path.split("/")[3] in CALM:
            continue
        body = {
            **json.loads(one.sample),
            **{name: asker.side.objects[name] for name in one.body & asker.side.objects.keys() - set(NOT_MADE)},
        }
        for name, value in _fields(asker, one, kinds):
            content = json.dumps({**body, name: "VALUE"}).replace('"VALUE"', value).encode()
            answer = await asker.send(asker.token(one), one.method, one.url(asker.side.objects), content)
            tried += 1
            if problem := asker.wrong(answer):
                wrong[f"{one.name}: {name}={value}"] = problem

    assert wrong == {}
    assert tried > 200


async def test_queries_that_make_no_sense_are_refused_or_ignored(asker: Asker) -> None:
    wrong, lists = {}, [one for one in asker.stage.operations if one.is_safe and one.queries and not one.is_public]
    for one in lists:
        for query in hostile.QUERIES:
            answer = await asker.send(asker.token(one), "GET", f"{one.url(asker.side.objects)}?{query}")
            if problem := asker.wrong(answer):
                wrong[f"{one.name}?{query[:60]}"] = problem

    assert wrong == {}
    assert len(lists) > 30


async def test_ids_that_are_none_are_missing(asker: Asker) -> None:
    wrong, named = {}, [one for one in asker.stage.operations if one.is_safe and one.parameters and not one.is_public]
    for one in named:
        for given in hostile.IDS:
            url = one.url(asker.side.objects, **{one.parameters[0]: given})
            answer = await asker.send(asker.token(one), "GET", url)
            if problem := asker.wrong(answer):
                wrong[f"{one.name}: {given[:40]}"] = problem

    assert wrong == {}
    assert len(named) > 30


FORMS = {
    "NUL": b"title=a%00b&description=x",
    "not UTF-8": b"title=%ff%fe&description=x",
    "raw bytes": b"title=\xff\xfe",
    "half a character": b"title=%ed%a0%80",
    "many fields": b"&".join(b"a=1" for _ in range(600)),
    "a long text": b"title=" + b"x" * 1_020_000,
    "JSON": b'{"title": "x"}',
    "nothing": b"",
}


@pytest.mark.parametrize(
    "path", ["/portal/tickets/new", "/login", "/forgot-password", "/choose-password", "/settings/people"]
)
async def test_a_form_that_is_none_is_a_page_that_says_so(asker: Asker, path: str) -> None:
    found = {}
    for why, content in FORMS.items():
        headers = {"content-type": "application/x-www-form-urlencoded"}
        if path.startswith(("/portal", "/settings")):
            headers["cookie"] = f"sid={asker.side.tokens['all']}"
        answer = await asker.client.post(path, headers=headers, content=content)
        found[why] = answer.status_code
        assert "text/html" in answer.headers["content-type"], why

    assert {why: status for why, status in found.items() if status >= 500} == {}
    assert {
        why: found[why] for why in ("NUL", "not UTF-8", "raw bytes", "half a character", "many fields")
    } == dict.fromkeys(("NUL", "not UTF-8", "raw bytes", "half a character", "many fields"), 400)
    assert found["a long text"] == 413


@pytest.mark.parametrize("who", ["client", "staff"])
async def test_pages_asked_for_nonsense_are_pages(asker: Asker, who: str) -> None:
    wrong = {}
    places = (
        (
            "/portal/tickets",
            "/portal/hours",
            "/portal/invoices",
            "/portal/search",
            "/portal/reports",
            "/portal/inbox",
            "/portal/account",
        )
        if who == "client"
        else (
            "/desk/queues",
            "/desk/search",
            "/desk/sla",
            "/desk/sla/breaches",
            "/desk/billing/invoices",
            "/desk/time",
            "/desk/sla/what-if",
        )
    )
    token = asker.side.tokens["all"] if who == "client" else asker.stage.actors.staff["admin"]
    for place in (*places, "/settings/audit", "/login"):
        for query in hostile.QUERIES[::3]:
            answer = await asker.client.get(f"{place}?{query}", headers={"cookie": f"sid={token}"})
            if answer.status_code >= 500:
                wrong[f"{place}?{query[:60]}"] = answer.status_code
        for given in hostile.IDS:
            answer = await asker.client.get(f"{place}/{given}", headers={"cookie": f"sid={token}"})
            if answer.status_code >= 500:
                wrong[f"{place}/{given[:40]}"] = answer.status_code

    assert wrong == {}


async def test_headers_that_make_no_sense_are_ignored_or_refused(asker: Asker) -> None:
    token, wrong = asker.side.tokens["all"], {}
    for why, headers in {
        "a key too short": {"idempotency-key": "x"},
        "a key too long": {"idempotency-key": "x" * 5000},
        "a key in no script": {"idempotency-key": "\xff\xfe\xfd-key-key-key"},
        "no state": {"if-match": "\xff"},
        "a state that is none": {"if-match": 'W/"x", "y"'},
        "a huge state": {"if-match": f'"{"9" * 400}"'},
        "no version": {"api-version": "9999-99-99"},
        "no language": {"accept-language": "\xff;q=x,*;q=nan,de-" + "x" * 5000},
        "another type": {"content-type": "application/json; charset=utf-16"},
        "no type": {"content-type": "\xff"},
        "another encoding": {"content-encoding": "gzip"},
        "an id of one's own": {"x-request-id": "\xff'; --"},
        "a client of one's own": {"x-msp-client": bare(asker.stage.actors.ours.objects["client_id"])},
    }.items():
        encoded = [
            (name.encode(), value.encode("latin-1")) for name, value in {**dict(bearer(token)), **headers}.items()
        ]
        answer = await asker.client.post(
            f"/api/v1/tickets/{asker.side.objects['ticket']}/messages", headers=encoded, content=b'{"body":"x"}'
        )
        if problem := asker.wrong(answer):
            wrong[why] = problem

    assert wrong == {}
