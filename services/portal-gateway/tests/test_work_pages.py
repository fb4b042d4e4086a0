"""Weeks and workload: what is shown, what is sent, and whose it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from upstream import Pages, pages, words

from portal_gateway.pages.time_week import overlapping

ENTRY, TOM, NINA, TICKET = (f"00000000-0000-0000-0000-0000000000{n:02}" for n in range(4))
AT = "2026-10-05T08:00:00+00:00"
WEEK: dict[str, Any] = {
    "agent_id": TOM,
    "agent_name": "Tom",
    "timezone": "America/New_York",
    "starts_on": "2026-10-26",
    "days": [f"2026-{day}" for day in ("10-26", "10-27", "10-28", "10-29", "10-30", "10-31", "11-01")],
    "rows": [
        {
            "ticket_id": TICKET,
            "task_id": None,
            "ref": "HLO-7",
            "title": "VPN",
            "client_name": "Acme",
            "minutes": [45, 0, 0, 90, 0, 0, 0],
            "total_minutes": 135,
        }
    ],
    "day_minutes": [45, 0, 0, 90, 0, 0, 0],
    "total_minutes": 135,
    "weekly_minutes": 2400,
    "submitted_minutes": 90,
    "approved_minutes": 45,
    "rejected": 1,
    "overlaps": 1,
}
LOAD = {
    "agent_id": TOM,
    "agent_name": "Tom",
    "weekly_minutes": 2400,
    "open": 9,
    "breached": 1,
    "at_risk": 2,
    "paused": 1,
    "due_soon": 3,
    "next_due_at": AT,
    "worked_minutes": 600,
    "presence": "available",
    "is_on_duty": True,
    "load_percent": 120,
}
ADVICE = {
    "ticket_id": TICKET,
    "ref": "HLO-7",
    "from_name": "Tom",
    "to_id": NINA,
    "to_name": "Nina",
    "from_load": [120, 90],
    "to_load": [20, 50],
}


def an_entry(**changed: Any) -> dict[str, Any]:
    return {
        "id": ENTRY,
        "ticket_ref": "HLO-7",
        "client_name": "Acme",
        "worked_from": AT,
        "worked_minutes": 45,
        "job_type": "network",
        "level": "L1",
        "note": "Logs",
        "status": "rejected",
        "decision_reason": "Too long",
        "is_sealed": False,
        "corrects_id": None,
        **changed,
    }


@pytest.fixture(scope="module")
async def door() -> AsyncIterator[Pages]:
    async with pages() as made:
        yield made


@pytest.fixture
def seen(door: Pages) -> Pages:
    door.upstream.asked.clear()
    door.upstream.revisions.clear()
    door.upstream.answers.clear()
    absence = {"id": ENTRY, "starts_at": AT, "ends_at": AT, "reason": "Holiday"}
    door.upstream.answers |= {
        "/agents": {"items": [{"id": TOM, "name": "Tom", "is_active": True}]},
        "/agents/absences": [{**absence, "agent_id": TOM, "agent_name": "Tom"}],
        "/tickets/counts": {"open": 1, "unassigned": 0},
        "/time-entries/week": WEEK,
        "/time-entries": {"items": [an_entry()], "next": None},
        "/workload": [LOAD],
        "/workload/suggestions": [ADVICE],
    }
    return door


async def test_a_week_adds_up_and_its_entries_are_of_the_agents_own_days(seen: Pages) -> None:
    text = words((await seen.get(f"/desk/time?agent_id={TOM}&on=2026-10-28")).text)

    assert dict(seen.upstream.query("/time-entries/week")) == {"agent_id": TOM, "on": "2026-10-28"}
    asked = dict(seen.upstream.query("/time-entries"))
    # The clocks go back on the Sunday of this week: it has an hour more.
    assert (asked["from"], asked["to"]) == ("2026-10-26T00:00:00-04:00", "2026-11-02T00:00:00-05:00")
    assert "Day 0.75 h 0.00 h 0.00 h 1.50 h 0.00 h 0.00 h 0.00 h 2.25 h" in text
    assert "1 entry was rejected and waits for a correction." in text
    assert "Rejected" in text
    assert "Too long" in text


async def test_an_entry_is_corrected_from_the_week(seen: Pages) -> None:
    form = {"time": "1h15", "note": "", "reason": "Mistyped", "agent_id": TOM, "on": "2026-10-26"}

    answer = await seen.post(f"/desk/time/{ENTRY}/correct", form)
    seen.upstream.answers[f"/time-entries/{ENTRY}/correct"] = (422, {"detail": "the period is sealed"})
    refused = await seen.post(f"/desk/time/{ENTRY}/correct", form)

    assert answer.headers["location"] == f"/desk/time?agent_id={TOM}&on=2026-10-26"
    assert seen.upstream.body(f"/time-entries/{ENTRY}/correct") == {"reason": "Mistyped", "time": "1h15"}
    assert refused.status_code == 422
    assert "The entry was not corrected. the period is sealed" in refused.text
    assert 'value="1h15"' in refused.text


async def test_who_is_no_agent_chooses_one(seen: Pages) -> None:
    seen.upstream.answers["/time-entries/week"] = (404, {"title": "Not found"})

    assert "You are no agent" in (await seen.get("/desk/time")).text
    assert (await seen.get(f"/desk/time?agent_id={NINA}")).status_code == 404


@pytest.mark.parametrize(
    ("spans", "found"),
    [
        ([("a", 8, 60), ("b", 9, 30)], set()),
        ([("a", 8, 61), ("b", 9, 30)], {"a", "b"}),
        ([("a", 8, 180), ("b", 9, 10), ("c", 10, 10)], {"a", "b", "c"}),
    ],
)
def test_entries_that_share_minutes(spans: list[tuple[str, int, int]], found: set[str]) -> None:
    made = [
        an_entry(id=name, status="submitted", worked_from=f"2026-10-05T{hour:02}:00:00+00:00", worked_minutes=minutes)
        for name, hour, minutes in spans
    ]

    assert overlapping(made) == found
    assert overlapping([{**one, "status": "voided"} for one in made]) == set()


# ---- workload -----------------------------------------------------------------------------------------------------


async def test_workload_shows_load_exposure_and_absences(seen: Pages) -> None:
    text = words((await seen.get("/desk/workload")).text)

    assert "120% 9 1 2 3 1" in text
    assert "Tom 120% → 90%, Nina 20% → 50%" in text
    assert "Holiday" in text


async def test_a_suggestion_is_applied_by_who_may(seen: Pages) -> None:
    form = {"ticket_id": TICKET, "to_id": NINA}

    answer = await seen.post("/desk/workload/apply", form)

    assert answer.headers["location"] == "/desk/workload"
    assert seen.upstream.body(f"/tickets/{TICKET}/assign") == {"assignee_id": NINA, "reason": "to even out the work"}
    seen.upstream.asked.clear()
    assert "Suggested hand-overs" not in (await seen.get("/desk/workload", by="agent")).text
    assert (await seen.post("/desk/workload/apply", form, by="agent")).status_code == 403
    assert seen.upstream.changes() == []


async def test_a_refused_suggestion_is_said(seen: Pages) -> None:
    seen.upstream.answers[f"/tickets/{TICKET}/assign"] = (422, {"detail": "Nina is away"})

    answer = await seen.post("/desk/workload/apply", {"ticket_id": TICKET, "to_id": NINA})

    assert answer.status_code == 422
    assert "The ticket was not handed over. Nina is away" in answer.text
