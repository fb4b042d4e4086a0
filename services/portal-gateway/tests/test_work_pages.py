"""Weeks, projects and workload: what is shown, what is sent, and whose it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from upstream import Pages, pages, words

from portal_gateway.pages.projects import groups_of
from portal_gateway.pages.time_week import overlapping

PROJECT, TASK, STONE, ENTRY, ACME, TOM, NINA, TICKET = (f"00000000-0000-0000-0000-0000000000{n:02}" for n in range(8))
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
BURN = {
    "progress_percent": 50,
    "worked_minutes": 600,
    "estimate_minutes": 900,
    "budget_minutes": 1000,
    "burnt_percent": 60,
    "expected_minutes": 1200,
    "is_over_budget": True,
}
A_TASK: dict[str, Any] = {
    "id": TASK,
    "milestone_id": STONE,
    "title": "Move <mail>",
    "description": "",
    "status": "doing",
    "due_on": None,
    "worked_minutes": 60,
    "revision": 3,
    "estimate_minutes": 120,
    "assignee_id": TOM,
    "assignee_name": "Tom",
    "is_client_visible": True,
    "needs": [],
    "tickets": [{"id": TICKET, "ref": "HLO-7", "status": "open"}],
}
A_PROJECT: dict[str, Any] = {
    "id": PROJECT,
    "ref": "HLO-P1",
    "name": "New office",
    "client_id": ACME,
    "client_name": "Acme",
    "contract_id": ACME,
    "description": "",
    "status": "active",
    "starts_on": None,
    "due_on": "2026-12-01",
    "burn": BURN,
    "is_client_visible": True,
    "milestones": [{"id": STONE, "name": "Moved in", "due_on": None, "progress_percent": 50}],
    "tasks": [A_TASK],
}
PAGE = "/desk/projects/HLO-P1"
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
    contract = {"contract_id": ACME, "job_types": [{"code": "network", "name": "Network"}], "levels": ["L1"]}
    door.upstream.answers |= {
        "/agents": {"items": [{"id": TOM, "name": "Tom", "is_active": True}]},
        "/agents/absences": [{**absence, "agent_id": TOM, "agent_name": "Tom"}],
        "/tickets/counts": {"open": 1, "unassigned": 0},
        "/tickets/offer": {"contracts": [contract]},
        "/time-entries/week": WEEK,
        "/time-entries": {"items": [an_entry()], "next": None},
        "/projects": {"items": [A_PROJECT], "next": None},
        f"/projects/{PROJECT}": A_PROJECT,
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


# ---- projects -----------------------------------------------------------------------------------------------------


async def test_projects_say_where_they_stand(seen: Pages) -> None:
    text = words((await seen.get("/desk/projects", by="agent")).text)

    assert dict(seen.upstream.query("/projects")) == {"status": "active"}
    assert "New office HLO-P1 · Acme Active 50% 10.00 h , beyond the budget 16.67 h 1 Dec 2026" in text


@pytest.mark.parametrize(("view", "heading"), [("list", "Moved in 1, 50% done"), ("board", "In progress 1")])
async def test_a_project_as_list_and_as_board(seen: Pages, view: str, heading: str) -> None:
    html = (await seen.get(f"{PAGE}?view={view}", by="agent")).text

    assert heading in words(html)
    assert html.count("Move &lt;mail&gt;</b>") == 1
    assert "At this pace the budget will not be enough." in html
    assert 'href="/desk/tickets/HLO-7"' in html


@pytest.mark.parametrize("by_state", [True, False])
def test_every_task_is_shown_once(by_state: bool) -> None:
    states = ("todo", "doing", "waiting", "done", "cancelled")
    tasks = [{"id": one, "status": one, "milestone_id": STONE if one == "done" else None} for one in states]

    made = groups_of({"milestones": A_PROJECT["milestones"], "tasks": tasks}, by_state=by_state)

    assert sorted(task["id"] for _, _, group in made for task in group) == sorted(states)


async def test_work_on_a_task_is_sent(seen: Pages) -> None:
    moved = await seen.post(f"{PAGE}/tasks/{TASK}", {"status": "done", "revision": "3", "view": "board"}, by="agent")
    logged = await seen.post(f"{PAGE}/tasks/{TASK}/time", {"time": "45m", "note": "Cables"}, by="agent")
    added = await seen.post(f"{PAGE}/tasks", {"title": "Desks", "job_type": "network", "level": "L1"}, by="agent")
    seen.upstream.answers[f"/tasks/{TASK}/ticket"] = {"id": TICKET, "ref": "HLO-9"}
    raised = await seen.post(f"{PAGE}/tasks/{TASK}/ticket", {}, by="agent")

    assert [one.headers["location"] for one in (moved, logged, added, raised)] == [
        f"{PAGE}?view=board",
        PAGE,
        PAGE,
        "/desk/tickets/HLO-9",
    ]
    assert seen.upstream.changes() == [
        ("PATCH", f"/tasks/{TASK}", {"status": "done", "assignee_id": None}),
        ("POST", "/time-entries", {"task_id": TASK, "time": "45m", "note": "Cables"}),
        (
            "POST",
            f"/projects/{PROJECT}/tasks",
            {"title": "Desks", "job_type": "network", "level": "L1", "is_client_visible": False},
        ),
        ("POST", f"/tasks/{TASK}/ticket", {}),
    ]
    assert '"3"' in seen.upstream.revisions


async def test_what_is_refused_on_a_project_is_said(seen: Pages) -> None:
    seen.upstream.answers[f"/tasks/{TASK}"] = (409, {"detail": "the task is at revision 4, you read 3"})

    answer = await seen.post(f"{PAGE}/tasks/{TASK}", {"status": "done", "revision": "3"})

    assert answer.status_code == 409
    assert "The task was not changed. the task is at revision 4, you read 3" in answer.text


async def test_clients_see_their_projects_and_no_other(seen: Pages) -> None:
    listed = await seen.get("/portal/projects", by="client")
    one = await seen.get("/portal/projects/HLO-P1", by="client")

    assert 'href="/portal/projects/HLO-P1"' in listed.text
    assert "Moved in 50%" in words(one.text)
    assert "Work on it" not in one.text
    assert (await seen.get("/portal/projects/ZZZ-P1", by="client")).status_code == 404
    assert (await seen.get(PAGE, by="client")).status_code == 403


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
