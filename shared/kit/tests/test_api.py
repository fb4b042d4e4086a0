"""Doors: access, problems, idempotent answers, and a 201 that is a promise kept."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from pydantic import Field, SecretStr

from msp_kernel.ids import new_id
from msp_kit import identity
from msp_kit.api import Body, CallerNow, Tx, allows, create_api, guarded_router
from msp_kit.database import SYSTEM, Database
from msp_kit.identity import Signer, Verifier
from msp_kit.problems import NotFound, Problem, Unauthenticated
from msp_kit.settings import ServiceSettings
from msp_kit.testing import KEY, Requests, a_client_person, a_staff_person


class TicketClosed(Exception):
    """Time cannot be logged on a closed ticket."""


class Note(Body):
    text: str = Field(min_length=1, max_length=50)


router = guarded_router()


@router.post("/notes", status_code=201, openapi_extra=allows(staff=("manager",), client=()))
async def write(body: Note, caller: CallerNow, tx: Tx) -> dict[str, str]:
    note_id = new_id()
    client_id = caller.client_id or new_id()
    await tx.driver.execute("INSERT INTO notes VALUES ($1, $2, $3)", client_id, note_id, body.text)
    if body.text == "closed":
        raise TicketClosed("the ticket was closed on 5 January")
    if body.text == "fails at commit":
        await tx.driver.execute(
            "CREATE TEMP TABLE late (n int, CONSTRAINT one UNIQUE (n) DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP"
        )
        await tx.driver.execute("INSERT INTO late VALUES (1), (1)")
    return {"id": str(note_id)}


@router.get("/notes/{note_id}", openapi_extra=allows(staff=(), client=()))
async def read(note_id: str) -> dict[str, str]:
    raise NotFound(note_id)


@pytest.fixture
async def requests(database: Database) -> AsyncIterator[Requests]:
    settings = ServiceSettings(
        database_url=SecretStr(database.url),
        amqp_url=SecretStr("amqp://none"),
        identity_public_keys=json.dumps(identity.public_keys([KEY])),
    )
    app: FastAPI = create_api(
        service="sla",
        database=database,
        settings=settings,
        routers=[router],
        problem_table={TicketClosed: Problem(409, "The ticket is closed")},
    )
    yield Requests(app, "sla")


async def notes(database: Database) -> int:
    async with database.transaction(SYSTEM) as tx:
        count: int = await tx.fetchval("SELECT count(*) FROM notes")
    return count


async def test_a_broken_rule_is_a_problem_document_and_changes_nothing(requests: Requests, database: Database) -> None:
    answer = await requests.post(a_staff_person(), "/notes", {"text": "closed"})

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "/problems/ticket-closed"
    assert problem["detail"] == "the ticket was closed on 5 January"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert await notes(database) == 0


async def test_a_commit_that_fails_is_not_a_201(requests: Requests, database: Database) -> None:
    answer = await requests.post(a_staff_person(), "/notes", {"text": "fails at commit"})

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal-error"
    assert await notes(database) == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/body/text"), ({"text": "x", "rate_minor": 1}, "/body/rate_minor"), ({"text": 5}, "/body/text")],
)
async def test_a_malformed_body_is_told_where(requests: Requests, body: dict[str, object], pointer: str) -> None:
    answer = await requests.post(a_staff_person(), "/notes", body)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_roles_are_checked(requests: Requests) -> None:
    assert (await requests.post(a_staff_person("agent"), "/notes", {"text": "x"})).status_code == 403
    assert (await requests.post(a_client_person(new_id()), "/notes", {"text": "x"})).status_code == 201
    assert (await requests.post(None, "/notes", {"text": "x"})).status_code == 401


async def test_a_repeated_request_gets_the_same_answer_and_does_nothing(requests: Requests, database: Database) -> None:
    person = a_client_person(new_id())
    key = {"Idempotency-Key": "key-0001"}

    first = await requests.post(person, "/notes", {"text": "once"}, headers=key)
    again = await requests.post(person, "/notes", {"text": "once"}, headers=key)
    other = await requests.post(person, "/notes", {"text": "twice"}, headers=key)

    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency-conflict"
    assert await notes(database) == 1


async def test_a_body_of_ten_megabytes_is_refused(requests: Requests) -> None:
    answer = await requests.post(a_staff_person(), "/notes", {"text": "x" * 10_000_000})

    assert answer.status_code == 413
    assert answer.json()["code"] == "body-too-large"


async def test_missing_is_404_without_a_word_about_it(requests: Requests) -> None:
    answer = await requests.get(a_client_person(new_id()), "/notes/17")

    assert answer.status_code == 404
    assert answer.json()["detail"] == "Not found"


def test_a_route_that_does_not_say_who_may_call_it_does_not_start() -> None:
    open_router = guarded_router()

    with pytest.raises(AssertionError, match="does not say who may call it"):

        @open_router.get("/open")
        async def anyone() -> None: ...


@pytest.mark.parametrize("change", ["audience", "method", "target", "body", "signature"])
def test_a_token_is_good_for_one_service_route_and_body_only(change: str) -> None:
    verifier = Verifier(identity.public_keys([KEY]), audience="sla")
    request = {"method": "POST", "target": "/clocks?x=1", "body": b"{}"}
    made = {**request, "audience": "sla"}
    if change in made:
        made[change] = b"other" if change == "body" else "other"
    key = identity.new_key() if change == "signature" else KEY

    token = Signer(key).sign(a_staff_person(), **made)  # type: ignore[arg-type]

    with pytest.raises(Unauthenticated):
        verifier.verify(token, **request)  # type: ignore[arg-type]


def test_the_caller_comes_back_as_signed() -> None:
    person = a_client_person(new_id(), "approver", "billing")
    token = Signer(KEY).sign(person, audience="sla", method="GET", target="/", body=b"")

    assert (
        Verifier(identity.public_keys([KEY]), audience="sla").verify(token, method="GET", target="/", body=b"")
        == person
    )
