"""Locked time: who sees it, who locks and opens it, and what is kept when it is refused."""

from __future__ import annotations

from typing import Any

import pytest
from upstream import Pages, beside, words

ACME, BOLT = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
AT = "2026-11-05T08:00:00+00:00"
PAGE = "/desk/time/locks"
LOCK: dict[str, Any] = {
    "client_id": ACME,
    "client_name": "Acme",
    "locked_before": "2026-11-01",
    "locked_by": "Mia Brandt",
    "locked_at": AT,
    "reason": "October is checked",
}
OPENED = {**LOCK, "locked_before": None, "changed_by": "Ada Osei", "changed_at": AT, "reason": "One more entry"}


@pytest.fixture
def seen(house: Pages) -> Pages:
    clients = [{"id": ACME, "name": "Acme"}, {"id": BOLT, "name": "Bolt"}]
    house.upstream.answers |= {
        "/clients": {"items": clients, "next": None},
        "/tickets/counts": {"open": 1, "unassigned": 0},
        "/time-entries/locks": [LOCK],
        "/time-entries/locks/changes": [OPENED],
        f"/time-entries/locks/{ACME}": None,
        f"/time-entries/locks/{BOLT}": None,
    }
    return house


async def test_everybody_at_the_desk_sees_what_is_locked_by_whom_and_why(seen: Pages) -> None:
    html = (await seen.get(PAGE, by="agent")).text
    said = words(html)

    assert "Acme October is checked 1 Nov 2026" in said
    assert "Mia Brandt" in said
    assert "opened again" in said
    assert "Ada Osei One more entry" in said
    assert "<form" not in html[html.index('<main class="page"') :], "agents open nothing"
    assert (await seen.get(PAGE, by="client")).status_code == 403


async def test_a_manager_locks_and_opens_with_a_reason(seen: Pages) -> None:
    typed = {"client_id": BOLT, "locked_before": "2026-11-01", "reason": " Checked "}

    locked = await seen.post(PAGE, typed)
    opened = await seen.post(f"{PAGE}/{ACME}/open", {"reason": "One more"})

    assert locked.headers["location"] == opened.headers["location"] == PAGE
    assert seen.upstream.changes() == [
        ("PUT", f"/time-entries/locks/{BOLT}", {"locked_before": "2026-11-01", "reason": "Checked"}),
        ("PUT", f"/time-entries/locks/{ACME}", {"locked_before": None, "reason": "One more"}),
    ]


async def test_who_may_not_lock_changes_nothing(seen: Pages) -> None:
    for by in ("agent", "finance", "client"):
        assert (await seen.post(PAGE, {"client_id": BOLT}, by=by)).status_code == 403, by
        assert (await seen.post(f"{PAGE}/{ACME}/open", {"reason": "x"}, by=by)).status_code == 403, by
    assert seen.upstream.changes() == []


async def test_a_refused_lock_keeps_what_was_typed_and_says_why_beside_the_day(seen: Pages) -> None:
    detail = "the first open day is 2026-11-25 at the latest"
    seen.upstream.refused[f"/time-entries/locks/{BOLT}"] = (422, {"code": "period-not-over", "detail": detail})
    typed = {"client_id": BOLT, "locked_before": "2027-01-01", "reason": "Checked"}

    answer = await seen.post(PAGE, typed)
    nobody = await seen.post(PAGE, {**typed, "client_id": ""})

    assert answer.status_code == nobody.status_code == 422
    assert beside(answer.text, "locked_before") == detail
    assert 'value="2027-01-01"' in answer.text
    assert f'<option value="{BOLT}" selected>' in answer.text
    assert beside(nobody.text, "client_id") == "choose a client"


async def test_a_lock_that_is_not_opened_says_so_beside_its_own_row(seen: Pages) -> None:
    errors = [{"pointer": "/body/reason", "detail": "String should have at least 1 character"}]
    seen.upstream.refused[f"/time-entries/locks/{ACME}"] = (422, {"detail": "wrong", "errors": errors})

    answer = await seen.post(f"{PAGE}/{ACME}/open", {"reason": "   "})

    assert "It stays locked." in answer.text
    assert beside(answer.text, "1-reason") == "String should have at least 1 character"
    assert beside(answer.text, "reason") == "", "the other form was not sent"


async def test_parts_that_are_away_leave_the_others(seen: Pages) -> None:
    seen.upstream.answers["/time-entries/locks/changes"] = (500, {"detail": "broken"})

    page = await seen.get(PAGE)

    assert page.status_code == 200
    assert "October is checked" in page.text


async def test_the_weeks_lead_to_the_locks(seen: Pages) -> None:
    seen.upstream.answers["/time-entries/week"] = (404, {"title": "Not found"})

    assert f'href="{PAGE}"' in (await seen.get("/desk/time")).text
