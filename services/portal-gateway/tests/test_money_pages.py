"""The pages of money: payments, refunds, write-offs, bank lines, charges, cost rates, reminders; and what their forms send."""

from __future__ import annotations

from typing import Any

import pytest
from billing_shapes import (
    ACME,
    BANK_LINE,
    CHARGE,
    INVOICE,
    LINE,
    OWED,
    PAID,
    PAYMENT,
    REMINDED,
    RUN,
    WHOLE,
    WRITTEN_OFF,
)
from upstream import Pages, beside, words

from portal_gateway.pages.bank import shares_of, told
from portal_gateway.pages.charges import charge_of

BANK = f"/desk/billing/bank/{LINE}"
PAY = f"/desk/billing/payments/{PAYMENT}"
CHARGES = f"/desk/admin/billing/{ACME}/charges"
STEP_UP = (403, {"code": "step-up-required", "title": "x"})
TOO_MUCH = (409, {"code": "more-than-there-is", "detail": "9 asked, 5 is left"})


def invalid(pointer: str, detail: str) -> tuple[int, dict[str, Any]]:
    return 422, {"code": "invalid-request", "detail": detail, "errors": [{"pointer": pointer, "detail": detail}]}


@pytest.fixture
def seen(house: Pages) -> Pages:
    acme = {"id": ACME, "name": "Acme", "currency": "GBP"}
    contract = {"id": LINE, "name": "Support", "ref": "C-1", "status": "active"}
    house.upstream.answers |= {
        "/tickets/counts": {"open": 1, "unassigned": 0},
        "/clients": {"items": [acme], "next": None},
        f"/clients/{ACME}": acme,
        "/contracts": {"items": [contract], "next": None},
        f"/invoices/{INVOICE}": WHOLE,
        "/invoices/INV-2026-0001": WHOLE,
        "/payments": {"items": [PAID], "next": None},
        f"/payments/{PAYMENT}": PAID,
        "/receivables": {"items": [OWED], "next": None},
        "/reminders": {"items": [REMINDED], "next": None},
        "/write-offs": {"items": [WRITTEN_OFF], "next": None},
        "/bank-lines": {"items": [BANK_LINE], "next": None},
        f"/bank-lines/{LINE}": BANK_LINE,
        f"/billing-profiles/{ACME}/charges": {"items": [CHARGE], "next": None},
        "/cost-rates": {"rates": [{"level": "L1", "currency": "GBP", "rate_minor": 3550}]},
    }
    return house


@pytest.mark.parametrize(
    "path",
    [
        "/desk/billing/payments", PAY, "/desk/billing/write-offs", f"/desk/billing/invoices/{INVOICE}/write-off",
        "/desk/billing/reminders", "/desk/billing/bank", BANK, CHARGES, "/desk/admin/cost-rates",
    ],
)  # fmt: skip
async def test_pages_of_money_are_for_those_who_bill(seen: Pages, path: str) -> None:
    for by in ("agent", "client"):
        assert (await seen.get(path, by=by)).status_code == 403, by
    by = "finance" if path.endswith("cost-rates") else "manager"
    answer = await seen.get(path, by=by)
    assert answer.status_code == 200
    # What people wrote is text.
    assert "<b>thanks" not in answer.text
    assert "<i>invoice" not in answer.text
    assert "<b>First" not in answer.text


async def test_costs_and_approvals_are_for_finance_only(seen: Pages) -> None:
    assert (await seen.get("/desk/admin/cost-rates")).status_code == 403
    assert (await seen.post("/desk/admin/cost-rates", {"L1-GBP": "1"})).status_code == 403
    assert (await seen.post(f"/desk/billing/write-offs/{RUN}/approve", {})).status_code == 403
    assert seen.upstream.changes() == []


async def test_a_payment_shows_where_it_went_and_pays_another_invoice_as_far_as_it_reaches(seen: Pages) -> None:
    said = words((await seen.get(PAY)).text)
    assert "£150.00 of Acme" in said
    assert "Left £30.00" in said
    assert "INV-2026-0001, £120.00 open" in said

    answer = await seen.post(f"{PAY}/allocations", {"invoice": INVOICE, "amount": ""})

    assert (answer.status_code, answer.headers["location"]) == (303, PAY)
    body = seen.upstream.body(f"/payments/{PAYMENT}/allocations")
    assert body == {"shares": [{"invoice_id": INVOICE, "amount_minor": 3_000}]}


async def test_a_refund_that_is_too_much_is_told_beside_the_amount_and_what_was_typed_stays(seen: Pages) -> None:
    form = {"amount": "45.5", "on": "2026-11-20", "reason": "paid <twice>"}
    seen.upstream.answers[f"/payments/{PAYMENT}/refunds"] = TOO_MUCH

    answer = await seen.post(f"{PAY}/refunds", form)

    assert answer.status_code == 409
    assert beside(answer.text, "refund_amount") == "9 asked, 5 is left"
    assert 'value="45.5" required aria-invalid="true"' in answer.text
    assert "paid &lt;twice&gt;" in answer.text
    sent = {"amount_minor": 4_550, "refunded_on": "2026-11-20", "reason": "paid <twice>"}
    assert seen.upstream.body(f"/payments/{PAYMENT}/refunds") == sent


async def test_giving_money_away_leads_to_a_fresh_proof(seen: Pages) -> None:
    seen.upstream.answers |= {f"/payments/{PAYMENT}/refunds": STEP_UP, "/write-offs": STEP_UP}
    seen.upstream.answers[f"/write-offs/{RUN}/approve"] = STEP_UP

    for path, form, by in (
        (f"{PAY}/refunds", {"amount": "1", "on": "2026-11-20", "reason": "x"}, "manager"),
        (f"/desk/billing/invoices/{INVOICE}/write-off", {"amount": "1", "reason": "x"}, "manager"),
        (f"/desk/billing/write-offs/{RUN}/approve", {}, "finance"),
    ):
        answer = await seen.post(path, form, by=by)
        assert (answer.status_code, answer.headers["location"][:7]) == (303, "/prove?"), path


async def test_money_is_taken_back_from_an_invoice_all_of_it_unless_said(seen: Pages) -> None:
    form = {"invoice": INVOICE, "amount": "", "reason": "wrong invoice"}

    await seen.post(f"{PAY}/release", form)

    body = seen.upstream.body(f"/payments/{PAYMENT}/release")
    assert body == {"invoice_id": INVOICE, "amount_minor": 12_000, "reason": "wrong invoice"}
    refused = await seen.post(f"{PAY}/release", {**form, "amount": "x"})
    assert beside(refused.text, "back_amount").startswith("a number above zero")


async def test_a_write_off_is_proposed_by_one_and_approved_by_another(seen: Pages) -> None:
    proposing = f"/desk/billing/invoices/{INVOICE}/write-off"
    assert "£120.00 is open" in (await seen.get(proposing)).text
    answer = await seen.post(proposing, {"amount": "5.60", "reason": "bank charges"})
    assert answer.headers["location"] == "/desk/billing/write-offs"
    assert seen.upstream.changes()[-1][2] == {"invoice_id": INVOICE, "amount_minor": 560, "reason": "bank charges"}

    assert "Waits for finance" in (await seen.get("/desk/billing/write-offs")).text
    assert "Approve the write-off on INV-2026-0001" in (await seen.get("/desk/billing/write-offs", by="finance")).text
    second = (403, {"code": "second-person-needed", "detail": "you proposed it; somebody else has to approve"})
    seen.upstream.answers[f"/write-offs/{RUN}/approve"] = second
    told_so = await seen.post(f"/desk/billing/write-offs/{RUN}/approve", {}, by="finance")
    assert "you proposed it; somebody else has to approve" in told_so.text


async def test_reminders_show_who_comes_next_and_who_was_reminded(seen: Pages) -> None:
    said = words((await seen.get("/desk/billing/reminders")).text)

    assert "1 Dec 2026 2 of 3 INV-2026-0001 Acme £120.00" in said
    assert "£120.00 settled" in said


async def test_a_statement_comes_in_as_a_file_and_its_lines_are_counted(seen: Pages) -> None:
    counts = {"imported": 4, "matched": 2, "unmatched": 1, "outgoing": 1, "known_before": 0}
    seen.upstream.answers["/bank-statements"] = counts

    answer = await seen.upload("/desk/billing/bank", "november.csv", b"\xef\xbb\xbfbooked_on,amount")

    assert answer.headers["location"] == "/desk/billing/bank?done=4-2-1-1-0"
    assert seen.upstream.body("/bank-statements") == {"name": "november.csv", "body": "booked_on,amount"}
    assert "4 new lines: 2 paid invoices, 1 wait" in (await seen.get("/desk/billing/bank?done=4-2-1-1-0")).text
    assert told("4-2-1-1-x") == told("") == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff\xfe", "not text in UTF-8"), (b"x" * 1_000_001, "larger than 1 MB"), (b"x", "line 3: 5.001 has too many")],
)
async def test_a_file_that_cannot_be_read_is_told_beside_it(seen: Pages, content: bytes, said: str) -> None:
    refused = (422, {"code": "not-a-bank-statement", "detail": "line 3: 5.001 has too many decimals"})
    seen.upstream.answers["/bank-statements"] = refused

    answer = await seen.upload("/desk/billing/bank", "x.csv", content)

    assert answer.status_code == 422
    assert beside(answer.text, "file").removeprefix("the file is ").startswith(said)


async def test_a_bank_line_is_matched_with_the_invoices_somebody_names(seen: Pages) -> None:
    assert "INV-2026-0001 (Acme, £120.00)" in words((await seen.get(BANK)).text)

    answer = await seen.post(f"{BANK}/assign", {"invoices": "inv-2026-0001"})

    assert answer.headers["location"] == BANK
    body = seen.upstream.body(f"/bank-lines/{LINE}/assign")
    assert body == {"client_id": ACME, "shares": [{"invoice_id": INVOICE, "amount_minor": 12_000}]}
    await seen.post(f"{BANK}/assign", {"invoices": "", "client_id": ACME})
    assert seen.upstream.body(f"/bank-lines/{LINE}/assign") == {"client_id": ACME, "shares": []}


async def test_a_match_that_makes_no_sense_is_told_beside_the_invoices(seen: Pages) -> None:
    seen.upstream.answers["/invoices/NO-1"] = (404, {"code": "not-found"})
    seen.upstream.answers["/invoices/PAID-1"] = {**WHOLE, "open_minor": 0}
    seen.upstream.answers["/invoices/OTHER-1"] = {**WHOLE, "client_id": RUN}

    for typed, said in (
        ("NO-1", "there is no invoice NO-1"),
        ("PAID-1", "nothing is open on PAID-1"),
        ("INV-2026-0001, OTHER-1", "the invoices are of several clients"),
        ("", "give an invoice, or choose the client"),
    ):
        answer = await seen.post(f"{BANK}/assign", {"invoices": typed, "client_id": ""})
        assert beside(answer.text, "invoices").startswith(said), typed
    assert seen.upstream.changes() == []


async def test_a_decision_about_a_line_is_made_and_taken_back_with_a_reason(seen: Pages) -> None:
    await seen.post(f"{BANK}/ignore", {"note": " a loan "})
    assert seen.upstream.body(f"/bank-lines/{LINE}/ignore") == {"note": "a loan"}

    seen.upstream.answers[f"/bank-lines/{LINE}"] = {
        **BANK_LINE, "status": "matched", "payment_id": PAYMENT, "client_name": "Acme", "suggested": []
    }  # fmt: skip
    assert "the invoices it paid are open again" in (await seen.get(BANK)).text
    given_back = (409, {"code": "payment-given-back", "detail": "some of this money was refunded"})
    seen.upstream.answers[f"/bank-lines/{LINE}/take-back"] = given_back
    answer = await seen.post(f"{BANK}/take-back", {"reason": "it was somebody else's"})
    assert "some of this money was refunded" in answer.text
    assert "it was somebody else&#39;s" in answer.text


async def test_a_charge_is_agreed_and_its_numbers_are_told_beside_them(seen: Pages) -> None:
    assert "12.5%" in (await seen.get(CHARGES)).text
    form = {
        "contract_id": LINE, "kind": "item", "text": "Licence", "frequency": "monthly", "quantity": "3",
        "amount": "12.50", "percent": "", "applies_to": "all", "starts_on": "2026-12-01", "ends_on": "",
    }  # fmt: skip

    assert (await seen.post(CHARGES, form)).headers["location"] == CHARGES
    sent = seen.upstream.body(f"/billing-profiles/{ACME}/charges")
    assert (sent["amount_minor"], sent["quantity"], "basis_points" in sent, "ends_on" in sent) == (
        1250,
        3,
        False,
        False,
    )
    refused = await seen.post(CHARGES, {**form, "amount": "-5", "percent": "101"})
    assert beside(refused.text, "amount").startswith("a number above zero")
    assert beside(refused.text, "percent").startswith("a share above 0")
    assert "Licence" in refused.text
    await seen.post(f"{CHARGES}/{RUN}/end", {"ends_on": "2026-12-31"})
    assert seen.upstream.body(f"/billing-charges/{RUN}/end") == {"ends_on": "2026-12-31"}


async def test_what_the_service_says_of_a_charge_stands_beside_its_field(seen: Pages) -> None:
    path = f"/billing-profiles/{ACME}/charges"
    seen.upstream.refused[path] = invalid("/body/quantity", "Input should be less than or equal to 1000000")

    answer = await seen.post(CHARGES, {"contract_id": LINE, "kind": "item", "quantity": "9999999"})

    assert beside(answer.text, "quantity").startswith("Input should be less than")
    assert 'value="9999999"' in answer.text


async def test_cost_rates_are_set_for_each_level_and_currency(seen: Pages) -> None:
    assert 'value="35.50"' in (await seen.get("/desk/admin/cost-rates", by="finance")).text

    await seen.post("/desk/admin/cost-rates", {"L1-GBP": "35.5", "L2-GBP": "", "SA-JPY": "9000"}, by="finance")

    rates = seen.upstream.body("/cost-rates")["rates"]
    assert [(one["level"], one["currency"], one["rate_minor"]) for one in rates] == [
        ("L1", "GBP", 3550),
        ("SA", "JPY", 9000),
    ]
    refused = await seen.post("/desk/admin/cost-rates", {"L1-GBP": "much"}, by="finance")
    assert beside(refused.text, "L1-GBP").startswith("a number above zero")
    assert 'value="much"' in refused.text


async def test_a_logo_goes_up_as_a_file_and_is_shown_as_a_picture_that_runs_nothing(seen: Pages) -> None:
    seen.upstream.answers["/seller"] = {"name": "Meridian IT Ltd", "logo_sha256": "a" * 64}
    page = (await seen.get("/desk/admin/billing", by="finance")).text
    assert 'src="/desk/admin/billing/logo?v=aaaaaaaaaaaa" alt="Logo of Meridian IT Ltd"' in page

    done = await seen.upload("/desk/admin/billing/logo", "logo.svg", b"<svg/>", by="finance", field="logo")

    assert done.headers["location"] == "/desk/admin/billing"
    assert seen.upstream.changes()[-1] == ("PUT", "/seller/logo", {"content": "PHN2Zy8+"})
    picture = await seen.get("/desk/admin/billing/logo")
    assert picture.headers["content-security-policy"].endswith("sandbox")
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert (await seen.post("/desk/admin/billing/logo", {"remove": "1"}, by="finance")).status_code == 303
    assert seen.upstream.changes()[-1][:2] == ("DELETE", "/seller/logo")


async def test_a_logo_that_cannot_be_used_is_told_beside_it(seen: Pages) -> None:
    seen.upstream.answers["/seller"] = {"name": "Meridian IT Ltd"}
    seen.upstream.answers["/seller/logo"] = (422, {"code": "logo-not-usable", "detail": "the SVG has <script>"})

    refused = await seen.upload("/desk/admin/billing/logo", "x.svg", b"<svg/>", by="finance", field="logo")
    large = await seen.upload("/desk/admin/billing/logo", "x.svg", b"x" * 200_001, by="finance", field="logo")

    assert beside(refused.text, "logo").startswith("the SVG has &lt;script&gt;")
    assert beside(large.text, "logo").startswith("choose a PNG or SVG of up to 200 kB")
    assert (await seen.upload("/desk/admin/billing/logo", "x.svg", b"<svg/>", field="logo")).status_code == 403


def test_an_amount_goes_to_the_first_invoice_first() -> None:
    invoices = [{"id": "a", "open_minor": 70}, {"id": "b", "open_minor": 50}, {"id": "c", "open_minor": 10}]

    assert [(one["invoice_id"], one["amount_minor"]) for one in shares_of(100, invoices)] == [("a", 70), ("b", 30)]


def test_a_share_is_per_cent_with_two_decimals() -> None:
    assert charge_of({"percent": "12.5"}, "JPY")[0]["basis_points"] == 1250
    assert charge_of({"percent": "100"}, "GBP")[0]["basis_points"] == 10_000
