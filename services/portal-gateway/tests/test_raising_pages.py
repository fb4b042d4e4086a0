"""The form of a new ticket says what follows: promises, hours, costs, and tickets that are there already."""

from __future__ import annotations

from typing import Any

import pytest
from upstream import Pages, words

ACME, CARE, LATER = (f"00000000-0000-0000-0000-0000000000{n:02}" for n in range(3))


def a_contract(number: str, *, kinds: tuple[str, ...], levels: list[str]) -> dict[str, Any]:
    job_types = [{"code": kind, "name": kind.title()} for kind in kinds]
    return {"contract_id": number, "ref": "C-1", "name": "Care", "levels": levels, "job_types": job_types}


def a_promise(priority: str, metric: str, *, begins: str, due: str) -> dict[str, Any]:
    more = {"rule_id": metric, "budget_minutes": 60, "begins_at": begins, "due_at": due}
    return {"priority": priority, "metric": metric, **more}


NOW_AND_LATER = [
    a_promise("critical", "first_response", begins="2020-01-01T09:00:00Z", due="2041-06-03T09:15:00Z"),
    a_promise("critical", "resolution", begins="2020-01-01T09:00:00Z", due="2041-06-03T13:00:00Z"),
    a_promise("high", "first_response", begins="2041-06-04T07:00:00Z", due="2041-06-04T07:30:00Z"),
]
HOUR = {
    "policy": "overage",
    "currency": "GBP",
    "available_before_minutes": 60,
    "overage_minutes": 0,
    "overage_price_minor": 0,
    "time_and_materials_minutes": 0,
    "excluded_minutes": 0,
}
BEYOND = {**HOUR, "available_before_minutes": 0, "overage_minutes": 60, "overage_price_minor": 6800}


@pytest.fixture
def seen(house: Pages) -> Pages:
    offered = [
        a_contract(CARE, kinds=("server", "network"), levels=["L1", "L2"]),
        a_contract(LATER, kinds=("project",), levels=["L3"]),
    ]
    house.upstream.answers |= {
        "/tickets/counts": {"open": 1, "unassigned": 0},
        "/clients": {"items": [{"id": ACME, "name": "Acme"}], "next": None},
        "/tickets/offer": {"client_id": ACME, "contracts": offered},
        "/promises": {"items": NOW_AND_LATER, "next": None},
        "/coverage/preview": HOUR,
    }
    return house


PLACES = [("/portal/tickets/new?", "client"), (f"/desk/tickets/new?client_id={ACME}&", "agent")]


@pytest.mark.parametrize(("page", "by"), PLACES)
async def test_each_priority_tells_its_promise_and_from_when_time_counts(seen: Pages, page: str, by: str) -> None:
    said = words((await seen.get(page, by=by)).text)

    assert "nobody can work, or it is a security matter answer by 3 Jun 2041, fix by 3 Jun 2041" in said
    assert "Promised for Server, L1, when the ticket is raised now." in said
    assert "outside the hours of the contract: time counts from 4 Jun 2041 on." in said
    assert "What counts around the clock begins at once." in said
    assert "The bucket is used up" not in said
    assert dict(seen.upstream.query("/promises")) == {"contract_id": CARE, "level": "L1", "job_type": "server"}


@pytest.mark.parametrize(("page", "by"), PLACES)
async def test_what_is_chosen_decides_which_contract_promises(seen: Pages, page: str, by: str) -> None:
    await seen.get(f"{page}job_type=project&level=L3", by=by)
    fitting = dict(seen.upstream.query("/promises"))
    await seen.get(f"{page}job_type=project&level=L1", by=by)

    assert fitting == {"contract_id": LATER, "level": "L3", "job_type": "project"}
    assert dict(seen.upstream.query("/promises")) == {"contract_id": CARE, "level": "L1", "job_type": "server"}


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("overage", "work on it now costs £68.00 an hour"),
        ("needs_approval", "work on it needs an approval first"),
        ("reject", "time can be worked on it once hours are added"),
    ],
)
async def test_an_empty_bucket_says_what_work_costs_or_waits_for(seen: Pages, policy: str, said: str) -> None:
    seen.upstream.answers["/coverage/preview"] = {**BEYOND, "policy": policy}

    html = (await seen.get("/portal/tickets/new?job_type=server&level=L1", by="client")).text

    assert "The bucket is used up." in words(html)
    assert said in words(html)


@pytest.mark.parametrize("of", ["time_and_materials_minutes", "excluded_minutes"])
async def test_who_has_no_bucket_is_not_told_of_one(seen: Pages, of: str) -> None:
    seen.upstream.answers["/coverage/preview"] = {**BEYOND, of: 60}

    assert "The bucket is used up" not in (await seen.get("/portal/tickets/new", by="client")).text


async def test_tickets_with_the_telling_words_of_the_title_are_shown(seen: Pages) -> None:
    row = {"ref": "HLO-4", "title": "Printer <jams>"}
    seen.upstream.answers["/tickets"] = {"items": [row], "next": None}

    html = (await seen.get("/portal/tickets/new?title=The+old+printer+jams+again", by="client")).text
    asked = dict(seen.upstream.query("/tickets"))
    short = (await seen.get("/portal/tickets/new?title=a+b+c", by="client")).text

    assert 'href="/portal/tickets/HLO-4">HLO-4, Printer &lt;jams&gt;' in html
    assert asked == {"status": "open_any", "text": "again printer", "limit": "3"}
    assert "Is it one of these?" not in short


@pytest.mark.parametrize("path", ["/promises", "/coverage/preview", "/tickets"])
async def test_the_form_is_there_without_what_cannot_be_told(seen: Pages, path: str) -> None:
    seen.upstream.answers[path] = (503, {"detail": "away"})
    if path == "/promises":
        seen.upstream.answers[path] = (404, {"detail": "not heard of yet"})

    answer = await seen.get("/portal/tickets/new?title=printer", by="client")

    assert answer.status_code == 200
    assert "Raise ticket" in words(answer.text)


async def test_a_file_goes_with_a_new_ticket_and_is_kept_on_it(seen: Pages) -> None:
    seen.upstream.answers["/tickets"] = {"id": ACME, "ref": "HLO-7"}
    seen.upstream.answers[f"/tickets/{ACME}/attachments"] = {"id": ACME}
    typed = {"title": "Jam", "description": "", "job_type": "server", "level": "L1", "priority": "low", "key": "k" * 20}

    answer = await seen.upload("/portal/tickets/new", "jam.png", b"\x89PNG", by="client", form=typed)

    (_, raised, wish), (_, kept, content) = seen.upstream.changes()
    assert (raised, wish["title"], kept, content) == ("/tickets", "Jam", f"/tickets/{ACME}/attachments", b"\x89PNG")
    assert answer.headers["location"] == "/portal/tickets/HLO-7"
