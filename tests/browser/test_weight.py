"""A firm of sixty clients: the pages that list them keep to the same budgets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from browsing import signed_in
from playwright.async_api import Browser
from story import PASSWORD, Cast, a_cast
from weight import too_heavy

from msp_local.api import Api
from msp_local.stack import Platform

CLIENTS = 60
AT_ONCE = 6


async def clients_with_work(cast: Cast, numbers: Sequence[int]) -> None:
    """Register clients one after the other, each with a contract, a ticket that was answered, and time that waits."""
    for number in numbers:
        company = await cast.client(f"Company {number} & Sons Holding")
        async with Api(cast.admin.url, email=company.email, password=PASSWORD) as person:
            body = {"title": f"Printer {number}", "job_type": "network", "priority": "low", "level": "L1"}
            ticket = await person.post("/tickets", body)
        await cast.agent.post(f"/tickets/{ticket['id']}/messages", {"body": "We look at it."})
        await cast.agent.post("/time-entries", {"ticket_id": ticket["id"], "worked_minutes": 15, "note": "looked"})


async def test_lists_of_sixty_clients_weigh_no_more_than_any_page(
    browser: Browser, platform: Platform, admin: Api
) -> None:
    async with a_cast(admin) as cast:
        await asyncio.gather(*(clients_with_work(cast, range(one, CLIENTS, AT_ONCE)) for one in range(AT_ONCE)))
        page, complaints = await signed_in(browser, platform, cast.manager.email)
        await page.goto("/desk/queues")
        places = await page.eval_on_selector_all(
            "#palette [data-href^='/desk']", "all => all.map(one => one.dataset.href)"
        )
        faults = []
        for path in [*dict.fromkeys(places), "/desk/sla?by=client_id"]:
            answer = await page.goto(path)
            assert answer is not None
            assert answer.status == 200, path
            faults += [f"{path}: {fault}" for fault in await too_heavy(page)]

        assert len(places) > 20
        assert not faults, "\n".join(faults)
        assert complaints == []
        await page.context.close()
