"""The pages of calendars, job types and rate cards over the real contracts service."""

from __future__ import annotations

import re
from typing import Any

from test_contract_pages import Desk, a_contract, desk

__all__ = ["desk"]
CALENDAR = {
    "name": "Bavaria",
    "timezone": "Europe/Berlin",
    "mon": "08:00-12:00, 13:00-17:00",
    "fri": "22:00-02:00",
    "holidays": "2026-03-02 Our own day",
    "overrides": "2026-12-24 09:00-12:00\n2026-12-31 closed",
    "country": "de",
    "subdivision": "by",
    "years": "2026",
    "intent": "save",
}


def value(page: str, name: str) -> str:
    """Return what a text area of a page holds."""
    return page.partition(f'name="{name}"')[2].partition(">")[2].partition("</textarea>")[0].strip()


def fault(page: str, name: str) -> str:
    """Return what a page says is wrong with a field."""
    return page.partition(f'id="{name}-err">')[2].partition("</span>")[0].rpartition("</svg>")[2]


async def test_a_calendar_is_made_with_the_holidays_of_a_country_and_changed(desk: Desk) -> None:
    await a_contract(desk)
    path = "/desk/admin/calendars"

    assert 'href="/desk/admin/calendars"' in await desk.get("mia", "/desk/contracts/C-0001")
    assert "Office hours" in await desk.get("mia", path)
    filled = await desk.send("mia", "POST", f"{path}/new", **{**CALENDAR, "intent": "fill"})
    days = value(filled.text, "holidays")
    made = await desk.send("mia", "POST", f"{path}/new", **{**CALENDAR, "holidays": days})
    listed = await desk.get("mia", path)
    (own,) = re.findall(rf'<a class="title" href="({path}/[^"]+)">Bavaria', listed)
    page = await desk.get("mia", own)
    changed = await desk.send("mia", "POST", own, **{**CALENDAR, "name": "Bavaria, long"})

    assert filled.status_code == 200
    assert "2026-01-06 Epiphany" in days, "a holiday of Bavaria, not of all Germany"
    assert "2026-03-02 Our own day" in days
    assert (made.status_code, made.headers["location"]) == (303, path)
    assert 'name="mon" value="08:00-12:00, 13:00-17:00"' in page
    assert 'name="fri" value="22:00-02:00"' in page
    assert value(page, "overrides") == "2026-12-24 09:00-12:00\n2026-12-31 closed"
    assert "2026-01-06" in value(page, "holidays").splitlines()
    assert changed.status_code == 303
    assert "Bavaria, long" in await desk.get("mia", path)


async def test_what_somebody_else_saved_in_between_is_not_overwritten(desk: Desk) -> None:
    path = "/desk/admin/calendars"
    await desk.send("mia", "POST", f"{path}/new", **CALENDAR)
    (own,) = re.findall(rf'<a class="title" href="({path}/[^"]+)">Bavaria', await desk.get("mia", path))
    (read,) = re.findall(r'name="revision" value="(\d+)"', await desk.get("mia", own))

    first = await desk.send("mia", "POST", own, **{**CALENDAR, "name": "Bavaria first", "revision": read})
    second = await desk.send("mia", "POST", own, **{**CALENDAR, "name": "Bavaria second", "revision": read})
    (again,) = re.findall(r'name="revision" value="(\d+)"', second.text)
    third = await desk.send("mia", "POST", own, **{**CALENDAR, "name": "Bavaria second", "revision": again})

    forged = await desk.send("mia", "POST", own, **{**CALENDAR, "revision": f"{again}\r\nx-role: admin"})

    assert (first.status_code, second.status_code, third.status_code, forged.status_code) == (303, 409, 303, 409)
    assert f"the calendar is at revision {int(read) + 1}, you read {read}" in second.text
    assert 'value="Bavaria second"' in second.text, "what was typed stays"


async def test_what_is_wrong_with_a_calendar_stands_beside_its_field(desk: Desk) -> None:
    async def refused(field: str, **changes: str) -> str:
        answer = await desk.send("mia", "POST", "/desk/admin/calendars/new", **{**CALENDAR, **changes})
        assert answer.status_code == 422, (field, answer.status_code)
        assert "Nothing was saved." in answer.text
        assert 'value="08:00-12:00, 13:00-17:00"' in answer.text or "mon" in changes, "what was typed stays"
        return fault(answer.text, field)

    assert "which overlap" in await refused("mon", mon="09:00-12:00, 11:00-14:00")
    assert "a time is HH:MM" in await refused("fri", fri="9-17")
    assert "at least 2 items" in await refused("tue", tue="all day")
    assert await refused("timezone", timezone="Europe/Bielefeld")
    assert await refused("mon", mon="", fri="", overrides="")
    assert (await refused("holidays", holidays="2026-12-25\n2026-13-01")).startswith("2026-13-01: ")
    assert await refused("overrides", overrides="soon 09:00-12:00")
    assert "which overlap" in await refused("overrides", overrides="2026-12-24 09:00-12:00\n2026-12-24 11:00-13:00")
    assert "there is no country QQ" in await refused("country", intent="fill", country="QQ")
    assert "DE has no subdivision ZZ; it has" in await refused("subdivision", intent="fill", subdivision="ZZ")
    assert await refused("country", intent="fill", country="Germany")
    assert await refused("years", intent="fill", years="soon")
    assert await refused("name", name="")


async def test_a_job_type_is_added_renamed_and_a_taken_code_refused(desk: Desk) -> None:
    await a_contract(desk)
    path = "/desk/admin/job-types"
    page = await desk.get("mia", path)
    network = re.findall(r'name="id" value="([^"]+)"', page)[0]

    added = await desk.send("mia", "POST", path, code="training", name="Training", is_billable="no")
    taken = await desk.send("mia", "POST", path, code="network", name="Nets", is_billable="yes")
    odd = await desk.send("mia", "POST", path, code="A B", name="Odd", is_billable="yes")
    renamed = await desk.send("mia", "POST", path, id=network, name="Networks", is_billable="yes")
    unnamed = await desk.send("mia", "POST", path, id=network, name="", is_billable="yes")

    assert "First line" in page
    assert (added.status_code, renamed.status_code) == (303, 303)
    assert (taken.status_code, fault(taken.text, "code")) == (409, "network is defined already")
    assert 'name="code" value="network"' in taken.text
    assert odd.status_code == 422
    assert fault(odd.text, "code")
    assert unnamed.status_code == 422
    assert "at least 1 character" in unnamed.text
    after = await desk.get("mia", path)
    assert 'value="Networks"' in after
    assert '<option value="no" selected>Free of charge' in after


CARD: dict[str, Any] = {
    "name": "London",
    "currency": "gbp",
    "rates-0-price": "92.00",
    "rates-1-level": "L2",
    "rates-1-price": "120.50",
    "overage_rates-0-condition": "weekend",
    "overage_rates-0-price": "150",
}


async def test_a_rate_card_is_made_and_changed_by_versions(desk: Desk) -> None:
    path = "/desk/admin/rate-cards"

    assert "No rate card yet" in await desk.get("mia", path)
    made = await desk.send("mia", "POST", f"{path}/new", **CARD)
    own = made.headers["location"]
    page = await desk.get("mia", own)
    dearer = await desk.send("mia", "POST", own, **{**CARD, "rates-1-price": "125.00"})
    second = await desk.get("mia", own)

    assert made.status_code == dearer.status_code == 303
    assert own.startswith(path)
    assert 'name="rates-1-price" maxlength' not in page
    assert re.search(r'name="rates-1-price"[^>]+value="120.50"', page)
    assert "Save version 2" in page
    assert "Save version 3" in second
    assert re.search(r'name="rates-1-price"[^>]+value="125.00"', second)
    assert "L2: £120.50" in second
    assert "£92.00 to £125.00" in await desk.get("mia", path)


async def test_what_is_wrong_with_a_rate_card_stands_beside_its_row(desk: Desk) -> None:
    path = "/desk/admin/rate-cards/new"

    letters = await desk.send("mia", "POST", path, **{**CARD, "rates-1-price": "a lot"})
    ambiguous = await desk.send("mia", "POST", path, **{**CARD, "rates-2-condition": "weekend", "rates-2-price": "99"})
    money = await desk.send("mia", "POST", path, **{**CARD, "currency": "XXQ"})
    nothing = await desk.send("mia", "POST", path, name="Empty", currency="GBP")

    assert letters.status_code == ambiguous.status_code == money.status_code == nothing.status_code == 422
    assert "a number: amounts and hours as 12.50" in fault(letters.text, "rates-1")
    assert 'value="a lot"' in letters.text
    assert "equally specific" in fault(ambiguous.text, "rates")
    assert fault(money.text, "currency")
    assert fault(nothing.text, "rates")


async def test_agents_and_clients_keep_no_catalogue(desk: Desk) -> None:
    for who in ("ada", "priya"):
        for page in ("calendars", "calendars/new", "job-types", "rate-cards", "rate-cards/new"):
            assert (await desk.send(who, "GET", f"/desk/admin/{page}")).status_code == 403, page
        for page in ("calendars/new", "job-types", "rate-cards/new"):
            assert (await desk.send(who, "POST", f"/desk/admin/{page}", name="x")).status_code == 403, page
    assert (await desk.send("mia", "GET", "/desk/admin/calendars/nothing")).status_code == 404
    assert 'href="/desk/admin/calendars"' not in await desk.get("ada", "/desk/clients")
