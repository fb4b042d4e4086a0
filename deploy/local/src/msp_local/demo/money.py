"""The money of the demo: last months billed, and what came for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msp_local.api import Api

Say = Callable[[str], None]
SETTLED = ("drafted", "issued", "blocked", "nothing")


async def bill_last_months(manager: Api, say: Say) -> None:
    """Approve and bill every month before this one; this month stays open."""
    this_month = months_back(0)
    before = datetime.combine(this_month, datetime.min.time(), UTC).isoformat()
    clients = [item["id"] async for item in manager.pages("/clients")]
    for client_id in clients:
        await manager.post("/time-entries/approve", {"client_id": client_id, "before": before})
    for back in (3, 2, 1):
        starts_on, ends_on = months_back(back), months_back(back - 1)
        run = await manager.post("/billing-runs", {"starts_on": starts_on.isoformat(), "ends_on": ends_on.isoformat()})
        run = await _settled(manager, run["id"])
        if any(item["status"] == "drafted" for item in run["items"]):
            await manager.post(f"/billing-runs/{run['id']}/issue", {})
            await _settled(manager, run["id"])
        say(f"{starts_on:%B %Y} billed")
    await _money_came(manager)


async def _money_came(manager: Api) -> None:
    """Import a bank statement: one line pays an invoice, one waits for somebody who knows what it is for."""
    listed = (await manager.get("/receivables", limit=1))["items"]
    if not listed:
        return
    oldest = listed[0]
    day, amount = datetime.now(UTC).date(), f"{oldest['open_minor'] // 100}.{oldest['open_minor'] % 100:02}"
    lines = (
        "booked_on,amount,currency,counterparty,reference",
        f"{day},{amount},{oldest['currency']},Accounts payable,{oldest['number']}",
        f"{day},250.00,GBP,{oldest['client_name']},as agreed on the phone",
    )
    await manager.post("/bank-statements", {"name": f"{day}.csv", "body": "\n".join(lines)})


async def _settled(manager: Api, run_id: str) -> dict[str, Any]:
    while True:
        run: dict[str, Any] = await manager.get(f"/billing-runs/{run_id}")
        if all(item["status"] in SETTLED for item in run["items"]):
            return run
        await asyncio.sleep(0.2)


def months_back(count: int) -> date:
    """Return the first day of a month before this one."""
    day = datetime.now(UTC).date().replace(day=1)
    for _ in range(count):
        day = (day - timedelta(days=1)).replace(day=1)
    return day
