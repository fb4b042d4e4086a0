"""How long an answer takes must not tell whether something of another client exists: both ways ask the same of every database.

Time itself is not looked at here (`make bench args=timing` does): whoever sends the same statements in the same order, as often,
and computes as many password hashes, takes as long.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import argon2
import asyncpg
import httpx2 as httpx
import pytest
from asyncpg.prepared_stmt import PreparedStatement
from cast import sign_in_anew
from matrix import UNKNOWN, Cell, Stage, bearer, foreign
from story import PASSWORD

from portal_gateway import scope

OPERATIONS_MIN = 30
DECIDED_WITHOUT_LOOKING = {f"{method} /api/v1/second-factor-policies/{{audience}}" for method in ("GET", "PUT")}
"""The id is compared with the caller's own."""


class Recorder:
    """The statements of all services, in the order in which they were sent."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __call__(self, statement: str) -> None:
        self.statements.append(" ".join(statement.split()))


@pytest.fixture
async def recorder(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Recorder]:
    """Record what any connection of this process sends, prepared or not."""
    made = Recorder()
    sent = asyncpg.Connection._do_execute
    prepared = PreparedStatement._PreparedStatement__do_execute

    async def plain(self: Any, query: str, *more: Any, **named: Any) -> Any:
        made(query)
        return await sent(self, query, *more, **named)

    async def from_statement(self: Any, executor: Any) -> Any:
        made(self._query)
        return await prepared(self, executor)

    monkeypatch.setattr(asyncpg.Connection, "_do_execute", plain)
    monkeypatch.setattr(PreparedStatement, "_PreparedStatement__do_execute", from_statement)
    # Who asks is looked up once a second otherwise, on one side or the other.
    monkeypatch.setattr(scope, "CACHE_SECONDS", 1e9)
    yield made


async def asked(client: httpx.AsyncClient, recorder: Recorder, one: Cell, url: str) -> tuple[int, list[str]]:
    """Send a request, and return its status and what it asked of the databases."""
    recorder.statements.clear()
    answer = await client.request(one.method, url, headers=list(one.headers), content=one.content)
    return answer.status_code, list(recorder.statements)


async def test_a_foreign_id_asks_the_databases_what_a_missing_one_asks(stage: Stage, recorder: Recorder) -> None:
    # Signed in lately: otherwise what needs a fresh proof asks nothing.
    await sign_in_anew(stage.n, stage.actors)
    wanted = [one for operation in stage.operations for one in foreign(operation, stage.actors) if one.same_as]
    wrong: dict[str, Any] = {}
    silent = []
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        for one in wanted:
            # Once before: what is compiled or prepared for the first time is so for both.
            await asked(client, recorder, one, one.same_as)
            foreigner, missing = [await asked(client, recorder, one, url) for url in (one.url, one.same_as)]
            if foreigner != missing:
                wrong[f"{one.operation} {one.actor}"] = (foreigner, missing)
            if not foreigner[1]:
                silent.append(one.operation)

    assert wrong == {}
    assert len(wanted) >= OPERATIONS_MIN
    assert set(silent) <= DECIDED_WITHOUT_LOOKING, "nothing was asked: the comparison proves nothing"


async def test_a_wrong_password_costs_what_an_unknown_address_costs(
    stage: Stage, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    verify = argon2.PasswordHasher.verify

    def counted(self: Any, kept: Any, given: Any) -> Any:
        hashed.append(kept.split("$")[3])
        return verify(self, kept, given)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    costs = {}
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        for email in ("agent@meridian.example", "nobody.at.all@meridian.example"):
            hashed.clear()
            recorder.statements.clear()
            answer = await client.post("/api/v1/sessions", json={"email": email, "password": f"{PASSWORD} not"})
            costs[email] = (answer.status_code, list(hashed), list(recorder.statements))

    known, unknown = costs.values()
    assert known == unknown
    assert known[:2] == (401, ["m=19456,t=2,p=1"])


async def test_asking_for_another_password_costs_the_same_whether_there_is_somebody(
    stage: Stage, recorder: Recorder
) -> None:
    costs = []
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        for email in ("agent@meridian.example", "nobody.at.all@meridian.example"):
            recorder.statements.clear()
            answer = await client.post("/api/v1/password-resets", json={"email": email})
            costs.append((answer.status_code, answer.text, list(recorder.statements)))

    assert costs[0] == costs[1]
    assert "reset_asks" in " ".join(costs[0][2])


async def test_what_is_there_asks_more_than_what_is_not(stage: Stage, recorder: Recorder) -> None:
    """The recorder would notice."""
    (one,) = [one for one in stage.operations if one.name == "GET /api/v1/tickets/{ticket}"]
    headers = bearer(stage.actors.theirs.tokens["all"])
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        asked_for = []
        for ticket in (stage.actors.theirs.objects["ticket"], UNKNOWN):
            cell = Cell("timing", "own", one.name, "GET", one.url({"ticket": ticket}), (), headers)
            asked_for.append(await asked(client, recorder, cell, cell.url))

    assert [status for status, _ in asked_for] == [200, 404]
    assert len(asked_for[0][1]) > len(asked_for[1][1])
