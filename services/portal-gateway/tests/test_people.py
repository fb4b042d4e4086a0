"""People: invitations, resets, sessions that can be ended, rights, step-up, viewing as a client."""

from __future__ import annotations

import asyncio
import sys
from uuid import UUID

import asyncpg
import pytest
from door import ADA, PASSWORD, PAUL, PRIYA, Door, a_door
from hypothesis import given
from hypothesis.strategies import text
from post import an_office

from msp_events.portal import PersonUpdated
from msp_kernel.ids import new_id, prefixed
from msp_kit.database import SYSTEM, Database
from msp_kit.testing import drop_database, fresh_database, said, set_service_environment, superuser_url
from portal_gateway import passwords
from portal_gateway.actions import notes, sign_in
from portal_gateway.scope import CACHE_SECONDS

NEW = {"kind": "client", "email": "nora@hlo.example", "display_name": "Nora Field", "roles": ["requester"]}
SERVICE_URLS = ("MSP_TICKETS_URL", "MSP_SLA_URL", "MSP_CONTRACTS_URL", "MSP_BILLING_URL")
BETTER = "seven tall ships in the fog"


async def test_somebody_is_invited_and_chooses_a_password_once(door: Door) -> None:
    invited = await door.send(PAUL, "POST", "/people", NEW)
    token = invited.json()["link"].split("token=")[1]
    weak = await door.send(None, "POST", "/passwords", {"token": token, "password": "password2024!"})
    chosen = await door.send(None, "POST", "/passwords", {"token": token, "password": BETTER})
    again = await door.send(None, "POST", "/passwords", {"token": token, "password": BETTER})
    signed_in = await door.send(None, "POST", "/sessions", {"email": NEW["email"], "password": BETTER})

    assert invited.status_code == 201
    assert invited.json()["client_id"] == prefixed("client", door.client_id)
    assert (weak.status_code, weak.json()["code"]) == (422, "bad-password")
    assert (chosen.status_code, again.status_code, again.json()["code"]) == (204, 410, "ticket-spent")
    assert signed_in.status_code == 201


async def test_a_second_invitation_replaces_the_first(door: Door) -> None:
    first = (await door.send(PAUL, "POST", "/people", NEW)).json()
    second = (await door.send(PAUL, "POST", f"/people/{first['id']}/invitation")).json()

    late = await door.send(None, "POST", "/passwords", {"token": first["link"].split("=")[1], "password": BETTER})
    good = await door.send(None, "POST", "/passwords", {"token": second["link"].split("=")[1], "password": BETTER})

    assert (late.status_code, good.status_code) == (410, 204)


async def test_a_reset_is_mailed_and_says_nothing_about_who_exists() -> None:
    async with a_door(smtp_url="smtp://127.0.0.1:1") as door:
        old = await door.bearer(PRIYA)
        answers = [
            await door.send(None, "POST", "/password-resets", {"email": one}) for one in (PRIYA, "no@one.example")
        ]
        is_asked = await door.sql("SELECT count(*) FROM mails")
        while await an_office(door, "smtp://127.0.0.1:1").tick("answer-resets"):
            pass
        mail = await door.sql("SELECT text FROM mails")
        token = mail.split("token=")[1].split()[0]
        chosen = await door.send(None, "POST", "/passwords", {"token": token, "password": BETTER})

        assert [(one.status_code, one.json()) for one in answers] == [(202, answers[0].json())] * 2
        assert (is_asked, await door.sql("SELECT count(*) FROM mails")) == (0, 1)
        assert chosen.status_code == 204
        assert (await door.send(old, "GET", "/me")).status_code == 401


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "x" * 129,
        "priya@hlo.example",
        "password2024!",
        "P@ssw0rdP@ssw0rd",
        "qwertyuiopas",
        "aaaaaaaaaaaaaaaa",
        "Welcome123456",
        "ada.okafor12",
        "okafor19900101",
        "drowssapdrowssap",
    ],
)
def test_what_is_tried_first_is_no_password(password: str) -> None:
    with pytest.raises(passwords.BadPassword):
        passwords.check(password, email="priya@hlo.example", words=("Priya", "ada.okafor"))


@given(text(max_size=8), text(max_size=90))
def test_any_characters_are_welcome_in_a_password(first: str, then: str) -> None:
    passwords.check(first + BETTER + then, email="priya@hlo.example")


async def test_sessions_are_listed_and_ended_one_by_one(door: Door) -> None:
    here, there = await door.bearer(PRIYA), await door.bearer(PRIYA)
    listed = (await door.send(here, "GET", "/sessions")).json()["items"]
    other = next(one["id"] for one in listed if not one["is_current"])

    foreign = await door.send(PAUL, "DELETE", f"/sessions/{other}")
    ended = await door.send(here, "DELETE", f"/sessions/{other}")

    assert len(listed) == 2
    assert (foreign.status_code, ended.status_code) == (404, 204)
    assert (await door.send(there, "GET", "/me")).status_code == 401
    assert (await door.send(here, "GET", "/me")).status_code == 200


async def test_who_is_shut_out_is_out_at_once_and_elsewhere_within_a_second(door: Door) -> None:
    headers = await door.bearer(PRIYA)
    await door.send(headers, "GET", "/tickets")
    # Another process of the gateway changed it: this one learns of it when it looks again.
    await door.sql("UPDATE people SET is_active = false WHERE id = $1", door.ids[PRIYA])
    loop = asyncio.get_running_loop()
    began = loop.time()
    while (await door.send(headers, "GET", "/tickets")).status_code == 200:
        assert loop.time() - began < CACHE_SECONDS + 0.5
        await asyncio.sleep(0.05)
    await door.sql("UPDATE people SET is_active = true WHERE id = $1", door.ids[PRIYA])
    headers = await door.bearer(PRIYA)
    await door.send(headers, "GET", "/tickets")

    changed = await door.send(PAUL, "PATCH", f"/people/{door.ids[PRIYA]}", {"is_active": False})

    assert changed.status_code == 200
    assert (await door.send(headers, "GET", "/tickets")).status_code == 401
    assert (await door.send(None, "POST", "/sessions", {"email": PRIYA, "password": PASSWORD})).status_code == 401
    assert [one.is_active for one in await said(door.database, PersonUpdated)] == [False]


async def test_other_roles_end_the_sessions_that_had_the_old_ones(door: Door) -> None:
    headers = await door.bearer(PRIYA)

    changed = await door.send(PAUL, "PATCH", f"/people/{door.ids[PRIYA]}", {"roles": ["billing"]})

    assert changed.json()["roles"] == ["billing"]
    assert (await door.send(headers, "GET", "/me")).status_code == 401


async def test_somebody_is_left_who_can_administer(door: Door) -> None:
    own = await door.send(ADA, "PATCH", f"/people/{door.ids[ADA]}", {"roles": ["agent"]})
    other = await door.send(ADA, "PATCH", f"/people/{door.ids[PAUL]}", {"roles": ["billing"]})

    assert (own.status_code, own.json()["code"]) == (403, "own-rights")
    assert (other.status_code, other.json()["code"]) == (409, "last-administrator")


async def test_people_of_another_client_are_not_there(door: Door) -> None:
    theirs = await door.add_person("zoe@other.example", kind="client", client_id=new_id(), roles=("requester",))

    def alike(answer_text: str, person_id: UUID) -> str:
        return answer_text.split('"request_id"', maxsplit=1)[0].replace(str(person_id), "ID")

    headers = await door.bearer(PAUL)
    for method, path in (("PATCH", ""), ("POST", "/invitation"), ("DELETE", "/sessions"), ("DELETE", "/factors")):
        unknown = new_id()
        foreign, missing = [
            await door.send(headers, method, f"/people/{person_id}{path}", {} if method == "PATCH" else None)
            for person_id in (theirs, unknown)
        ]
        assert (foreign.status_code, missing.status_code) == (404, 404)
        assert alike(foreign.text, theirs) == alike(missing.text, unknown)
    listed = (await door.send(headers, "GET", f"/people?client_id={new_id()}")).json()["items"]
    assert {one["client_id"] for one in listed} == {prefixed("client", door.client_id)}


async def test_people_come_in_pages(door: Door) -> None:
    headers = await door.bearer(ADA)
    first = (await door.send(headers, "GET", "/people?limit=2")).json()
    second = (await door.send(headers, "GET", f"/people?limit=2&after={first['next']}")).json()

    assert [one["display_name"] for one in first["items"] + second["items"]] == ["Ada@M", "Paul@", "Priya"]
    assert second["next"] is None
    assert (await door.send(headers, "GET", "/people?after=nonsense")).status_code == 422


async def test_what_moves_rights_asks_who_it_is_after_ten_minutes(door: Door) -> None:
    headers = await door.bearer(ADA)
    await door.sql("UPDATE sessions SET proved_at = proved_at - interval '11 minutes'")
    door.app.state.visitors.forget_all()

    stale = [
        await door.send(headers, "POST", "/people", {**NEW, "client_id": str(door.client_id)}),
        await door.send(headers, "POST", "/queues", {}),
        await door.send(headers, "POST", "/api-keys", {"name": "x", "roles": ["agent"], "scopes": ["tickets:read"]}),
    ]
    wrong = await door.send(headers, "POST", "/sessions/current/proof", {"password": "nonsense"})
    proved = await door.send(headers, "POST", "/sessions/current/proof", {"password": PASSWORD})
    fresh = await door.send(headers, "POST", "/queues", {})

    assert [(one.status_code, one.json()["code"]) for one in stale] == [(403, "step-up-required")] * 3
    assert (wrong.status_code, proved.status_code) == (401, 204)
    assert fresh.json() == {"fresh": True}


async def test_failures_slow_down_and_never_shut_for_good(door: Door) -> None:
    for _ in range(sign_in.FAILURES_FREE):
        await door.send(None, "POST", "/sessions", {"email": ADA, "password": "wrong"})
    who = {"email": ADA, "password": PASSWORD}

    at_once = await door.send(None, "POST", "/sessions", who)
    await door.sql("UPDATE sign_in_failures SET failed_at = failed_at - interval '5 seconds'")
    later = await door.send(None, "POST", "/sessions", who)

    assert (at_once.status_code, at_once.json()["code"]) == (429, "too-many-attempts")
    assert later.status_code == 201


async def test_staff_looks_at_the_portal_as_a_client_and_changes_nothing(door: Door) -> None:
    headers = await door.bearer(ADA)

    unknown = await door.send(headers, "PUT", "/sessions/current/view", {"client_id": str(new_id())})
    begun = await door.send(headers, "PUT", "/sessions/current/view", {"client_id": str(door.client_id)})
    me = (await door.send(headers, "GET", "/me")).json()
    read = await door.send(headers, "GET", "/tickets")
    changed = await door.send(headers, "POST", "/tickets/1", {})
    invited = await door.send(headers, "POST", "/people", NEW)
    page = await door.client.get("/portal", headers={"cookie": f"sid={headers['authorization'].split()[1]}"})
    seen = (await door.send(PAUL, "GET", "/audit")).json()["items"]
    by_client = await door.send(PAUL, "PUT", "/sessions/current/view", {"client_id": str(door.client_id)})
    ended = await door.send(headers, "DELETE", "/sessions/current/view")
    again = (await door.send(headers, "GET", "/me")).json()

    assert (ended.status_code, again["kind"], again["views_client_id"]) == (204, "staff", None)
    assert (unknown.status_code, begun.status_code) == (404, 204)
    assert (me["kind"], me["client_id"]) == ("client", prefixed("client", door.client_id))
    assert (read.status_code, changed.status_code, invited.status_code) == (200, 403, 403)
    assert "You see what Halcyon sees" in page.text
    assert [one["actor_name"] for one in seen if one["action"] == "view-as-client"] == ["Ada@M"]
    assert by_client.status_code == 403


async def test_who_views_as_a_client_may_sign_out(door: Door) -> None:
    headers = await door.bearer(ADA)
    await door.send(headers, "PUT", "/sessions/current/view", {"client_id": str(door.client_id)})

    ended = await door.send(headers, "DELETE", "/sessions/current")

    assert ended.status_code == 204
    assert (await door.send(headers, "GET", "/me")).status_code == 401


async def test_a_program_of_a_person_keeps_how_they_like_their_pages(door: Door) -> None:
    before = (await door.send(PRIYA, "GET", "/me/preferences")).json()
    changed = await door.send(PRIYA, "PUT", "/me/preferences", {"language": "de", "has_shortcuts": False})
    wrong = await door.send(PRIYA, "PUT", "/me/preferences", {"language": "tlh"})
    after = (await door.send(PRIYA, "GET", "/me/preferences")).json()

    assert before == {"language": None, "has_shortcuts": True}
    assert changed.json() == after == {"language": "de", "has_shortcuts": False}
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/body/language")
    assert "Einstellungen" in (await door.client.get("/settings/preferences", headers=await door.bearer(PRIYA))).text


async def test_a_person_somebody_else_changed_in_between_is_not_overwritten(door: Door) -> None:
    ada = await door.bearer(PAUL)
    priya = next(one for one in (await door.send(ada, "GET", "/people")).json()["items"] if one["email"] == PRIYA)
    path, read = f"/people/{priya['id']}", {"if-match": f'"{priya["revision"]}"'}

    first = await door.send({**ada, **read}, "PATCH", path, {"display_name": "Priya N."})
    second = await door.send({**ada, **read}, "PATCH", path, {"display_name": "Other"})

    assert (first.json()["revision"], second.status_code) == (priya["revision"] + 1, 409)


async def test_the_audit_log_says_where_it_was_tampered_with(door: Door) -> None:
    await door.bearer(ADA)
    await door.bearer(PAUL)
    async with door.database.transaction(SYSTEM) as tx:
        assert await notes.verify(tx) == []
    with pytest.raises(Exception, match="permission denied"):
        await door.sql("UPDATE audit SET action = 'nothing' WHERE id = 1")


async def test_verify_finds_what_even_a_superuser_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = await fresh_database(database="portal_gateway", module="portal_gateway")
    for name, value in set_service_environment(made, **dict.fromkeys(SERVICE_URLS, "http://127.0.0.1:1")).items():
        monkeypatch.setenv(name, value)

    database = Database(made.app, service="portal-gateway", database="portal_gateway", pool_size=2)
    superuser = await asyncpg.connect(superuser_url(made))
    try:
        async with database.transaction(SYSTEM) as tx:
            for number in range(3):
                await notes.note(tx, actor="test", action="tried", what=str(number))
            assert await notes.verify(tx) == []

        await superuser.execute("SET session_replication_role = replica")
        changed = await superuser.fetchval("UPDATE audit SET actor = 'nobody' WHERE object = '1' RETURNING id")
        command = (sys.executable, "-m", "portal_gateway", "verify")
        running = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        printed, _ = await running.communicate()
        assert (running.returncode, f"BROKEN audit entry {changed} was changed" in printed.decode()) == (1, True)

        await superuser.execute("UPDATE audit SET actor = 'test' WHERE id = $1", changed)
        await superuser.execute("DELETE FROM audit WHERE object = '2'")
        async with database.transaction(SYSTEM) as tx:
            assert await notes.verify(tx) == ["the end of the audit log is missing"]
    finally:
        await superuser.close()
        await database.close()
        await drop_database(made)
