"""Mail, taken by a real SMTP server, or by none."""

from __future__ import annotations

from email.header import decode_header, make_header
from email.utils import parseaddr
from typing import cast

from door import PRIYA, Door
from post import Postbox, an_office

from portal_gateway.jobs import jobs


async def send(door: Door, url: str) -> bool:
    return await an_office(door, url).tick("send-mail")


async def waiting(door: Door) -> None:
    await door.sql(
        "INSERT INTO mails (id, recipient, subject, text, created_at, due_at)"
        " VALUES (gen_random_uuid(), $1, 'Your password', 'Grüße, here is a link: x', clock_timestamp(), clock_timestamp())",
        PRIYA,
    )


async def test_a_mail_is_sent_once_and_what_it_said_is_forgotten(door: Door, postbox: Postbox) -> None:
    await waiting(door)

    first, second = await send(door, postbox.url), await send(door, postbox.url)

    (mail,) = postbox.taken
    assert (first, second) == (True, False)
    assert (mail["To"], mail["From"], mail["Subject"]) == (PRIYA, "support@meridian.example", "Your password")
    assert "Grüße" in cast("bytes", mail.get_payload(decode=True)).decode()
    assert await door.sql("SELECT text FROM mails WHERE sent_at IS NOT NULL") == ""


async def test_a_mail_comes_in_the_name_the_house_goes_by(door: Door, postbox: Postbox) -> None:
    await door.sql(
        "INSERT INTO branding (revision, name, language, updated_at) VALUES (1, 'Müller IT', 'de', clock_timestamp())"
    )
    await waiting(door)

    await send(door, postbox.url)

    name, address = parseaddr(str(make_header(decode_header(str(postbox.taken[0]["From"])))))
    assert (name, address) == ("Müller IT", "support@meridian.example")


async def test_a_mail_nobody_takes_waits_longer_each_time(door: Door, postbox: Postbox) -> None:
    await waiting(door)

    await send(door, "smtp://127.0.0.1:1")
    pause = await door.sql("SELECT extract(epoch FROM due_at - clock_timestamp()) FROM mails")
    again = await send(door, postbox.url)

    assert 0 < pause <= 30
    assert (again, postbox.taken) == (False, [])
    assert await door.sql("SELECT attempts FROM mails WHERE sent_at IS NULL AND last_error <> ''") == 1


def test_without_a_mail_server_nothing_tries_to_write_or_send(door: Door) -> None:
    assert [one.name for one in jobs(smtp_url="", sender="x", house=door.app.state.house)] == ["forget-old", "wake"]
