"""Bank statements on a real database: imported, matched, decided by a person, taken back."""

from __future__ import annotations

from typing import Any

from office import Office

from billing.testing import a_camt, a_client, a_contract
from msp_events.billing import InvoiceBalanceChanged
from msp_kernel.ids import new_id
from msp_kit.testing import said

GROSS = 508_560


async def open_on(office: Office, invoice: dict[str, Any]) -> int:
    found: int = (await office.get(f"/invoices/{invoice['id']}"))["open_minor"]
    return found


async def paid_by_the_bank(office: Office, amount: str = "5085.60") -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an issued invoice and the bank line that paid it."""
    invoice = await office.issued()
    body = a_camt((amount, "CRDT", "Somebody", invoice["number"]))
    await office.post("/bank-statements", {"name": "november.xml", "body": body})
    (line,) = (await office.get("/bank-lines?status=matched"))["items"]
    return invoice, line


async def test_a_bank_statement_pays_what_it_names_and_leaves_the_rest_to_a_person(office: Office) -> None:
    invoice = await office.issued()
    body = a_camt(
        ("5000.00", "CRDT", "Somebody", f"Your invoice {invoice['number'].replace('-', ' ')}"),
        ("85.60", "CRDT", "HARBOUR & LOWE LIMITED", "thank you"),
        ("12.00", "CRDT", "Unknown Ltd", "?"),
        ("9.99", "DBIT", "Power Co", "meter"),
    )

    found = await office.post("/bank-statements", {"name": "november.xml", "body": body})
    again = await office.post("/bank-statements", {"name": "november-again.xml", "body": body})

    assert found == {"imported": 4, "known_before": 0, "matched": 2, "unmatched": 1, "outgoing": 1}
    assert again == {"imported": 0, "known_before": 4, "matched": 0, "unmatched": 0, "outgoing": 0}
    assert await open_on(office, invoice) == 0
    (line,) = (await office.get("/bank-lines?status=unmatched"))["items"]
    assert line["counterparty"] == "Unknown Ltd"
    payment = await office.post(f"/bank-lines/{line['id']}/assign", {"client_id": str(office.client)})
    assert (payment["amount_minor"], payment["left_minor"]) == (1200, 1200)
    assert (await office.refused(f"/bank-lines/{line['id']}/ignore", {"note": "x"}))[0] == "not-found"
    assert len((await office.get("/payments", by=office.payer))["items"]) == 3


async def test_a_file_that_is_no_statement_imports_nothing(office: Office) -> None:
    body = "booked_on,amount,currency,counterparty,reference\n2026-11-19,5.00,GBP,A,x\n2026-11-19,5.001,GBP,A,x\n"

    code, detail = await office.refused("/bank-statements", {"name": "x.csv", "body": body})

    assert code == "not-a-bank-statement"
    assert "line 3" in detail
    assert (await office.get("/bank-lines"))["items"] == []


async def test_a_wrong_match_is_taken_back_and_the_money_given_to_whom_it_belongs(office: Office) -> None:
    invoice, line = await paid_by_the_bank(office)
    other = new_id()
    await office.speaker.say(a_client(other, "Quayside Ltd"), a_contract(other, new_id(), ref="C-2"))
    assert (line["client_name"], await open_on(office, invoice)) == ("Harbour & Lowe", 0)

    await office.post(f"/bank-lines/{line['id']}/take-back", {"reason": "it was Quayside's"})

    assert await open_on(office, invoice) == GROSS
    again = await office.get(f"/bank-lines/{line['id']}")
    assert (again["status"], again["payment_id"], again["note"]) == ("unmatched", None, "it was Quayside's")
    assert [one["number"] for one in again["suggested"]] == [invoice["number"]]
    assert (await said(office.database, InvoiceBalanceChanged))[-1].open_minor == GROSS
    await office.post(f"/bank-lines/{line['id']}/assign", {"client_id": str(other)})
    left = {one["client_name"]: one["left_minor"] for one in (await office.get("/payments"))["items"]}
    assert left == {"Quayside Ltd": GROSS, "Harbour & Lowe": 0}
    account = await office.get(
        f"/receivables/statement?client_id={office.client}&currency=GBP&from=2026-01-01&to=2027-01-01"
    )
    assert [one["what"] for one in account["movements"]][-1] == "payment_withdrawn"
    assert account["closing_minor"] == GROSS


async def test_what_was_ignored_can_be_decided_again_but_what_waits_or_went_out_cannot(office: Office) -> None:
    body = a_camt(("12.00", "CRDT", "Unknown Ltd", "?"), ("9.99", "DBIT", "Power Co", "meter"))
    await office.post("/bank-statements", {"name": "x.xml", "body": body})
    lines = {one["counterparty"]: one["id"] for one in (await office.get("/bank-lines"))["items"]}
    path = f"/bank-lines/{lines['Unknown Ltd']}"

    assert (await office.refused(f"{path}/take-back", {"reason": "x"}))[0] == "not-found"
    await office.post(f"{path}/ignore", {"note": "a loan"})
    await office.post(f"{path}/take-back", {"reason": "no loan"})

    assert (await office.get(path))["status"] == "unmatched"
    assert (await office.refused(f"/bank-lines/{lines['Power Co']}/take-back", {"reason": "x"}))[0] == "not-found"
    assert (await office.post(f"{path}/assign", {"client_id": str(office.client)}))["left_minor"] == 1200


async def test_refunded_money_is_not_taken_back_as_well(office: Office) -> None:
    _, line = await paid_by_the_bank(office, "5100.00")
    refund = {"amount_minor": 1440, "refunded_on": "2026-11-20", "reason": "paid too much"}
    await office.post(f"/payments/{line['payment_id']}/refunds", refund)

    code, detail = await office.refused(f"/bank-lines/{line['id']}/take-back", {"reason": "x"})

    assert code == "payment-given-back"
    assert "record what came back as a payment" in detail
    assert (await office.get(f"/payments/{line['payment_id']}"))["refunds"][0]["kind"] == "refund"
