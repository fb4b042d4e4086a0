"""The inbox, fed by what the services say: everybody their own, each fact once; over the API and on the pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from door import ADA, PAUL, PRIYA, Door
from news import asked, assigned, at_risk, breached, crossed, issued, now, one_of_each, posted, raised, speaker, updated

from msp_events.portal import InboxChanged
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Scope
from msp_kit.testing import said
from portal_gateway.actions.notices import wake

TOM, MAY, SAM = "tom@meridian.example", "may@meridian.example", "sam@other.example"


@dataclass
class Desk:
    """Two clients, their people and the staff around one ticket."""

    door: Door
    theirs: UUID

    async def say(self, *events: Any) -> list[Any]:
        return await speaker(self.door).say(*events)

    async def told(self, email: str, state: str = "open") -> list[str]:
        answer = await self.door.send(email, "GET", f"/notifications?state={state}")
        assert answer.status_code == 200, answer.text
        return [one["kind"] for one in answer.json()["items"]]


@pytest.fixture
async def desk(door: Door) -> Desk:
    made = Desk(door, new_id())
    await door.add_person(TOM, kind="staff", client_id=None, roles=("agent",))
    await door.add_person(MAY, kind="staff", client_id=None, roles=("manager",))
    await door.add_person(SAM, kind="client", client_id=made.theirs, roles=("admin", "approver", "billing"))
    at = await now(door)
    tom, priya = door.ids[TOM], door.ids[PRIYA]
    await made.say(
        raised(door.client_id, priya, occurred_at=at),
        assigned(door.client_id, tom, occurred_at=at),
        posted(door.client_id, "client", by=priya, assignee_person_id=tom, occurred_at=at),
        posted(door.client_id, "agent", by=tom, is_public=False, mentioned_person_ids=(tom, door.ids[MAY], priya),
               revision=5, occurred_at=at),
        updated(door.client_id, "waiting_on_client", revision=6, assignee_person_id=tom, occurred_at=at),
        breached(door.client_id, occurred_at=at),
        crossed(door.client_id, 90, occurred_at=at),
        asked(door.client_id, occurred_at=at),
        issued(door.client_id, occurred_at=at),
    )  # fmt: skip
    return made


async def test_everybody_is_told_what_concerns_them(desk: Desk) -> None:
    assert sorted(await desk.told(TOM)) == ["assigned", "client-replied", "sla-breach"]
    assert sorted(await desk.told(MAY)) == ["approval-waiting", "bucket-low", "mentioned", "sla-breach"]
    assert await desk.told(PRIYA) == ["answer-needed"]
    assert sorted(await desk.told(PAUL)) == ["approval-needed", "bucket-used", "invoice-issued"]
    assert await desk.told(SAM) == []


async def test_the_same_event_again_tells_nobody_again(desk: Desk) -> None:
    at = await now(desk.door)
    before = await desk.door.sql("SELECT count(*) FROM notifications")
    mine = speaker(desk.door)
    envelopes = await mine.say(at_risk(desk.door.client_id, 75, occurred_at=at))
    await mine.inbox.accept(envelopes)
    # Another event with the same fact, as after a replay under other ids.
    await mine.say(at_risk(desk.door.client_id, 75, occurred_at=at))

    assert await desk.door.sql("SELECT count(*) FROM notifications") == before + 1


async def test_a_client_s_people_never_hear_of_another_client(desk: Desk) -> None:
    at = await now(desk.door)
    await desk.say(*one_of_each(desk.theirs, occurred_at=at, ticket_id=new_id())[:6])
    await desk.say(*(event for event in one_of_each(desk.theirs, occurred_at=at)[8:]))

    foreign = await desk.door.sql(
        "SELECT count(*) FROM notifications n JOIN people p ON p.id = n.person_id"
        " WHERE p.kind = 'client' AND p.of_client_id <> n.client_id"
    )
    assert foreign == 0
    assert len(await desk.told(SAM)) > 3
    assert await desk.told(PRIYA) == ["answer-needed"]


async def test_row_security_keeps_everybody_to_their_own(desk: Desk) -> None:
    everything = "SELECT count(*) FROM notifications"
    door = desk.door
    scopes = {
        "priya": Scope(role="client", client_id=door.client_id, actor=str(door.ids[PRIYA])),
        "sam": Scope(role="client", client_id=desk.theirs, actor=str(door.ids[SAM])),
        # Who looks at the portal as a client is nobody of the client.
        "looks on": Scope(role="client", client_id=door.client_id, actor=str(door.ids[ADA])),
        # A person who was moved keeps nothing of where they were.
        "moved": Scope(role="client", client_id=desk.theirs, actor=str(door.ids[PRIYA])),
    }
    seen = {}
    for name, scope in scopes.items():
        async with door.database.transaction(scope) as tx:
            seen[name] = (
                await tx.fetchval(everything),
                await tx.fetchval(
                    "WITH u AS (UPDATE notifications SET done_at = now() RETURNING 1) SELECT count(*) FROM u"
                ),
            )

    assert seen == {"priya": (1, 1), "sam": (0, 0), "looks on": (0, 0), "moved": (0, 0)}
    async with door.database.transaction(scopes["priya"]) as tx:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tx.driver.execute("UPDATE notifications SET words = '{}'")


@pytest.mark.parametrize("what", ["other client", "staff", "client on the desk"])
async def test_the_database_refuses_a_wrong_receiver(desk: Desk, what: str) -> None:
    door = desk.door
    person, is_for_client = {
        "other client": (door.ids[SAM], True),
        "staff": (door.ids[TOM], True),
        "client on the desk": (door.ids[PRIYA], False),
    }[what]
    with pytest.raises(asyncpg.CheckViolationError, match="is not for"):
        await door.sql(
            "INSERT INTO notifications (id, person_id, client_id, is_for_client, kind, fact, about, link, words, is_critical, at)"
            " VALUES (gen_random_uuid(), $1, $2, $3, 'answered', 'x', 'x', '/', '{}', false, now()) RETURNING 1",
            person,
            door.client_id,
            is_for_client,
        )


async def test_somebody_shut_out_is_told_nothing_more(desk: Desk) -> None:
    door = desk.door
    await door.sql("UPDATE people SET is_active = false WHERE id = $1 RETURNING 1", door.ids[PRIYA])

    await desk.say(updated(door.client_id, "resolved", revision=9, occurred_at=await now(door)))

    assert await door.sql("SELECT count(*) FROM notifications WHERE person_id = $1", door.ids[PRIYA]) == 1


async def test_what_somebody_does_not_want_to_know_they_are_not_told(desk: Desk) -> None:
    body = {"zone": "Europe/Berlin", "digest": "off", "channels": {"ticket-status": "off"}}
    await desk.door.sql("UPDATE people SET language = 'de' WHERE email = $1 RETURNING 1", PRIYA)
    saved = await desk.door.send(PRIYA, "PUT", "/notifications/settings", body)
    await desk.say(updated(desk.door.client_id, "resolved", revision=9, occurred_at=await now(desk.door)))

    shown = (await desk.door.send(PRIYA, "GET", "/notifications")).json()["items"]
    assert (saved.status_code, saved.json()["channels"]["answered"]) == (200, "now")
    assert [one["text"] for one in shown] == ["HLO-7 wartet auf Ihre Antwort: VPN drops"]


async def test_done_put_off_and_open_again(desk: Desk) -> None:
    door, path = desk.door, "/notifications/{}/state"
    (first,) = (await door.send(PRIYA, "GET", "/notifications")).json()["items"]
    mine = path.format(first["id"])

    answers = [
        await door.send(SAM, "PUT", mine, {"state": "done"}),
        await door.send(TOM, "PUT", mine, {"state": "done"}),
        await door.send(PRIYA, "PUT", path.format(new_id()), {"state": "done"}),
    ]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "not-found")}
    assert (await door.send(PRIYA, "GET", "/notifications/unread")).json() == {"unread": 1}

    for until in ("2090-01-01T00:00:00Z", "2020-01-01T00:00:00Z", None):
        refused = await door.send(PRIYA, "PUT", mine, {"state": "snoozed", "until": until})
        assert (refused.status_code, refused.json()["code"]) == (422, "bad-notification-settings")
    in_an_hour = (await now(door) + timedelta(hours=1)).isoformat()
    assert (await door.send(PRIYA, "PUT", mine, {"state": "snoozed", "until": in_an_hour})).status_code == 204
    assert (await desk.told(PRIYA), await desk.told(PRIYA, "snoozed")) == ([], ["answer-needed"])
    await door.sql("UPDATE notifications SET snoozed_until = clock_timestamp() - interval '1 s' RETURNING 1")
    assert await desk.told(PRIYA) == ["answer-needed"]
    # Open pages are told of it, once.
    heard = len(await said(door.database, InboxChanged))
    for _ in range(2):
        async with door.database.transaction(SYSTEM) as tx:
            await wake(tx)
    woken = (await said(door.database, InboxChanged))[heard:]
    assert [one.person_id for one in woken].count(door.ids[PRIYA]) == 1
    assert await desk.told(PRIYA) == ["answer-needed"]

    done = await door.send(PRIYA, "POST", "/notifications/done", {})
    assert (done.json(), await desk.told(PRIYA, "done")) == ({"ids": [first["id"]]}, ["answer-needed"])
    await door.send(PRIYA, "PUT", mine, {"state": "open"})
    assert (await door.send(PRIYA, "GET", "/notifications/unread")).json() == {"unread": 1}


async def test_pages_of_the_list_hold_everything_once(desk: Desk) -> None:
    seen: list[str] = []
    after = ""
    while True:
        page = (await desk.door.send(MAY, "GET", f"/notifications?limit=1{after}")).json()
        seen += [one["kind"] for one in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert sorted(seen) == ["approval-waiting", "bucket-low", "mentioned", "sla-breach"]
    bad = await desk.door.send(MAY, "GET", "/notifications?after=WyIyMDI2LTAxLTAxIiwieCJd")
    assert (bad.status_code, bad.json()["code"]) == (422, "bad-cursor")


async def test_every_change_tells_the_person_s_open_pages_and_says_nothing_more(desk: Desk) -> None:
    await desk.door.send(PRIYA, "POST", "/notifications/done", {})

    changed = await said(desk.door.database, InboxChanged)

    assert [one.person_id for one in changed].count(desk.door.ids[PRIYA]) == 2
    assert {one.person_id for one in changed} == {desk.door.ids[email] for email in (TOM, MAY, PRIYA, PAUL)}
    assert set(InboxChanged.model_fields) == {"occurred_at", "person_id"}


async def page(desk: Desk, email: str, path: str, form: dict[str, str] | None = None) -> Any:
    method = "GET" if form is None else "POST"
    return await desk.door.client.request(method, path, data=form, headers=await desk.door.bearer(email))


async def test_the_page_groups_by_ticket_and_done_can_be_undone(desk: Desk) -> None:
    shown = (await page(desk, TOM, "/desk/inbox")).text
    ids = re.findall(r'name="ids" value="([^"]+)"', shown)

    assert "The resolution of HLO-7 is late: VPN drops" in shown
    assert "HLO-7 was given to you: VPN drops" in shown
    # One ticket within five minutes is one row.
    assert [one.count(",") for one in ids] == [2]

    done = await page(desk, TOM, "/desk/inbox", {"do": "done", "ids": ids[0]})
    after = (await page(desk, TOM, done.headers["location"])).text
    assert done.status_code == 303
    assert ("All read" in after, "3 done." in after, 'role="status"' in after) == (True, True, True)

    await page(desk, TOM, "/desk/inbox", {"do": "open", "ids": re.findall(r'name="ids" value="([^"]+)"', after)[0]})
    assert len(await desk.told(TOM)) == 3


async def test_put_off_mark_all_and_somebody_else_s(desk: Desk) -> None:
    (mine,) = re.findall(r'name="ids" value="([^"]+)"', (await page(desk, PRIYA, "/portal/inbox")).text)

    foreign = await page(desk, SAM, "/portal/inbox", {"do": "done", "ids": mine})
    unknown = await page(desk, PRIYA, "/portal/inbox", {"do": "snooze-never", "ids": mine})
    later = await page(desk, PRIYA, "/portal/inbox", {"do": "snooze-tomorrow", "ids": mine})
    everything = await page(desk, PAUL, "/portal/inbox", {"do": "all"})

    assert [one.status_code for one in (foreign, unknown, later, everything)] == [422, 422, 303, 303]
    assert await desk.told(PRIYA, "snoozed") == ["answer-needed"]
    assert (await desk.told(PAUL), len(await desk.told(PAUL, "done"))) == ([], 3)
    assert (await page(desk, PRIYA, "/desk/inbox")).status_code == 403


async def test_the_bell_counts_what_is_open(desk: Desk) -> None:
    assert (await page(desk, TOM, "/ui/inbox")).json()["unread"] == 3
    assert (await desk.door.client.get("/ui/inbox")).status_code == 401
    assert f'data-bell="inbox-{desk.door.ids[TOM]}"' in (await page(desk, TOM, "/desk/inbox")).text


@pytest.mark.parametrize("email", [TOM, PRIYA])
async def test_somebody_chooses_how_they_are_told(desk: Desk, email: str) -> None:
    shown = (await page(desk, email, "/settings/notifications")).text
    form = dict.fromkeys(re.findall(r'<select class="input" id="k-([a-z-]+)"', shown), "app")
    form |= {
        "zone": "Europe/Berlin",
        "language": "de",
        "digest": "hourly",
        "quiet_from": "22:00",
        "quiet_until": "06:00",
    }

    wrong = await page(desk, email, "/settings/notifications", {**form, "zone": "Nowhere/Land"})
    saved = await page(desk, email, "/settings/notifications", form)

    assert (wrong.status_code, "Nowhere/Land" in wrong.text, "looks like Europe/London" in wrong.text) == (
        422,
        True,
        True,
    )
    assert saved.status_code == 303
    kept = (await desk.door.send(email, "GET", "/notifications/settings")).json()
    assert set(kept["channels"].values()) == {"app"}
    assert (kept["zone"], kept["quiet_from"], kept["digest"]) == ("Europe/Berlin", "22:00", "hourly")


async def test_a_key_has_no_inbox(desk: Desk) -> None:
    made = await desk.door.send(
        PAUL, "POST", "/api-keys", {"name": "k", "roles": ["requester"], "scopes": ["portal-gateway:read"]}
    )
    key = {"authorization": f"Bearer {made.json()['key']}"}

    answer = await desk.door.send(key, "GET", "/notifications")

    assert (answer.status_code, answer.json()["code"]) == (403, "out-of-scope")
