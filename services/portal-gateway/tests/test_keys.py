"""API keys, limits, versions, events: what programs meet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from door import ADA, PAUL, PRIYA, Door
from news import posted, speaker, updated

from msp_events.base import Event
from msp_events.samples import example
from msp_events.sla import EscalationRequested
from msp_events.tickets import TicketRaised
from msp_kernel.ids import new_id, parsed, prefixed
from msp_kit.testing import eventually
from portal_gateway.actions import keys
from portal_gateway.limits import WRITES_PER_MINUTE

READER = {"name": "Reports", "roles": ["requester"], "scopes": ["tickets:read"]}


async def a_key(door: Door, **more: Any) -> dict[str, str]:
    made = await door.send(PAUL, "POST", "/api-keys", {**READER, **more})
    assert made.status_code == 201, made.text
    return {"authorization": f"Bearer {made.json()['key']}", "id": made.json()["id"]}


async def test_a_key_reads_what_it_was_made_for_and_no_more(door: Door) -> None:
    key = await a_key(door)

    read = await door.send(key, "GET", "/tickets")
    written = await door.send(key, "POST", "/tickets/1", {})
    elsewhere = await door.send(key, "GET", "/invoices")
    more = await door.send(key, "POST", "/api-keys", READER)
    page = await door.client.get("/portal", headers=key)

    assert read.json()["roles"] == ["requester"]
    assert [(one.status_code, one.json()["code"]) for one in (written, elsewhere, more)] == [(403, "out-of-scope")] * 3
    assert page.status_code == 403


async def test_only_the_digest_of_a_key_is_kept_and_its_use_is_noted(door: Door) -> None:
    key = await a_key(door)
    await door.send(key, "GET", "/tickets")

    listed = (await door.send(PAUL, "GET", "/api-keys")).json()["items"]
    kept = await door.sql("SELECT secret_sha256 FROM api_keys")

    assert listed[0]["used_at"] is not None
    assert key["authorization"].rpartition("_")[2].encode() not in kept
    assert "secret" not in str(listed)


async def test_a_revoked_expired_or_changed_key_is_nobody(door: Door) -> None:
    revoked, expired, good = [await a_key(door) for _ in range(3)]
    await door.send(PAUL, "DELETE", f"/api-keys/{revoked['id']}")
    await door.sql(
        "UPDATE api_keys SET expires_at = $2 WHERE id = $1",
        parsed("key", expired["id"]),
        datetime(2026, 1, 1, tzinfo=UTC),
    )
    changed = {"authorization": good["authorization"][:-1] + ("A" if good["authorization"][-1] != "A" else "B")}
    nonsense = [{"authorization": f"Bearer mspk_{text}"} for text in ("", "x_y", "_", "0" * 32)]

    answers = [await door.send(key, "GET", "/tickets") for key in (revoked, expired, changed, *nonsense)]
    as_cookie = await door.client.get("/portal", headers={"cookie": f"sid={good['authorization'].split()[1]}"})

    assert [one.status_code for one in answers] == [401] * 7
    assert as_cookie.status_code == 303


async def test_keys_of_others_are_not_there(door: Door) -> None:
    staff = await door.send(ADA, "POST", "/api-keys", {"name": "x", "roles": ["agent"], "scopes": ["tickets:read"]})

    revoked = await door.send(PAUL, "DELETE", f"/api-keys/{staff.json()['id']}")
    listed = await door.send(PAUL, "GET", f"/api-keys?client_id={new_id()}")
    other = await door.send(PAUL, "POST", "/api-keys", {**READER, "client_id": str(new_id())})

    assert [one.status_code for one in (revoked, listed, other)] == [404] * 3


@pytest.mark.parametrize(
    "change", [{"scopes": ["tickets:all"]}, {"roles": ["agent"]}, {"life_days": 366}, {"scopes": []}]
)
async def test_keys_that_make_no_sense_are_refused(door: Door, change: dict[str, Any]) -> None:
    answer = await door.send(PAUL, "POST", "/api-keys", {**READER, **change})

    assert answer.status_code == 422


async def test_one_identity_asks_so_much_a_minute(door: Door) -> None:
    headers = await door.bearer(PRIYA)
    allowed = WRITES_PER_MINUTE["client"]

    # All at once: the bucket refills while one waits.
    answers = await asyncio.gather(*(door.send(headers, "POST", "/tickets/1", {}) for _ in range(allowed + 30)))
    read = await door.send(headers, "GET", "/tickets")

    assert {one.headers["ratelimit-limit"] for one in answers} == {str(allowed)}
    assert sum(one.status_code == 201 for one in answers) >= allowed
    refused = next(one for one in answers if one.status_code != 201)
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests")
    assert int(refused.headers["retry-after"]) >= 1
    assert read.status_code == 200


async def test_a_program_may_say_which_version_it_was_written_for(door: Door) -> None:
    headers = await door.bearer(PRIYA)

    known = await door.send({**headers, "api-version": "2026-11-25"}, "GET", "/tickets")
    unknown = [await door.send({**headers, "api-version": "2020-01-01"}, "GET", path) for path in ("/tickets", "/me")]

    assert known.headers["api-version"] == "2026-11-25"
    assert [(one.status_code, one.json()["code"]) for one in unknown] == [(400, "unknown-api-version")] * 2


async def test_what_happened_is_read_from_a_cursor_by_whom_it_concerns(door: Door) -> None:
    ours, theirs = [
        TicketRaised.model_validate(
            {**example(TicketRaised)["data"], "client_id": str(client), "ticket_id": str(new_id())}
        )
        for client in (door.client_id, new_id())
    ]
    inside = EscalationRequested.model_validate(
        {**example(EscalationRequested)["data"], "client_id": str(door.client_id)}
    )
    await speaker(door).say(ours, theirs, inside)

    paul, ada = await door.bearer(PAUL), await door.bearer(ADA)
    seen = (await door.send(paul, "GET", "/events")).json()
    all_of_it = (await door.send(ada, "GET", "/events?limit=2")).json()
    rest = (await door.send(ada, "GET", f"/events?after={all_of_it['next']}")).json()
    nothing = (await door.send(ada, "GET", f"/events?after={rest['next']}")).json()

    assert [(one["type"], one["client_id"], one["subject"]) for one in seen["items"]] == [
        (
            TicketRaised.type_name(),
            prefixed("client", door.client_id),
            f"ticket:{prefixed('ticket', ours.ticket_id)}",
        )
    ]
    assert seen["items"][0]["id"].startswith("evt_")
    assert len(all_of_it["items"] + rest["items"]) == 3
    assert (nothing["items"], nothing["next"]) == ([], rest["next"])
    assert set(seen["items"][0]) == {"id", "type", "subject", "client_id", "at"}
    assert (await door.send(PRIYA, "GET", "/events")).status_code == 403


@pytest.mark.parametrize(
    ("event", "may_know"),
    [
        (lambda client: posted(client, "agent", is_public=False), False),
        (lambda client: posted(client, "agent"), True),
        (lambda client: updated(client, "open", changed=("handling_level", "queue")), False),
        (lambda client: updated(client, "open", changed=("queue", "priority")), True),
    ],
    ids=["an internal note", "an answer", "who works on it", "its priority"],
)
async def test_programs_of_a_client_learn_nothing_of_what_is_inside(
    door: Door, event: Callable[[UUID], Event], *, may_know: bool
) -> None:
    said = event(door.client_id)
    await speaker(door).say(said)
    paul, ada = await door.bearer(PAUL), await door.bearer(ADA)

    async def told(who: dict[str, str]) -> list[str]:
        return [one["type"] for one in (await door.send(who, "GET", "/events")).json()["items"]]

    # Nothing is shown while an older transaction is open, whoever's it is: the server has other guests.
    ours = await eventually(lambda: told(ada), within_seconds=60)

    assert ours == [said.type_name()]
    assert await told(paul) == ([said.type_name()] if may_know else [])


def test_scopes_are_one_for_reading_and_one_for_writing_of_each_service() -> None:
    assert len(keys.SCOPES) == 10
