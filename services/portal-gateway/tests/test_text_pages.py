"""Canned replies and ticket templates: kept by who may, and used in the form of a new ticket."""

from __future__ import annotations

from typing import Any

import pytest
from upstream import Pages, words

REPLY, TEMPLATE, ACME = (f"00000000-0000-0000-0000-0000000000{n:02}" for n in range(3))
PAGE = "/desk/texts"
A_REPLY = {"id": REPLY, "name": "Greeting", "body": "Hello {{contact_name}}", "is_public": True, "set_status": None}
A_TEMPLATE = {
    "id": TEMPLATE,
    "name": "New starter",
    "title": "Set up <somebody>",
    "description": "Laptop, account",
    "job_type": "network",
    "level": "L2",
    "priority": "low",
    "tags": ["onboarding"],
    "is_for_clients": True,
}
OFFER = {
    "client_id": ACME,
    "contracts": [
        {
            "contract_id": ACME,
            "ref": "C-1",
            "name": "Care",
            "levels": ["L1", "L2"],
            "job_types": [{"code": "server", "name": "Server"}, {"code": "network", "name": "Network"}],
        }
    ],
}


@pytest.fixture
def seen(house: Pages) -> Pages:
    house.upstream.answers |= {
        "/canned-replies": {"items": [A_REPLY], "next": None},
        "/ticket-templates": {"items": [A_TEMPLATE], "next": None},
        "/job-types": {"items": [{"code": "network", "name": "Network"}], "next": None},
        "/tickets/counts": {"open": 1, "unassigned": 0},
        "/clients": {"items": [{"id": ACME, "name": "Acme"}], "next": None},
        "/tickets/offer": OFFER,
        "/coverage/preview": {"available_before_minutes": 60},
    }
    return house


async def test_replies_and_templates_are_listed_and_opened(seen: Pages) -> None:
    listed = (await seen.get(PAGE)).text
    reply = (await seen.get(f"{PAGE}/replies/{REPLY}", by="agent")).text
    template = (await seen.get(f"{PAGE}/templates/{TEMPLATE}")).text

    assert f'href="{PAGE}/replies/{REPLY}"' in listed
    assert f'href="{PAGE}/templates/{TEMPLATE}"' in listed
    assert "Set up &lt;somebody&gt;" in listed
    assert "\nHello {{contact_name}}</textarea>" in reply
    assert 'value="onboarding"' in template
    assert (await seen.get(f"{PAGE}/replies/{ACME}")).status_code == 404
    assert (await seen.get(f"{PAGE}/poems/new")).status_code == 404


async def test_replies_are_kept_by_agents_and_templates_by_who_dispatches(seen: Pages) -> None:
    typed = {"name": " Bye ", "body": "Bye", "is_public": "1", "set_status": "resolved"}
    reply = await seen.post(f"{PAGE}/replies/new", typed, by="agent")
    template = {"name": "Leaver", "title": "Lock out", "tags": "Leaver, urgent", "level": "", "is_for_clients": "1"}
    saved = await seen.post(f"{PAGE}/templates/{TEMPLATE}", template)
    gone = await seen.post(f"{PAGE}/replies/{REPLY}/delete", {}, by="agent")

    assert [one.headers["location"] for one in (reply, saved, gone)] == [PAGE] * 3
    assert seen.upstream.changes() == [
        ("POST", "/canned-replies", {"name": "Bye", "body": "Bye", "is_public": True, "set_status": "resolved"}),
        (
            "PUT",
            f"/ticket-templates/{TEMPLATE}",
            {
                "name": "Leaver",
                "title": "Lock out",
                "description": "",
                "tags": ["leaver", "urgent"],
                "is_for_clients": True,
                "job_type": None,
                "level": None,
                "priority": None,
            },
        ),
        ("DELETE", f"/canned-replies/{REPLY}", {}),
    ]
    assert (await seen.post(f"{PAGE}/templates/new", template, by="agent")).status_code == 403
    assert "/templates/new" not in (await seen.get(PAGE, by="agent")).text
    assert (await seen.get(PAGE, by="client")).status_code == 403


async def test_a_reply_with_an_unknown_place_says_so_and_stays_typed(seen: Pages) -> None:
    seen.upstream.answers["/canned-replies"] = lambda _query: (422, {"detail": "nobody fills in {{shoe_size}}"})

    answer = await seen.post(f"{PAGE}/replies/new", {"name": "Odd", "body": "Size {{shoe_size}}"})

    assert answer.status_code == 422
    assert "The reply was not saved. nobody fills in {{shoe_size}}" in answer.text
    assert "\nSize {{shoe_size}}</textarea>" in answer.text


@pytest.mark.parametrize(
    ("page", "by"), [(f"/desk/tickets/new?client_id={ACME}&", "agent"), ("/portal/tickets/new?", "client")]
)
async def test_a_new_ticket_starts_from_a_template(seen: Pages, page: str, by: str) -> None:
    html = (await seen.get(f"{page}template_id={TEMPLATE}", by=by)).text

    assert 'value="Set up &lt;somebody&gt;"' in html
    assert "\nLaptop, account</textarea>" in html
    assert '<option value="network" selected>' in html
    assert '<option value="L2" selected>' in html
    assert 'name="priority" value="low" checked' in html
    assert 'name="tags" value="onboarding"' in html


async def test_a_new_ticket_takes_its_priority_from_the_table_of_the_client(seen: Pages) -> None:
    seen.upstream.answers["/tickets"] = {"id": ACME, "ref": "HLO-7"}
    typed: dict[str, Any] = {"title": "VPN", "description": "", "job_type": "network", "level": "L1"}

    await seen.post(
        "/desk/tickets/new", {**typed, "client_id": ACME, "priority": "", "impact": "high", "urgency": "low"}
    )
    answer = await seen.post("/portal/tickets/new", {**typed, "priority": "high", "tags": "vpn,wifi"}, by="client")

    (_, _, desk), (_, _, portal) = seen.upstream.changes()
    assert desk == {**typed, "client_id": ACME, "contact_name": "", "impact": "high", "urgency": "low"}
    assert portal == {**typed, "priority": "high", "tags": ["vpn", "wifi"]}
    assert answer.headers["location"] == "/portal/tickets/HLO-7"
    assert "By the client" not in words((await seen.get("/portal/tickets/new", by="client")).text)


@pytest.mark.parametrize(("page", "by"), [("/desk/tickets/new", "agent"), ("/portal/tickets/new", "client")])
async def test_a_refused_ticket_says_what_is_wrong_beside_its_field(seen: Pages, page: str, by: str) -> None:
    errors = [{"pointer": "/body/title", "detail": "it has nothing to see"}]
    seen.upstream.answers["/tickets"] = (422, {"detail": "1 field is wrong", "errors": errors})

    answer = await seen.post(page, {"client_id": ACME, "title": "\u202e", "description": "Kept", "level": "L2"}, by=by)

    assert answer.status_code == 422
    assert 'id="title-err"' in answer.text
    assert "it has nothing to see" in answer.text
    assert "\nKept</textarea>" in answer.text
    assert '<option value="L2" selected>' in answer.text
