"""Projects on the same contract, clock and bucket as support."""

from __future__ import annotations

from typing import Any

from msp_events.tickets import (
    ProjectCreated,
    ProjectUpdated,
    TaskAdded,
    TaskUpdated,
    TicketRaised,
    TimeApproved,
    TimeLogged,
)
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.testing import a_client_person, said
from tickets import reports

TASK = {"title": "Cables", "job_type": "network", "level": "L1", "estimate_minutes": 60}


async def contract_of(desk: Any) -> str:
    offer = (await desk.requests.get(desk.priya, "/tickets/offer")).json()
    return str(offer["contracts"][0]["contract_id"])


async def a_project(desk: Any, **given: Any) -> dict[str, Any]:
    body = {
        "client_id": str(desk.ours),
        "contract_id": await contract_of(desk),
        "name": "Office move",
        "status": "active",
        **given,
    }
    answer = await desk.requests.post(desk.manager, "/projects", body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def a_task(desk: Any, project: dict[str, Any], **given: Any) -> str:
    answer = await desk.requests.post(desk.agent, f"/projects/{project['id']}/tasks", {**TASK, **given})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def shown(desk: Any, project: dict[str, Any], by: Any = None) -> dict[str, Any]:
    answer = await desk.requests.get(by or desk.agent, f"/projects/{project['id']}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_task_time_is_time_like_any_other(desk: Any) -> None:
    project = await a_project(desk, budget_minutes=100)
    task = await a_task(desk, project)

    logged = await desk.requests.post(desk.agent, "/time-entries", {"task_id": task, "time": "1h15", "note": "Racks"})
    await desk.requests.post(desk.manager, f"/time-entries/{logged.json()['id']}/approve")

    assert logged.status_code == 201, logged.text
    (event,) = await said(desk.database, TimeLogged)
    assert (str(event.task_id), event.ticket_id, event.worked_minutes, event.job_type) == (task, None, 75, "network")
    assert str(event.contract_id) == await contract_of(desk)
    (agreed,) = await said(desk.database, TimeApproved)
    assert event.ref == agreed.ref != ""
    assert agreed.ref.endswith(f" {TASK['title']}")
    seen = await shown(desk, project)
    assert (seen["burn"]["worked_minutes"], seen["burn"]["burnt_percent"], seen["tasks"][0]["worked_minutes"]) == (
        75,
        75,
        75,
    )
    (listed,) = (await desk.requests.get(desk.agent, f"/time-entries?task_id={task}")).json()["items"]
    assert (listed["ticket_ref"], listed["ticket_title"]) == ("HLO-P1", "Cables")
    async with desk.database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == []


async def test_a_plan_becomes_milestones_tasks_and_what_they_need(desk: Any) -> None:
    plan = {
        "milestones": [{"name": "Ready", "after_days": 14}],
        "tasks": [
            {"key": "rack", "title": "Rack", "job_type": "network", "level": "L1", "milestone": "Ready"},
            {"key": "cables", "title": "Cables", "job_type": "network", "level": "L2", "needs": ["rack"]},
        ],
    }
    saved = await desk.requests.send(desk.manager, "PUT", "/projects/templates", {"name": "Move", "plan": plan})
    project = await a_project(desk, template_id=saved.json()["id"], starts_on="2026-12-01")

    seen = await shown(desk, project)

    assert [(one["name"], one["due_on"], one["tasks"]) for one in seen["milestones"]] == [("Ready", "2026-12-15", 1)]
    rack, cables = seen["tasks"]
    assert (rack["title"], cables["needs"]) == ("Rack", [rack["id"]])
    early = await desk.requests.send(desk.agent, "PATCH", f"/tasks/{cables['id']}", {"status": "done"})
    circle = await desk.requests.send(desk.agent, "PUT", f"/tasks/{rack['id']}/needs/{cables['id']}", {})
    assert (early.status_code, early.json()["code"]) == (409, "task-blocked")
    assert (circle.status_code, circle.json()["code"]) == (422, "dependency-cycle")
    for one in (rack, cables):
        moved = await desk.requests.send(desk.agent, "PATCH", f"/tasks/{one['id']}", {"status": "done"})
        assert moved.status_code == 204
    assert (await shown(desk, project))["burn"]["progress_percent"] == 100


async def test_broken_plans_and_what_the_contract_leaves_out_are_refused(desk: Any) -> None:
    lost = {"tasks": [{"key": "a", "title": "A", "job_type": "network", "level": "L1", "needs": ["b"]}]}
    body = {"client_id": str(desk.ours), "contract_id": await contract_of(desk), "name": "Move"}
    broken = await desk.requests.post(desk.manager, "/projects", {**body, "plan": lost})
    foreign = await desk.requests.post(desk.manager, "/projects", {**body, "client_id": str(desk.theirs)})
    project = await a_project(desk)
    outside = await desk.requests.post(desk.agent, f"/projects/{project['id']}/tasks", {**TASK, "level": "SA"})

    assert (broken.status_code, broken.json()["code"]) == (422, "plan-broken")
    assert (foreign.status_code, foreign.json()["code"]) == (422, "no-active-contract")
    assert (outside.status_code, outside.json()["code"]) == (422, "level-outside-contract")
    assert project["ref"] == "HLO-P1", "what was refused took no number"


async def test_clients_see_what_is_meant_for_them_and_nothing_else(desk: Any) -> None:
    hidden, visible = await a_project(desk), await a_project(desk, is_client_visible=True)
    await a_task(desk, visible, title="Visible")
    await a_task(desk, visible, title="Tell nobody", is_client_visible=False)

    listed = (await desk.requests.get(desk.priya, "/projects")).json()["items"]
    seen = await desk.requests.get(desk.priya, f"/projects/{visible['id']}")

    assert [one["ref"] for one in listed] == [visible["ref"]]
    assert [one["title"] for one in seen.json()["tasks"]] == ["Visible"]
    assert not {"assignee_id", "needs", "estimate_minutes", "position"} & set(seen.json()["tasks"][0])
    assert (await desk.requests.get(desk.priya, f"/projects/{hidden['id']}")).status_code == 404
    assert (await desk.requests.get(a_client_person(desk.theirs), f"/projects/{visible['id']}")).status_code == 404
    assert (await desk.requests.post(desk.priya, f"/projects/{visible['id']}/tasks", TASK)).status_code == 403


async def test_files_of_a_project_are_seen_by_its_client_when_both_are_shown(desk: Any) -> None:
    project, hidden = [await a_project(desk, is_client_visible=one) for one in (True, False)]

    async def put(of: dict[str, Any], name: str, *, by: Any = None, more: str = "") -> Any:
        return await desk.attached(of, by or desk.agent, name=name, content=b"plan", more=more, of="projects")

    kept = [await put(project, "plan.txt"), await put(project, "draft.txt", more="&is_public=false")]
    kept.append(await put(hidden, "secret.txt"))
    refused = [await put(project, "x.txt", by=desk.priya), await put({"id": new_id()}, "x.txt")]
    refused.append(await put(project, "x.exe"))

    assert [one.status_code for one in kept] == [201, 201, 201], kept[0].text
    assert [one.status_code for one in refused] == [403, 404, 415]
    assert [one["name"] for one in (await shown(desk, project))["attachments"]] == ["plan.txt", "draft.txt"]
    assert [one["name"] for one in (await shown(desk, project, by=desk.priya))["attachments"]] == ["plan.txt"]
    fetched = {
        one.json()["name"]: (await desk.requests.get(desk.priya, f"/attachments/{one.json()['id']}")).status_code
        for one in kept
    }
    assert fetched == {"plan.txt": 200, "draft.txt": 404, "secret.txt": 404}


async def test_a_task_spawns_a_ticket_and_a_ticket_becomes_a_task(desk: Any) -> None:
    project = await a_project(desk)
    task = await a_task(desk, project)

    spawned = await desk.requests.post(desk.agent, f"/tasks/{task}/ticket", {"priority": "high"})
    ticket = await desk.raised(title="Printer")
    made = await desk.requests.post(desk.agent, f"/tickets/{ticket['id']}/task", {"project_id": project["id"]})

    assert (spawned.status_code, made.status_code) == (201, 201)
    first, second = (await shown(desk, project))["tasks"]
    assert [one["ref"] for one in first["tickets"]] == [spawned.json()["ref"]]
    assert (second["title"], [one["ref"] for one in second["tickets"]]) == ("Printer", [ticket["ref"]])
    assert (await said(desk.database, TicketRaised))[0].source == "task"
    theirs = await desk.raised(a_client_person(desk.theirs))
    across = await desk.requests.post(desk.agent, f"/tickets/{theirs['id']}/task", {"project_id": project["id"]})
    assert (across.status_code, across.json()["code"]) == (422, "across-clients")


async def test_a_closed_project_takes_neither_tasks_nor_time(desk: Any) -> None:
    project = await a_project(desk)
    task = await a_task(desk, project)
    closed = await desk.requests.send(desk.manager, "PATCH", f"/projects/{project['id']}", {"status": "closed"})

    more = await desk.requests.post(desk.agent, f"/projects/{project['id']}/tasks", TASK)
    time = await desk.requests.post(desk.agent, "/time-entries", {"task_id": task, "worked_minutes": 5})

    assert closed.status_code == 204
    assert (more.status_code, more.json()["code"]) == (409, "project-closed")
    assert (time.status_code, time.json()["code"]) == (409, "ticket-closed")


async def test_two_who_move_a_task_at_once_are_told(desk: Any) -> None:
    project = await a_project(desk)
    task = await a_task(desk, project)
    read = {"If-Match": '"1"'}

    first = await desk.requests.send(desk.agent, "PATCH", f"/tasks/{task}", {"position": 5}, headers=read)
    second = await desk.requests.send(desk.manager, "PATCH", f"/tasks/{task}", {"status": "doing"}, headers=read)
    missing = await desk.requests.send(desk.agent, "PATCH", f"/tasks/{new_id()}", {"position": 5})

    assert [one.status_code for one in (first, second, missing)] == [204, 409, 404]


# ---- what is said -------------------------------------------------------------------------------------------------


async def test_every_change_of_a_project_is_said_with_its_whole_state(desk: Any) -> None:
    project = await a_project(desk, budget_minutes=600)
    path = f"/projects/{project['id']}"
    stone = await desk.requests.post(desk.agent, f"{path}/milestones", {"name": "Ready", "due_on": "2026-12-15"})
    moved = {"name": "Moved in", "due_on": "2026-12-18"}
    await desk.requests.send(desk.agent, "PATCH", f"/projects/milestones/{stone.json()['id']}", moved)
    await desk.requests.send(desk.manager, "PATCH", path, {"status": "on_hold", "is_client_visible": True})
    await desk.requests.send(desk.manager, "PATCH", path, {})

    (created,) = await said(desk.database, ProjectCreated)
    updated = await said(desk.database, ProjectUpdated)
    assert (created.ref, created.revision, created.budget_minutes, created.client_id) == ("HLO-P1", 1, 600, desk.ours)
    assert [one.revision for one in updated] == [2, 3, 4], "nothing is said when nothing changed"
    assert [one.changed for one in updated] == [("milestones",), ("milestones",), ("is_client_visible", "status")]
    (milestone,) = updated[-1].milestones
    assert (milestone.name, str(milestone.due_on)) == ("Moved in", "2026-12-18")
    assert (updated[-1].status, updated[-1].is_client_visible) == ("on_hold", True)
    assert (await desk.requests.get(desk.agent, path)).headers["etag"] == '"4"'


async def test_every_change_of_a_task_is_said_with_its_whole_state(desk: Any) -> None:
    project = await a_project(desk)
    first, second = await a_task(desk, project), await a_task(desk, project, title="Desks")
    agent = await desk.an_agent()
    await desk.requests.send(desk.agent, "PATCH", f"/tasks/{first}", {"status": "done", "assignee_id": agent["id"]})
    for _ in range(2):
        await desk.requests.send(desk.agent, "PUT", f"/tasks/{second}/needs/{first}", {})
    ticket = await desk.requests.post(desk.agent, f"/tasks/{second}/ticket", {})
    await desk.requests.send(desk.agent, "DELETE", f"/tasks/{second}/needs/{first}")

    added, updated = await said(desk.database, TaskAdded), await said(desk.database, TaskUpdated)
    assert [(one.title, one.revision, one.position) for one in added] == [("Cables", 1, 1), ("Desks", 1, 2)]
    done, waits, spawned, free = updated
    assert (str(done.task_id), done.status, done.done_at is not None) == (first, "done", True)
    assert (done.assignee_name, done.changed) == ("Tom Okafor", ("assignee_id", "done_at", "status"))
    assert ([str(one) for one in waits.needs], waits.changed) == ([first], ("needs",))
    assert [str(one) for one in spawned.ticket_ids] == [ticket.json()["id"]]
    assert (free.needs, [one.revision for one in updated[1:]]) == ((), [2, 3, 4])
    seen = await shown(desk, project)
    assert [one["revision"] for one in seen["tasks"]] == [2, 4]


async def test_what_a_task_needs_is_given_with_it_and_replaced_as_a_whole(desk: Any) -> None:
    project, other = await a_project(desk), await a_project(desk)
    first = await a_task(desk, project)
    second = await a_task(desk, project, title="Racks", needs=[first])
    third = await a_task(desk, project, title="Desks", needs=[first])
    foreign = await a_task(desk, other)
    path = f"/tasks/{third}"

    circle = await desk.requests.send(desk.agent, "PATCH", f"/tasks/{first}", {"title": "Walls", "needs": [third]})
    abroad = await desk.requests.send(desk.agent, "PATCH", path, {"needs": [second, foreign]})
    kept = await desk.requests.send(desk.agent, "PATCH", path, {"needs": [second]})

    assert (circle.status_code, circle.json()["code"], abroad.status_code, kept.status_code) == (
        422,
        "dependency-cycle",
        404,
        204,
    )
    seen = {one["title"]: one["needs"] for one in (await shown(desk, project))["tasks"]}
    assert seen == {"Cables": [], "Racks": [first], "Desks": [second]}
    (event,) = await said(desk.database, TaskUpdated)
    assert ([str(one) for one in event.needs], event.changed) == ([second], ("needs",))
    assert (await desk.requests.get(desk.agent, "/projects/HLO-P1")).json()["id"] == project["id"]


async def test_a_plan_is_said_with_what_its_tasks_need(desk: Any) -> None:
    a, b = ({"key": key, "title": key, "job_type": "network", "level": "L1"} for key in ("rack", "cables"))
    plan = {"milestones": [{"name": "Ready"}], "tasks": [{**a, "milestone": "Ready"}, {**b, "needs": ["rack"]}]}

    await a_project(desk, plan=plan)

    (project,) = await said(desk.database, ProjectCreated)
    rack, cables = await said(desk.database, TaskAdded)
    assert [one.milestone_id for one in project.milestones] == [rack.milestone_id]
    assert cables.needs == (rack.task_id,)


async def test_a_milestone_of_a_closed_or_missing_project_stays(desk: Any) -> None:
    project = await a_project(desk)
    path = f"/projects/{project['id']}"
    stone = (await desk.requests.post(desk.agent, f"{path}/milestones", {"name": "Ready"})).json()
    await desk.requests.send(desk.manager, "PATCH", path, {"status": "closed"})

    closed = await desk.requests.send(desk.agent, "PATCH", f"/projects/milestones/{stone['id']}", {"name": "x"})
    missing = await desk.requests.send(desk.agent, "PATCH", f"/projects/milestones/{new_id()}", {"name": "x"})

    assert (closed.status_code, closed.json()["code"], missing.status_code) == (409, "project-closed", 404)


async def milestones_of(desk: Any, project: dict[str, Any], *names: str) -> list[str]:
    made = []
    for position, name in enumerate(names, start=1):
        body = {"name": name, "position": position}
        made.append((await desk.requests.post(desk.agent, f"/projects/{project['id']}/milestones", body)).json()["id"])
    return made


async def deleted(desk: Any, milestone: str, query: str = "") -> Any:
    return await desk.requests.send(desk.agent, "DELETE", f"/projects/milestones/{milestone}{query}", None)


async def test_a_milestone_without_tasks_goes_and_the_project_says_so(desk: Any) -> None:
    project = await a_project(desk)
    ready, done = await milestones_of(desk, project, "Ready", "Done")

    gone = await deleted(desk, ready)

    assert gone.status_code == 204, gone.text
    assert [one["name"] for one in (await shown(desk, project))["milestones"]] == ["Done"]
    last = (await said(desk.database, ProjectUpdated))[-1]
    assert (last.changed, [str(one.milestone_id) for one in last.milestones]) == (("milestones",), [done])
    assert (await deleted(desk, ready)).status_code == 404


async def test_a_milestone_with_tasks_stays_until_it_is_said_where_they_go(desk: Any) -> None:
    project, elsewhere = await a_project(desk), await a_project(desk, name="Other")
    ready, done = await milestones_of(desk, project, "Ready", "Done")
    (foreign,) = await milestones_of(desk, elsewhere, "Foreign")
    tasks = [await a_task(desk, project, title=title, milestone_id=ready) for title in ("Rack", "Cables", "A", "B")]

    refused = await deleted(desk, ready)
    wrong = [await deleted(desk, ready, f"?tasks_to={other}") for other in (foreign, ready, new_id())]
    odd = await deleted(desk, ready, "?tasks_to=somewhere")
    moved = await deleted(desk, ready, f"?tasks_to={done}")

    assert (refused.status_code, refused.json()["code"]) == (409, "milestone-in-use")
    assert refused.json()["detail"] == (
        "4 of the tasks belong to Ready: A, B, Cables and 1 more; with tasks_to they go to another milestone, or to none"
    )
    assert [one.status_code for one in wrong] == [404, 404, 404]
    assert (odd.status_code, moved.status_code) == (422, 204)
    seen = await shown(desk, project)
    assert {one["milestone_id"] for one in seen["tasks"]} == {done}
    events = [one for one in await said(desk.database, TaskUpdated) if one.changed == ("milestone_id",)]
    assert sorted(str(one.task_id) for one in events) == sorted(tasks)
    assert {(str(one.milestone_id), one.revision) for one in events} == {(done, 2)}


async def test_tasks_of_a_deleted_milestone_may_belong_to_none(desk: Any) -> None:
    project = await a_project(desk)
    (ready,) = await milestones_of(desk, project, "Ready")
    await a_task(desk, project, milestone_id=ready)

    client = await desk.requests.send(desk.priya, "DELETE", f"/projects/milestones/{ready}?tasks_to=none", None)
    gone = await deleted(desk, ready, "?tasks_to=none")

    assert (client.status_code, gone.status_code) == (403, 204)
    (task,) = (await shown(desk, project))["tasks"]
    assert task["milestone_id"] is None


async def test_a_closed_project_keeps_its_milestones(desk: Any) -> None:
    project = await a_project(desk)
    (ready,) = await milestones_of(desk, project, "Ready")
    await desk.requests.send(desk.manager, "PATCH", f"/projects/{project['id']}", {"status": "closed"})

    refused = await deleted(desk, ready)

    assert (refused.status_code, refused.json()["code"]) == (409, "project-closed")
