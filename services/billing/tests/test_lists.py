"""Lists come in pages: every row once, in one order, with the filters kept, however small the pages are."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from office import Office

from billing.actions import payments
from billing.testing import a_client, a_contract, answers, posted
from msp_events.billing import PeriodCloseRequested
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.pagination import cursor
from msp_kit.provisioning import with_database
from msp_kit.testing import admin_url, said

CLIENTS = 5
ROWS = 7
HEAD = "booked_on,amount,currency,counterparty,reference\n"


async def issued_for_many(office: Office) -> list[dict[str, Any]]:
    """Give every one of some clients an invoice, all due on one day."""
    entries = []
    for number in range(CLIENTS):
        client, contract = (office.client, office.contract) if not number else (new_id(), new_id())
        if number:
            of = a_contract(client, contract, ref=f"C-{number:04}", starts_on=date(2026, 1, 1))
            await office.speaker.say(a_client(client, f"Client {number % 2}"), of)
        entries.append(posted(client, contract, minutes=60, overage=60))
    await office.speaker.say(*entries)
    await office.asked()
    for request in await said(office.database, PeriodCloseRequested):
        await office.speaker.say(*answers(request, [one for one in entries if one.client_id == request.client_id]))
    await office.work()
    await office.post(f"/billing-runs/{(await office.run())['id']}/issue", {})
    await office.work()
    found: list[dict[str, Any]] = (await office.get("/invoices?status=issued"))["items"]
    return found


async def overdue(office: Office) -> None:
    """Let every invoice be overdue, as only a superuser can, and remind."""
    superuser = await asyncpg.connect(with_database(admin_url(), database=office.database.url.rpartition("/")[2]))
    await superuser.execute("ALTER TABLE invoices DISABLE TRIGGER ALL")
    await superuser.execute("UPDATE invoices SET due_on = current_date - 20")
    await superuser.execute("ALTER TABLE invoices ENABLE TRIGGER ALL")
    await superuser.close()
    is_busy = True
    while is_busy:
        async with office.database.transaction(SYSTEM) as tx:
            is_busy = await payments.remind_next(tx)


async def filled(office: Office) -> UUID:
    """Fill every list with more rows than a page, many of them of one day; return a client of some of them."""
    invoices = await issued_for_many(office)
    await overdue(office)
    for number in range(ROWS):
        client_id = invoices[number % 2]["client_id"]
        amount = {"client_id": client_id, "amount_minor": 100 + number, "currency": "GBP"}
        await office.post("/payments", {**amount, "received_on": "2026-11-20", "method": "card"})
        share = {"invoice_id": invoices[0]["id"], "amount_minor": 1 + number, "reason": "bank charges"}
        await office.post("/write-offs", share)
        charge = {"kind": "item", "text": f"Item {number}", "amount_minor": 100, "frequency": "monthly"}
        of = {"contract_id": str(office.contract), "starts_on": "2026-12-01"}
        await office.post(f"/billing-profiles/{office.client}/charges", {**charge, **of})
        evidence = [{"ticket": "HLO-1", "metric": "resolution", "breached_at": "2026-10-19T11:00:00Z"}]
        credit = {
            "id": str(new_id()),
            "text": "Missed",
            "source": "sla",
            "earned_on": "2026-10-20",
            "evidence": evidence,
        }
        await office.post(
            "/credits", {**amount, **credit, "client_id": str(office.client), "contract_id": str(office.contract)}
        )
    lines = "".join(f"2026-11-19,{number + 1}.00,GBP,Somebody,x\n" for number in range(ROWS))
    await office.post("/bank-statements", {"name": "x.csv", "body": HEAD + lines})
    for month in range(1, 6):
        await office.post("/billing-runs", {"starts_on": f"2026-0{month}-01", "ends_on": f"2026-0{month + 1}-01"})
    return UUID(invoices[0]["client_id"])


async def walked(office: Office, path: str, *, limit: int) -> list[Any]:
    """Return the rows of a list, page by page."""
    rows: list[Any] = []
    after = ""
    while True:
        page = await office.get(f"{path}limit={limit}{after}")
        assert len(page["items"]) <= limit
        rows += page["items"]
        if page["next"] is None:
            return rows
        assert len(page["items"]) == limit
        after = f"&after={page['next']}"


async def test_every_list_of_billing_comes_in_pages_that_lose_and_repeat_nothing(office: Office) -> None:
    client = await filled(office)
    at_least = {
        "/invoices?": CLIENTS,
        f"/invoices?client_id={client}&kind=invoice&status=issued&from=2026-10-01&to=2026-11-01&": 1,
        "/payments?": ROWS,
        f"/payments?client_id={client}&has_left=true&from=2026-11-20&to=2026-11-21&": 4,
        "/bank-lines?": ROWS,
        "/bank-lines?status=unmatched&from=2026-11-19&to=2026-11-20&": ROWS,
        "/billing-runs?": 6,
        "/write-offs?": ROWS,
        f"/billing-profiles/{office.client}/charges?": ROWS,
        f"/credits?client_id={office.client}&": ROWS,
        "/receivables?": CLIENTS,
        "/receivables/ageing?": CLIENTS,
        "/reminders?": 2 * CLIENTS,
    }

    for path, count in at_least.items():
        whole = await office.get(f"{path}limit=200")
        assert (len(whole["items"]) >= count, whole["next"]) == (True, None), path
        for limit in (1, 2, 3):
            assert await walked(office, path, limit=limit) == whole["items"], path
        assert await walked(office, path, limit=len(whole["items"])) == whole["items"], path


async def test_what_comes_in_between_two_pages_moves_nothing(office: Office) -> None:
    for number in range(4):
        await paid(office, 100 + number, "2026-11-20")
    first = await office.get("/payments?limit=2")
    await paid(office, 999, "2026-11-21")

    second = await office.get(f"/payments?limit=2&after={first['next']}")

    assert [one["amount_minor"] for one in (*first["items"], *second["items"])] == [103, 102, 101, 100]
    assert second["next"] is None


async def paid(office: Office, amount: int, on: str) -> None:
    body = {"client_id": str(office.client), "amount_minor": amount, "currency": "GBP"}
    await office.post("/payments", {**body, "received_on": on, "method": "card"})


async def test_filters_leave_out_what_is_not_asked_for(office: Office) -> None:
    invoice = await office.issued(posted(office.client, office.contract, minutes=60, overage=60))
    await paid(office, 100, "2026-11-20")
    given = {"client_id": str(office.client), "amount_minor": 7, "currency": "GBP", "received_on": "2026-11-21"}
    share = {"invoice_id": invoice["id"], "amount_minor": 7}
    await office.post("/payments", {**given, "method": "card", "shares": [share]})

    async def count(path: str) -> int:
        return len((await office.get(path))["items"])

    assert await count("/payments?has_left=true") == 1
    assert await count("/payments?from=2026-11-21") == 1
    assert await count("/payments?to=2026-11-21") == 1
    assert await count(f"/payments?client_id={new_id()}") == 0
    assert await count("/invoices?from=2026-10-02") == await count("/invoices?to=2026-10-01") == 0
    assert await count("/invoices?from=2026-10-01&to=2026-10-02") == 1
    (left,) = (await office.get("/payments/left-over"))["items"]
    assert left == {"currency": "GBP", "payment_count": 1, "left_minor": 100}


FOREIGN = (
    "x", cursor("2026-11-20"), cursor("yesterday", "1"), cursor(1, 2, 3, 4), cursor(True, "2026-11-20T00:00:00", "1"),
    cursor("2026-11-20T00:00:00+00:00", str(UUID(int=1)), 2**63), cursor("2026-11-20", "a\0b"), cursor(None, None),
    cursor(2**63, "a", "b", "c"),
)  # fmt: skip


@pytest.mark.parametrize("after", FOREIGN)
async def test_a_cursor_of_another_list_is_told(office: Office, after: str) -> None:
    lists = (
        "/invoices", "/payments", "/bank-lines", "/billing-runs", "/write-offs", "/credits", "/receivables",
        "/receivables/ageing", "/reminders", f"/billing-profiles/{office.client}/charges",
    )  # fmt: skip
    for path in lists:
        answer = await office.requests.get(office.manager, f"{path}?after={after}")
        assert (answer.status_code, answer.json()["code"]) == (422, "bad-cursor"), path
