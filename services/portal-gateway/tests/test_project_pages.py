"""Projects on their pages: where they stand, what is planned, and what is sent when it changes."""

from __future__ import annotations

from typing import Any

import pytest
from upstream import Pages, words

from portal_gateway.pages.project_changes import plan_of
from portal_gateway.pages.projects import groups_of

PROJECT, TASK, STONE, ACME, TOM, TICKET, OTHER, PLAN = (f"00000000-0000-0000-0000-0000000000{n:02}" for n in range(8))
AT = "2026-10-05T08:00:00+00:00"
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
    "job_type": "network",
    "level": "L1",
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
    "revision": 7,
    "budget_minutes": 1000,
    "created_at": AT,
    "milestones": [{"id": STONE, "name": "Moved in", "due_on": "2026-10-19", "position": 2, "progress_percent": 50}],
    "tasks": [A_TASK],
    "attachments": [{"id": STONE, "is_public": True, "name": "plan <1>.pdf", "size_bytes": 3_000}],
}
PAGE = "/desk/projects/HLO-P1"


@pytest.fixture
def seen(house: Pages) -> Pages:
    contract = {
        "contract_id": ACME,
        "ref": "C-1",
        "name": "Care",
        "job_types": [{"code": "network", "name": "Network"}],
        "levels": ["L1"],
    }
    house.upstream.answers |= {
        "/agents": {"items": [{"id": TOM, "name": "Tom", "is_active": True}]},
        "/clients": {"items": [{"id": ACME, "name": "Acme"}], "next": None},
        "/tickets/counts": {"open": 1, "unassigned": 0},
        "/tickets/offer": {"contracts": [contract]},
        "/projects": {"items": [A_PROJECT], "next": None},
        "/projects/HLO-P1": A_PROJECT,
        "/projects/ZZZ-P1": (404, {"title": "Not found"}),
        "/projects/templates": [{"id": PLAN, "name": "Move", "plan": {"milestones": [], "tasks": [{}, {}]}}],
    }
    return house


async def test_projects_say_where_they_stand(seen: Pages) -> None:
    text = words((await seen.get("/desk/projects", by="agent")).text)

    assert dict(seen.upstream.query("/projects")) == {"status": "active"}
    assert "New office HLO-P1 · Acme Active 50% 10:00 h , beyond the budget 16:40 h 1 Dec 2026" in text


@pytest.mark.parametrize(("view", "heading"), [("list", "Moved in 1, 50% done"), ("board", "In progress 1")])
async def test_a_project_as_list_and_as_board(seen: Pages, view: str, heading: str) -> None:
    html = (await seen.get(f"{PAGE}?view={view}", by="agent")).text

    assert heading in words(html)
    assert html.count("Move &lt;mail&gt;</a>") == 1
    assert "At this pace the budget will not be enough." in html
    assert 'href="/desk/tickets/HLO-7"' in html


@pytest.mark.parametrize("by_state", [True, False])
def test_every_task_is_shown_once(by_state: bool) -> None:
    states = ("todo", "doing", "waiting", "done", "cancelled")
    tasks = [{"id": one, "status": one, "milestone_id": STONE if one == "done" else None} for one in states]

    made = groups_of({"milestones": A_PROJECT["milestones"], "tasks": tasks}, by_state=by_state)

    assert sorted(task["id"] for _, _, group in made for task in group) == sorted(states)


async def test_work_on_a_task_is_sent(seen: Pages) -> None:
    at = f"{PAGE}/tasks/{TASK}"
    moved = await seen.post(f"{at}/status", {"status": "done", "revision": "3", "view": "board"}, by="agent")
    logged = await seen.post(f"{at}/time", {"time": "45m", "note": "Cables"}, by="agent")
    seen.upstream.answers[f"/tasks/{TASK}/ticket"] = {"id": TICKET, "ref": "HLO-9"}
    raised = await seen.post(f"{at}/ticket", {}, by="agent")

    went = [one.headers["location"] for one in (moved, logged, raised)]
    assert went == [f"{PAGE}?view=board", at, "/desk/tickets/HLO-9"]
    assert seen.upstream.changes() == [
        ("PATCH", f"/tasks/{TASK}", {"status": "done"}),
        ("POST", "/time-entries", {"task_id": TASK, "time": "45m", "note": "Cables"}),
        ("POST", f"/tasks/{TASK}/ticket", {}),
    ]
    assert '"3"' in seen.upstream.revisions


async def test_a_task_is_added_and_changed_with_estimate_and_what_it_waits_for(seen: Pages) -> None:
    typed = {
        "title": "Desks",
        "description": "Forty",
        "job_type": "network",
        "level": "L1",
        "estimate": "12h30",
        "needs": f"{TASK},{OTHER}",
        "assignee_id": TOM,
        "milestone_id": "",
        "due_on": "2026-11-01",
    }
    added = await seen.post(f"{PAGE}/tasks", typed, by="agent")
    changed = await seen.post(
        f"{PAGE}/tasks/{TASK}", {**typed, "estimate": "", "status": "waiting", "revision": "3"}, by="agent"
    )

    sent: dict[str, Any] = {**typed, "milestone_id": None, "needs": [TASK, OTHER], "is_client_visible": False}
    del sent["estimate"]
    assert added.headers["location"] == PAGE
    assert changed.headers["location"] == f"{PAGE}/tasks/{TASK}"
    assert seen.upstream.changes() == [
        ("POST", f"/projects/{PROJECT}/tasks", {**sent, "estimate_minutes": 750}),
        ("PATCH", f"/tasks/{TASK}", {**sent, "estimate_minutes": None, "status": "waiting"}),
    ]


async def test_a_task_page_shows_what_hangs_on_it(seen: Pages) -> None:
    waiting = {**A_TASK, "id": OTHER, "title": "Open house", "needs": [TASK], "tickets": []}
    seen.upstream.answers["/projects/HLO-P1"] = {**A_PROJECT, "tasks": [A_TASK, waiting]}

    html = (await seen.get(f"{PAGE}/tasks/{TASK}", by="agent")).text

    text = words(html)
    assert "Waits for Nothing Waited for by Open house Tickets HLO-7" in text
    assert "Work 1 h of 2 h" in text
    assert dict(seen.upstream.query("/time-entries")) == {"task_id": TASK, "limit": "50"}
    assert 'type="text" maxlength="20" name="estimate" value="2h"' in html
    assert (await seen.get(f"{PAGE}/tasks/{ACME}")).status_code == 404


async def test_the_effect_of_time_on_a_task_is_shown_before_it_is_logged(seen: Pages) -> None:
    seen.upstream.answers["/coverage/preview"] = {
        "answer": "covered",
        "worked_minutes": 50,
        "billed_minutes": 60,
        "available_before_minutes": 600,
        "available_after_minutes": 540,
        "overage_minutes": 0,
    }
    answer = await seen.post(f"{PAGE}/tasks/{TASK}/time", {"time": "50m", "note": "Kept", "intent": "preview"})

    asked = seen.upstream.body("/coverage/preview")
    assert (asked["contract_id"], asked["job_type"], asked["worked_minutes"]) == (ACME, "network", 50)
    assert "50 min counts as 1 h. Balance 10:00 h → 9:00 h ." in words(answer.text)
    assert 'value="Kept"' in answer.text
    assert [one for one in seen.upstream.changes() if one[1] != "/coverage/preview"] == []


async def test_what_one_should_know_of_logged_time_is_said(seen: Pages) -> None:
    seen.upstream.answers["/time-entries"] = {
        "items": [],
        "warnings": ["overlaps 60 min logged from 2026-11-09 09:00 UTC", "its period is sealed"],
    }

    answer = await seen.post(f"{PAGE}/tasks/{TASK}/time", {"time": "45m"})
    typo = await seen.post(f"{PAGE}/tasks/{TASK}/time", {"time": "25h", "note": "Kept"})

    text = words(answer.text)
    assert "Time was logged. Overlaps 60 min logged from 2026-11-09 09:00 UTC. Its period is sealed." in text
    assert (typo.status_code, 'id="time-err"' in typo.text, 'value="Kept"' in typo.text) == (422, True, True)


async def test_what_is_refused_is_said_beside_its_field_and_what_was_typed_stays(seen: Pages) -> None:
    seen.upstream.answers[f"/projects/{PROJECT}/tasks"] = (
        422,
        {"detail": "1 field is wrong", "errors": [{"pointer": "/body/title", "detail": "it cannot be seen"}]},
    )
    typed = {"title": "\u202e", "description": "Keep me", "job_type": "network", "level": "L1", "needs": TASK}

    refused = await seen.post(f"{PAGE}/tasks", typed)
    unreadable = await seen.post(f"{PAGE}/tasks/{TASK}", {**typed, "estimate": "soon", "status": "todo"})

    assert refused.status_code == unreadable.status_code == 422
    assert "The task was not added. title: it cannot be seen" in refused.text
    assert 'id="title-err"' in refused.text
    assert "it cannot be seen" in refused.text
    assert "Keep me" in refused.text
    assert f'value="{TASK}" selected' in refused.text
    assert "Write it as 40h, 12h30, 90m or 1.5 (hours)." in unreadable.text
    assert 'value="soon"' in unreadable.text


async def test_two_who_change_a_task_at_once_keep_what_they_typed(seen: Pages) -> None:
    seen.upstream.answers[f"/tasks/{TASK}"] = (409, {"detail": "the task is at revision 4, you read 3"})
    typed = {"title": "Mine", "description": "My long text", "job_type": "network", "level": "L1", "status": "done"}

    answer = await seen.post(f"{PAGE}/tasks/{TASK}", {**typed, "revision": "3"})

    assert answer.status_code == 409
    assert "The task was not changed. the task is at revision 4, you read 3" in answer.text
    assert "My long text" in answer.text


# ---- the plan -----------------------------------------------------------------------------------------------------


async def test_a_project_is_created_from_a_template(seen: Pages) -> None:
    html = (await seen.get(f"/desk/projects/new?client_id={ACME}")).text
    seen.upstream.answers["/projects"] = {"id": PROJECT, "ref": "HLO-P1"}
    typed = {
        "client_id": ACME,
        "contract_id": ACME,
        "name": "New office",
        "template_id": PLAN,
        "status": "planned",
        "budget": "40h",
        "starts_on": "2026-11-02",
        "due_on": "",
        "is_client_visible": "1",
    }

    made = await seen.post("/desk/projects/new", typed)

    assert "Move (2 tasks)" in html
    assert made.headers["location"] == PAGE
    assert seen.upstream.body("/projects") == {
        "client_id": ACME,
        "contract_id": ACME,
        "name": "New office",
        "description": "",
        "template_id": PLAN,
        "status": "planned",
        "starts_on": "2026-11-02",
        "is_client_visible": True,
        "budget_minutes": 2400,
    }


async def test_a_refused_project_keeps_what_was_typed(seen: Pages) -> None:
    seen.upstream.answers["/projects"] = (422, {"detail": "the contract is not one of this client's in force today"})
    typed = {"client_id": ACME, "contract_id": ACME, "name": "New office", "budget": "40h"}

    refused = await seen.post("/desk/projects/new", typed)
    unreadable = await seen.post("/desk/projects/new", {**typed, "budget": "lots"})

    assert refused.status_code == unreadable.status_code == 422
    assert "The project was not created. the contract is not one of this client" in refused.text
    assert 'value="New office"' in refused.text
    assert 'id="budget-err"' in unreadable.text


async def test_a_milestone_is_deleted_and_its_tasks_go_where_it_is_said(seen: Pages) -> None:
    html = (await seen.get(PAGE, by="agent")).text
    away = await seen.post(f"{PAGE}/milestones/{STONE}/delete", {"tasks_to": "none"}, by="agent")
    seen.upstream.refused[f"/projects/milestones/{STONE}"] = (
        409,
        {"code": "milestone-in-use", "detail": "1 of the tasks belong to Moved in: Rack"},
    )
    refused = await seen.post(f"{PAGE}/milestones/{STONE}/delete", {}, by="agent")
    seen.upstream.refused.clear()

    assert 'name="tasks_to" required' in html, "it has tasks: where they go is chosen first"
    assert away.headers["location"] == PAGE
    assert seen.upstream.changes() == [("DELETE", f"/projects/milestones/{STONE}", {})] * 2
    asked = [query for verb, _, query, _ in seen.upstream.asked if verb == "DELETE"]
    assert asked == [[("tasks_to", "none")], []]
    assert refused.status_code == 409
    assert "The milestone stays. 1 of the tasks belong to Moved in: Rack" in refused.text


async def test_milestones_and_the_project_itself_are_changed(seen: Pages) -> None:
    added = await seen.post(f"{PAGE}/milestones", {"name": "Open", "due_on": "2026-12-01"}, by="agent")
    changed = await seen.post(f"{PAGE}/milestones/{STONE}", {"name": "In", "due_on": ""}, by="agent")
    closed = await seen.post(PAGE, {"name": "Old office", "status": "closed", "budget": "1.5", "revision": "7"})

    assert [one.headers["location"] for one in (added, changed, closed)] == [PAGE] * 3
    assert seen.upstream.changes() == [
        ("POST", f"/projects/{PROJECT}/milestones", {"name": "Open", "due_on": "2026-12-01", "position": 3}),
        ("PATCH", f"/projects/milestones/{STONE}", {"name": "In", "due_on": None}),
        (
            "PATCH",
            f"/projects/{PROJECT}",
            {
                "name": "Old office",
                "status": "closed",
                "due_on": None,
                "is_client_visible": False,
                "budget_minutes": 90,
            },
        ),
    ]
    assert '"7"' in seen.upstream.revisions


async def test_projects_are_made_and_changed_by_who_may(seen: Pages) -> None:
    for path in ("/desk/projects/new", PAGE, f"{PAGE}/template"):
        assert (await seen.post(path, {"name": "x"}, by="agent")).status_code == 403
    page = (await seen.get(PAGE, by="agent")).text
    listed = (await seen.get("/desk/projects", by="agent")).text

    assert seen.upstream.changes() == []
    assert "Change the project" not in page
    assert "/desk/projects/new" not in listed
    assert "/desk/projects/new" in (await seen.get("/desk/projects")).text


async def test_a_plan_is_kept_as_a_template(seen: Pages) -> None:
    answer = await seen.post(f"{PAGE}/template", {"name": " Move "})

    assert answer.headers["location"] == PAGE
    (task,) = A_PROJECT["tasks"]
    assert seen.upstream.body("/projects/templates") == {"name": "Move", "plan": plan_of(A_PROJECT)}
    assert plan_of(A_PROJECT) == {
        "milestones": [{"name": "Moved in", "after_days": 14}],
        "tasks": [
            {
                "key": "task-1",
                "title": task["title"],
                "description": "",
                "estimate_minutes": 120,
                "job_type": "network",
                "level": "L1",
                "is_client_visible": True,
                "milestone": "Moved in",
                "needs": [],
            }
        ],
    }


def test_a_template_forgets_cancelled_tasks_and_what_waited_for_them() -> None:
    tasks = [
        {**A_TASK, "status": "cancelled"},
        {**A_TASK, "id": OTHER, "needs": [TASK]},
        {**A_TASK, "id": TICKET, "needs": [OTHER]},
    ]

    plan = plan_of({**A_PROJECT, "tasks": tasks})

    assert [(one["key"], one["needs"]) for one in plan["tasks"]] == [("task-1", []), ("task-2", ["task-1"])]


async def test_clients_see_their_projects_and_no_other(seen: Pages) -> None:
    listed = await seen.get("/portal/projects", by="client")
    one = await seen.get("/portal/projects/HLO-P1", by="client")

    assert 'href="/portal/projects/HLO-P1"' in listed.text
    assert "Moved in 50%" in words(one.text)
    assert "Add a task" not in one.text
    assert (await seen.get("/portal/projects/ZZZ-P1", by="client")).status_code == 404
    assert (await seen.get(PAGE, by="client")).status_code == 403


async def test_files_of_a_project_are_added_and_shown(seen: Pages) -> None:
    seen.upstream.answers[f"/projects/{PROJECT}/attachments"] = {"id": STONE}

    kept = await seen.upload(f"{PAGE}/files", "a b.pdf", b"%PDF-", form={"is_internal": "1"})
    asked = dict(seen.upstream.query(f"/projects/{PROJECT}/attachments"))
    seen.upstream.answers[f"/projects/{PROJECT}/attachments"] = (415, {"detail": "programs are not kept"})
    refused = await seen.upload(f"{PAGE}/files", "x.exe", b"MZ")
    nothing = await seen.post(f"{PAGE}/files", {})
    portal = (await seen.get("/portal/projects/HLO-P1", by="client")).text

    assert (kept.status_code, kept.headers["location"]) == (303, f"{PAGE}#files")
    assert asked == {"name": "a b.pdf", "is_public": "false"}
    assert (refused.status_code, nothing.status_code) == (415, 422)
    assert "The file was not kept. programs are not kept" in refused.text
    assert "Choose a file first." in nothing.text
    assert "plan &lt;1&gt;.pdf" in portal
    assert 'type="file"' not in portal
