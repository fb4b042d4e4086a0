"""A period that contracts opened again: its drafts go, what is issued stays, and it is billed anew."""

from __future__ import annotations

import asyncpg
import pytest
from office import Office

from billing.testing import MONDAY, OCTOBER, answers, posted
from msp_events.billing import InvoiceDrafted, PeriodCloseRequested
from msp_events.contracts import PeriodReopened
from msp_kit.database import SYSTEM
from msp_kit.testing import said


def reopened(office: Office, request: PeriodCloseRequested) -> PeriodReopened:
    return PeriodReopened(
        occurred_at=MONDAY,
        period_close_id=request.period_close_id,
        client_id=office.client,
        starts_on=OCTOBER[0],
        ends_on=OCTOBER[1],
        reason="an entry was missing",
    )


async def test_a_reopened_period_loses_its_draft_and_is_billed_with_what_was_missing(office: Office) -> None:
    entry, missing = (posted(office.client, office.contract, minutes=minutes, overage=30) for minutes in (60, 90))
    await office.drafted(entry)
    (request,) = await said(office.database, PeriodCloseRequested)

    event = reopened(office, request)
    await office.speaker.say(event)
    await office.speaker.say(event)

    assert (await office.get("/invoices"))["items"] == []
    run = await office.run()
    (item,) = run["items"]
    assert (item["status"], item["invoice_count"]) == ("blocked", 0)
    assert "an entry was missing" in item["detail"]
    assert await office.verified() == []

    await office.post(f"/billing-runs/{run['id']}/retry")
    again = (await said(office.database, PeriodCloseRequested))[-1]
    assert (again.period_close_id, again.attempt) == (request.period_close_id, 2)
    await office.speaker.say(missing)
    await office.speaker.say(*answers(again, [entry, missing]))
    await office.work()

    (draft,) = (await office.get("/invoices?status=draft"))["items"]
    assert (await office.get(f"/invoices/{draft['id']}"))["worked_minutes"] == 150
    assert len({one.invoice_id for one in await said(office.database, InvoiceDrafted)}) == 2
    assert await office.verified() == []


async def test_an_issued_invoice_stays_whatever_is_opened(office: Office) -> None:
    invoice = await office.issued()
    (request,) = await said(office.database, PeriodCloseRequested)

    await office.speaker.say(reopened(office, request))

    assert (await office.get(f"/invoices/{invoice['id']}"))["number"] == invoice["number"]
    assert (await office.run())["items"][0]["status"] == "issued"
    with pytest.raises(asyncpg.PostgresError) as refused:
        async with office.database.transaction(SYSTEM) as tx:
            await tx.driver.execute("DELETE FROM invoiced")
    assert refused.value.sqlstate == "MSP02"
    assert await office.verified() == []
