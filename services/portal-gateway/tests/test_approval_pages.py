"""Time approvals: odd entries first with their reasons, unticked; what was ticked and typed is kept."""

from __future__ import annotations

from typing import Any

import pytest
from upstream import Pages, beside, words

PLAIN, WEEKEND, ACME = (f"00000000-0000-0000-0000-0000000000{n:02}" for n in range(3))
AT = "2026-11-14T10:00:00+00:00"
PAGE = "/desk/approvals"


def an_entry(entry_id: str, **changed: Any) -> dict[str, Any]:
    return {
        "id": entry_id,
        "ticket_id": ACME,
        "ticket_ref": "HLO-7",
        "ticket_title": "VPN drops",
        "client_name": "Acme",
        "agent_name": "Tom",
        "worked_from": AT,
        "worked_minutes": 45,
        "job_type": "network",
        "level": "L1",
        "note": "Logs",
        "hours": None,
        "oddities": [],
        **changed,
    }


@pytest.fixture
def seen(house: Pages) -> Pages:
    odd = [{"code": "weekend", "figure": 75, "detail": "x"}, {"code": "overage", "figure": 5, "detail": "x"}]
    odd.append({"code": "moon_light", "figure": 0, "detail": "the service knows more than this page"})
    task = {"ticket_id": None, "ticket_ref": "PRJ-1", "ticket_title": "Rack"}
    house.upstream.answers |= {
        "/tickets/counts": {"open": 1, "unassigned": 0},
        "/time-entries/waiting": [
            {"client_id": ACME, "client_name": "Acme", "entry_count": 2, "worked_minutes": 90},
        ],
        "/time-entries/to-approve": {
            "items": [an_entry(WEEKEND, oddities=odd, **task), an_entry(PLAIN)],
            "odd_count": 1,
            "total_count": 340,
        },
        "/time-entries/approve": {"approved": 2, "refused": []},
    }
    return house


def ticked(html: str) -> list[str]:
    boxes = [one.partition(">")[0] for one in html.split('<input type="checkbox" name="id" value="')[1:]]
    return [one.partition('"')[0] for one in boxes if " checked" in one]


async def test_what_is_odd_comes_first_says_why_and_is_not_ticked(seen: Pages) -> None:
    html = (await seen.get(f"{PAGE}?client_id={ACME}")).text
    said = words(html)

    assert dict(seen.upstream.query("/time-entries/to-approve"))["client_id"] == ACME
    assert "1 to look at first, not ticked" in said
    assert "Weekend Overage Moon light" in said
    assert (
        "1 h 15 min outside the opening hours; 5 min beyond the bucket; the service knows more than this page" in said
    )
    assert ticked(html) == [PLAIN]
    assert 'aria-describedby="odd-1"' in html
    assert 'href="/desk/projects/PRJ-1"' in html, "time on a task leads to its project"
    assert "2 of 340 shown" in said
    assert 'href="/desk/time/locks"' in html


async def test_chosen_entries_are_approved_and_the_page_says_so_once(seen: Pages) -> None:
    answer = await seen.post(f"{PAGE}?client_id={ACME}", {"id": f"{PLAIN},{WEEKEND}", "intent": "approve"})

    assert answer.headers["location"] == f"{PAGE}?client_id={ACME}&done=approved-2"
    assert seen.upstream.body("/time-entries/approve") == {"ids": [PLAIN, WEEKEND]}
    assert "2 approved." in (await seen.get(answer.headers["location"])).text
    for odd in ("approved-<b>", "approved-", "stolen-2", "approved-99999999"):
        assert 'role="status"' not in (await seen.get(f"{PAGE}?done={odd}")).text, odd


async def test_what_is_not_approved_says_why(seen: Pages) -> None:
    own = {"id": PLAIN, "reason": "somebody else has to approve your time"}
    seen.upstream.answers["/time-entries/approve"] = {"approved": 1, "refused": [own]}

    answer = await seen.post(PAGE, {"id": f"{PLAIN},{WEEKEND}", "intent": "approve"})

    assert "1 approved." in answer.text
    assert "1 not approved: somebody else has to approve your time." in answer.text


async def test_entries_go_back_with_a_reason_and_never_without_one(seen: Pages) -> None:
    silent = await seen.post(PAGE, {"id": WEEKEND, "intent": "reject", "reason": "  "})
    seen.upstream.refused[f"/time-entries/{PLAIN}/reject"] = (409, {"detail": "the entry was approved before"})
    some = await seen.post(PAGE, {"id": f"{PLAIN},{WEEKEND}", "intent": "reject", "reason": "Too long"})

    assert silent.status_code == 422
    assert beside(silent.text, "reason") == "say what has to change"
    assert ticked(silent.text) == [WEEKEND], "what was ticked stays"
    changes = [(path, body) for _, path, body in seen.upstream.changes()]
    assert changes == [(f"/time-entries/{one}/reject", {"reason": "Too long"}) for one in (PLAIN, WEEKEND)]
    assert "1 sent back." in some.text
    assert "1 not sent back: the entry was approved before." in some.text


async def test_nothing_ticked_is_nothing_decided(seen: Pages) -> None:
    answer = await seen.post(PAGE, {"intent": "approve"})

    assert (answer.status_code, "Tick the entries first." in answer.text) == (422, True)
    assert seen.upstream.changes() == []
    assert (await seen.get(PAGE, by="agent")).status_code == 403
    assert (await seen.post(PAGE, {"id": PLAIN, "intent": "approve"}, by="finance")).status_code == 403
