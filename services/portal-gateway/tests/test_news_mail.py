"""Mail about what happens, over a real SMTP server: what stands in it, when it leaves, and that it leaves once."""

from __future__ import annotations

from typing import Any

import pytest
from door import PAUL, PRIYA, Door
from news import (
    asked,
    crossed,
    imported,
    issued,
    now,
    posted,
    raised,
    run_finished,
    run_ready,
    speaker,
    time_waits,
    unsubmitted,
    updated,
)
from post import Postbox, an_office

from msp_kernel.ids import new_id

NO_NIGHT = {"zone": "Europe/London", "digest": "daily"}


async def an_answer(door: Door, **given: Any) -> None:
    """Let support answer on a ticket of Priya, who has no quiet hours."""
    at = await now(door)
    await door.send(PRIYA, "PUT", "/notifications/settings", {**NO_NIGHT, **given.pop("settings", {})})
    given.setdefault("revision", 4)
    await speaker(door).say(
        raised(door.client_id, door.ids[PRIYA], occurred_at=at),
        posted(door.client_id, "agent", occurred_at=at, **given),
    )


async def outcomes(door: Door) -> list[str]:
    found: list[str] = await door.sql("SELECT coalesce(array_agg(outcome ORDER BY created_at), '{}') FROM mails")
    return found


async def test_an_answer_is_mailed_at_once(door: Door, postbox: Postbox) -> None:
    await an_answer(door)

    await an_office(door, postbox.url).work()

    (mail,) = postbox.taken
    text = mail.get_content()
    assert (mail["To"], mail["Subject"]) == (PRIYA, "Support answered on HLO-7: VPN drops")
    assert "http://door/portal/tickets/HLO-7" in text
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Unsubscribe"].strip("<>") in text
    assert await outcomes(door) == ["sent"]
    assert await door.sql("SELECT text FROM mails") == ""


async def test_what_is_due_together_is_one_mail_in_the_reader_s_language(door: Door, postbox: Postbox) -> None:
    at = await now(door)
    body = {"zone": "Europe/Berlin", "digest": "off"}
    await door.sql("UPDATE people SET language = 'de' WHERE email = $1 RETURNING 1", PAUL)
    await door.send(PAUL, "PUT", "/notifications/settings", body)
    await speaker(door).say(issued(door.client_id, occurred_at=at), asked(door.client_id, occurred_at=at))

    await an_office(door, postbox.url).work()

    (mail,) = postbox.taken
    assert (mail["To"], mail["Subject"]) == (PAUL, "2 Neuigkeiten bei Meridian IT")
    assert "Rechnung 2026-0007 über 120,00 £, fällig am 1. April 2026" in mail.get_content()
    assert "45 min Arbeit über Ihre Stunden hinaus warten auf Ihre Freigabe" in mail.get_content()


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en-GB",
            [
                "The invoice run 1 February 2026 to 28 February 2026 waits for review: 8 drafted, 1 blocked",
                "The invoice run 1 February 2026 to 28 February 2026 is finished: 9 issued",
                "Import of tickets finished: 40 taken, 2 with errors",
                "1 h 35 min of submitted time wait for your approval; the month ends on 31 March 2026",
                "The month ends on 31 March 2026, and 1 h 15 min of your time are not submitted",
            ],
        ),
        (
            "de",
            [
                "Der Rechnungslauf 1. Februar 2026 bis 28. Februar 2026 wartet auf Prüfung: 8 entworfen, 1 blockiert",
                "Der Rechnungslauf 1. Februar 2026 bis 28. Februar 2026 ist fertig: 9 ausgestellt",
                "Import von Tickets fertig: 40 übernommen, 2 mit Fehlern",
                "1 h 35 min eingereichte Zeit warten auf Ihre Freigabe; der Monat endet am 31. März 2026",
                "Der Monat endet am 31. März 2026, und 1 h 15 min Ihrer Zeit sind nicht eingereicht",
            ],
        ),
    ],
)
async def test_what_concerns_the_house_is_mailed_to_its_manager(
    door: Door, postbox: Postbox, language: str, expected: list[str]
) -> None:
    at = await now(door)
    await door.add_person("sofia@meridian.example", kind="staff", client_id=None, roles=("manager",))
    sofia = door.ids["sofia@meridian.example"]
    await door.sql("UPDATE people SET language = $1 WHERE id = $2 RETURNING 1", language, sofia)
    kinds = ("run-ready", "run-finished", "import-finished", "time-waiting", "time-unsubmitted")
    settings = {"zone": "Europe/London", "digest": "off", "channels": dict.fromkeys(kinds, "now")}
    answer = await door.send("sofia@meridian.example", "PUT", "/notifications/settings", settings)
    assert answer.status_code == 200, answer.text
    await speaker(door).say(
        run_ready(occurred_at=at),
        run_finished(occurred_at=at),
        imported(sofia, occurred_at=at),
        time_waits(occurred_at=at),
        unsubmitted(sofia, occurred_at=at),
    )

    await an_office(door, postbox.url).work()

    (mail,) = postbox.taken
    text = mail.get_content()
    assert [line.removeprefix("- ") for line in text.splitlines() if line.startswith("- ")] == expected
    for link in ("/desk/billing/runs/", "/desk/admin/imports", "/desk/approvals", "/desk/time"):
        assert f"http://door{link}" in text
    told = (await door.send("sofia@meridian.example", "GET", "/notifications")).json()["items"]
    assert {(one["kind"], one["client_id"]) for one in told} == {(kind, None) for kind in kinds}


async def test_a_digest_waits_for_its_hour_and_holds_it_all(door: Door, postbox: Postbox) -> None:
    at, office = await now(door), an_office(door, postbox.url)
    await door.send(PAUL, "PUT", "/notifications/settings", NO_NIGHT)
    await speaker(door).say(
        *(crossed(door.client_id, percent, revision=percent, occurred_at=at) for percent in (75, 90))
    )

    await office.work()
    assert postbox.taken == []
    await door.sql("UPDATE notifications SET mail_due_at = clock_timestamp() - interval '1 s' RETURNING 1")
    await office.work()

    (mail,) = postbox.taken
    assert "75 % of your hours are used, 4 h 10 min of 16 h 40 min are left" in mail.get_content()
    assert "90 % of your hours are used, 1 h 40 min of 16 h 40 min are left" in mail.get_content()


async def test_what_was_done_or_is_old_is_not_mailed(door: Door, postbox: Postbox) -> None:
    await an_answer(door)
    await door.send(PRIYA, "POST", "/notifications/done", {})
    await an_office(door, postbox.url).work()
    await door.sql(
        "UPDATE notifications SET done_at = NULL, mail_due_at = clock_timestamp(), at = at - interval '3 days' RETURNING 1"
    )
    await an_office(door, postbox.url).work()

    assert (postbox.taken, await outcomes(door)) == ([], [])


@pytest.mark.parametrize("when", ["before it is written", "before it is sent"])
@pytest.mark.parametrize("what", ["shut out", "moved"])
async def test_somebody_shut_out_or_moved_gets_no_mail(door: Door, postbox: Postbox, when: str, what: str) -> None:
    await an_answer(door)
    office = an_office(door, postbox.url)
    if when == "before it is sent":
        while await office.tick("write-mail"):
            pass
    if what == "shut out":
        await door.sql("UPDATE people SET is_active = false WHERE email = $1 RETURNING 1", PRIYA)
    else:
        await door.sql("UPDATE people SET of_client_id = $2 WHERE email = $1 RETURNING 1", PRIYA, new_id())

    await office.work()

    assert postbox.taken == []


async def test_at_night_only_what_is_critical_leaves(door: Door, postbox: Postbox) -> None:
    at = await now(door)
    minute = at.hour * 60 + at.minute
    clock = [f"{one // 60:02}:{one % 60:02}" for one in ((minute - 60) % 1440, (minute + 60) % 1440)]
    quiet = {"zone": "UTC", "digest": "off", "quiet_from": clock[0], "quiet_until": clock[1]}
    await door.send(PRIYA, "PUT", "/notifications/settings", quiet)
    await speaker(door).say(
        raised(door.client_id, door.ids[PRIYA], occurred_at=at),
        updated(door.client_id, "waiting_on_client", occurred_at=at, revision=9),
        updated(door.client_id, "waiting_on_client", occurred_at=at, revision=10, priority="critical"),
    )
    # Nor does what was due before the night began and is late.
    await door.sql("UPDATE notifications SET mail_due_at = clock_timestamp() RETURNING 1")

    await an_office(door, postbox.url).work()

    assert len(postbox.taken) == 1
    assert await door.sql("SELECT array_agg(is_critical) FROM notifications WHERE mailed_at IS NOT NULL") == [True]
    assert await door.sql("SELECT mail_due_at > clock_timestamp() FROM notifications WHERE mailed_at IS NULL")


async def test_no_title_reaches_the_headers(door: Door, postbox: Postbox) -> None:
    await an_answer(door, title="x\r\nBcc: eve@evil.example\r\n\r\nowned \u2028\u0085 y")

    await an_office(door, postbox.url).work()

    (mail,) = postbox.taken
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Support answered on HLO-7: x Bcc: eve@evil.example owned y"


async def test_no_mail_is_sent_twice_though_the_sender_dies_after_it_was_taken(door: Door, postbox: Postbox) -> None:
    await an_answer(door)
    first, second = an_office(door, postbox.url), an_office(door, postbox.url)
    await first.tick("write-mail")

    assert await first.tick("send-mail")  # claimed
    await first.die_while("send-mail")
    await second.work()

    assert len(postbox.taken) == 1
    assert await outcomes(door) == [""]
    await door.sql("UPDATE mails SET due_at = due_at - interval '2 hours' RETURNING 1")
    await second.tick("forget-old")
    await second.work()
    assert (len(postbox.taken), await outcomes(door)) == (1, ["unknown"])


@pytest.mark.parametrize("at", ["write-mail", "send-mail"])
async def test_a_process_that_dies_before_it_committed_loses_nothing(door: Door, postbox: Postbox, at: str) -> None:
    await an_answer(door)
    first, second = an_office(door, postbox.url), an_office(door, postbox.url)
    if at == "send-mail":
        await first.tick("write-mail")

    await first.die_while(at)
    await first.work()
    await second.work()

    assert len(postbox.taken) == 1


async def test_two_workers_send_one_mail_for_one_fact(door: Door, postbox: Postbox) -> None:
    await an_answer(door)
    first, second = an_office(door, postbox.url), an_office(door, postbox.url)

    for name in ("write-mail", "write-mail", "send-mail", "send-mail", "send-mail"):
        await first.tick(name)
        await second.tick(name)

    assert len(postbox.taken) == 1


async def test_a_mail_that_was_perhaps_taken_is_not_sent_again(door: Door, postbox: Postbox) -> None:
    await an_answer(door)
    postbox.hangs_up_after_taking = True

    await an_office(door, postbox.url).work()
    await door.sql("UPDATE mails SET due_at = clock_timestamp() RETURNING 1")
    await an_office(door, postbox.url).work()

    assert (len(postbox.taken), await outcomes(door)) == (1, ["unknown"])


@pytest.mark.parametrize("how", ["recipient", "message", "away"])
async def test_what_was_surely_not_taken_is_tried_again(door: Door, postbox: Postbox, how: str) -> None:
    await an_answer(door)
    url = "smtp://127.0.0.1:1" if how == "away" else postbox.url
    if how == "recipient":
        postbox.refuses_recipients_with = "451 later"
    if how == "message":
        postbox.refuses_messages_with = "452 full"

    await an_office(door, url).work()
    pause = await door.sql("SELECT extract(epoch FROM due_at - clock_timestamp()) FROM mails")
    postbox.refuses_recipients_with = postbox.refuses_messages_with = ""
    await door.sql("UPDATE mails SET due_at = clock_timestamp() RETURNING 1")
    await an_office(door, postbox.url).work()

    assert 0 < pause <= 30
    assert (len(postbox.taken), await outcomes(door)) == (1, ["sent"])


async def test_a_refused_address_is_recorded_shown_and_left_alone(door: Door, postbox: Postbox) -> None:
    await an_answer(door)
    postbox.refuses_recipients_with = "550 5.1.1 no such user"
    await an_office(door, postbox.url).work()
    postbox.refuses_recipients_with = ""
    headers = await door.bearer(PRIYA)

    shown = await door.client.get("/settings/notifications", headers=headers)
    await speaker(door).say(posted(door.client_id, "agent", revision=7, occurred_at=await now(door)))
    await an_office(door, postbox.url).work()
    assert (await outcomes(door), postbox.taken, "no such user" in shown.text) == (["refused"], [], True)

    # Saving says that the address is right again.
    await an_answer(door, revision=8)
    await an_office(door, postbox.url).work()
    assert [one["To"] for one in postbox.taken] == [PRIYA]


async def test_one_click_stops_the_mail_and_nothing_else(door: Door, postbox: Postbox) -> None:
    await an_answer(door)
    office = an_office(door, postbox.url)
    await office.work()
    link = postbox.taken[0]["List-Unsubscribe"].strip("<>").removeprefix("http://door")

    looked = await door.client.get(link)
    assert (looked.status_code, looked.headers["x-robots-tag"]) == (200, "noindex, nofollow")
    assert (await door.send(PRIYA, "GET", "/notifications/settings")).json()["channels"]["answered"] == "now"
    changed = link[:-3] + ("AAA" if link[-3:] != "AAA" else "BBB")
    assert (await door.client.post(changed)).status_code == 404

    clicked = await door.client.post(link, content=b"List-Unsubscribe=One-Click")
    await speaker(door).say(posted(door.client_id, "agent", revision=9, occurred_at=await now(door)))
    await office.work()

    kept = (await door.send(PRIYA, "GET", "/notifications/settings")).json()
    assert (clicked.status_code, len(postbox.taken)) == (200, 1)
    assert (set(kept["channels"].values()), kept["digest"]) == ({"app"}, "off")
    assert (await door.send(PRIYA, "GET", "/notifications/unread")).json() == {"unread": 2}
    assert (await door.send(PAUL, "GET", "/notifications/settings")).json()["channels"]["answered"] == "now"
