"""The door: signing in, sessions, CSRF, and what is forwarded to a real upstream."""

from __future__ import annotations

from typing import Any

import pytest
from door import PASSWORD, Door

from msp_events.portal import PersonJoined
from msp_kernel.ids import new_id
from msp_kit import identity
from msp_kit.testing import said
from portal_gateway.actions import sign_in


async def test_programs_are_forwarded_with_who_they_are(door: Door) -> None:
    headers = await door.bearer("priya@hlo.example")

    answer = await door.client.post("/api/v1/tickets/HLO%201", json={"x": 1}, headers=headers)

    assert answer.status_code == 201
    assert answer.json() == {
        "ticket": "HLO 1",
        "body": {"x": 1},
        "kind": "client",
        "client": str(door.client_id),
        "name": "Priya",
    }
    assert answer.headers["cache-control"] == "no-store"
    query = await door.client.get("/api/v1/tickets?text=a%20%C3%A4%2Bb", headers=headers)
    assert query.json()["text"] == "a ä+b"


async def test_an_identity_of_one_s_own_is_not_believed(door: Door) -> None:
    forged = identity.Signer(identity.new_key()).sign(
        identity.Caller(id=new_id(), kind="staff", roles=frozenset(("admin",)), client_id=None, name="x"),
        audience="tickets",
        method="GET",
        target="/tickets",
        body=b"",
    )

    without = await door.client.get("/api/v1/tickets", headers={identity.HEADER: forged})
    with_session = await door.client.get(
        "/api/v1/tickets", headers={identity.HEADER: forged, **await door.bearer("priya@hlo.example")}
    )

    assert without.status_code == 401
    assert with_session.json()["roles"] == ["requester"]


@pytest.mark.parametrize(
    "path",
    ["/api/v1/nothing", "/api/v1/", "/api/v1/tickets/../hours", "/api/v1/tickets%2F..%2Fhours", "/api/v1//tickets"],
)
async def test_what_is_not_in_the_table_does_not_exist(door: Door, path: str) -> None:
    answer = await door.client.get(path, headers=await door.bearer("ada@meridian.example"))

    assert answer.status_code in (404, 503)
    assert answer.headers["content-type"] == "application/problem+json" or "text/html" in answer.headers["content-type"]


async def test_a_service_that_is_away_is_named(door: Door) -> None:
    answer = await door.client.get("/api/v1/invoices", headers=await door.bearer("ada@meridian.example"))

    assert answer.status_code == 503
    assert (answer.json()["code"], answer.headers["retry-after"]) == ("service-away", "5")
    assert "billing" in answer.json()["detail"]


async def test_wrong_passwords_and_unknown_people_get_the_same_answer(door: Door) -> None:
    answers = [
        await door.client.post("/api/v1/sessions", json={"email": email, "password": "wrong"})
        for email in ("ada@meridian.example", "nobody@meridian.example")
    ]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


async def test_too_many_failures_are_stopped_for_the_account(door: Door) -> None:
    for _ in range(sign_in.FAILURES_FREE):
        await door.client.post("/api/v1/sessions", json={"email": "ada@meridian.example", "password": "wrong"})

    answer = await door.client.post("/api/v1/sessions", json={"email": "ada@meridian.example", "password": PASSWORD})

    assert (answer.status_code, answer.json()["code"]) == (429, "too-many-attempts")


async def test_a_session_ends_when_its_person_signs_out(door: Door) -> None:
    headers = await door.bearer("ada@meridian.example")
    assert (await door.client.get("/api/v1/me", headers=headers)).status_code == 200

    await door.client.delete("/api/v1/sessions/current", headers=headers)

    assert (await door.client.get("/api/v1/me", headers=headers)).status_code == 401
    assert (await door.client.get("/api/v1/tickets", headers=headers)).status_code == 401


async def test_cookies_alone_change_nothing(door: Door) -> None:
    token = await door.token("priya@hlo.example")
    cookie = {"cookie": f"sid={token}"}

    bare = await door.client.post("/api/v1/tickets/1", json={}, headers=cookie)
    elsewhere = await door.client.post(
        "/api/v1/tickets/1", json={}, headers={**cookie, "sec-fetch-site": "cross-site", "x-csrf-token": "x"}
    )
    page = await door.client.post("/logout", headers=cookie)

    assert [answer.status_code for answer in (bare, elsewhere, page)] == [403, 403, 403]


async def test_the_form_signs_in_with_a_cookie_that_scripts_cannot_read(door: Door) -> None:
    answer = await door.client.post(
        "/login", data={"email": "priya@hlo.example", "password": PASSWORD, "next": "//evil"}
    )

    assert (answer.status_code, answer.headers["location"]) == (303, "/portal")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


async def test_pages_ask_for_signing_in_and_come_back(door: Door) -> None:
    answer = await door.client.get("/portal/tickets?tab=all")

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/portal/tickets?tab=all")
    shown = await door.client.get("/login")
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert shown.headers["x-content-type-options"] == "nosniff"


async def test_people_are_made_by_administrators_of_their_own_side(door: Door) -> None:
    person = {
        "kind": "client",
        "email": "New@hlo.example",
        "display_name": "New",
        "roles": ["billing"],
        "password": PASSWORD,
    }

    made = await door.client.post(
        "/api/v1/people",
        json={**person, "client_id": str(door.client_id)},
        headers=await door.bearer("ada@meridian.example"),
    )
    again = await door.client.post(
        "/api/v1/people",
        json={**person, "client_id": str(door.client_id)},
        headers=await door.bearer("ada@meridian.example"),
    )
    by_requester = await door.client.post("/api/v1/people", json=person, headers=await door.bearer("priya@hlo.example"))

    assert made.status_code == 201
    assert (again.status_code, again.json()["code"]) == (409, "email-taken")
    assert by_requester.status_code == 403
    assert "password" not in made.text
    assert [one.display_name for one in await said(door.database, PersonJoined)] == ["Ada@M", "Priya", "Paul@", "New"]


@pytest.mark.parametrize(
    "change", [{"password": "short"}, {"roles": ["owner"]}, {"email": "nobody"}, {"kind": "robot"}, {"is_admin": True}]
)
async def test_people_that_make_no_sense_are_refused(door: Door, change: dict[str, Any]) -> None:
    person = {
        "kind": "staff",
        "email": "x@meridian.example",
        "display_name": "X",
        "roles": ["agent"],
        "password": PASSWORD,
        **change,
    }

    answer = await door.client.post("/api/v1/people", json=person, headers=await door.bearer("ada@meridian.example"))

    assert answer.status_code == 422
