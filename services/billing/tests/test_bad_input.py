"""What must never reach an invoice: each is refused before it is issued, with what to fix and where."""

from __future__ import annotations

from typing import Any

import pytest
from office import Office
from pydantic import ValidationError

from billing.testing import a_client, a_contract, answers, posted
from msp_events.contracts import Address, BillingTerms, FixedItemTerms, RateTerms
from msp_kernel.ids import new_id
from msp_kit.api import Body
from msp_kit.database import SYSTEM


async def blocked(office: Office, **terms: Any) -> str:
    """Bill an hour beyond the bucket under some terms, and return why it could not be drafted."""
    if terms:
        await office.speaker.say(a_contract(office.client, office.contract, revision=2, **terms))
    entry = posted(office.client, office.contract, minutes=60, overage=60)
    await office.speaker.say(entry)
    await office.speaker.say(*answers(await office.asked(), [entry]))
    await office.work()
    (item,) = (await office.run())["items"]
    assert (item["status"], (await office.get("/invoices"))["items"]) == ("blocked", [])
    detail: str = item["detail"]
    return detail


async def findings(office: Office) -> list[tuple[str, str, str]]:
    """Bill an hour and return what keeps the draft from being issued: code, place and remedy."""
    draft = await office.drafted(posted(office.client, office.contract, minutes=60, overage=60))
    run = await office.run()
    code, _ = await office.refused(f"/billing-runs/{run['id']}/issue", {})
    await office.work()
    assert (code, (await office.get("/invoices?status=issued"))["items"]) == ("invoice-incomplete", [])
    return [(one["code"], one["where"], one["fix"]) for one in draft["findings"] if one["blocks"]]


async def slipped_in(office: Office, path: str, value: int) -> None:
    """Change the terms billing knows, as an older release of contracts might have said them: today's events refuse this."""
    async with office.database.transaction(SYSTEM) as tx:
        await tx.driver.execute(
            "UPDATE contract_versions SET state = jsonb_set(state, $1, $2)", path.split("/"), str(value)
        )


async def test_a_negative_rate_is_refused_by_the_event_and_named_by_the_run_if_it_slipped_in(office: Office) -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        RateTerms(rule_id="r", rate_minor=-1)
    await slipped_in(office, "rates/0/rate_minor", -1)

    assert await blocked(office) == "rate-1 of C-0001 is -1; a rate is zero or more"


async def test_an_item_below_zero_is_named(office: Office) -> None:
    day = {"frequency": "once", "starts_on": "2026-10-01"}
    item = FixedItemTerms.model_validate({"item_id": "i", "text": "Licence", "unit_minor": 1, **day})

    detail = await blocked(office, fixed_items=(item.model_copy(update={"unit_minor": -500}),))

    assert detail == "Licence of C-0001 costs -500; a price is zero or more"


async def test_a_tax_of_more_than_the_whole_is_refused_by_the_event_and_named_by_the_run(office: Office) -> None:
    with pytest.raises(ValidationError, match="less than or equal to 10000"):
        BillingTerms(tax_rate_basis_points=10_001)
    await slipped_in(office, "billing/tax_rate_basis_points", 10_001)

    detail = await blocked(office)

    assert detail == "the tax rate of C-0001 is 10001 basis points; 0 to 10000 (100 %) are accepted"


async def test_every_missing_price_is_listed_on_the_run_and_in_its_review_with_the_contract(office: Office) -> None:
    detail = await blocked(office, rates=(RateTerms(rule_id="r", level="L3", rate_minor=1),))

    assert detail == "the rate card has no price for: network, L1, regular"
    run = await office.run()
    (item,) = run["items"]
    (listed,) = (await office.get(f"/billing-runs/{run['id']}/review"))["blocked"]
    assert (item["reason"], item["contract_refs"]) == (listed["reason"], ["C-0001"]) == ("prices-missing", ["C-0001"])
    assert (listed["detail"], listed["client_code"]) == (detail, "HLO")


async def test_a_payment_in_another_currency_pays_nothing(office: Office) -> None:
    invoice = await office.issued(posted(office.client, office.contract, minutes=60, overage=60))
    body = {
        "client_id": str(office.client),
        "amount_minor": 100,
        "currency": "EUR",
        "received_on": "2026-11-20",
        "method": "card",
        "shares": [{"invoice_id": invoice["id"], "amount_minor": 100}],
    }

    code, detail = await office.refused("/payments", body)

    assert code == "currency-differs"
    assert detail == f"the payment is in EUR, {invoice['number']} in GBP"
    assert (await office.get("/payments"))["items"] == []


@pytest.mark.parametrize("missing", ["lines", "city", "country"])
async def test_a_part_of_an_address_that_is_missing_is_named(office: Office, missing: str) -> None:
    whole = {"lines": ("12 Baldwin Street",), "city": "Bristol", "country": "GB"}
    address = Address().model_copy(update={name: one for name, one in whole.items() if name != missing})
    if missing == "country":
        address = address.model_copy(update={"country": ""})
    bare = a_client(office.client).model_copy(update={"billing_address": address, "revision": 2})
    await office.speaker.say(bare)

    found = await findings(office)

    assert found == [("address-missing", "billing profile of the client", "give street, city and country")]


@pytest.mark.parametrize(("tax_case", "code"), [("AE", "client-vat-id-missing")])
async def test_a_tax_case_that_needs_the_client_s_vat_id_asks_for_it(office: Office, tax_case: str, code: str) -> None:
    await office.put(f"/billing-profiles/{office.client}", {"tax_case": tax_case})

    found = await findings(office)

    assert [(one, where) for one, where, _ in found] == [(code, "billing profile of the client")]


async def test_control_characters_in_a_contract_s_text_are_named_with_their_line(office: Office) -> None:
    item = FixedItemTerms.model_validate(
        {"item_id": "i", "text": "Bell\x07", "unit_minor": 500, "frequency": "once", "starts_on": "2026-10-01"}
    )
    await office.speaker.say(a_contract(office.client, office.contract, revision=2, fixed_items=(item,)))

    assert await findings(office) == [("control-character", "lines/1", "write the text without it")]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/credits", {"text": "x\x1b", "amount_minor": 1}),
        ("/billing-profiles/{client}/charges", {"text": "x\x01", "kind": "item", "amount_minor": 1}),
        ("/write-offs", {"reason": "x\x07"}),
    ],
)
async def test_control_characters_are_refused_at_the_door_with_their_field(
    office: Office, path: str, body: dict[str, Any]
) -> None:
    name = next(name for name, text in body.items() if isinstance(text, str) and not text.isprintable())

    answer = await office.requests.post(office.manager, path.format(client=office.client), body)

    assert answer.status_code == 422
    said = {one["pointer"]: one["detail"] for one in answer.json()["errors"]}
    assert "cannot be printed or sent; write the text without it" in said[f"/body/{name}"]


def test_no_field_of_any_request_takes_control_characters() -> None:
    """What is not a text refuses it all the more; whole files are read with care of their own (test_hostile_statements)."""
    taken = {
        f"{body.__name__}.{name}"
        for body in bodies()
        for name in body.model_fields
        if not any(one["loc"][:1] == (name,) for one in wrong_with(body, {name: "a\x07b"}))
    }

    assert taken == {"ImportStatement.body", "TakeNotice.body"}


def bodies(of: type[Body] = Body) -> list[type[Body]]:
    """Return the bodies of this service's requests."""
    found = [*of.__subclasses__(), *(one for kind in of.__subclasses__() for one in bodies(kind))]
    return [one for one in found if one.__module__.startswith("billing.")]


def wrong_with(body: type[Body], given: dict[str, Any]) -> list[Any]:
    """Return what is wrong with a request, as far as it is given."""
    try:
        body.model_validate(given)
    except ValidationError as error:
        return list(error.errors())
    return []


async def test_markup_in_texts_is_text_on_the_document(office: Office) -> None:
    nasty = "#panic(1) *b* <b>&amp;</b>"
    await office.put(f"/billing-profiles/{office.client}", {"name": nasty, "purchase_order": nasty})
    invoice = await office.issued(posted(office.client, office.contract, minutes=60, overage=60, note=nasty))

    assert (invoice["client"]["name"], invoice["purchase_order"]) == (nasty, nasty)
    assert await office.verified() == []


async def test_a_foreign_credit_note_or_payment_is_as_one_that_never_was(office: Office) -> None:
    invoice = await office.issued(posted(office.client, office.contract, minutes=60, overage=60))
    other = new_id()
    await office.speaker.say(a_client(other, "Quayside"), a_contract(other, new_id(), ref="C-2"))
    payment = await office.post(
        "/payments",
        {"client_id": str(other), "amount_minor": 9, "currency": "GBP", "received_on": "2026-11-20", "method": "cash"},
    )

    shares = {"shares": [{"invoice_id": invoice["id"], "amount_minor": 9}]}
    code, _ = await office.refused(f"/payments/{payment['id']}/allocations", shares)

    assert code == "not-found"


async def test_a_period_that_overlaps_an_issued_one_is_refused_with_whose_and_which(office: Office) -> None:
    await office.issued(posted(office.client, office.contract, minutes=60, overage=60))

    code, detail = await office.refused("/billing-runs", {"starts_on": "2026-10-31", "ends_on": "2026-12-01"})

    assert code == "period-overlaps"
    assert "Harbour & Lowe from 2026-10-01 to 2026-11-01" in detail


async def test_currencies_are_never_mixed_a_client_gets_one_invoice_for_each(office: Office) -> None:
    euros = new_id()
    rates = (RateTerms(rule_id="r", rate_minor=10_000),)
    await office.speaker.say(
        a_contract(office.client, euros, ref="C-0002", currency="EUR", rates=rates, fixed_items=())
    )
    entries = [posted(office.client, one, minutes=60, overage=60) for one in (office.contract, euros)]
    await office.speaker.say(*entries)
    await office.speaker.say(*answers(await office.asked(), entries))

    await office.work()

    drafts = [await office.get(f"/invoices/{one['id']}") for one in (await office.get("/invoices"))["items"]]
    assert {one["currency"]: one["net_minor"] for one in drafts} == {"GBP": 419_200, "EUR": 10_000}
    assert [len(one["entries"]) for one in drafts] == [1, 1]
