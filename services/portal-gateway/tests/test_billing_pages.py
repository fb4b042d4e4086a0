"""The billing pages: what runs, invoices and accounts show, and what their forms send."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from billing_shapes import (
    ACCOUNT,
    ACME,
    AGE,
    EXPLAINED,
    FINDING,
    HEALTH,
    HOSTED,
    INVOICE,
    ITEM,
    MISSING,
    REVIEW,
    ROW,
    RUN,
    RUN_FOUND,
    WHOLE,
)
from upstream import Pages, pages, words

from portal_gateway.pages import shown
from portal_gateway.pages.billing import mend, steps
from portal_gateway.pages.billing_admin import flat, nested

BASE = f"/desk/billing/invoices/{INVOICE}"


@pytest.fixture
def seen(house: Pages) -> Pages:
    listed = {"items": [ROW], "next": None}
    house.upstream.answers |= {
        "/tickets/counts": {"open": 1, "unassigned": 0},
        "/clients": {"items": [{"id": ACME, "name": "Acme", "currency": "GBP"}], "next": None},
        f"/clients/{ACME}": {"id": ACME, "name": "Acme", "currency": "GBP"},
        f"/billing-runs/{RUN}": RUN_FOUND,
        f"/billing-runs/{RUN}/review": REVIEW,
        "/invoices": listed,
        f"/invoices/{INVOICE}": WHOLE,
        "/invoices/INV-2026-0001": WHOLE,
        f"/invoices/{INVOICE}/lines/1/explain": EXPLAINED,
        "/invoices/INV-2026-0001/lines/1/explain": {name: one for name, one in EXPLAINED.items() if name != "rule"},
        f"/invoices/{INVOICE}/left": {"items": [{"n": 1, "net_minor": 10_000, "left_net_minor": 7_500}], "next": None},
        f"/invoices/{INVOICE}/links": lambda _: {"id": RUN, "token": "t" * 43, "items": []},
        "/receivables/ageing": {"items": [AGE], "next": None},
        "/receivables/statement": ACCOUNT,
        "/financial-health": {
            "items": [{"client_id": ACME, "client_name": "Acme", "currencies": [HEALTH]}],
            "next": None,
        },
        "/seller": {"name": "Meridian IT Ltd", "address": {"lines": ["1 Quay"], "city": "Bristol", "country": "GB"}},
        f"/billing-profiles/{ACME}": {"client_id": ACME, "profile": {"payment_days": 14, "tax_case": "AE"}},
        "/hosted-invoices": HOSTED,
    }
    return house


async def test_a_run_says_how_far_it_is_and_what_to_fix_where(seen: Pages) -> None:
    html = (await seen.get(f"/desk/billing/runs/{RUN}")).text

    said = words(html)
    assert "About 40 s left (drafting, 1 of 2)" in said
    assert "Approved time sealed 2 of 2" in said
    assert "Hours ledger closed 1 of 2" in said
    assert "reverse charge needs the client&#39;s VAT id; give it, or another tax case" in said
    assert f'href="/desk/admin/billing/{ACME}"' in html
    assert "Acme: 1:30 h in 2 entries wait for approval" in said


ODD = {
    "code": "total-unusual",
    "blocks": False,
    "where": "gross_minor",
    "detail": "more than 50 %",
    "fix": "look at it",
}
BLOCKED = {**ITEM, "status": "blocked", "invoice_id": None, "gross_minor": None, "findings": [], "client_code": "HLO"}
CHECKS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "unapproved time": ({}, {"unapproved": REVIEW["unapproved"]}, f"/desk/approvals?client_id={ACME}"),
    "a client that waits for approval": ({**BLOCKED, "reason": "unapproved"}, {}, f"/desk/approvals?client_id={ACME}"),
    "missing rates": (
        {**BLOCKED, "reason": "prices-missing", "detail": "no price for L3", "contract_refs": ["C-0001", "C-0002"]},
        {}, "/desk/contracts/C-0002/rates",
    ),
    "an odd total": ({**ITEM, "findings": [ODD]}, {}, f"/desk/billing/invoices/{INVOICE}"),
    "what the profile lacks": (ITEM, {}, f"/desk/admin/billing/{ACME}"),
    "a client without contract": (
        {}, {"without_contract": [{"client_id": ACME, "client_name": "Acme", "client_code": "HLO"}]},
        "/desk/clients/HLO/new-contract",
    ),
    "leakage": (
        {},
        {"leaking": [{**REVIEW["unapproved"][0], "oldest_worked_from": "2026-09-05T09:00:00+00:00"}]},
        "/desk/billing/preview?month=2026-09",
    ),
    "two currencies": ({**BLOCKED, "reason": "mixed-currencies", "detail": "x"}, {}, "/desk/clients/HLO"),
    "counts that differ": ({**BLOCKED, "reason": "totals-differ", "detail": "x"}, {}, "#retry"),
}  # fmt: skip


@pytest.mark.parametrize("check", CHECKS)
async def test_each_check_of_a_run_is_shown_with_a_link_to_where_it_is_solved(seen: Pages, check: str) -> None:
    item, review, link = CHECKS[check]
    nothing: dict[str, Any] = {"unapproved": [], "without_contract": [], "leaking": [], "blocked": [], "findings": []}
    items = [{"detail": "3 unapproved time entries", **item}] if item else []
    counts = {item["status"]: 1} if item else {}
    run = {**RUN_FOUND, "items": [{**one, "detail": one["detail"] or "x"} for one in items], "counts": counts}
    seen.upstream.answers |= {f"/billing-runs/{RUN}": run, f"/billing-runs/{RUN}/review": {**nothing, **review}}

    html = (await seen.get(f"/desk/billing/runs/{RUN}")).text

    assert f'href="{link}"' in html
    assert ("Nothing is left behind" in html) is (not review)
    seen.upstream.answers |= {f"/billing-runs/{RUN}": {**run, "items": [], "counts": {}}}
    seen.upstream.answers[f"/billing-runs/{RUN}/review"] = nothing
    without = (await seen.get(f"/desk/billing/runs/{RUN}")).text
    assert f'href="{link}"' not in without


async def test_a_run_of_many_clients_comes_in_pages_with_what_is_to_be_solved_first(seen: Pages) -> None:
    name = "Vereinigte Maschinenbau- und Anlagentechnik Gesellschaft {} mbH & Co. KG"
    items = [{**ITEM, "client_name": name.format(n), "findings": []} for n in range(100)]
    items[77] = {
        **BLOCKED,
        "client_name": "Zoo",
        "reason": "prices-missing",
        "detail": "no price",
        "contract_refs": ["C-1"],
    }
    seen.upstream.answers[f"/billing-runs/{RUN}"] = {
        **RUN_FOUND,
        "items": items,
        "counts": {"drafted": 99, "blocked": 1},
    }
    many = [{**REVIEW["unapproved"][0], "client_name": name.format(n)} for n in range(60)]
    seen.upstream.answers[f"/billing-runs/{RUN}/review"] = {**REVIEW, "unapproved": many}

    first = await seen.get(f"/desk/billing/runs/{RUN}")
    last = await seen.get(f"/desk/billing/runs/{RUN}?after=80")

    assert first.text.index("Zoo") < first.text.index(name.format(0).replace("&", "&amp;"))
    assert "Zoo" not in last.text
    assert name.format(99).replace("&", "&amp;") in last.text
    assert "40 more of the kind." in first.text
    assert max(len(first.content), len(last.content)) < 60_000


async def test_a_preview_names_who_cannot_be_billed(seen: Pages) -> None:
    seen.upstream.answers["/billing-runs/preview"] = {
        "items": [
            {"client_name": "Acme", "currency": None, "gross_minor": None, "net_minor": None, "worked_minutes": None}
            | {"problem": "no price for L3"}
        ],
        "next": None,
    }

    html = (await seen.get("/desk/billing/preview?month=2026-10")).text

    assert "no price for L3" in html
    assert dict(seen.upstream.query("/billing-runs/preview"))["ends_on"] == "2026-11-01"
    assert "Choose a month" in (await seen.get("/desk/billing/preview?month=x")).text


async def test_an_issued_invoice_shows_its_hash_files_and_lines_and_no_way_to_change_it(seen: Pages) -> None:
    html = (await seen.get(BASE)).text

    assert "1 Oct 2026 to 31 Oct 2026" in words(html)
    assert "a" * 64 in html
    assert "b" * 64 in html
    for suffix in (".pdf", ".csv", ".json", ".xml?syntax=ubl", ".xml?syntax=cii", "/lines/1", "/credit"):
        assert f'href="{BASE}{suffix}"' in html, suffix
    assert "redraft" not in html
    assert "<b>Network" not in html


async def test_a_line_is_explained_to_the_cent(seen: Pages) -> None:
    staff = words((await seen.get(f"{BASE}/lines/1")).text)
    client = words((await seen.get("/portal/invoices/INV-2026-0001/lines/1", by="client")).text)

    for said in (staff, client):
        assert "60 min x 100.00 GBP an hour / 60 = 100.00 GBP" in said
        assert "1:00 h £100.00" in said
        assert "&lt;i&gt;cable" in said
    assert "Rule of the contract" in staff
    assert "Rule of the contract" not in client


async def test_a_payment_goes_to_the_invoice_and_the_rest_stays(seen: Pages) -> None:
    form = {"amount": "150.00", "received_on": "2026-11-20", "method": "card", "reference": "x", "key": "k"}

    answer = await seen.post(f"{BASE}/payments", form)
    wrong = await seen.post(f"{BASE}/payments", {**form, "amount": "twelve"})

    assert answer.status_code == 303
    body = seen.upstream.body("/payments")
    assert (body["amount_minor"], body["shares"]) == (15_000, [{"invoice_id": INVOICE, "amount_minor": 12_000}])
    assert (wrong.status_code, "The amount is a number" in wrong.text) == (422, True)


async def test_a_credit_note_is_issued_in_two_steps(seen: Pages) -> None:
    path, notes = f"{BASE}/credit", f"/invoices/{INVOICE}/credit-notes"
    seen.upstream.answers[notes] = {"id": RUN, "items": []}
    form = {"line": "1", "net1": "25.50", "reason": "a mistake"}
    assert "£75.00" in (await seen.get(path)).text

    first = await seen.post(path, form)
    assert "£25.50 before tax of invoice INV-2026-0001" in words(first.text)
    assert not [one for one in seen.upstream.asked if one[:2] == ("POST", notes)]
    second = await seen.post(path, {**form, "intent": "issue"})

    assert (second.status_code, second.headers["location"]) == (303, f"/desk/billing/invoices/{RUN}")
    lines = [{"n": 1, "net_minor": 2550}]
    assert seen.upstream.body(notes) == {"reason": "a mistake", "lines": lines, "return_hours": []}
    assert "Choose at least one line" in (await seen.post(path, {"reason": "x"})).text


async def test_hours_go_back_to_their_bucket_only_when_somebody_says_so(seen: Pages) -> None:
    entry = {"contract_id": RUN, "bucket_minutes": 90}
    line = {**WHOLE["lines"][0], "contract_id": RUN, "ref": "C-1"}
    seen.upstream.answers[f"/invoices/{INVOICE}"] = {**WHOLE, "entries": [entry, entry], "lines": [line]}
    path, form = f"{BASE}/credit", {"line": "1", "reason": "agreed"}
    assert "the invoice took 3:00 h" in (await seen.get(path)).text

    second = await seen.post(path, {**form, f"back-{RUN}": "1.5"})
    assert "1:30 h go back to the bucket of C-1." in words(second.text)
    seen.upstream.answers[f"/invoices/{INVOICE}/credit-notes"] = {"id": INVOICE}
    await seen.post(path, {**form, f"back-{RUN}": "1.5", "intent": "issue"})

    body = seen.upstream.body(f"/invoices/{INVOICE}/credit-notes")
    assert body["return_hours"] == [{"contract_id": RUN, "bucket_minutes": 90}]
    await seen.post(path, {**form, f"back-{RUN}": "0:20", "intent": "issue"})
    assert seen.upstream.body(f"/invoices/{INVOICE}/credit-notes")["return_hours"][0]["bucket_minutes"] == 20
    for wrong in ("1.51", "-1", "x", "0:00", "1:75", "0.33"):
        assert "whole minutes above zero" in (await seen.post(path, {**form, f"back-{RUN}": wrong})).text


async def test_a_credit_note_without_fresh_proof_leads_to_it(seen: Pages) -> None:
    seen.upstream.answers[f"/invoices/{INVOICE}/credit-notes"] = (
        403,
        {"code": "step-up-required", "title": "Prove it"},
    )

    answer = await seen.post(f"{BASE}/credit", {"line": "1", "reason": "x", "intent": "issue"})

    assert answer.headers["location"].startswith("/prove")


async def test_a_link_is_shown_once_and_can_be_ended(seen: Pages) -> None:
    made = await seen.post(f"{BASE}/links", {"days": "7"})
    ended = await seen.post(f"{BASE}/links", {"revoke": RUN})

    assert f"/i/{'t' * 43}" in made.text
    assert ("POST", f"/invoices/{INVOICE}/links", [], {"days": 7}) in seen.upstream.asked
    assert ended.status_code == 303
    assert seen.upstream.asked[-1][:2] == ("POST", f"/invoice-links/{RUN}/revoke")
    assert "t" * 43 not in (await seen.get(BASE)).text


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/desk/billing/receivables", "Acme Statement of account £120.00 – £120.00"),
        (f"/desk/billing/receivables/{ACME}", "Closing balance £120.00"),
        ("/desk/billing/health", "£90.00 90% – 21 0:30 h"),
        ("/desk/admin/billing", "Who sends the invoices"),
        (f"/desk/admin/billing/{ACME}", "Billing profile"),
        ("/desk/billing/runs", "Preview"),
    ],
)
async def test_the_other_pages_of_the_desk(seen: Pages, path: str, expected: str) -> None:
    answer = await seen.get(path)

    assert answer.status_code == 200
    assert expected in words(answer.text)
    assert (await seen.get(path, by="agent")).status_code == 403


async def test_a_profile_shows_what_its_draft_lacks_and_is_saved_whole(seen: Pages) -> None:
    seen.upstream.answers[f"/invoices/{INVOICE}"] = {**WHOLE, "status": "draft", "findings": [FINDING]}
    assert "needs the client&#39;s VAT id" in (await seen.get(f"/desk/admin/billing/{ACME}")).text

    form = {"name": "", "line1": "2 Quay", "city": "Bath", "country": "GB", "payment_days": "14", "tax_case": "AE"}
    await seen.post(f"/desk/admin/billing/{ACME}", form)

    address = {"lines": ["2 Quay"], "city": "Bath", "country": "GB"}
    assert seen.upstream.body(f"/billing-profiles/{ACME}") == {"tax_case": "AE", "payment_days": 14, "address": address}
    seen.upstream.answers[f"/billing-profiles/{ACME}"] = lambda _: {"profile": {}}
    assert (await seen.post("/desk/admin/billing", form)).status_code == 403  # a manager does not say who sells


async def test_a_client_sees_how_each_invoice_stands(seen: Pages) -> None:
    rows = [
        {**ROW, "number": "A", "due_on": "2026-01-01"},
        {**ROW, "number": "B", "open_minor": 0},
        {**ROW, "number": "C", "open_minor": 0, "credited_minor": 12_000},
        {**ROW, "number": "D", "open_minor": 5_000},
        {**ROW, "number": "E"},
    ]
    seen.upstream.answers["/invoices"] = {"items": rows, "next": None}

    said = words((await seen.get("/portal/invoices", by="client")).text)

    for word in ("Overdue", "Paid", "Credited", "Part paid", "Due"):
        assert f" {word} " in said, word
    page = (await seen.get("/portal/invoices/INV-2026-0001", by="client")).text
    assert "£120.00 due" in words(page)
    assert "GB33BUKB20201555555555" in page
    assert "Closing balance £120.00" in words((await seen.get("/portal/account", by="client")).text)


@pytest.mark.parametrize("form", ["pdf", "csv", "json", "xml"])
async def test_files_are_downloads_that_run_nothing(seen: Pages, form: str) -> None:
    seen.upstream.answers |= {f"/invoices/INV-2026-0001/{one}": {} for one in ("pdf", "csv", "xml")}

    for path, by in (("/desk/billing/invoices", "manager"), ("/portal/invoices", "client")):
        answer = await seen.get(f"{path}/INV-2026-0001.{form}", by=by)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert (await seen.get(f"{path}/INV-2026-0001.exe", by=by)).status_code == 404


async def test_the_client_is_told_of_an_invoice_again(seen: Pages) -> None:
    seen.upstream.answers["/invoices/INV-2026-0001/send-again"] = {}

    sent = await seen.post("/desk/billing/invoices/INV-2026-0001/send-again", {})
    page = (await seen.get(sent.headers["location"])).text
    seen.upstream.answers["/invoices/INV-2026-0001/send-again"] = (409, {"detail": "it is a draft"})
    refused = await seen.post("/desk/billing/invoices/INV-2026-0001/send-again", {})

    assert sent.headers["location"] == "/desk/billing/invoices/INV-2026-0001?sent=1"
    assert "people are told of this invoice once more" in page
    assert (refused.status_code, "Not sent: it is a draft" in refused.text) == (422, True)


async def test_a_link_shows_one_document_to_anybody_and_is_not_indexed(seen: Pages) -> None:
    token = "s" * 43
    seen.upstream.answers["/hosted-invoices/pdf"] = {}

    page = await seen.client.get(f"/i/{token}")
    document = await seen.client.get(f"/i/{token}/invoice.pdf")

    said = words(page.text)
    for part in (
        "Invoice INV-2026-0001 Part paid £80.00 to pay by",
        "&lt;b&gt;Network&lt;/b&gt; 1:00 h £100.00 £100.00",
        "VAT 20% £20.00 Total £120.00 Credited −£10.00 Paid −£30.00 To pay £80.00",
        "IBAN GB33BUKB20201555555555",
        "1 Quay, Bristol BS1, GB, GB123456789",
    ):
        assert part in said, part
    assert page.headers["x-robots-tag"] == document.headers["x-robots-tag"] == "noindex, nofollow"
    assert document.headers["content-type"] == "application/pdf"
    # The gateway asks for what the token opens, and for nothing else.
    assert [one[:2] for one in seen.upstream.asked] == [("POST", "/hosted-invoices"), ("POST", "/hosted-invoices/pdf")]
    assert seen.upstream.body("/hosted-invoices") == {"token": token}


async def test_a_link_that_ended_is_as_one_that_never_was(seen: Pages) -> None:
    seen.upstream.answers |= {"/hosted-invoices": MISSING, "/hosted-invoices/pdf": MISSING}

    for path in (f"/i/{'x' * 43}", f"/i/{'x' * 43}/invoice.pdf"):
        answer = await seen.client.get(path)
        assert (answer.status_code, "This link leads nowhere" in answer.text) == (404, True)


async def test_links_cannot_be_tried_one_after_the_other() -> None:
    async with pages() as seen:
        seen.upstream.answers["/hosted-invoices"] = MISSING
        found = [(await seen.client.get(f"/i/{number:043}")).status_code for number in range(60)]

    assert found[0] == 404
    assert found[-1] == 429


def test_a_blocked_client_leaves_its_step_open() -> None:
    found = steps({"drafted": 2, "blocked": 1})

    assert [(done, of, state) for _, done, of, state in found] == [(2, 3, "risk")] * 3 + [(0, 3, "")]
    # Nothing to bill is as good as issued: the run of such clients comes to its end.
    assert {state for *_, state in steps({"issued": 2, "nothing": 1})} == {"ok"}
    assert steps({}) == [(text, 0, 0, "") for text, *_ in found]
    item = {"client_id": ACME, "invoice_id": INVOICE}
    assert mend({"where": "seller profile"}, item) == ("/desk/admin/billing", "Fix it")
    assert mend({"where": "gross_minor"}, item) == (f"/desk/billing/invoices/{INVOICE}", "Look at the draft")


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1,250.5", "GBP", 125_050),
        ("12", "GBP", 1200),
        ("12", "JPY", 12),
        ("0", "GBP", None),
        ("1.234", "GBP", None),
        ("-5", "GBP", None),
        ("", "GBP", None),
        ("١٢", "GBP", None),
    ],
)
def test_amounts_as_people_type_them(text: str, currency: str, minor: int | None) -> None:
    assert shown.minor_units(text, currency) == minor
    if minor is not None:
        assert shown.minor_units(shown.plain(minor, currency), currency) == minor


def test_an_invoice_stands_in_one_word() -> None:
    today = date(2026, 11, 25)
    assert shown.standing({**ROW, "status": "draft"}, today) == ("Draft", "")
    assert shown.standing({**ROW, "kind": "credit_note", "open_minor": None}, today) == ("Credit note", "")
    assert shown.standing({**ROW, "due_on": "2026-11-24"}, today) == ("Overdue", "breach")
    assert shown.standing({**ROW, "open_minor": 9_000, "credited_minor": 3_000}, today) == ("Due", "info")


def test_a_profile_is_the_same_after_its_form() -> None:
    profile = {
        "name": "Acme",
        "payment_days": 14,
        "address": {"lines": ["1 Quay"], "city": "Bath", "country": "GB"},
        "endpoint": {"scheme": "EM", "id": "a@b.example"},
    }

    assert nested(flat(profile), ("name",)) == profile
