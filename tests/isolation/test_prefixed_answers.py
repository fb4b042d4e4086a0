"""What programs read has no bare UUID in it: every answer there is, as staff and as a client."""

from __future__ import annotations

import re

import httpx2 as httpx
import pytest
from matrix import Operation, Stage, bearer

BARE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
NO_ID = re.compile(r'"(request_id|rule_id|item_id)":"[^"]*"')
"""What leads to log lines, and the names of clauses in a contract's terms."""


def addresses(one: Operation, stage: Stage) -> list[str]:
    """Return what is asked: all of it, and what is narrowed to one of each kind that can be asked for."""
    objects = stage.actors.ours.objects
    query = "from=2026-01-01&to=2026-12-31" if {"from", "to"} <= set(one.queries) else ""
    narrowed = [f"{name}={objects[name]}" for name in one.queries if name in objects]
    return [f"{one.url(objects)}?{'&'.join(filter(None, (query, more)))}".rstrip("?") for more in ("", *narrowed)]


@pytest.mark.parametrize("who", ["staff", "client"])
async def test_no_answer_has_a_bare_id(stage: Stage, who: str) -> None:
    token = stage.actors.staff["admin"] if who == "staff" else stage.actors.ours.tokens["all"]
    bare: dict[str, list[str]] = {}
    answered: set[str] = set()
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        for one in stage.operations:
            if not one.is_safe or one.path == "/api/v1/openapi.json":
                continue
            for address in addresses(one, stage):
                answer = await client.get(address, headers=dict(bearer(token)))
                if answer.headers["content-type"].partition(";")[0] in ("application/pdf", "application/xml"):
                    continue
                answered |= {one.name} if answer.status_code == 200 else set()
                # A refusal repeats the address it was asked at.
                if found := BARE.findall(
                    NO_ID.sub("", answer.text.replace(address.partition("?")[0].removeprefix("/api/v1"), ""))
                ):
                    bare[f"{answer.status_code} {address}"] = found

    assert bare == {}
    assert len(answered) > (80 if who == "staff" else 35), "an answer that is not there proves nothing"


async def test_the_id_of_another_kind_is_refused_with_both_named(stage: Stage) -> None:
    objects, headers = stage.actors.ours.objects, dict(bearer(stage.actors.staff["admin"]))
    async with httpx.AsyncClient(base_url=f"{stage.n.url}/api/v1", timeout=30, headers=headers) as client:
        wrong = await client.get(f"/tickets/{objects['invoice_id']}")
        body = await client.post("/time-entries", json={"ticket_id": objects["client_id"], "worked_minutes": 5})
        right = await client.get(f"/tickets/{objects['ticket_id']}")

    assert (wrong.status_code, body.status_code, right.status_code) == (422, 422, 200)
    assert wrong.json()["errors"] == [
        {
            "pointer": "/path/ticket",
            "detail": "inv_… is the id of an invoice; the id of a ticket begins with tkt_",
            "code": "wrong_kind_of_id",
        }
    ]
    (error,) = body.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/body/ticket_id", "wrong_kind_of_id")


async def test_both_forms_lead_to_the_same_thing_and_no_header_of_a_caller_changes_the_answer(stage: Stage) -> None:
    prefixed = stage.actors.ours.objects["ticket_id"]
    digits = prefixed.removeprefix("tkt_")
    bare = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    headers = dict(bearer(stage.actors.ours.tokens["all"]))
    async with httpx.AsyncClient(base_url=f"{stage.n.url}/api/v1/tickets", timeout=30, headers=headers) as client:
        asked = [
            await client.get(f"/{prefixed}"),
            await client.get(f"/{bare}"),
            await client.get(f"/{stage.actors.ours.refs['tickets']}"),
            await client.get(f"/{bare}", headers={"x-msp-ids": "bare"}),
        ]

    assert {one.json()["id"] for one in asked} == {prefixed}
