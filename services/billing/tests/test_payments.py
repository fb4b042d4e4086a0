"""Payments on a real database: recorded, imported, allocated, given back, written off, reminded of."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from office import Office

from billing.actions import online, payments
from billing.providers import SignedPages
from billing.testing import posted
from msp_events.billing import InvoiceBalanceChanged, InvoiceReminderDue, InvoiceSentAgain, PaymentRecorded
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.provisioning import with_database
from msp_kit.testing import PASSWORD, a_client_person, a_staff_person, admin_url, said

GROSS = 508_560


async def issued(office: Office) -> dict[str, Any]:
    return await office.issued(posted(office.client, office.contract, minutes=150, overage=90))


async def pay(
    office: Office, invoice: dict[str, Any] | None, amount: int, share: int | None = None, **given: Any
) -> Any:
    shares = [] if invoice is None else [{"invoice_id": invoice["id"], "amount_minor": share or amount}]
    body = {
        "client_id": str(office.client),
        "amount_minor": amount,
        "currency": "GBP",
        "received_on": "2026-11-20",
        "method": "bank transfer",
        "shares": shares,
        **given,
    }
    return await office.requests.post(office.manager, "/payments", body)


async def still_open(office: Office, invoice: dict[str, Any]) -> int:
    found: int = (await office.get(f"/invoices/{invoice['id']}"))["open_minor"]
    return found


async def make_old(office: Office, days: int) -> None:
    """Move the due day into the past, as only a superuser can."""
    superuser = await asyncpg.connect(with_database(admin_url(), database=office.database.url.rpartition("/")[2]))
    await superuser.execute("ALTER TABLE invoices DISABLE TRIGGER ALL")
    await superuser.execute("UPDATE invoices SET due_on = current_date - $1::int", days)
    await superuser.execute("ALTER TABLE invoices ENABLE TRIGGER ALL")
    await superuser.close()


async def remind(office: Office) -> list[InvoiceReminderDue]:
    is_busy = True
    while is_busy:
        async with office.database.transaction(SYSTEM) as tx:
            is_busy = await payments.remind_next(tx)
    return await said(office.database, InvoiceReminderDue)


async def test_parts_then_the_rest_then_over(office: Office) -> None:
    invoice = await issued(office)

    assert (await pay(office, invoice, 8560)).status_code == 201
    assert await still_open(office, invoice) == 500_000
    over = (await pay(office, invoice, 600_000, 500_000)).json()

    assert await still_open(office, invoice) == 0
    assert over["left_minor"] == 100_000
    assert [event.open_minor for event in await said(office.database, InvoiceBalanceChanged)] == [500_000, 0]
    assert [event.amount_minor for event in await said(office.database, PaymentRecorded)] == [8560, 600_000]
    refused = await pay(office, invoice, 5)
    assert (refused.status_code, refused.json()["code"]) == (409, "more-than-there-is")
    assert "0.00 GBP is open on INV-" in refused.json()["detail"]


async def test_what_is_over_is_refunded_or_allocated_but_only_once(office: Office) -> None:
    invoice = await issued(office)
    payment = (await pay(office, None, 10_000)).json()
    path = f"/payments/{payment['id']}"
    refund = {"amount_minor": 4000, "refunded_on": "2026-11-21", "reason": "paid twice"}

    await office.post(f"{path}/refunds", refund)
    await office.post(f"{path}/allocations", {"shares": [{"invoice_id": invoice["id"], "amount_minor": 6000}]})

    assert (await office.get(path, by=office.payer))["left_minor"] == 0
    assert (await office.refused(f"{path}/refunds", {**refund, "amount_minor": 1}))[0] == "more-than-there-is"
    await office.post(f"{path}/release", {"invoice_id": invoice["id"], "amount_minor": 1000, "reason": "wrong invoice"})
    assert await still_open(office, invoice) == GROSS - 5000
    beyond = {"invoice_id": invoice["id"], "amount_minor": 5001, "reason": "x"}
    assert (await office.refused(f"{path}/release", beyond))[0] == "more-than-there-is"


async def test_two_payments_at_once_never_pay_more_than_is_open(office: Office) -> None:
    invoice = await issued(office)

    found = await asyncio.gather(*(pay(office, invoice, GROSS) for _ in range(4)))

    assert sorted(answer.status_code for answer in found) == [201, 409, 409, 409]
    assert await still_open(office, invoice) == 0


async def test_the_database_refuses_too_much_even_to_the_owner(office: Office) -> None:
    invoice = await issued(office)
    payment = (await pay(office, None, 10_000)).json()
    euro = (await pay(office, None, 10_000, currency="EUR")).json()
    owner = await asyncpg.connect(
        with_database(
            admin_url(), database=office.database.url.rpartition("/")[2], user="billing_owner", password=PASSWORD
        )
    )

    def allocation(of: dict[str, Any], amount: int) -> str:
        ids = f"'{office.client}', gen_random_uuid(), '{of['id']}', '{invoice['id']}', {amount}"
        return f"INSERT INTO allocations VALUES ({ids}, '', now(), 'x')"

    try:
        for sql in (
            allocation(payment, 10_001),
            allocation(payment, -1),
            allocation(euro, 5),
            f"INSERT INTO refunds VALUES ('{office.client}', gen_random_uuid(), '{payment['id']}', 10001, now(), '', now(), 'x')",
            f"INSERT INTO write_offs VALUES ('{office.client}', gen_random_uuid(), '{invoice['id']}', {GROSS + 1}, '', now(), 'x')",
            f"INSERT INTO write_offs VALUES ('{office.client}', gen_random_uuid(), '{invoice['id']}', 1, '', now(), 'x', now(), 'x')",
            "UPDATE payments SET amount_minor = 1",
            "DELETE FROM payments",
            "TRUNCATE payments CASCADE",
        ):
            with pytest.raises(asyncpg.PostgresError) as refused:
                await owner.execute(sql)
            assert refused.value.sqlstate in ("MSP01", "MSP11", "23514"), sql
    finally:
        await owner.close()


async def test_a_payment_of_one_outside_id_is_recorded_once(office: Office) -> None:
    assert (await pay(office, None, 5, external_id="provider-1")).status_code == 201

    assert (await pay(office, None, 5, external_id="provider-1")).json()["code"] == "payment-known"


async def test_a_write_off_needs_a_second_person(office: Office) -> None:
    invoice = await issued(office)
    made = await office.post(
        "/write-offs", {"invoice_id": invoice["id"], "amount_minor": 560, "reason": "bank charges"}
    )
    path = f"/write-offs/{made['id']}/approve"

    assert await still_open(office, invoice) == GROSS
    assert (await office.refused(path))[0] == "second-person-needed"
    assert (await office.refused(path, by=a_staff_person("manager")))[0] == "forbidden"
    await office.post(path, by=a_staff_person("finance"))

    assert await still_open(office, invoice) == GROSS - 560
    assert (await office.refused(path, by=a_staff_person("admin")))[0] == "already-decided"
    (row,) = (await office.get("/write-offs"))["items"]
    assert row["approved_by"] != row["proposed_by"]


async def test_reminders_come_in_steps_once_each_and_stop_when_paid(office: Office) -> None:
    invoice = await issued(office)
    await make_old(office, 2)
    assert await remind(office) == []
    await make_old(office, 20)

    first = await remind(office)
    again = await remind(office)

    assert [(event.step, event.open_minor) for event in first] == [(1, GROSS), (2, GROSS)]
    assert again == first
    assert (await pay(office, invoice, GROSS)).status_code == 201
    await make_old(office, 60)
    assert await remind(office) == first


async def test_a_client_is_told_of_an_invoice_again_with_what_is_open(office: Office) -> None:
    invoice = await issued(office)
    await pay(office, invoice, 8560)
    path = f"/invoices/{invoice['id']}/send-again"

    sent = await office.requests.post(office.manager, path, {})
    refused = await office.requests.post(office.payer, path, {})
    unknown = await office.requests.post(office.manager, f"/invoices/{new_id()}/send-again", {})

    (told,) = await said(office.database, InvoiceSentAgain)
    assert (sent.status_code, refused.status_code, unknown.status_code) == (204, 403, 404)
    assert (told.number, told.gross_minor, told.open_minor) == (invoice["number"], GROSS, GROSS - 8560)


async def test_ageing_receivables_and_the_account_agree(office: Office) -> None:
    invoice = await issued(office)
    await pay(office, invoice, 8560)
    await make_old(office, 40)

    (open_,) = (await office.get("/receivables", by=office.payer))["items"]
    (aged,) = (await office.get("/receivables/ageing"))["items"]
    query = f"client_id={office.client}&currency=GBP&from=2026-01-01&to=2199-01-01"
    account = await office.get(f"/receivables/statement?{query}", by=office.payer)

    assert (open_["open_minor"], open_["age"], open_["days_overdue"]) == (500_000, "days_31_60", 40)
    assert (aged["days_31_60"], aged["open_minor"]) == (500_000, 500_000)
    assert (account["opening_minor"], account["closing_minor"]) == (0, 500_000)
    assert sorted(row["what"] for row in account["movements"]) == ["invoice", "payment"]


async def test_a_link_shows_one_invoice_until_it_is_revoked_or_old(office: Office) -> None:
    invoice = await issued(office)
    made = await office.post(f"/invoices/{invoice['id']}/links", {"days": 7})

    seen = await office.post("/hosted-invoices", {"token": made["token"]})
    assert (seen["number"], seen["open_minor"]) == (invoice["number"], GROSS)
    assert made["token"] not in str(await office.get(f"/invoices/{invoice['id']}/links"))
    async with office.database.transaction(SYSTEM) as tx:
        kept = await tx.fetchval("SELECT token_sha256 FROM invoice_links")
        assert kept == online.hash_of(made["token"])
        await tx.driver.execute("UPDATE invoice_links SET expires_at = now() - interval '1 second'")
    assert (await office.refused("/hosted-invoices", {"token": made["token"]}))[0] == "not-found"
    other = await office.post(f"/invoices/{invoice['id']}/links", {})
    pdf = await office.requests.post(office.manager, "/hosted-invoices/pdf", {"token": other["token"]})
    assert pdf.content.startswith(b"%PDF-")
    await office.post(f"/invoice-links/{other['id']}/revoke")
    assert (await office.refused("/hosted-invoices", {"token": other["token"]}))[0] == "not-found"
    assert (await office.refused("/hosted-invoices", {"token": "x" * 43}))[0] == "not-found"


async def test_another_client_sees_no_money(office: Office) -> None:
    payment = (await pay(office, await issued(office), GROSS)).json()
    stranger = a_client_person(new_id(), "billing")
    query = f"client_id={office.client}&currency=GBP&from=2026-01-01&to=2199-01-01"

    assert (await office.requests.get(stranger, f"/payments/{payment['id']}")).status_code == 404
    for path in ("/payments", f"/payments?client_id={office.client}", "/receivables"):
        assert (await office.get(path, by=stranger))["items"] == [], path
    assert (await office.get(f"/receivables/statement?{query}", by=stranger))["movements"] == []
    for path in ("/receivables/ageing", "/bank-lines", "/write-offs"):
        assert (await office.requests.get(office.payer, path)).status_code == 403, path


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"amount_minor": 0}, "invalid-request"),
        ({"amount_minor": -5}, "invalid-request"),
        ({"currency": "XXX"}, "invalid-request"),
        ({"client_id": str(new_id())}, "not-found"),
        ({"shares": [{"invoice_id": str(new_id()), "amount_minor": 1}]}, "not-found"),
    ],
)
async def test_payments_that_make_no_sense_are_told(office: Office, wrong: dict[str, Any], code: str) -> None:
    answer = await pay(office, None, 10_000, **wrong)

    assert answer.json()["code"] == code
    assert (await office.get("/payments"))["items"] == []


PAGES = SignedPages("https://pay.example/now", b"between us")


def a_notice(invoice: dict[str, Any], amount: Any = GROSS, **given: Any) -> dict[str, str]:
    said = {
        "payment": "p-1",
        "invoice": invoice["id"],
        "amount_minor": amount,
        "currency": "GBP",
        "paid_on": "2026-11-21",
        **given,
    }
    body = json.dumps(said)
    return {"body": body, "signature": PAGES.sign(body)}


async def test_an_invoice_is_paid_online_once_however_often_the_provider_says_so(office: Office) -> None:
    invoice = await issued(office)
    office.requests.app.state.provider = PAGES

    page = await office.post(f"/invoices/{invoice['id']}/checkout", by=office.payer)
    first = await office.post("/payment-notices", a_notice(invoice, GROSS + 100))
    again = await office.post("/payment-notices", a_notice(invoice, GROSS + 100))

    query, _, signature = page["url"].partition("?")[2].partition("&signature=")
    assert f"amount_minor={GROSS}" in query
    assert PAGES.sign(query) == signature
    assert first == again
    assert await still_open(office, invoice) == 0
    assert (await office.get(f"/payments/{first['id']}"))["left_minor"] == 100
    assert (await office.refused(f"/invoices/{invoice['id']}/checkout", by=office.payer))[0] == "more-than-there-is"


@pytest.mark.parametrize("wrong", ["signature", "amount", "currency", "foreign", "no provider"])
async def test_notices_nobody_signed_or_that_make_no_sense_pay_nothing(office: Office, wrong: str) -> None:
    invoice = await issued(office)
    office.requests.app.state.provider = None if wrong == "no provider" else PAGES
    notice = {
        "signature": {**a_notice(invoice), "signature": "0" * 64},
        "amount": a_notice(invoice, -5),
        "currency": a_notice(invoice, currency="EUR"),
        "foreign": a_notice({"id": str(new_id())}),
        "no provider": a_notice(invoice),
    }[wrong]

    code, _ = await office.refused("/payment-notices", notice)

    expected = {"currency": "currency-differs", "foreign": "not-found", "no provider": "no-provider"}
    assert code == expected.get(wrong, "notice-not-believed")
    assert await still_open(office, invoice) == GROSS
    stranger = a_client_person(new_id(), "billing")
    assert (await office.refused(f"/invoices/{invoice['id']}/checkout", by=stranger))[0] in ("not-found", "no-provider")


async def test_giving_money_away_asks_for_a_fresh_proof(office: Office) -> None:
    invoice = await issued(office)
    payment = (await pay(office, None, 1000)).json()
    write_off = {"invoice_id": invoice["id"], "amount_minor": 100, "reason": "a gesture"}
    proposed = (await office.requests.post(office.manager, "/write-offs", write_off)).json()
    refund = {"amount_minor": 10, "refunded_on": "2026-11-21", "reason": "paid twice"}
    long_ago = replace(a_staff_person("manager", "finance"), is_fresh=False)

    for path, body in (
        (f"/payments/{payment['id']}/refunds", refund),
        ("/write-offs", write_off),
        (f"/write-offs/{proposed['id']}/approve", {}),
        (f"/invoices/{invoice['id']}/credit-notes", {"reason": "a mistake"}),
    ):
        answer = await office.requests.post(long_ago, path, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "step-up-required"), path
        again = await office.requests.post(replace(long_ago, is_fresh=True), path, body)
        assert again.status_code in (201, 204), path


async def test_the_list_says_what_is_open_and_what_was_credited(office: Office) -> None:
    invoice = await issued(office)
    await pay(office, invoice, 8560)
    note = await office.post(f"/invoices/{invoice['id']}/credit-notes", {"reason": "all of it"})

    for by in (office.manager, office.payer):
        rows = {one["id"]: one for one in (await office.get("/invoices", by=by))["items"]}
        assert rows[invoice["id"]]["credited_minor"] == -note["gross_minor"] == GROSS
        assert rows[invoice["id"]]["open_minor"] == await still_open(office, invoice)
        assert rows[note["id"]]["open_minor"] is None
