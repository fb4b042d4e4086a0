"""The billing run and issued invoices, on a real database."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import asyncpg
import pypdf
import pytest
from office import PERIOD, Office

from billing import reports
from billing.actions import issuing
from billing.testing import OCTOBER, SELLER, a_client, a_contract, answers, posted
from msp_events.billing import InvoiceDrafted, InvoiceIssued, PeriodCloseRequested
from msp_events.tickets import PeriodSealRefused
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.provisioning import with_database
from msp_kit.testing import PASSWORD, a_client_person, admin_url, said


async def test_work_becomes_one_invoice_that_adds_up(office: Office) -> None:
    invoice = await office.issued()

    assert [(line["text"], line["net_minor"]) for line in invoice["lines"]] == [
        ("50 hours (C-0001)", 410_000),
        ("Work beyond the bucket: network, L1 (C-0001)", 13_800),
    ]
    assert (invoice["net_minor"], invoice["tax_minor"], invoice["gross_minor"]) == (423_800, 84_760, 508_560)
    assert invoice["worked_minutes"] == 150
    assert invoice["number"].endswith("-0001")
    assert len(await said(office.database, InvoiceDrafted)) == len(await said(office.database, InvoiceIssued)) == 1
    async with office.database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == []


async def test_a_run_started_again_is_the_same_run(office: Office) -> None:
    first = await office.requests.post(office.manager, "/billing-runs", PERIOD)
    again = await office.requests.post(office.manager, "/billing-runs", PERIOD)

    assert first.json()["id"] == again.json()["id"]
    assert len(await said(office.database, PeriodCloseRequested)) == 1


async def test_everything_said_twice_makes_one_invoice(office: Office) -> None:
    entry = posted(office.client, office.contract, minutes=60, overage=60)
    envelopes = await office.speaker.say(entry)
    request = await office.asked()
    envelopes += await office.speaker.say(*answers(request, [entry]))
    await office.work()
    await office.speaker.inbox.accept(envelopes)
    await office.work()
    # Once more with new ids: an owner that asks and answers again.
    await office.speaker.say(*answers(request, [entry]))
    await office.work()

    assert len((await office.requests.get(office.manager, "/invoices")).json()["items"]) == 1
    assert len(await said(office.database, InvoiceDrafted)) == 1


async def test_answers_may_come_before_the_hours_they_speak_of(office: Office) -> None:
    entry = posted(office.client, office.contract)
    await office.speaker.say(*reversed(answers(await office.asked(), [entry])))
    await office.work()
    assert (await office.run())["items"][0]["status"] == "closed"

    await office.speaker.say(entry)
    await office.work()

    assert (await office.run())["items"][0]["status"] == "drafted"


async def test_unapproved_time_blocks_with_the_reason_and_can_be_tried_again(office: Office) -> None:
    request = await office.asked()
    refusal = PeriodSealRefused(
        occurred_at=request.occurred_at,
        period_close_id=request.period_close_id,
        client_id=office.client,
        starts_on=OCTOBER[0],
        ends_on=OCTOBER[1],
        unapproved_count=3,
        detail="3 unapproved time entries",
    )
    await office.speaker.say(refusal)
    (item,) = (await office.run())["items"]
    assert (item["status"], item["detail"]) == ("blocked", "3 unapproved time entries")
    assert (item["reason"], item["client_code"], item["contract_refs"]) == ("unapproved", "HLO", ["C-0001"])

    await office.requests.post(office.manager, f"/billing-runs/{(await office.run())['id']}/retry")
    again = (await said(office.database, PeriodCloseRequested))[-1]
    await office.speaker.say(*answers(again, []))
    await office.work()

    assert again.attempt == 2
    assert (await office.run())["items"][0]["status"] == "drafted"


async def test_totals_that_differ_are_never_drafted(office: Office) -> None:
    known, unknown = (posted(office.client, office.contract) for _ in range(2))
    await office.speaker.say(known)
    await office.speaker.say(*answers(await office.asked(), [known, unknown]))
    async with office.database.transaction(SYSTEM) as tx:
        await tx.driver.execute("UPDATE billing_run_items SET changed_at = changed_at - interval '10 minutes'")
    await office.work()

    (item,) = (await office.run())["items"]
    assert item["status"] == "blocked"
    assert item["detail"] == "tickets sealed 2 entries of 120 min, billing knows 1 of 60 min"


async def test_the_database_refuses_to_change_what_is_issued_even_to_the_owner(office: Office) -> None:
    invoice = await office.issued()
    owner = await asyncpg.connect(
        with_database(
            admin_url(), database=office.database.url.rpartition("/")[2], user="billing_owner", password=PASSWORD
        )
    )
    try:
        for sql in (
            "UPDATE invoices SET gross_minor = gross_minor + 1, net_minor = net_minor + 1",
            "DELETE FROM invoices",
            "TRUNCATE invoices CASCADE",
            "UPDATE documents SET body = 'x'",
            "DELETE FROM documents",
            "DELETE FROM invoiced",
            "UPDATE invoiced SET invoice_id = gen_random_uuid()",
            "TRUNCATE invoiced",
        ):
            with pytest.raises(asyncpg.PostgresError):
                await owner.execute(sql)
    finally:
        await owner.close()
    assert (await office.requests.get(office.manager, f"/invoices/{invoice['id']}")).json() == invoice


async def test_a_superuser_s_change_is_found(office: Office) -> None:
    await office.issued()
    superuser = await asyncpg.connect(with_database(admin_url(), database=office.database.url.rpartition("/")[2]))
    await superuser.execute(
        "ALTER TABLE invoices DISABLE TRIGGER ALL; UPDATE invoices SET content = replace(content, '410000', '410001')"
    )
    await superuser.close()

    async with office.database.transaction(SYSTEM) as tx:
        broken = await reports.verify(tx)

    assert any("the content is not what was issued" in sentence for sentence in broken)
    assert any("lines add up to" in sentence for sentence in broken)


async def test_numbers_have_no_gaps_whoever_issues_and_whatever_fails(office: Office) -> None:
    clients = [new_id() for _ in range(12)]
    for number, client in enumerate(clients):
        await office.speaker.say(a_client(client, f"Client {number}"), a_contract(client, new_id()))
    await office.asked()
    for request in await said(office.database, PeriodCloseRequested):
        await office.speaker.say(*answers(request, []))
    await office.work()
    run = await office.run()
    await office.requests.post(office.manager, f"/billing-runs/{run['id']}/issue", {})

    async def issue(fails: bool) -> None:
        is_busy = True
        while is_busy:
            async with office.database.transaction(SYSTEM) as tx:
                is_busy = await issuing.issue_next(tx, default_seller=SELLER)
                if fails:
                    break_it = "the process dies here"
                    raise ConnectionError(break_it)

    await asyncio.gather(*(issue(fails) for fails in (False, True, False, True)), return_exceptions=True)
    await office.work()

    listed = (await office.requests.get(office.manager, "/invoices?limit=100")).json()["items"]
    numbers = sorted(int(one["number"].rpartition("-")[2]) for one in listed)
    assert numbers == list(range(1, len(clients) + 2))
    async with office.database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == []


async def test_the_pdf_says_what_the_invoice_says_and_nothing_is_read_as_markup(office: Office) -> None:
    note = '#panic("x") *bold* $x$ <script>'
    invoice = await office.issued(posted(office.client, office.contract, minutes=150, overage=90, note=note))

    answer = await office.requests.get(a_client_person(office.client, "billing"), f"/invoices/{invoice['number']}/pdf")
    again = await office.requests.get(office.manager, f"/invoices/{invoice['id']}/pdf")

    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="{invoice["number"]}.pdf"'
    assert answer.content == again.content
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages)
    for expected in (invoice["number"], "Harbour & Lowe", "£5,085.60", "50 hours (C-0001)", "#panic", "Meridian IT"):
        assert expected in text


async def test_client_people_see_their_own_issued_invoices_only(office: Office) -> None:
    entry = posted(office.client, office.contract)
    await office.speaker.say(entry)
    await office.speaker.say(*answers(await office.asked(), [entry]))
    await office.work()
    (draft,) = (await office.requests.get(office.manager, "/invoices")).json()["items"]
    ours, theirs = a_client_person(office.client, "billing"), a_client_person(new_id(), "billing")
    assert (await office.requests.get(ours, f"/invoices/{draft['id']}")).status_code == 404
    await office.requests.post(office.manager, f"/billing-runs/{(await office.run())['id']}/issue", {})
    await office.work()

    assert [one["id"] for one in (await office.requests.get(ours, "/invoices")).json()["items"]] == [draft["id"]]
    assert (await office.requests.get(theirs, "/invoices")).json()["items"] == []
    for path in ("/invoices/{}", "/invoices/{}/pdf"):
        foreign = await office.requests.get(theirs, path.format(draft["id"]))
        missing = await office.requests.get(theirs, path.format(new_id()))
        strip = {"instance", "request_id"}
        assert foreign.status_code == 404
        assert {k: v for k, v in foreign.json().items() if k not in strip} == {
            k: v for k, v in missing.json().items() if k not in strip
        }
    requester = a_client_person(office.client, "requester")
    assert (await office.requests.get(requester, "/invoices")).status_code == 403


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({**PERIOD, "ends_on": PERIOD["starts_on"]}, "period-too-long"),
        ({**PERIOD, "starts_on": "0001-01-01"}, "invalid-request"),
        ({**PERIOD, "starts_on": "October"}, "invalid-request"),
        ({**PERIOD, "force": True}, "invalid-request"),
        ({**PERIOD, "client_ids": "all"}, "invalid-request"),
        ({**PERIOD, "client_ids": [str(new_id())]}, "not-found"),
    ],
)
async def test_a_run_that_makes_no_sense_is_told(office: Office, body: dict[str, Any], code: str) -> None:
    answer = await office.requests.post(office.manager, "/billing-runs", body)

    assert answer.json()["code"] == code
    assert await said(office.database, PeriodCloseRequested) == []


async def test_a_late_entry_goes_to_the_next_invoice_marked_with_its_worked_date(office: Office) -> None:
    await office.issued(posted(office.client, office.contract, minutes=60))
    late = posted(office.client, office.contract, minutes=30, overage=30, is_late=True, note="forgotten")
    await office.speaker.say(late)
    run = await office.post("/billing-runs", {"starts_on": "2026-11-01", "ends_on": "2026-12-01"})
    await office.speaker.say(*answers((await said(office.database, PeriodCloseRequested))[-1], [late]))
    await office.work()

    (item,) = (await office.get(f"/billing-runs/{run['id']}"))["items"]
    draft = await office.get(f"/invoices/{item['invoice_id']}")
    pdf = (await office.requests.get(office.manager, f"/invoices/{item['invoice_id']}/pdf")).content

    (entry,) = draft["entries"]
    assert (entry["time_entry_id"], entry["is_late"]) == (str(late.time_entry_id), True)
    assert entry["worked_from"].startswith("2026-10-05")
    assert [(line["net_minor"], line["quantity_minutes"]) for line in draft["lines"]] == [(4600, 30)]
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    assert "2026-10-05" in text
    assert "forgotten (late entry)" in text
