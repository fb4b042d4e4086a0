"""Credit notes on a real database: what is issued, what is left, and what the database itself refuses."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import asyncpg
import pypdf
import pytest
from office import Office
from official import broken_rules

from billing.testing import posted
from msp_events.billing import CreditNoteIssued, InvoiceBalanceChanged
from msp_kernel.ids import new_id
from msp_kit.provisioning import with_database
from msp_kit.testing import PASSWORD, a_client_person, admin_url, said


async def issued(office: Office) -> dict[str, Any]:
    return await office.issued(posted(office.client, office.contract, minutes=150, overage=90))


async def credit(office: Office, invoice: dict[str, Any], **body: Any) -> dict[str, Any]:
    note: dict[str, Any] = await office.post(
        f"/invoices/{invoice['id']}/credit-notes", {"reason": "Under warranty", **body}
    )
    return note


async def owner_of(office: Office) -> asyncpg.Connection[Any]:
    name = office.database.url.rpartition("/")[2]
    return await asyncpg.connect(with_database(admin_url(), database=name, user="billing_owner", password=PASSWORD))


async def test_a_whole_credit_note_and_its_invoice_are_zero_and_its_documents_are_real(office: Office) -> None:
    invoice = await issued(office)

    note = await credit(office, invoice)

    assert note["number"].startswith("CN-")
    assert note["kind"] == "credit_note"
    for name in ("net_minor", "tax_minor", "gross_minor"):
        assert note[name] + invoice[name] == 0
    for syntax, word in (("ubl", b"CreditNote "), ("cii", b"<ram:TypeCode>381<")):
        xml = await office.requests.get(office.payer, f"/invoices/{note['number']}/xml?syntax={syntax}")
        assert word in xml.content
        assert broken_rules(syntax, xml.content) == []
    pdf = await office.requests.get(office.payer, f"/invoices/{note['number']}/pdf")
    reader = pypdf.PdfReader(io.BytesIO(pdf.content))
    text = " ".join(page.extract_text() for page in reader.pages)
    for words in ("Credit note", invoice["number"], "Under warranty", "£5,085.60"):
        assert words in text
    assert "factur-x.xml" in reader.attachments
    (event,) = await said(office.database, CreditNoteIssued)
    assert (event.invoice_number, event.gross_minor) == (invoice["number"], -invoice["gross_minor"])
    assert (await said(office.database, InvoiceBalanceChanged))[-1].open_minor == 0
    assert await office.verified() == []


async def test_lines_are_credited_in_parts_and_never_beyond(office: Office) -> None:
    invoice = await issued(office)
    path = f"/invoices/{invoice['id']}/credit-notes"
    await credit(office, invoice, lines=[{"n": 2, "net_minor": 3800}])

    left = (await office.get(f"/invoices/{invoice['id']}/left"))["items"]
    assert [(one["left_net_minor"], one["left_tax_minor"]) for one in left] == [(410_000, 82_000), (10_000, 2000)]
    code, detail = await office.refused(path, {"reason": "x", "lines": [{"n": 2, "net_minor": 10_001}]})
    assert code == "more-than-is-left"
    assert "100.01 GBP asked, 100.00 GBP of 138.00 GBP is left" in detail
    rest = await credit(office, invoice)
    assert rest["gross_minor"] == -(invoice["gross_minor"] - 4560)
    assert (await office.refused(path, {"reason": "x"}))[0] == "nothing-to-credit"
    assert (await office.refused(path, {"reason": "x", "lines": [{"n": 9}]}))[0] == "line-unknown"
    assert len((await office.get(f"/invoices/{invoice['id']}/credit-notes", by=office.payer))["items"]) == 2


async def test_neither_drafts_nor_credit_notes_can_be_credited(office: Office) -> None:
    draft = await office.drafted()
    assert (await office.refused(f"/invoices/{draft['id']}/credit-notes", {"reason": "x"}))[0] == "not-an-invoice"
    await office.post(f"/billing-runs/{(await office.run())['id']}/issue", {})
    await office.work()
    note = await credit(office, draft, lines=[{"n": 1, "net_minor": 5}])

    code, detail = await office.refused(f"/invoices/{note['id']}/credit-notes", {"reason": "x"})

    assert (code, detail) == ("not-an-invoice", f"{note['number']} is a credit note; issue a new invoice instead")
    assert (await office.refused(f"/invoices/{new_id()}/credit-notes", {"reason": "x"}))[0] == "not-found"


async def test_two_at_once_never_give_back_more_than_there_is(office: Office) -> None:
    invoice = await issued(office)
    body = {"reason": "race", "lines": [{"n": 2, "net_minor": 9000}]}

    sent = [office.requests.post(office.manager, f"/invoices/{invoice['id']}/credit-notes", body) for _ in range(4)]
    answers_ = [answer.status_code for answer in await asyncio.gather(*sent)]

    assert sorted(answers_) == [201, 409, 409, 409]
    assert await office.verified() == []


async def test_the_database_refuses_more_than_is_left_and_any_change_even_to_the_owner(office: Office) -> None:
    invoice = await issued(office)
    note = await credit(office, invoice, lines=[{"n": 2, "net_minor": 9000}])
    owner = await owner_of(office)
    values = f"'{invoice['client_id']}', '{note['id']}', '{invoice['id']}'"
    try:
        for sql in (
            f"INSERT INTO credited_lines VALUES ({values}, 1, 410001, 0)",
            f"INSERT INTO credited_lines VALUES ({values}, 1, -1, 0)",
            f"INSERT INTO credited_lines VALUES ({values}, 1, 1, 82001)",
            f"INSERT INTO invoice_lines VALUES ('{invoice['client_id']}', '{invoice['id']}', 3, 'fixed', gen_random_uuid(), NULL, 5, 1)",
            "UPDATE credited_lines SET net_minor = 0",
            "DELETE FROM credited_lines",
            "UPDATE invoice_lines SET net_minor = 10 * net_minor",
            "DELETE FROM invoice_lines",
            f"UPDATE invoices SET reason = 'other' WHERE id = '{note['id']}'",
            f"DELETE FROM invoices WHERE id = '{note['id']}'",
        ):
            with pytest.raises(asyncpg.PostgresError) as refused:
                await owner.execute(sql)
            assert refused.value.sqlstate in ("MSP01", "MSP02", "MSP10"), sql
    finally:
        await owner.close()
    assert await office.verified() == []


async def test_hours_go_back_to_the_bucket_only_when_asked_and_never_more_than_were_taken(office: Office) -> None:
    invoice = await issued(office)
    hours = {"contract_id": str(office.contract), "bucket_minutes": 60}
    await credit(office, invoice, lines=[{"n": 2, "net_minor": 100}])
    await credit(office, invoice, lines=[{"n": 2, "net_minor": 100}], return_hours=[hours])

    code, detail = await office.refused(
        f"/invoices/{invoice['id']}/credit-notes",
        {"reason": "x", "lines": [{"n": 2, "net_minor": 1}], "return_hours": [{**hours, "bucket_minutes": 1}]},
    )

    assert code == "more-than-is-left"
    assert "took 60 min" in detail
    assert "61 min would be given back" in detail
    without, with_hours = await said(office.database, CreditNoteIssued)
    assert without.returned_hours == ()
    assert [one.bucket_minutes for one in with_hours.returned_hours] == [60]


async def test_a_credit_note_of_a_paid_invoice_leaves_credit_with_the_payment(office: Office) -> None:
    invoice = await issued(office)
    payment = await office.post(
        "/payments",
        {
            "client_id": str(office.client),
            "amount_minor": invoice["gross_minor"],
            "currency": "GBP",
            "received_on": "2026-11-20",
            "method": "bank transfer",
            "shares": [{"invoice_id": invoice["id"], "amount_minor": invoice["gross_minor"]}],
        },
    )

    await credit(office, invoice, lines=[{"n": 2, "net_minor": 10_000}])

    assert (await office.get(f"/payments/{payment['id']}"))["left_minor"] == 12_000
    assert (await office.get(f"/invoices/{invoice['id']}"))["open_minor"] == 0
    (row,) = (await office.get("/receivables/ageing"))["items"]
    assert (row["open_minor"], row["credit_minor"]) == (0, 12_000)


async def test_another_client_sees_no_credit_note(office: Office) -> None:
    note = await credit(office, await issued(office))
    stranger = a_client_person(new_id(), "billing")

    for path in ("", "/pdf", "/xml", "/csv", "/lines/1/explain", "/credit-notes"):
        foreign = await office.requests.get(stranger, f"/invoices/{note['id']}{path}")
        assert foreign.status_code == 404, path
    assert (await office.get("/invoices", by=stranger))["items"] == []


async def test_the_series_of_credit_notes_has_no_gaps_and_is_chained(office: Office) -> None:
    invoice = await issued(office)
    notes = [await credit(office, invoice, lines=[{"n": 2, "net_minor": 10}]) for _ in range(3)]

    assert [note["number"][-4:] for note in notes] == ["0001", "0002", "0003"]
    assert [note["previous_sha256"] for note in notes] == [None, *(note["content_sha256"] for note in notes[:2])]
    assert await office.verified() == []
