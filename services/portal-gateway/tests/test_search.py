"""Search and palette: everything a role may open or find, nothing else, and what is away says so."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from catalogue import SOURCES
from door import ADA, PAUL, PRIYA, Door
from fastapi.routing import APIRoute
from upstream import Pages, pages, words

from msp_kernel.ids import prefixed
from portal_gateway.api import PAGES
from portal_gateway.pages.places import KEYS

TICKET = {
    "id": "t",
    "ref": "HLO-7",
    "title": "VPN drops",
    "client_name": "Halcyon",
    "status": "open",
    "priority": "high",
    "assignee_name": None,
    "updated_at": "2026-11-23T10:00:00+00:00",
    "found_in": "title",
}
PROJECT = {"ref": "PRJ-4", "name": "Move of the VPN", "client_name": "Halcyon", "client_id": "c"}
CONTRACT = {"ref": "HLO-C1", "name": "VPN care", "client_id": "c"}
INVOICE = {"number": "INV-2026-17", "client_name": "Halcyon", "client_id": "c"}
NOT_IN_THE_PALETTE = {
    "/": "sends everybody on",
    "/desk": "sends everybody on",
    "/login": "is for those who have not signed in",
    "/forgot-password": "is for those who have not signed in",
    "/choose-password": "is for those who have not signed in",
    "/login/returned": "a provider leads there",
    "/prove": "what needs a fresh proof leads there",
    "/brand/logo": "is a picture",
    "/brand/accent.css": "is a style sheet",
    "/ui/events": "is a stream",
    "/ui/inbox": "is a number",
    "/desk/sla/parts.csv": "is a file",
    "/desk/admin/billing/logo": "is a picture",
    "/desk/sla/what-if/changed.csv": "is a file",
    "/portal/reports.pdf": "is a file",
}


@pytest.fixture
async def seen() -> AsyncIterator[Pages]:
    async with pages() as made:
        made.upstream.answers |= {
            "/queues": {"items": []},
            "/tickets/counts": {"open": 1},
            "/tickets/2026-17": (404, {}),
            "/invoices/2026-17": (404, {}),
            "/tickets/search": [TICKET],
            "/projects": {"items": [PROJECT]},
            "/contracts": {"items": [CONTRACT], "next": None},
            "/invoices": {"items": [INVOICE], "next": None},
        }
        yield made


# ---- search ---------------------------------------------------------------------------------------------------------


async def test_a_manager_finds_tickets_contracts_projects_and_people(seen: Pages) -> None:
    html = (await seen.get("/desk/search?text=vpn")).text
    people = (await seen.get("/desk/search?text=agent")).text

    for link in ("/desk/tickets/HLO-7", "/desk/contracts/HLO-C1", "/desk/projects/PRJ-4"):
        assert f'href="{link}"' in html
    assert "agent@meridian.example" in people
    assert "client@meridian.example" not in people


async def test_what_a_role_may_not_see_is_neither_asked_for_nor_shown(seen: Pages) -> None:
    html = (await seen.get("/desk/search?text=manager", by="agent")).text

    assert "manager@meridian.example" not in html
    assert "/invoices" not in [path for _, path, _, _ in seen.upstream.asked]


async def test_a_client_finds_their_own_things_and_no_people_without_being_an_administrator(seen: Pages) -> None:
    html = (await seen.get("/portal/search?text=vpn", by="client")).text
    invoices = (await seen.get("/portal/search?text=2026-17", by="client")).text
    names = (await seen.get("/portal/search?text=manager", by="client")).text

    for link in ("/portal/tickets/HLO-7", "/portal/projects/PRJ-4", "/portal/hours"):
        assert f'href="{link}"' in html
    assert 'href="/portal/invoices/INV-2026-17"' in invoices
    assert "@meridian.example" not in names


async def test_an_administrator_of_a_client_finds_the_own_people_only(door: Door) -> None:
    headers = await door.bearer(PAUL)
    await door.add_person("paula@other.example", kind="client", client_id=door.ids[ADA], roles=("admin",))

    html = (await door.client.get("/portal/search?text=pa", headers=headers)).text

    assert PAUL in html
    assert "paula@other.example" not in html
    assert PRIYA not in html


async def test_a_role_that_may_not_read_a_source_finds_the_rest(seen: Pages) -> None:
    seen.upstream.answers["/invoices"] = (403, {"detail": "not yours"})

    answer = await seen.get("/portal/search?text=vpn", by="client")

    assert answer.status_code == 200
    assert "PRJ-4" in answer.text
    assert "not available" not in answer.text


async def test_clients_are_found_by_name_and_code_with_their_contracts_and_invoices(door: Door) -> None:
    headers = await door.bearer(ADA)

    by_name = (await door.client.get("/desk/search?text=halc", headers=headers)).text
    by_code = (await door.client.get("/desk/search?text=hlo", headers=headers)).text
    by_wildcard = (await door.client.get("/desk/search?text=%25", headers=headers)).text

    assert 'href="/desk/clients/HLO"' in by_name
    assert 'href="/desk/clients/HLO"' in by_code
    assert 'href="/desk/clients/HLO"' not in by_wildcard
    # Contracts and billing are not there in this house: they say so, and the rest is shown.
    assert "Contracts: not available" in words(by_name)
    assert "Invoices: not available" in words(by_name)


@pytest.mark.parametrize(
    ("text", "answers", "address"),
    [
        ("hlo-7", {"/tickets/HLO-7": {"ref": "HLO-7"}}, "tickets/HLO-7"),
        ("prj-4", {"/tickets/PRJ-4": (404, {})}, "projects/PRJ-4"),
        ("hlo-c1", {"/tickets/HLO-C1": (404, {})}, "contracts/HLO-C1"),
        (
            "inv-2026-17",
            {"/tickets/INV-2026-17": (404, {}), "/invoices/INV-2026-17": {"number": "INV-2026-17"}},
            "billing/invoices/INV-2026-17",
        ),
    ],
)
async def test_a_reference_leads_straight_to_what_it_names(
    seen: Pages, text: str, answers: dict[str, Any], address: str
) -> None:
    seen.upstream.answers |= answers

    staff = await seen.get(f"/desk/search?text={text}")
    client = await seen.get(f"/portal/search?text={text}", by="client")

    own = {"contracts/HLO-C1": "hours"}.get(address, address.removeprefix("billing/"))
    assert staff.headers["location"] == f"/desk/{address}"
    assert client.headers["location"] == f"/portal/{own}"


async def test_a_reference_of_nothing_is_searched_for(seen: Pages) -> None:
    seen.upstream.answers |= {f"/{kind}/NO-1": (404, {}) for kind in ("tickets", "invoices")}
    seen.upstream.answers["/tickets/search"] = []

    answer = await seen.get("/portal/search?text=no-1", by="client")

    assert answer.status_code == 200
    assert "Nothing has all of these words" in answer.text


# ---- palette --------------------------------------------------------------------------------------------------------


def plain_pages() -> set[str]:
    """Return the address of every page that needs nothing but its address."""
    return {
        route.path
        for router in PAGES
        for route in router.routes
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()) and "{" not in route.path
    }


class Away(dict[str, Any]):
    """Services that answer nothing: whether somebody may open a page is known without them."""

    def get(self, path: str, _default: Any = None) -> Any:
        # Whether somebody decides for a client is the one right that the contracts service knows alone.
        return (403 if path.startswith("/approvals") else 503), {"detail": "away"}


def offered(html: str) -> set[str]:
    return set(re.findall(r'data-href="(/[^"]*)"(?: data-go="\w")?><svg', html))


@pytest.mark.parametrize("who", ["manager", "agent", "client"])
async def test_the_palette_offers_every_page_the_role_may_open_and_no_other(seen: Pages, who: str) -> None:
    seen.upstream.answers = Away()
    start = "/portal/search" if who == "client" else "/desk/search"
    there = offered((await seen.get(start, by=who)).text)

    may_open = {
        path
        for path in plain_pages() - NOT_IN_THE_PALETTE.keys()
        if (await seen.get(path, by=who)).status_code not in (403, 404)
    }

    addresses = {path.partition("?")[0] for path in there}
    assert may_open - addresses == set(), "a page is missing in pages/places.py"
    assert addresses - may_open == set(), "a page is offered to who may not open it"


async def test_an_administrator_s_palette_has_branding_and_keys(door: Door) -> None:
    staff = offered((await door.client.get("/desk/search", headers=await door.bearer(ADA))).text)
    client = offered((await door.client.get("/portal/search", headers=await door.bearer(PAUL))).text)

    assert {"/desk/admin/branding", "/settings/keys", "/settings/people", "/settings/audit"} <= staff
    assert {"/settings/keys", "/settings/people", "/settings/audit", "/portal/approvals"} <= client
    assert not any(one.startswith("/desk") for one in client)


def test_the_list_of_keys_is_true_and_complete() -> None:
    script = (SOURCES / "static/app.js").read_text()
    templates = "".join(path.read_text() for path in (SOURCES / "templates").rglob("*.html"))
    listened_to = set(re.findall(r"case '(.+?)':", script)) - {"g"}
    clicked = set(re.findall(r'data-key="([\w.])"', templates)) | set(
        re.findall(r"\bact\('\w+', _\('[^']+'\), '[^']+', '(\w)'", templates)
    )

    told = {one.keys[0] for one in KEYS if len(one.keys) == 1} - {"Esc"}

    assert told == listened_to | clicked
    assert not listened_to & clicked, "a key does one thing"


async def test_programs_find_clients_and_people_as_far_as_they_may_see_them(door: Door) -> None:
    await door.add_person("paula@other.example", kind="client", client_id=door.ids[ADA], roles=("admin",))
    await door.add_person("tom@meridian.example", kind="staff", client_id=None, roles=("agent",))

    ada = (await door.send(ADA, "GET", "/search?text=a")).json()
    tom = (await door.send("tom@meridian.example", "GET", "/search?text=a")).json()
    paul = (await door.send(PAUL, "GET", "/search?text=pa")).json()
    priya = await door.send(PRIYA, "GET", "/search?text=pa")
    nothing = (await door.send(ADA, "GET", "/search?text=%20")).json()

    halcyon = {"id": prefixed("client", door.client_id), "code": "HLO", "name": "Halcyon"}
    assert ada["clients"] == tom["clients"] == [halcyon]
    assert ADA in [one["email"] for one in ada["people"]]
    assert PAUL not in [one["email"] for one in ada["people"]], "people of clients are found on their own side"
    assert tom["people"] == []
    assert (paul["clients"], [one["email"] for one in paul["people"]]) == ([], [PAUL])
    assert paul["people"][0]["id"] == prefixed("person", door.ids[PAUL])
    assert priya.status_code == 403
    assert nothing == {"clients": [], "people": []}
