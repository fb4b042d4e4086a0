"""Routing rules on their page: tried before they count."""

from __future__ import annotations

from typing import Any

import pytest
from upstream import Pages, words

PAGE = "/desk/admin/routing"
ACME, BETA = (f"00000000-0000-0000-0000-0000000000{n:02}" for n in range(2))
RULE: dict[str, Any] = {
    "position": 1,
    "job_types": ["network"],
    "levels": [],
    "priorities": ["critical", "high"],
    "client_ids": [ACME],
    "words": [],
    "tags": [],
    "queue": "desk",
}
TRIAL = {
    "tickets": 12,
    "by_queue": {"desk": 12},
    "by_rule": [{"position": 2, "queue": "net", "tickets": 7}, {"position": None, "queue": "desk", "tickets": 5}],
    "moved": 1,
    "examples": [{"ref": "HLO-7", "went_to": "desk", "would_go_to": "net", "reason": "rule 2"}],
    "never": ["Rule 3 can never match."],
}
TYPED = {
    "position": "2",
    "job_types": "",
    "levels": "L2, L3",
    "words": "vpn,",
    "client_ids": f"{ACME},{BETA}",
    "queue": "net",
}
MEANT = {
    "position": 2,
    "job_types": [],
    "levels": ["L2", "L3"],
    "priorities": [],
    "client_ids": [ACME, BETA],
    "words": ["vpn"],
    "tags": [],
}


@pytest.fixture
def seen(house: Pages) -> Pages:
    house.upstream.answers |= {
        "/routing-rules": {"items": [{**RULE, "id": "7", "warnings": []}], "warnings": []},
        "/routing-rules/dry-run": TRIAL,
        "/clients": {"items": [{"id": ACME, "name": "Acme"}, {"id": BETA, "name": "Beta"}], "next": None},
        "/queues": {"items": [{"key": "net", "name": "Network", "open_count": 0}]},
        "/tickets/counts": {"open": 1, "unassigned": 0},
    }
    return house


async def test_rules_are_said_in_words_and_changed_by_who_may(seen: Pages) -> None:
    html = (await seen.get(PAGE)).text

    assert "1 job type is network and priority is critical or high and client is Acme desk" in words(html)
    assert f'action="{PAGE}/7/delete"' in html
    assert "/delete" not in (await seen.get(PAGE, by="agent")).text
    assert (await seen.post(PAGE, TYPED, by="agent")).status_code == 403
    assert (await seen.post(f"{PAGE}/7/delete", {}, by="agent")).status_code == 403
    assert (await seen.get(PAGE, by="client")).status_code == 403
    assert seen.upstream.changes() == []


async def test_a_rule_is_tried_among_those_in_force_and_kept_in_the_form(seen: Pages) -> None:
    answer = await seen.post(PAGE, {**TYPED, "intent": "try"})

    tried = {"rules": [RULE, {**MEANT, "queue": "net"}], "days": 31}
    assert seen.upstream.changes() == [("POST", "/routing-rules/dry-run", tried)]
    assert "1 of 12 would have gone elsewhere." in answer.text
    assert "HLO-7 desk net rule 2" in words(answer.text)
    assert "Rule 3 can never match." in answer.text
    assert "2 net 7 None fits desk 5" in words(answer.text)
    assert 'value="L2, L3"' in answer.text
    assert f'<option value="{BETA}" selected>Beta' in answer.text


async def test_rules_in_force_are_tried_and_one_is_added_and_deleted(seen: Pages) -> None:
    tried = await seen.post(f"{PAGE}/dry-run", {}, by="agent")
    added = await seen.post(PAGE, {**TYPED, "intent": "save"})
    deleted = await seen.post(f"{PAGE}/7/delete", {})

    assert "Tried on 12 tickets" in words(tried.text)
    assert [one.headers["location"] for one in (added, deleted)] == [PAGE, PAGE]
    assert seen.upstream.changes() == [
        ("POST", "/routing-rules/dry-run", {"days": 31}),
        ("POST", "/routing-rules", {**MEANT, "queue": "net"}),
        ("DELETE", "/routing-rules/7", {}),
    ]


async def test_a_rule_that_is_refused_says_why(seen: Pages) -> None:
    seen.upstream.answers["/routing-rules/dry-run"] = (422, {"detail": "position: at least 1"})

    answer = await seen.post(PAGE, {**TYPED, "position": "first", "intent": "try"})

    assert answer.status_code == 422
    assert "The rule was not taken. position: at least 1" in answer.text
    assert 'value="first"' in answer.text


async def test_a_queue_is_added_and_a_refused_one_stays_typed(seen: Pages) -> None:
    added = await seen.post(f"{PAGE}/queues", {"queue_key": " vip ", "queue_name": "VIP desk"})
    errors = [{"pointer": "/body/key", "detail": "small letters, digits and dashes"}]
    seen.upstream.answers["/queues"] = lambda _query: (422, {"detail": "1 field is wrong", "errors": errors})
    refused = await seen.post(f"{PAGE}/queues", {"queue_key": "V I P", "queue_name": "VIP desk"})

    assert added.headers["location"] == PAGE
    assert seen.upstream.changes()[0] == ("POST", "/queues", {"key": "vip", "name": "VIP desk"})
    assert refused.status_code == 422
    assert 'id="queue_key-err"' in refused.text
    assert 'value="V I P"' in refused.text
    assert (await seen.post(f"{PAGE}/queues", {"queue_key": "x"}, by="agent")).status_code == 403


# ---- what impact and urgency make ---------------------------------------------------------------------------------

EXTENTS = ("high", "medium", "low")
CELLS = [
    {"impact": i, "urgency": u, "priority": "medium", "is_own": (i, u) == ("high", "low")}
    for i in EXTENTS
    for u in EXTENTS
]


async def test_a_client_has_cells_of_its_own_and_the_others_follow_the_default(seen: Pages) -> None:
    page = "/desk/admin/priorities"
    seen.upstream.answers |= {f"/priority-tables/{ACME}": CELLS, f"/priority-tables/{BETA}": CELLS}

    html = (await seen.get(page)).text
    saved = await seen.post(page, {"client_id": BETA, "high-high": "critical", "low-low": "low", "high-low": ""})

    assert html.count("Medium, by default") == 8
    assert html.count("By default") == 1
    assert saved.headers["location"] == f"{page}?client_id={BETA}"
    cells = [
        {"impact": "high", "urgency": "high", "priority": "critical"},
        {"impact": "low", "urgency": "low", "priority": "low"},
    ]
    assert seen.upstream.changes() == [("PUT", f"/priority-tables/{BETA}", {"cells": cells})]
    assert "<select" not in (await seen.get(page, by="agent")).text.partition('id="t-h"')[2]
    assert (await seen.post(page, {"client_id": BETA}, by="agent")).status_code == 403
