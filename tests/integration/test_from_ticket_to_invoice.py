"""The main job: from a raised ticket to an issued invoice, over HTTP through the gateway and RabbitMQ between services."""

from __future__ import annotations

from typing import Any

import pytest
from story import PASSWORD, Cast, a_cast, a_target, first_of_month, next_month, today

from msp_kit.testing import eventually
from msp_local.api import Api, ApiProblem

MONTH = (first_of_month(today()).isoformat(), next_month(today()).isoformat())


async def test_the_story(admin: Api) -> None:
    async with a_cast(admin) as cast:
        ours = await cast.client("Harbour & Lowe")
        hasty = [a_target("first_response", 60), a_target("resolution", 1)]
        theirs = await cast.client("Kestrel Freight", targets=hasty)
        async with (
            Api(admin.url, email=ours.email, password=PASSWORD) as priya,
            Api(admin.url, email=theirs.email, password=PASSWORD) as stranger,
        ):
            await only_what_is_contracted_can_be_raised(priya)
            ticket = await raised_and_routed(priya, cast)
            await the_clock_runs_pauses_and_resumes(priya, cast, ticket)
            await the_balance_falls(priya, cast, ticket, ours.contract_id)
            breaching = await a_second_ticket_breaches_and_escalates(stranger, cast)
            invoice = await the_period_is_billed(cast, ours.id)
            await the_client_downloads_it(priya, invoice)
            await the_other_client_sees_none_of_it(stranger, ticket, invoice, ours.id, ours.contract_id)
            await the_other_client_sees_none_of_it(
                priya, breaching, invoice="", client=theirs.id, contract=theirs.contract_id
            )


async def only_what_is_contracted_can_be_raised(priya: Api) -> None:
    good = {"title": "VPN drops", "description": "", "job_type": "network", "priority": "high", "level": "L1"}
    for wrong, code in (
        ({"job_type": "security"}, "job-type-outside-contract"),
        ({"level": "SA"}, "level-outside-contract"),
    ):
        with pytest.raises(ApiProblem) as refused:
            await priya.post("/tickets", {**good, **wrong})
        assert (refused.value.status, refused.value.code) == (422, code)
        assert "network" in str(refused.value) or "L1" in str(refused.value)


async def raised_and_routed(priya: Api, cast: Cast) -> dict[str, Any]:
    ticket: dict[str, Any] = await priya.post(
        "/tickets",
        {
            "title": "VPN drops for the whole Bristol office",
            "description": "Since this morning everyone gets thrown off.",
            "job_type": "network",
            "priority": "high",
            "level": "L1",
        },
    )

    async def clocks_run() -> list[dict[str, Any]]:
        found = (await cast.agent.get("/clocks", ticket_id=ticket["id"]))["items"]
        return found if {clock["metric"] for clock in found} == {"first_response", "resolution"} else []

    clocks = await eventually(clocks_run)
    assert {clock["metric"]: clock["budget_minutes"] for clock in clocks} == {"first_response": 60, "resolution": 480}
    assert {clock["status"] for clock in clocks} == {"running"}

    async def has_an_agent() -> dict[str, Any] | None:
        seen: dict[str, Any] = await cast.agent.get(f"/tickets/{ticket['ref']}")
        return seen if seen["assignee_name"] else None

    seen = await eventually(has_an_agent)
    assert seen is not None
    assert seen["queue"]
    return ticket


async def the_clock_runs_pauses_and_resumes(priya: Api, cast: Cast, ticket: dict[str, Any]) -> None:
    async def clock(metric: str) -> dict[str, Any]:
        found = (await cast.agent.get("/clocks", ticket_id=ticket["id"]))["items"]
        return next(one for one in found if one["metric"] == metric)

    async def first_response_is_met() -> bool:
        return bool((await clock("first_response"))["verdict"] == "met")

    async def resolution_is_paused() -> bool:
        return bool((await clock("resolution"))["status"] == "paused")

    async def resolution_runs() -> bool:
        return bool((await clock("resolution"))["status"] == "running")

    answer = {"body": "Did anyone change the router?", "is_public": True, "set_status": "waiting_on_client"}
    await cast.agent.post(f"/tickets/{ticket['id']}/messages", answer)
    await cast.agent.post(f"/tickets/{ticket['id']}/messages", {"body": "ISP swapped it", "is_public": False})
    await eventually(first_response_is_met)
    await eventually(resolution_is_paused)
    await priya.post(f"/tickets/{ticket['id']}/messages", {"body": "Yes, on Saturday."})
    await eventually(resolution_runs)
    seen = await priya.get(f"/tickets/{ticket['id']}")
    assert seen["status"] == "open"
    assert "ISP swapped it" not in str(seen)


async def the_balance_falls(priya: Api, cast: Cast, ticket: dict[str, Any], contract: str) -> None:
    before = await priya.get(f"/contracts/{contract}/balance")
    entry = await cast.agent.post(
        "/time-entries", {"ticket_id": ticket["id"], "worked_minutes": 40, "note": "Reset the tunnel"}
    )

    async def has_fallen() -> bool:
        now = await priya.get(f"/contracts/{contract}/balance")
        return bool(now["available_minutes"] == before["available_minutes"] - 45)

    await eventually(has_fallen)
    with pytest.raises(ApiProblem) as own:
        await cast.agent.post(f"/time-entries/{entry['id']}/approve")
    assert own.value.status in (403, 409)


async def a_second_ticket_breaches_and_escalates(stranger: Api, cast: Cast) -> dict[str, Any]:
    ticket: dict[str, Any] = await stranger.post(
        "/tickets",
        {"title": "Scanners cannot reach the printer", "job_type": "network", "priority": "critical", "level": "L1"},
    )

    async def has_escalated() -> bool:
        clocks = (await cast.agent.get("/clocks", ticket_id=ticket["id"]))["items"]
        seen = await cast.agent.get(f"/tickets/{ticket['id']}")
        is_breached = any(clock["metric"] == "resolution" and clock["is_breached"] for clock in clocks)
        return is_breached and seen["handling_level"] == "L2"

    await eventually(has_escalated, within_seconds=90)
    seen = await cast.agent.get(f"/tickets/{ticket['id']}")
    assert seen["level"] == "L1"
    return ticket


async def the_period_is_billed(cast: Cast, client: str) -> str:
    body = {"starts_on": MONTH[0], "ends_on": MONTH[1], "client_ids": [client]}
    run = await cast.manager.post("/billing-runs", body)

    async def item(status: str) -> dict[str, Any] | None:
        seen = await cast.manager.get(f"/billing-runs/{run['id']}")
        (found,) = [one for one in seen["items"] if one["client_id"] == client]
        return found if found["status"] == status else None

    blocked = await eventually(lambda: item("blocked"))
    assert blocked is not None
    assert "unapproved" in blocked["detail"]
    await cast.manager.post("/time-entries/approve", {"client_id": client, "before": f"{MONTH[1]}T00:00:00Z"})
    await cast.manager.post(f"/billing-runs/{run['id']}/retry")
    drafted = await eventually(lambda: item("drafted"))
    assert drafted is not None
    again = await cast.manager.post("/billing-runs", body)
    assert again["id"] == run["id"]
    await cast.manager.post(f"/billing-runs/{run['id']}/issue", {})
    issued = await eventually(lambda: item("issued"))
    assert issued is not None
    invoice: str = issued["invoice_id"]
    totals = [
        (found["entry_count"], found["worked_minutes"], found["checksum"])
        for found in [
            await cast.manager.get(f"/{owner}/totals", client_id=client, **{"from": MONTH[0], "to": MONTH[1]})
            for owner in ("time-entries", "hours", "invoices")
        ]
    ]
    assert totals[0] == totals[1] == totals[2]
    assert totals[0][:2] == (1, 40)
    return invoice


async def the_client_downloads_it(priya: Api, invoice: str) -> None:
    (found,) = [one async for one in priya.pages("/invoices")]
    assert found["id"] == invoice
    assert found["status"] == "issued"
    pdf = await priya.get(f"/invoices/{invoice}/pdf")
    assert pdf.startswith(b"%PDF-")


async def the_other_client_sees_none_of_it(
    stranger: Api, ticket: dict[str, Any], invoice: str, client: str, contract: str
) -> None:
    unknown = "01900000-0000-7000-8000-000000000000"
    paths = ["/tickets/{}", "/contracts/{}", "/contracts/{}/balance", "/contracts/{}/statement", "/clients/{}"]
    ids = [ticket["id"], contract, contract, contract, client]
    if invoice:
        paths += ["/invoices/{}", "/invoices/{}/pdf"]
        ids += [invoice, invoice]
    for path, theirs in zip(paths, ids, strict=True):
        foreign, missing = [await refusal(stranger, path.format(one)) for one in (theirs, unknown)]
        assert foreign == missing, path
    assert (await stranger.get("/clocks", ticket_id=ticket["id"]))["items"] == []
    with pytest.raises(ApiProblem) as refused:
        await stranger.post(f"/tickets/{ticket['id']}/messages", {"body": "let me in"})
    assert refused.value.status == 404
    listed = [one["id"] async for one in stranger.pages("/tickets")]
    assert ticket["id"] not in listed


async def refusal(api: Api, path: str) -> tuple[int, dict[str, Any]]:
    """Return how a GET is refused, without what names the request itself."""
    with pytest.raises(ApiProblem) as refused:
        await api.get(path)
    document = {k: v for k, v in refused.value.document.items() if k not in ("instance", "request_id")}
    assert refused.value.status == 404
    return refused.value.status, document
