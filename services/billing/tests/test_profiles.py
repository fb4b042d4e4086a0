"""Profiles, charges and credits: what an invoice needs before it is issued, and what is agreed beside contracts."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from office import PERIOD, Office

from billing.testing import MONDAY, SELLER, a_client, a_contract, answers, posted
from msp_events.billing import InvoiceDrafted, PeriodCloseRequested
from msp_events.contracts import Address, BillingTerms
from msp_events.sla import CreditEvidence, SlaCreditEarned, SlaCreditState, SlaCreditWithdrawn
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.testing import a_client_person, a_staff_person, said

ADDRESS = {"lines": ["Hauptstr. 1"], "city": "Berlin", "postcode": "10115", "country": "DE"}


def a_credit(office: Office, **given: Any) -> dict[str, Any]:
    default = {
        "id": str(new_id()),
        "client_id": str(office.client),
        "contract_id": str(office.contract),
        "currency": "GBP",
        "amount_minor": 5000,
        "text": "Two missed promises",
        "source": "sla",
        "earned_on": "2026-10-20",
        "evidence": [{"ticket": "HLO-1482", "metric": "resolution", "breached_at": "2026-10-19T11:00:00Z"}],
    }
    return {**default, **given}


async def issue(office: Office) -> tuple[str, str]:
    return await office.refused(f"/billing-runs/{(await office.run())['id']}/issue", {})


async def test_a_client_without_address_is_refused_with_place_and_remedy_and_the_draft_follows_the_profile(
    office: Office,
) -> None:
    bare = a_client(office.client).model_copy(update={"billing_address": Address(), "revision": 2})
    await office.speaker.say(bare)
    draft = await office.drafted(posted(office.client, office.contract, minutes=60, overage=60))

    code, detail = await issue(office)
    assert code == "invoice-incomplete"
    assert "Harbour & Lowe: billing profile of the client: the address has no lines, no city" in detail
    assert "give street, city and country" in detail
    (item,) = (await office.run())["items"]
    assert [one["code"] for one in item["findings"]] == ["address-missing"]

    answer = await office.put(f"/billing-profiles/{office.client}", {"address": ADDRESS, "language": "de"})
    assert answer.status_code == 200, answer.text
    followed = await office.get(f"/invoices/{draft['id']}")
    assert followed["client"]["billing_address"]["city"] == "Berlin"
    assert followed["findings"] == []
    assert followed["lines"][1]["text"].startswith("Arbeit über das Kontingent hinaus")
    assert [event.revision for event in await said(office.database, InvoiceDrafted)] == [1, 2]
    await office.post(f"/billing-runs/{(await office.run())['id']}/issue", {})
    await office.work()
    assert (await office.get(f"/invoices/{draft['id']}"))["status"] == "issued"
    assert await office.verified() == []


async def test_reverse_charge_needs_the_client_s_vat_id(office: Office) -> None:
    await office.put(f"/billing-profiles/{office.client}", {"tax_case": "AE"})
    draft = await office.drafted()

    code, detail = await issue(office)
    assert (code, draft["tax_minor"]) == ("invoice-incomplete", 0)
    assert "reverse charge needs the client's VAT id" in detail
    await office.put(f"/billing-profiles/{office.client}", {"tax_case": "AE", "tax_id": "DE123456789"})
    await office.post(f"/billing-runs/{(await office.run())['id']}/issue", {})
    await office.work()

    issued = await office.get(f"/invoices/{draft['id']}")
    assert (issued["tax_minor"], issued["taxes"][0]["reason_code"]) == (0, "VATEX-EU-AE")


async def test_a_seller_without_vat_id_cannot_issue_and_the_findings_follow_the_seller(office: Office) -> None:
    without = {key: value for key, value in SELLER.items() if key != "tax_id"}
    assert (await office.put("/seller", without)).status_code == 200
    draft = await office.drafted()

    assert [one["code"] for one in draft["findings"]] == ["seller-vat-id-missing"]
    assert (await office.put("/seller", SELLER)).status_code == 200
    assert (await office.get(f"/invoices/{draft['id']}"))["findings"] == []


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({"tax_case": "S"}, "needs a rate of 1 to 10000"),
        ({"tax_case": "S", "tax_rate_basis_points": 10_001}, "less than or equal to 10000"),
        ({"tax_case": "S", "tax_rate_basis_points": -1}, "greater than or equal to 0"),
        ({"tax_case": "E"}, "an exemption needs its reason"),
        ({"tax_id": "123456789"}, "begins with its country"),
        ({"tax_id": "ZZ123456789"}, "begins with its country"),
        ({"endpoint": {"scheme": "0000", "id": "x"}}, "is no scheme of the EAS list"),
        ({"name": "Bell\u0007"}, "U+0007 cannot be printed"),
        ({"address": {**ADDRESS, "country": "XX"}}, "is no country"),
        ({"language": "deutsch"}, "pattern"),
    ],
)
async def test_a_profile_that_makes_no_sense_is_told(office: Office, profile: dict[str, Any], expected: str) -> None:
    answer = await office.put(f"/billing-profiles/{office.client}", profile)

    assert answer.status_code == 422
    assert expected in answer.text


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"iban": "GB33BUKB20201555555556"}, "check digits"),
        ({"brand_colour": "red"}, "pattern"),
        ({"name": ""}, "at least 1 character"),
        ({"address": None}, "address"),
    ],
)
async def test_a_seller_that_makes_no_sense_is_told(office: Office, wrong: dict[str, Any], expected: str) -> None:
    answer = await office.put("/seller", {**SELLER, **wrong})

    assert answer.status_code == 422
    assert expected in answer.text


async def test_work_under_a_version_nobody_told_of_is_never_priced(office: Office) -> None:
    entry = posted(office.client, office.contract, overage=60, contract_version=2)
    await office.speaker.say(entry)
    await office.speaker.say(*answers(await office.asked(), [entry]))
    async with office.database.transaction(SYSTEM) as tx:
        await tx.driver.execute("UPDATE billing_run_items SET changed_at = changed_at - interval '10 minutes'")
    await office.work()

    (item,) = (await office.run())["items"]
    assert (item["status"], item["detail"]) == ("blocked", "billing does not know version 2 of a contract yet")


async def test_a_name_with_a_control_character_from_elsewhere_blocks_the_draft(office: Office) -> None:
    await office.speaker.say(a_client(office.client, "Har\x1bbour").model_copy(update={"revision": 2}))
    await office.drafted()

    code, detail = await issue(office)

    assert code == "invoice-incomplete"
    assert "client/name: the character U+001B cannot be printed or sent" in detail


async def test_items_minimums_and_discounts_beside_the_contract_are_billed(office: Office) -> None:
    charges = f"/billing-profiles/{office.client}/charges"
    common = {"contract_id": str(office.contract), "frequency": "monthly", "starts_on": "2026-10-01"}
    await office.post(
        charges, {**common, "kind": "item", "text": "Backup", "amount_minor": 1999, "quantity": 3, "frequency": "once"}
    )
    await office.post(
        charges, {**common, "kind": "minimum", "text": "time", "amount_minor": 20_000, "applies_to": "time"}
    )
    await office.post(charges, {**common, "kind": "discount", "text": "loyalty", "basis_points": 1000})
    over = await office.post(
        charges, {**common, "kind": "discount", "text": "November", "basis_points": 1000, "starts_on": "2026-11-01"}
    )
    assert over["kind"] == "discount"
    draft = await office.drafted(posted(office.client, office.contract, minutes=60, overage=60))

    assert [(line["kind"], line["net_minor"]) for line in draft["lines"]] == [
        ("fixed", 410_000),
        ("overage", 9200),
        ("fixed", 5997),
        ("minimum", 10_800),
        ("discount", -43_600),
    ]
    assert draft["net_minor"] == 392_397
    assert draft["lines"][3]["clause"] == {"minimum_minor": 20_000, "reached_minor": 9200}


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "discount", "amount_minor": 5, "basis_points": 5},
        {"kind": "discount", "basis_points": 10_001},
        {"kind": "item", "amount_minor": 0},
        {"kind": "minimum", "amount_minor": -5},
    ],
)
async def test_charges_that_make_no_sense_are_told(office: Office, wrong: dict[str, Any]) -> None:
    body = {"contract_id": str(office.contract), "text": "x", "frequency": "once", "starts_on": "2026-10-01", **wrong}

    code, _ = await office.refused(f"/billing-profiles/{office.client}/charges", body)

    assert code == "invalid-request"


async def test_a_credit_with_its_evidence_is_a_line_and_given_once(office: Office) -> None:
    credit = a_credit(office)
    await office.post("/credits", credit)
    await office.post("/credits", credit)
    issued = await office.issued(posted(office.client, office.contract, minutes=60, overage=60))

    (line,) = [line for line in issued["lines"] if line["kind"] == "credit"]
    assert (line["net_minor"], line["text"]) == (-5000, "Credit: Two missed promises (C-0001)")
    why = await office.get(f"/invoices/{issued['id']}/lines/{line['n']}/explain", by=office.payer)
    assert why["clause"]["evidence"] == credit["evidence"]
    assert "rule" not in why
    (shown,) = (await office.get("/credits"))["items"]
    assert (shown["status"], shown["number"]) == ("given", issued["number"])
    code, _ = await office.refused(f"/credits/{credit['id']}/withdraw")
    assert code == "credit-not-open"


async def test_a_credit_larger_than_the_invoice_waits_and_can_be_withdrawn(office: Office) -> None:
    credit = a_credit(office, amount_minor=500_000)
    await office.post("/credits", credit)
    draft = await office.drafted()

    assert [line["kind"] for line in draft["lines"]] == ["fixed"]
    await office.post(f"/credits/{credit['id']}/withdraw")
    assert [one["status"] for one in (await office.get("/credits"))["items"]] == ["withdrawn"]


async def test_a_credit_in_percent_of_the_fixed_items_leaves_a_draft_when_it_is_withdrawn(office: Office) -> None:
    credit = a_credit(office, amount_minor=0, basis_points=500)
    await office.post("/credits", credit)
    draft = await office.drafted(posted(office.client, office.contract, minutes=60, overage=60))
    assert (draft["lines"][-1]["kind"], draft["lines"][-1]["net_minor"]) == ("credit", -20_500)

    await office.post(f"/credits/{credit['id']}/withdraw")

    anew = await office.get(f"/invoices/{draft['id']}")
    assert [line["kind"] for line in anew["lines"]] == ["fixed", "overage"]
    assert anew["net_minor"] == draft["net_minor"] + 20_500
    both = a_credit(office, basis_points=500)
    assert (await office.refused("/credits", both))[0] == "invalid-request"


def an_sla_credit(office: Office, kind: type[SlaCreditState] = SlaCreditEarned, **given: Any) -> Any:
    default: dict[str, Any] = {
        "occurred_at": MONDAY,
        "credit_id": UUID(int=99),
        "client_id": office.client,
        "contract_id": office.contract,
        "contract_version": 1,
        "revision": 1,
        "rule_id": "below-95",
        "kind": "monthly_compliance",
        "starts_on": date(2026, 10, 1),
        "ends_on": date(2026, 11, 1),
        "status": "earned",
        "currency": "GBP",
        "basis_points": 500,
        "missed_count": 3,
        "evidence": (
            CreditEvidence(
                clock_id=new_id(),
                ticket_id=new_id(),
                ticket_ref="HLO-1482",
                metric="resolution",
                priority="high",
                budget_minutes=480,
                breached_at=MONDAY,
            ),
        ),
    }
    return kind(**{**default, **given})


async def test_a_credit_the_sla_service_tells_of_is_on_the_invoice_of_its_month_with_its_evidence(
    office: Office,
) -> None:
    earned = an_sla_credit(office)
    envelopes = await office.speaker.say(earned)
    await office.speaker.inbox.accept(envelopes)
    invoice = await office.issued(posted(office.client, office.contract, minutes=60))

    (line,) = [line for line in invoice["lines"] if line["kind"] == "credit"]
    assert (line["net_minor"], line["text"]) == (-20_500, "Credit: SLA, 2026-10 (below-95) (C-0001)")
    rule, promise = line["clause"]["evidence"]
    assert (rule["missed_count"], promise["ticket_ref"]) == (3, "HLO-1482")


async def test_a_credit_the_sla_service_withdraws_leaves_its_draft(office: Office) -> None:
    await office.speaker.say(an_sla_credit(office))
    draft = await office.drafted()
    assert draft["lines"][-1]["kind"] == "credit"

    await office.speaker.say(
        an_sla_credit(office, SlaCreditWithdrawn, revision=2, status="withdrawn", because="the pause came late")
    )

    assert [line["kind"] for line in (await office.get(f"/invoices/{draft['id']}"))["lines"]] == ["fixed"]
    assert [one["status"] for one in (await office.get("/credits"))["items"]] == ["withdrawn"]


async def test_a_credit_its_cap_left_nothing_of_is_none(office: Office) -> None:
    await office.speaker.say(an_sla_credit(office, basis_points=0, is_capped=True))

    assert (await office.get("/credits"))["items"] == []


async def test_credits_without_evidence_in_another_currency_or_of_a_foreign_contract_are_refused(
    office: Office,
) -> None:
    assert (await office.refused("/credits", a_credit(office, evidence=[])))[0] == "invalid-request"
    assert (await office.refused("/credits", a_credit(office, currency="EUR")))[0] == "mixed-currencies"
    assert (await office.refused("/credits", a_credit(office, contract_id=str(new_id()))))[0] == "not-found"
    stranger = a_client_person(office.client, "admin")
    assert (await office.refused("/credits", a_credit(office), by=stranger))[0] == "forbidden"


async def test_two_currencies_make_two_invoices_of_one_period(office: Office) -> None:
    euro = new_id()
    await office.speaker.say(a_contract(office.client, euro, ref="C-0002", currency="EUR"))
    entries = [posted(office.client, one, minutes=60, overage=60) for one in (office.contract, euro)]
    await office.speaker.say(*entries)
    await office.speaker.say(*answers(await office.asked(), entries))
    await office.work()
    (item,) = (await office.run())["items"]
    assert item["invoice_count"] == 2
    await office.post(f"/billing-runs/{(await office.run())['id']}/issue", {})
    await office.work()

    issued = (await office.get("/invoices?status=issued"))["items"]
    assert sorted((one["currency"], one["net_minor"]) for one in issued) == [("EUR", 419_200), ("GBP", 419_200)]
    assert await office.verified() == []


async def test_a_client_that_lists_unapproved_time_is_sealed_with_it(office: Office) -> None:
    terms = BillingTerms(bills_unapproved="listed")
    await office.speaker.say(a_contract(office.client, office.contract, revision=2, billing=terms))
    await office.post("/billing-runs", PERIOD)

    (asked,) = await said(office.database, PeriodCloseRequested)
    assert asked.lists_unapproved


async def test_profiles_charges_and_costs_are_kept_from_others(office: Office) -> None:
    await office.put(f"/billing-profiles/{office.client}", {"address": ADDRESS})
    stranger = a_client_person(new_id(), "admin")

    for caller, client in ((stranger, office.client), (office.payer, stranger.client_id), (office.manager, new_id())):
        answer = await office.requests.get(caller, f"/billing-profiles/{client}")
        assert answer.status_code == 404, client
    assert (await office.get(f"/billing-profiles/{office.client}", by=office.payer))["profile"]["address"] == ADDRESS
    assert (await office.get(f"/billing-profiles/{stranger.client_id}", by=stranger))["profile"] == {}
    for path in ("/seller", "/cost-rates", f"/billing-profiles/{office.client}/charges"):
        answer = await office.requests.get(office.payer, path)
        assert answer.status_code == 403, path
    agent = a_staff_person("agent")
    assert (await office.requests.get(agent, "/invoices")).status_code == 403
