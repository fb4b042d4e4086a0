"""The client's pages: hours by month and job type, the wish for more of them, what is on the home page, a ticket's way."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from bucket_shapes import AGREED, BALANCE, CONTRACT, FORECAST, LINE, STATEMENT
from hypothesis import given, strategies as st
from test_ticket_pages import a_ticket
from upstream import Pages, beside, pages, words

from portal_gateway.pages import shown
from portal_gateway.pages.hours import months_of, summary_of
from portal_gateway.pages.portal import steps_of

HERE = f"/contracts/{CONTRACT}"
TODAY = shown.now().date()
THIS_MONTH = f"{TODAY:%Y-%m}"
OTHER = {"contract_id": "00000000-0000-0000-0000-0000000000c9", "ref": "C-0009", "name": "Old"}
OFFER: dict[str, Any] = {
    "contracts": [
        {**OTHER, "job_types": [{"code": "printing", "name": "Printing"}], "levels": ["L1"]},
        {
            "contract_id": CONTRACT,
            "ref": "C-0001",
            "name": "Managed support",
            "job_types": [{"code": "network", "name": "Network"}, {"code": "backup", "name": "Backup"}],
            "levels": ["SA", "L3", "L2"],
        },
    ]
}
WISH = {"hours": "10", "note": "For the move in March", "key": "k" * 20}
BURN = {"progress_percent": 40, "worked_minutes": 750, "budget_minutes": 2400, "is_over_budget": False}
PROJECT: dict[str, Any] = {"ref": "HLO-P1", "name": "<b>Move</b>", "status": "active", "burn": BURN}


def a_line(job_type: str | None, minutes: int, *, over: int = 0, kind: str = "posting", **more: Any) -> dict[str, Any]:
    entry = LINE["time_entry_id"] if job_type else None
    return {**LINE, "job_type": job_type, "minutes": minutes, "overage_minutes": over, "kind": kind,
            "time_entry_id": entry, "text": "Work", **more}  # fmt: skip


def a_statement(lines: list[dict[str, Any]], *, opening: int) -> dict[str, Any]:
    return {
        "opening_minutes": opening,
        "closing_minutes": opening + sum(one["minutes"] for one in lines),
        "items": lines,
    }


MIXED = a_statement(
    [
        a_line("network", 45, is_correction=True),
        a_line(None, 3000, kind="grant"),
        a_line("network", -135),
        a_line("on_site", -60, kind="hold", is_late=True, is_correction=False),
        a_line("on_site", -30, over=90),
        a_line("backup", 15, is_correction=True),
        a_line(None, -120, kind="expire"),
    ],
    opening=60,
)


@pytest.fixture
def seen(house: Pages) -> Pages:
    days = [{"on": f"2026-11-{day}", "available_minutes": 700 - day} for day in (22, 23, 24)]
    house.upstream.answers |= {
        "/contracts": {"items": [AGREED], "next": None},
        f"{HERE}/balance": BALANCE,
        f"{HERE}/forecast": FORECAST,
        f"{HERE}/burn": {"capacity_minutes": 3000, "days": days},
        f"{HERE}/statement": STATEMENT,
        "/compliance": {"percent": None},
        "/tickets/offer": OFFER,
        "/tickets/HLO-7": a_ticket(),
    }
    house.upstream.refused["/tickets"] = (201, {"ref": "HLO-8"})
    return house


def part(html: str, name: str) -> str:
    """Return the card of a page by its id."""
    return html.partition(f'id="{name}"')[2].partition("</section>")[0]


# ---- hours: past periods


async def test_each_month_since_the_contract_began_can_be_looked_at(seen: Pages) -> None:
    page = (await seen.get("/portal/hours", by="client")).text

    offered = re.findall(r'href="/portal/hours\?month=([0-9-]+)"', page)
    assert offered == [f"{one:%Y-%m}" for one in months_of(date(2026, 9, 1), TODAY)]
    assert offered[0] == THIS_MONTH
    assert '<a class="chip" href="/portal/hours" aria-current="true">' in page


@pytest.mark.parametrize(
    ("began", "today", "first", "last", "count"),
    [
        (date(2026, 9, 17), date(2026, 11, 25), date(2026, 11, 1), date(2026, 9, 1), 3),
        (date(2026, 11, 25), date(2026, 11, 25), date(2026, 11, 1), date(2026, 11, 1), 1),
        (date(2020, 1, 1), date(2026, 1, 31), date(2026, 1, 1), date(2025, 2, 1), 12),
    ],
)
def test_the_newest_month_comes_first_and_there_are_at_most_twelve(
    began: date, today: date, first: date, last: date, count: int
) -> None:
    found = months_of(began, today)

    assert (found[0], found[-1], len(found)) == (first, last, count)


def test_a_contract_that_has_not_begun_has_no_months() -> None:
    assert months_of(date(2026, 12, 1), date(2026, 11, 30)) == []


async def test_a_month_is_shown_with_its_balances_and_taken_along(seen: Pages) -> None:
    seen.upstream.answers[f"{HERE}/statement"] = MIXED
    page = (await seen.get("/portal/hours?month=2026-10", by="client")).text

    assert seen.upstream.query(f"{HERE}/statement") == [("from", "2026-10-01"), ("to", "2026-11-01")]
    told = words(part(page, "statement"))
    assert "Statement October 2026" in told
    assert "Opening balance 1:00 h" in told
    assert "Closing balance 46:15 h" in told
    for form in ("pdf", "csv", "json"):
        address = f"/portal/hours.{form}?from=2026-10-01&to=2026-10-31"
        assert f'href="{address}"' in page.replace("&amp;", "&")
        await seen.get(address, by="client")
        asked = f"{HERE}/statement{'' if form == 'json' else f'.{form}'}"
        assert seen.upstream.query(asked) == [("from", "2026-10-01"), ("to", "2026-11-01")]
    assert '<a class="chip" href="/portal/hours?month=2026-10" aria-current="true">' in page
    assert page.count('aria-current="true"') == 1


@pytest.mark.parametrize(
    "odd", ["2026-13", "2026-1", "soon", "0001-01", "9999-12", "2026-10-01", "２０２６-10", "2026-00"]
)
async def test_what_is_no_month_is_refused_in_words(seen: Pages, odd: str) -> None:
    answer = await seen.get(f"/portal/hours?month={odd}", by="client")

    assert answer.status_code == 422
    assert "Choose a month, as 2026-10." in words(answer.text)
    assert not [one for one in seen.upstream.asked if one[1].startswith("/contracts")]


# ---- hours: by job type


async def test_hours_by_job_type_are_those_the_statement_shows_as_used(seen: Pages) -> None:
    seen.upstream.answers[f"{HERE}/statement"] = MIXED
    page = (await seen.get("/portal/hours", by="client")).text

    statement, by_kind = words(part(page, "statement")), words(part(page, "by-job-type"))
    assert "Used 2:45 h 1:00 h of it on hold 1:30 h more beyond the bucket" in statement
    assert "with 48:00 h added, adjusted or expired" in statement
    rows = re.findall(r"(On site|Network|Backup|Used) +(−?[0-9]+:[0-9]{2} h) +([0-9]+:[0-9]{2} h)", by_kind)
    assert rows == [
        ("On site", "1:30 h", "1:30 h"),
        ("Network", "1:30 h", "0:00 h"),
        ("Backup", "−0:15 h", "0:00 h"),
        ("Used", "2:45 h", "1:30 h"),
    ]
    assert part(page, "by-job-type").count('<th scope="row"') == 4


_LINES = st.lists(
    st.tuples(
        st.sampled_from([None, "network", "backup", "on_site"]),
        st.integers(-600, 600),
        st.integers(0, 90),
        st.sampled_from(["posting", "hold"]),
    )
)


@given(lines=_LINES, opening=st.integers(-100, 5000))
def test_opening_less_used_plus_other_is_closing_whatever_the_lines(lines: list[Any], opening: int) -> None:
    made = a_statement([a_line(kind, minutes, over=over, kind=state) for kind, minutes, over, state in lines],
                       opening=opening)  # fmt: skip

    found = summary_of(made)

    assert opening - found.used_minutes + found.other_minutes == made["closing_minutes"]
    assert sum(one.used_minutes for one in found.uses) == found.used_minutes
    assert sum(one.beyond_minutes for one in found.uses) == found.beyond_minutes
    assert all(0 <= one.percent <= 100 for one in found.uses)


async def test_a_long_statement_comes_in_pages_and_is_summed_up_whole(seen: Pages) -> None:
    lines = [a_line("network", -1, text=f"Line {number:03}") for number in range(150)]
    seen.upstream.answers[f"{HERE}/statement"] = a_statement(lines, opening=600)

    first, last = [(await seen.get(f"/portal/hours{at}", by="client")).text for at in ("?month=2026-10", "?older=120")]
    odd = [
        (await seen.get(f"/portal/hours?older={at}", by="client")).status_code for at in ("-1", "9" * 40, "x", "999999")
    ]

    assert [int(one) for one in re.findall(r"Line (\d+)", first)] == list(range(149, 89, -1))
    assert [int(one) for one in re.findall(r"Line (\d+)", last)] == list(range(29, -1, -1))
    assert 'href="?month=2026-10&amp;older=60#statement"' in first
    assert "1 to 60 of 150 lines, the newest first" in words(first)
    assert re.findall(r"[?;]older=(\d+)", last) == ["0"]
    assert "Used 2:30 h" in words(part(first, "statement"))
    assert len(first.encode()) < 60_000
    assert odd == [200] * 4


async def test_days_without_work_have_no_job_types(seen: Pages) -> None:
    seen.upstream.answers[f"{HERE}/statement"] = a_statement([a_line(None, 600, kind="grant")], opening=0)

    page = (await seen.get("/portal/hours", by="client")).text

    assert 'id="by-job-type"' not in page
    assert "Used 0:00 h" in words(part(page, "statement"))


# ---- hours: a wish for more


@pytest.mark.parametrize(
    ("typed", "told"), [("10", "10:00 h"), ("7.5", "7:30 h"), ("7:30", "7:30 h"), ("1,200", "1,200:00 h")]
)
async def test_more_hours_are_asked_for_in_a_ticket(seen: Pages, typed: str, told: str) -> None:
    answer = await seen.post("/portal/hours/top-up", {**WISH, "hours": typed}, by="client")

    assert (answer.status_code, answer.headers["location"]) == (303, "/portal/tickets/HLO-8")
    assert seen.upstream.body("/tickets") == {
        "contract_id": CONTRACT,
        "title": f"Top-up of {told} wanted for C-0001",
        "description": "For the move in March",
        "job_type": "network",
        "level": "L2",
        "priority": "low",
        "tags": ["top-up"],
    }


async def test_hours_are_asked_for_in_the_language_of_who_asks(seen: Pages) -> None:
    headers = {"authorization": f"Bearer {seen.tokens['client']}", "accept-language": "de"}

    answer = await seen.client.post("/portal/hours/top-up", data={**WISH, "hours": "7,5"}, headers=headers)
    page = words((await seen.client.get("/portal/hours?month=2026-10", headers=headers)).text)

    assert answer.status_code == 303
    assert seen.upstream.body("/tickets")["title"] == "Aufstockung um 7:30 h gewünscht für C-0001"
    assert "Stundennachweis Oktober 2026" in page
    assert "Nach Tätigkeitsart" in page
    assert "Weitere Stunden anfragen" in page


async def test_each_form_for_hours_has_its_own_key(seen: Pages) -> None:
    first, second = [(await seen.get("/portal/hours", by="client")).text for _ in "12"]
    keys = {re.findall(r'name="key" value="([^"]+)"', part(one, "top-up"))[0] for one in (first, second)}

    assert len(keys) == 2
    assert all(len(one) >= 20 for one in keys)


@pytest.mark.parametrize("typed", ["", "0", "0:00", "-3", "soon", "7:75", "1.333", "10001", "1e9"])
async def test_hours_that_are_none_are_refused_beside_the_field(seen: Pages, typed: str) -> None:
    answer = await seen.post("/portal/hours/top-up", {**WISH, "hours": typed}, by="client")

    assert answer.status_code == 422
    assert beside(answer.text, "up-hours") == "Hours above zero, as 10, 7.5 or 7:30, at most 10,000."
    assert f'name="hours" value="{typed}"' in answer.text
    assert "For the move in March" in part(answer.text, "top-up")
    assert 'action="/portal/hours/top-up#top-up"' in answer.text, "the page opens where something is wrong"
    assert not seen.upstream.changes()


async def test_a_refused_wish_keeps_what_was_typed(seen: Pages) -> None:
    errors = [{"pointer": "/body/description", "detail": "String should have at most 20000 characters"}]
    seen.upstream.refused["/tickets"] = (422, {"detail": "1 field is wrong", "errors": errors})

    answer = await seen.post("/portal/hours/top-up", WISH, by="client")

    assert answer.status_code == 422
    assert "The ticket was not raised." in words(answer.text)
    assert beside(answer.text, "up-note")
    assert 'name="hours" value="10"' in answer.text


@pytest.mark.parametrize("contracts", [[], OFFER["contracts"][:1], [{**OFFER["contracts"][1], "levels": []}]])
async def test_a_contract_that_takes_no_tickets_says_so(seen: Pages, contracts: list[Any]) -> None:
    seen.upstream.answers["/tickets/offer"] = {"contracts": contracts}

    answer = await seen.post("/portal/hours/top-up", WISH, by="client")

    assert answer.status_code == 422
    assert "Nothing can be raised on this contract at the moment." in words(answer.text)
    assert 'name="hours" value="10"' in answer.text
    assert not seen.upstream.changes()


async def test_who_pays_by_the_hour_has_nothing_to_top_up(seen: Pages) -> None:
    seen.upstream.answers["/contracts"] = {"items": [{**AGREED, "kind": "time_and_materials"}], "next": None}

    page = await seen.get("/portal/hours", by="client")

    assert 'id="top-up"' not in page.text
    assert (await seen.post("/portal/hours/top-up", WISH, by="client")).status_code == 404
    assert not [one for one in seen.upstream.asked if one[1].endswith("/forecast")]
    assert not seen.upstream.changes()


async def test_a_wish_for_hours_survives_that_a_service_is_away() -> None:
    async with pages(away="contracts") as alone:
        answer = await alone.post("/portal/hours/top-up", WISH, by="client")

    assert answer.status_code == 503
    assert "The ticket was not raised." in words(answer.text)
    assert 'name="hours" value="10"' in answer.text
    assert "For the move in March" in answer.text


async def test_the_desk_does_not_ask_for_hours(seen: Pages) -> None:
    assert (await seen.post("/portal/hours/top-up", WISH, by="manager")).status_code == 403
    assert not seen.upstream.changes()


# ---- home


async def test_home_says_until_when_the_hours_last_and_how_far_projects_are(seen: Pages) -> None:
    closed = {**PROJECT, "ref": "HLO-P2", "name": "Old move", "status": "closed"}
    free = {**PROJECT, "ref": "HLO-P3", "name": "Advice", "burn": {**BURN, "budget_minutes": None}}
    seen.upstream.answers["/projects"] = {"items": [PROJECT, free, closed], "next": None}

    answer = await seen.get("/portal", by="client")

    told = words(answer.text)
    assert "At your pace the hours last until 4 Dec 2026 , most likely between 2 Dec 2026 and 7 Dec 2026." in told
    assert 'href="/portal/projects/HLO-P1">&lt;b&gt;Move&lt;/b&gt;</a>' in answer.text
    assert "Balance by day Forecast, with its 80% band" in told
    assert "40% 12:30 h of 40:00 h" in told
    assert "Advice 40% 12:30 h" in told
    assert "Old move" not in told


async def test_home_has_no_card_of_projects_where_there_are_none(seen: Pages) -> None:
    page = (await seen.get("/portal", by="client")).text

    assert "All projects" not in page


async def test_projects_and_forecast_fail_alone(seen: Pages) -> None:
    seen.upstream.answers["/projects"] = (503, {"detail": "the projects are being counted"})
    seen.upstream.answers[f"{HERE}/forecast"] = (503, {"detail": "away"})

    answer = await seen.get("/portal", by="client")

    told = words(answer.text)
    assert answer.status_code == 200
    assert "Projects are not available" in told
    assert told.count("are not available") == 1
    assert "At your pace" not in told
    assert "10:00 h" in told


# ---- the way of a ticket


@pytest.mark.parametrize(
    ("status", "now", "done", "listed"),
    [
        ("new", "Received", 0, 4),
        ("open", "In progress", 1, 4),
        ("waiting_on_vendor", "In progress", 1, 4),
        ("scheduled", "In progress", 1, 4),
        ("waiting_on_client", "Waiting for you", 2, 5),
        ("resolved", "Solved", 2, 4),
        ("closed", "Closed", 3, 4),
    ],
)
async def test_a_ticket_says_how_far_it_is_without_colour(
    seen: Pages, status: str, now: str, done: int, listed: int
) -> None:
    seen.upstream.answers["/tickets/HLO-7"] = a_ticket(status=status)

    page = (await seen.get("/portal/tickets/HLO-7", by="client")).text

    steps = page.partition('id="steps" data-live')[2].partition("</ol>")[0]
    current = re.findall(r'<li aria-current="step".*?</li>', steps)
    assert len(re.findall("<li", steps)) == listed
    assert [words(one).strip() for one in current] == [now]
    assert (steps.count(", done<"), steps.count(", to come<")) == (done, listed - done - 1)
    assert [word for word, state in steps_of(status) if state == "now"] == [now]
