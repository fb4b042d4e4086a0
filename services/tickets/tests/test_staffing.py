"""Who works when, who gets what, and where tickets would have gone."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from msp_kit.database import SYSTEM


async def on_shift(desk: Any, agent: dict[str, Any], *shifts: tuple[str, str, str], timezone: str = "UTC") -> Any:
    body = {"timezone": timezone, "shifts": [{"day": day, "starts": s, "ends": e} for day, s, e in shifts]}
    return await desk.requests.send(desk.manager, "PUT", f"/agents/{agent['id']}/shifts", body)


async def test_shifts_are_kept_and_overlapping_ones_are_refused_by_both(desk: Any) -> None:
    agent = await desk.an_agent()

    kept = await on_shift(desk, agent, ("tue", "09:00", "17:00"), ("sun", "22:00", "06:00"), timezone="Europe/Paris")
    overlapping = await on_shift(desk, agent, ("sun", "22:00", "06:00"), ("mon", "05:00", "09:00"))
    nowhere = await on_shift(desk, agent, timezone="Mars/Base")

    assert [one["day"] for one in kept.json()] == ["tue", "sun"]
    assert (overlapping.status_code, overlapping.json()["code"]) == (422, "shifts-overlap")
    assert (nowhere.status_code, nowhere.json()["code"]) == (422, "bad-shift")
    seen = (await desk.requests.get(desk.agent, f"/agents/{agent['id']}")).json()
    assert (seen["timezone"], len(seen["shifts"])) == ("Europe/Paris", 2)
    with pytest.raises(asyncpg.PostgresError, match="overlap"):
        async with desk.database.transaction(SYSTEM) as tx:
            await tx.driver.execute(
                "INSERT INTO agent_shifts SELECT agent_id, 60, 120 FROM agent_shifts WHERE starts_minute > 8000"
            )


async def test_absent_and_away_agents_get_nothing_while_others_can(desk: Any) -> None:
    away = await desk.an_agent(name="A away", person_id=str(desk.agent.id))
    absent, here = await desk.an_agent(name="B absent"), await desk.an_agent(name="C here")
    await desk.requests.send(desk.agent, "PUT", "/agents/me/presence", {"presence": "away"})
    year = {"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2199-01-01T00:00:00Z", "reason": "sabbatical"}
    made = await desk.requests.post(desk.manager, f"/agents/{absent['id']}/absences", year)
    tickets = [await desk.raised() for _ in range(3)]

    await desk.assigned()

    seen = [(await desk.requests.get(desk.agent, f"/tickets/{one['id']}")).json() for one in tickets]
    assert {one["assignee_id"] for one in seen} == {here["id"]}
    assert seen[0]["assignments"][0]["reason"] == "lowest expected load, 0 %, of the queue"
    board = {row["agent_name"]: row for row in (await desk.requests.get(desk.manager, "/workload")).json()}
    assert (board["A away"]["is_on_duty"], board["B absent"]["is_on_duty"], board["C here"]["is_on_duty"]) == (
        False,
        False,
        True,
    )
    assert (board["C here"]["open"], board["C here"]["load_percent"]) == (3, 30)
    listed = (await desk.requests.get(desk.agent, "/agents/absences")).json()
    assert [(one["agent_name"], one["reason"]) for one in listed] == [("B absent", "sabbatical")]
    gone = await desk.requests.send(desk.manager, "DELETE", f"/agents/absences/{made.json()['id']}")
    assert (gone.status_code, away["name"]) == (204, "A away")


async def test_uneven_work_is_shown_with_who_could_take_it(desk: Any) -> None:
    busy, idle = await desk.an_agent(name="Busy"), await desk.an_agent(name="Idle", levels=["L1"])
    for _ in range(4):
        ticket = await desk.raised()
        await desk.requests.post(desk.manager, f"/tickets/{ticket['id']}/assign", {"assignee_id": busy["id"]})

    found = (await desk.requests.get(desk.manager, "/workload/suggestions")).json()

    assert [(one["from_name"], one["to_name"], one["from_load"], one["to_load"]) for one in found] == [
        ("Busy", "Idle", [40, 30], [0, 10]),
        ("Busy", "Idle", [30, 20], [10, 20]),
    ]
    assert idle["levels"] == ["L1"]


async def test_a_hand_over_tells_the_colleague_and_never_the_client(desk: Any) -> None:
    ticket, colleague = await desk.raised(), await desk.an_agent(name="Ada")

    await desk.requests.post(
        desk.agent, f"/tickets/{ticket['id']}/hand-over", {"to_id": colleague["id"], "note": "waits for the ISP"}
    )

    seen = (await desk.requests.get(desk.agent, f"/tickets/{ticket['id']}")).json()
    assert (seen["assignee_name"], seen["messages"][0]["is_public"]) == ("Ada", False)
    assert "waits for the ISP" not in (await desk.requests.get(desk.priya, f"/tickets/{ticket['id']}")).text


async def test_an_agent_is_changed_field_by_field(desk: Any) -> None:
    agent = await desk.an_agent(skills=["network"])

    changed = await desk.requests.send(desk.manager, "PATCH", f"/agents/{agent['id']}", {"weekly_minutes": 1200})

    assert (changed.json()["weekly_minutes"], changed.json()["skills"]) == (1200, ["network"])
    assert (await desk.requests.send(desk.agent, "PATCH", f"/agents/{agent['id']}", {"name": "x"})).status_code == 403


# ---- rules --------------------------------------------------------------------------------------------------------


async def test_a_rule_that_can_never_match_is_refused_and_one_that_blinds_others_warns(desk: Any) -> None:
    await desk.requests.post(desk.manager, "/queues", {"key": "vpn", "name": "VPN"})
    specific = {"position": 5, "words": ["vpn"], "tags": ["vip"], "queue": "vpn"}
    await desk.requests.post(desk.manager, "/routing-rules", specific)
    everything = await desk.requests.post(desk.manager, "/routing-rules", {"position": 1, "queue": "service-desk"})
    behind = await desk.requests.post(desk.manager, "/routing-rules", {"position": 9, "levels": ["L2"], "queue": "vpn"})
    unknown = await desk.requests.post(
        desk.manager, "/routing-rules", {"position": 2, "job_types": ["netwrok"], "queue": "vpn"}
    )

    assert everything.json()["warnings"] == ["rule 5 (vpn) can never match any more"]
    assert (behind.status_code, behind.json()["code"]) == (422, "rule-never-matches")
    assert "there are network" in unknown.json()["detail"]
    gone = await desk.requests.send(desk.manager, "DELETE", f"/routing-rules/{everything.json()['id']}")
    assert gone.status_code == 204


async def test_a_dry_run_shows_what_would_go_elsewhere_and_changes_nothing(desk: Any) -> None:
    ticket = await desk.raised(title="VPN drops", tags=["vip"])
    await desk.raised(title="Printer")
    rules = [
        {"position": 1, "words": ["vpn"], "tags": ["vip"], "queue": "vpn"},
        {"position": 2, "queue": "service-desk"},
        {"position": 3, "levels": ["L1"], "queue": "vpn"},
    ]

    trial = (await desk.requests.post(desk.agent, "/routing-rules/dry-run", {"rules": rules})).json()

    assert (trial["tickets"], trial["by_queue"], trial["moved"]) == (2, {"service-desk": 1, "vpn": 1}, 1)
    assert trial["examples"] == [
        {
            "ref": ticket["ref"],
            "went_to": "service-desk",
            "would_go_to": "vpn",
            "reason": "rule 1: text vpn and tag vip",
        }
    ]
    assert trial["never"] == ["rule 3 can never match: rules 2 take all of it"]
    assert (await desk.requests.get(desk.agent, "/routing-rules")).json()["items"] == []
    assert (await desk.requests.get(desk.agent, f"/tickets/{ticket['id']}")).json()["queue"] == "service-desk"
