"""Two tickets become one: time, holds, clocks, files and words move, and ledger and promises agree from events alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import aiohttp
import pytest
from story import PASSWORD, Cast, Company, a_cast, a_target

from msp_kit.testing import eventually
from msp_local.api import Api, ApiProblem

TARGETS = [
    a_target("first_response", 240),
    a_target("resolution", 480),
    a_target("resolution", 120, priority="critical"),
]


async def test_a_merge_reaches_the_ledger_and_the_promises(admin: Api) -> None:
    async with a_cast(admin) as cast:
        ours = await cast.client("Merge & Sons", targets=TARGETS)
        async with Api(admin.url, email=ours.email, password=PASSWORD) as priya:
            older = await a_ticket(priya, "Mail is down", "low")
            younger = await a_ticket(priya, "Mail is down, everywhere", "critical")
            entries = await worked_on(cast, younger, ours)
            await attached(priya, younger, b"the bounce")
            await priya.post(f"/tickets/{younger['id']}/messages", {"body": "Now Leeds, too"})
            before = await priya.get(f"/contracts/{ours.contract_id}/balance")

            merged = await cast.agent.post(f"/tickets/{younger['id']}/merge", {"into_id": older["id"], "reason": "one"})

            assert (merged["ref"], merged["messages"], merged["entries"]) == (older["ref"], 1, 2)
            await everything_stands_on_the_survivor(cast, priya, older, younger, entries)
            await the_ledger_follows(cast, priya, ours, older, entries, before)
            await the_promises_follow(cast, older, younger)
            await what_waited_is_approved_there(cast, priya, ours, entries, before)


async def test_tickets_of_two_clients_do_not_merge_and_strangers_see_neither(admin: Api) -> None:
    async with a_cast(admin) as cast:
        ours, theirs = await cast.client("Ours"), await cast.client("Theirs")
        async with (
            Api(admin.url, email=ours.email, password=PASSWORD) as priya,
            Api(admin.url, email=theirs.email, password=PASSWORD) as stranger,
        ):
            mine = await a_ticket(priya, "Mail is down", "low")
            foreign = await a_ticket(stranger, "Mail is down", "low")

            for who, code in ((cast.agent, "across-clients"), (priya, "forbidden")):
                with pytest.raises(ApiProblem) as refused:
                    await who.post(f"/tickets/{foreign['id']}/merge", {"into_id": mine["id"]})
                assert refused.value.code == code
            for path in (f"/tickets/{foreign['id']}", f"/tickets/{foreign['ref']}"):
                with pytest.raises(ApiProblem) as missing:
                    await priya.get(path)
                assert (missing.value.status, foreign["ref"] in str(missing.value.document["detail"])) == (404, False)
            assert [(await cast.agent.get(f"/tickets/{one['id']}"))["status"] for one in (mine, foreign)] == ["new"] * 2


async def a_ticket(by: Api, title: str, priority: str) -> dict[str, Any]:
    body = {"title": title, "job_type": "network", "priority": priority, "level": "L1"}
    made: dict[str, Any] = await by.post("/tickets", body)
    return made


async def worked_on(cast: Cast, ticket: dict[str, Any], company: Company) -> list[dict[str, Any]]:
    """Log 40 and 20 minutes, let the second one be approved, and wait until the ledger holds and posted them."""
    made = [
        await cast.agent.post("/time-entries", {"ticket_id": ticket["id"], "worked_minutes": minutes, "note": "Queues"})
        for minutes in (40, 20)
    ]
    await cast.manager.post(f"/time-entries/{made[1]['id']}/approve")

    async def is_known() -> bool:
        lines = {one["time_entry_id"]: one["kind"] for one in await lines_of(cast, company)}
        return [lines.get(one["id"]) for one in made] == ["hold", "posting"]

    await eventually(is_known)
    return made


async def lines_of(cast: Cast, company: Company) -> list[dict[str, Any]]:
    found = await cast.manager.get(f"/contracts/{company.contract_id}/statement")
    return [one for one in found["items"] if one["time_entry_id"]]


async def attached(by: Api, ticket: dict[str, Any], content: bytes) -> None:
    headers = {"authorization": f"Bearer {by.token}", "content-type": "application/octet-stream"}
    url = f"{by.url}/api/v1/tickets/{ticket['id']}/attachments?name=bounce.txt"
    async with aiohttp.ClientSession() as session, session.post(url, data=content, headers=headers) as answer:
        assert answer.status == 201, await answer.text()


async def everything_stands_on_the_survivor(
    cast: Cast, priya: Api, older: dict[str, Any], younger: dict[str, Any], entries: list[dict[str, Any]]
) -> None:
    for name in (younger["ref"], younger["id"]):
        seen = await priya.get(f"/tickets/{name}")
        assert (seen["ref"], seen["redirected_from"]) == (older["ref"], younger["ref"])
    assert (seen["status"] != "closed", seen["priority"], seen["worked_minutes"]) == (True, "critical", 60)
    assert "Now Leeds, too" in [one["body_text"] for one in seen["messages"]]
    minutes = sorted(one["worked_minutes"] for one in entries)
    assert sorted(one["worked_minutes"] for one in seen["time_entries"]) == minutes == [20, 40]
    (file,) = seen["attachments"]
    assert await priya.get(f"/attachments/{file['id']}") == b"the bounce"
    gone = await cast.agent.get(f"/tickets/{younger['id']}", follow="false")
    assert (gone["status"], gone["merged_into_id"], gone["attachments"]) == ("closed", older["id"], [])


async def the_ledger_follows(
    cast: Cast,
    priya: Api,
    company: Company,
    older: dict[str, Any],
    entries: list[dict[str, Any]],
    before: dict[str, Any],
) -> None:
    async def has_moved() -> bool:
        lines = {one["time_entry_id"]: (one["ticket_id"], one["ref"]) for one in await lines_of(cast, company)}
        return [lines[one["id"]] for one in entries] == [(older["id"], older["ref"])] * 2

    await eventually(has_moved)
    now = await priya.get(f"/contracts/{company.contract_id}/balance")
    assert {name: now[name] for name in HOURS} == {name: before[name] for name in HOURS}, "nothing is held twice"
    assert (now["held_minutes"], now["consumed_minutes"]) == (45, 30)


HOURS = ("available_minutes", "held_minutes", "consumed_minutes", "overage_minutes")


async def the_promises_follow(cast: Cast, older: dict[str, Any], younger: dict[str, Any]) -> None:
    async def clocks(ticket: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await cast.agent.get("/clocks", ticket_id=ticket["id"]))["items"]
        return found

    async def is_settled() -> bool:
        left = {one["verdict"] for one in await clocks(younger)}
        kept = {one["metric"]: (one["status"], one["budget_minutes"]) for one in await clocks(older)}
        return left == {"excluded"} and kept.get("resolution") == ("running", 120)

    await eventually(is_settled)
    (row,) = [one for one in (await clocks(older)) if one["metric"] == "resolution"]
    raised = (await cast.agent.get(f"/tickets/{older['id']}"))["raised_at"]
    # Clocks count whole seconds.
    since = datetime.fromisoformat(raised).replace(microsecond=0)
    assert datetime.fromisoformat(row["started_at"]) == since, "it runs since it was raised, not since the merge"


async def what_waited_is_approved_there(
    cast: Cast, priya: Api, company: Company, entries: list[dict[str, Any]], before: dict[str, Any]
) -> None:
    await cast.manager.post(f"/time-entries/{entries[0]['id']}/approve")

    async def is_posted() -> bool:
        now = await priya.get(f"/contracts/{company.contract_id}/balance")
        return bool((now["held_minutes"], now["consumed_minutes"]) == (0, 75))

    await eventually(is_posted)
    now = await priya.get(f"/contracts/{company.contract_id}/balance")
    assert now["available_minutes"] == before["available_minutes"]
