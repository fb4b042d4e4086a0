"""Lists of tickets: filters in the address, views, many at once, search."""

from __future__ import annotations

from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from upstream import Pages, words

from msp_kernel.ids import parsed
from portal_gateway.pages import shown

ONE, TWO, VIEW, ACME, TOM = (f"00000000-0000-0000-0000-0000000000{n:02}" for n in range(5))
AT = "2026-10-05T08:00:00+00:00"
ROW: dict[str, Any] = {
    "id": ONE,
    "ref": "HLO-7",
    "title": "VPN <drops>",
    "client_name": "Acme",
    "status": "open",
    "priority": "high",
    "handling_level": "L1",
    "assignee_name": None,
    "updated_at": AT,
    "clock": None,
    "balance": None,
}


A_WEEK: dict[str, Any] = {
    "timezone": "America/New_York",
    "days": [f"2026-{day}" for day in ("10-26", "10-27", "10-28", "10-29", "10-30", "10-31", "11-01")],
    "day_minutes": [45, 90, 0, 0, 0, 0, 0],
    "total_minutes": 135,
    "weekly_minutes": 2250,
    "rejected": 1,
}


@pytest.fixture
def seen(house: Pages) -> Pages:
    view = {"id": VIEW, "name": "Urgent", "filters": {"priority": "high"}, "is_shared": False, "is_mine": True}
    house.upstream.answers |= {
        "/tickets": {"items": [ROW], "next": "more+1"},
        "/tickets/counts": {"open": 1, "unassigned": 0},
        "/queues": {"items": [{"key": "desk", "name": "Service desk", "open_count": 1}]},
        "/ticket-views": {"items": [view], "next": None},
        "/clients": {"items": [{"id": ACME, "name": "Acme"}], "next": None},
        "/time-entries/week": A_WEEK,
        "/time-entries/timer": lambda _query: None,
        "/agents": {"items": [{"id": TOM, "person_id": TOM, "name": "Tom", "is_active": True}]},
    }
    return house


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/desk/queues", {"status": "open_any", "sort": "time_left"}),
        ("/desk/queues?status=all", {"sort": "time_left"}),
        ("/desk/queues/desk?status=new", {"status": "new", "queue": "desk", "sort": "time_left"}),
        ("/desk/my?sort=updated", {"status": "open_any", "mine": "true", "sort": "updated"}),
        ("/desk/my", {"status": "open_any", "mine": "true", "sort": "time_left"}),
        (
            f"/desk/queues?unassigned=1&tag=vpn&text=drops&priority=high&client_id={ACME}&assignee_id=&other=1",
            {
                "status": "open_any",
                "sort": "time_left",
                "unassigned": "true",
                "tag": "vpn",
                "text": "drops",
                "priority": "high",
                "client_id": ACME,
            },
        ),
    ],
)
async def test_filters_of_the_address_reach_the_service(seen: Pages, path: str, asked: dict[str, str]) -> None:
    answer = await seen.get(path, by="agent")

    assert answer.status_code == 200
    assert dict(seen.upstream.query("/tickets")) == {**asked, "limit": "20"}


async def test_the_next_page_and_the_file_keep_the_filters(seen: Pages) -> None:
    html = unescape((await seen.get("/desk/queues/desk?status=new&tag=a%26b")).text)

    assert 'href="/desk/queues/desk?status=new&tag=a%26b&after=more%2B1"' in html
    assert 'href="/api/v1/tables/tickets.csv?sort=time_left&status=new&tag=a%26b&queue=desk"' in html
    assert "tables/tickets.csv?sort=time_left&status=open_any&mine=true" in unescape((await seen.get("/desk/my")).text)
    assert "VPN <drops>" in html
    assert '<input type="hidden" name="queue" value="desk">' in html  # of the form that saves a view


async def test_a_filtered_list_that_is_empty_can_be_cleared(seen: Pages) -> None:
    seen.upstream.answers["/tickets"] = {"items": [], "next": None}

    assert "Nothing waits here" in (await seen.get("/desk/queues")).text
    assert "No ticket matches these filters" in (await seen.get("/desk/queues?tag=x")).text


async def test_a_saved_view_is_an_address(seen: Pages) -> None:
    assert "/desk/queues?status=all&priority=high" in unescape((await seen.get("/desk/queues")).text)

    answer = await seen.post("/desk/views", {"name": " Mine ", "unassigned": "true", "queue": "desk", "is_shared": "1"})

    filters = {"status": "open_any", "queue": "desk", "unassigned": True}
    assert seen.upstream.body("/ticket-views") == {"name": "Mine", "filters": filters, "is_shared": True}
    assert answer.headers["location"] == "/desk/queues?status=open_any&queue=desk&unassigned=true"
    await seen.get(answer.headers["location"])
    asked = {"status": "open_any", "queue": "desk", "unassigned": "true", "sort": "time_left", "limit": "20"}
    assert dict(seen.upstream.query("/tickets")) == asked

    await seen.post(f"/desk/views/{VIEW}/delete", {})
    assert seen.upstream.changes()[-1][:2] == ("DELETE", f"/ticket-views/{VIEW}")


async def test_many_are_changed_and_each_says_what_became_of_it(seen: Pages) -> None:
    results = [
        {"id": ONE, "ref": "HLO-7", "is_done": True, "detail": None},
        {"id": TWO, "ref": "HLO-8", "is_done": False, "code": "level", "detail": "L3 is not in the contract"},
    ]
    seen.upstream.answers["/tickets/bulk"] = {"done": 1, "results": results}
    form = {"ids": f"{ONE},{TWO}", "priority": "low", "status": "", "add_tags": "Vpn, wifi", "next": "/desk/my?tag=vpn"}

    answer = await seen.post("/desk/bulk", form, by="agent")

    body = {"ids": [ONE, TWO], "priority": "low", "add_tags": ["vpn", "wifi"], "remove_tags": [], "reason": ""}
    assert seen.upstream.body("/tickets/bulk") == body
    text = words(answer.text)
    assert "1 of 2 tickets were changed." in text
    assert "HLO-8 Not changed L3 is not in the contract" in text
    assert 'href="/desk/my?tag=vpn"' in answer.text


async def test_nothing_ticked_and_a_refusal_are_said(seen: Pages) -> None:
    nothing = await seen.post("/desk/bulk", {"priority": "low", "next": "//evil.example"})
    seen.upstream.answers["/tickets/bulk"] = (422, {"detail": "nothing shall change"})
    refused = await seen.post("/desk/bulk", {"ids": ONE})

    assert (nothing.status_code, refused.status_code) == (422, 422)
    assert "Tick the tickets that shall change." in nothing.text
    assert "evil.example" not in nothing.text
    assert "nothing shall change" in refused.text


async def test_search_shows_where_the_words_are(seen: Pages) -> None:
    seen.upstream.answers["/tickets/search"] = [{**ROW, "found_in": "message"}]

    html = (await seen.get("/desk/search?text=vpn+dro", by="agent")).text

    assert dict(seen.upstream.query("/tickets/search")) == {"text": "vpn dro", "limit": "50"}
    assert "HLO-7 · found in message" in html
    seen.upstream.answers["/tickets/search"] = []
    assert "No ticket has all of these words" in (await seen.get("/desk/search?text=x")).text
    assert "Find a ticket" in (await seen.get("/desk/search")).text


async def test_a_ref_leads_to_its_ticket(seen: Pages) -> None:
    seen.upstream.answers |= {"/tickets/HLO-7": {"ref": "HLO-7"}, "/tickets/HLO-8": (404, {}), "/tickets/search": []}

    assert (await seen.get("/desk/search?text=hlo-7")).headers["location"] == "/desk/tickets/HLO-7"
    assert (await seen.get("/desk/search?text=hlo-8")).status_code == 200


async def test_a_client_finds_tickets_and_takes_the_list_as_it_stands(seen: Pages) -> None:
    html = unescape((await seen.get("/portal/tickets?tab=resolved&text=a%26b", by="client")).text)

    asked = {"status": "resolved", "text": "a&b", "sort": "updated", "limit": "50"}
    assert dict(seen.upstream.query("/tickets")) == asked
    assert 'href="/api/v1/tables/tickets.csv?status=resolved&text=a%26b&sort=updated"' in html
    assert 'href="?tab=resolved&text=a%26b&after=more%2B1"' in html
    seen.upstream.answers["/tickets"] = {"items": [], "next": None}
    assert "No ticket has all of these words" in (await seen.get("/portal/tickets?text=x", by="client")).text


# ---- my own day ---------------------------------------------------------------------------------------------------


async def test_my_day_says_what_was_logged_today_on_my_own_clock(seen: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    # Half past three on Wednesday in London is still Tuesday in New York.
    monkeypatch.setattr(shown, "now", lambda: datetime(2026, 10, 28, 3, 30, tzinfo=UTC))
    seen.upstream.answers["/time-entries/week"] = A_WEEK

    text = words((await seen.get("/desk/my", by="agent")).text)

    assert "Logged today 1:30 h" in text
    assert "This week 2:15 h of 37:30 h" in text
    assert "1 entry was rejected" in text
    assert "No timer runs." in text


async def test_the_running_timer_is_stopped_from_my_day(seen: Pages) -> None:
    timer = {"ticket_id": None, "task_id": TWO, "ref": "HLO-P1", "title": "Desks", "running_seconds": 60}
    seen.upstream.answers |= {"/time-entries/timer": {**timer, "started_at": AT, "note": "Cables"}}

    html = (await seen.get("/desk/my", by="agent")).text
    stopped = await seen.post("/desk/my/timer", {"what": "stop", "note": "Done", "worked": "1h15"}, by="agent")
    unreadable = await seen.post("/desk/my/timer", {"what": "stop", "worked": "long"}, by="agent")
    forgotten = await seen.post("/desk/my/timer", {"what": "forget"}, by="agent")
    started = await seen.post("/desk/my/timer", {"what": "start", "task_id": ONE}, by="agent")

    assert f'href="/desk/projects/HLO-P1/tasks/{TWO}"' in html
    assert [one.status_code for one in (stopped, unreadable, forgotten, started)] == [303, 422, 303, 303]
    assert 'value="long"' in unreadable.text
    assert seen.upstream.changes() == [
        ("POST", "/time-entries/timer/stop", {"note": "Done", "worked_minutes": 75}),
        ("DELETE", "/time-entries/timer", {}),
        ("POST", "/time-entries/timer", {"task_id": ONE}),
    ]


async def test_a_timer_that_ran_for_days_asks_how_much_of_it_was_work(seen: Pages) -> None:
    detail = "the timer shows 4000 minutes; say how many of them were work in worked_minutes"
    seen.upstream.answers["/time-entries/timer/stop"] = (422, {"detail": detail})

    answer = await seen.post("/desk/my/timer", {"what": "stop", "note": "Kept"}, by="agent")

    assert answer.status_code == 422
    assert detail in answer.text


async def test_presence_is_set_and_shown(seen: Pages) -> None:
    me = (await seen.client.get("/api/v1/me", headers={"authorization": f"Bearer {seen.tokens['agent']}"})).json()
    agent = {
        "id": TOM,
        "person_id": str(parsed("person", me["id"])),
        "name": "Tom",
        "is_active": True,
        "presence": "away",
    }
    seen.upstream.answers["/agents"] = {"items": [agent]}

    html = (await seen.get("/desk/my", by="agent")).text
    answer = await seen.post("/desk/my/presence", {"presence": "busy"}, by="agent")

    assert '<option value="away" selected>' in html
    assert answer.headers["location"] == "/desk/my"
    assert seen.upstream.changes() == [("PUT", "/agents/me/presence", {"presence": "busy"})]


async def test_who_has_nothing_is_told_where_there_is_something(seen: Pages) -> None:
    seen.upstream.answers |= {"/tickets": {"items": [], "next": None}, "/time-entries/week": (404, {})}

    html = (await seen.get("/desk/my")).text

    assert "Nothing assigned" in html
    assert 'href="/desk/queues/desk?unassigned=true"' in html
    assert "You are no agent yet" in html


async def test_clients_see_no_queue(seen: Pages) -> None:
    for path in ("/desk/queues", "/desk/search?text=vpn"):
        assert (await seen.get(path, by="client")).status_code == 403
    assert not seen.upstream.asked
