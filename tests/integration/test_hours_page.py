"""A client looks at the hours of a month and asks for more: real services behind the page, and a stranger who sees nothing."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import aiohttp
from story import PASSWORD, Cast, Company, a_cast, today

from msp_kit.testing import eventually
from msp_local.api import Api

WORK = {"title": "Mail is down", "job_type": "network", "priority": "low", "level": "L1"}


async def test_the_hours_of_a_month_add_up_and_more_are_asked_for_once(admin: Api) -> None:
    async with a_cast(admin) as cast:
        ours, theirs = await cast.client("Hours & Sons"), await cast.client("Strangers")
        async with (
            Api(admin.url, email=ours.email, password=PASSWORD) as priya,
            Api(admin.url, email=theirs.email, password=PASSWORD) as stranger,
        ):
            await worked(cast, priya, ours)

            await the_month_adds_up(priya)
            ref = await hours_are_asked_for_once(cast, priya, ours)

            assert (await sent(stranger, f"/portal/tickets/{ref}"))[0] == 404
            assert "Network" not in (await sent(stranger, "/portal/hours"))[1]


async def worked(cast: Cast, priya: Api, company: Company) -> None:
    """Log 40 and 20 minutes, let the second one be approved, and wait until the ledger holds and posted them."""
    ticket = await priya.post("/tickets", WORK)
    entries = [
        await cast.agent.post("/time-entries", {"ticket_id": ticket["id"], "worked_minutes": minutes, "note": "Queues"})
        for minutes in (40, 20)
    ]
    await cast.manager.post(f"/time-entries/{entries[1]['id']}/approve")

    async def is_known() -> bool:
        found = await cast.manager.get(f"/contracts/{company.contract_id}/statement")
        return sorted(one["kind"] for one in found["items"] if one["time_entry_id"]) == ["hold", "posting"]

    await eventually(is_known)


async def the_month_adds_up(priya: Api) -> None:
    status, page, _ = await sent(priya, f"/portal/hours?month={today():%Y-%m}")

    statement = words(page.partition('id="statement"')[2].partition("<table")[0])
    by_job_type = words(page.partition('id="by-job-type"')[2].partition("</section>")[0])
    assert status == 200
    assert "Used 1:15 h 0:45 h of it on hold" in statement, "it counts by quarters of an hour"
    assert "Closing balance 48:45 h" in statement
    assert re.findall(r"(?:Network|Used) +[0-9:]+ h", by_job_type) == ["Network 1:15 h", "Used 1:15 h"]


async def hours_are_asked_for_once(cast: Cast, priya: Api, company: Company) -> str:
    form = {"hours": "7:30", "note": "For the move", "key": str(uuid4())}
    answers = [await sent(priya, "/portal/hours/top-up", form) for _ in "12"]

    (address,) = {location for _, _, location in answers}
    ref = address.removeprefix("/portal/tickets/")
    ticket = await cast.manager.get(f"/tickets/{ref}")
    contract = await priya.get(f"/contracts/{company.contract_id}")
    assert ticket["title"] == f"Top-up of 7:30 h wanted for {contract['ref']}"
    assert {name: ticket[name] for name in ("tags", "priority", "level", "status", "description", "contract_id")} == {
        "tags": ["top-up"],
        "priority": "low",
        "level": "L1",
        "status": "new",
        "description": "For the move",
        "contract_id": contract["id"],
    }
    listed = await cast.manager.get("/tickets", client_id=company.id, tag="top-up")
    assert [one["ref"] for one in listed["items"]] == [ref]
    page = (await sent(priya, address))[1]
    assert re.search(r'<li aria-current="step".*?<span>Received</span>', page)
    return ref


async def sent(who: Api, path: str, form: dict[str, Any] | None = None) -> tuple[int, str, str]:
    """Return status, text and next address of a page; with a form it is sent."""
    headers = {"authorization": f"Bearer {who.token}"}
    method = "GET" if form is None else "POST"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, who.url + path, data=form, headers=headers, allow_redirects=False) as answer,
    ):
        return answer.status, await answer.text(), answer.headers.get("location", "")


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
