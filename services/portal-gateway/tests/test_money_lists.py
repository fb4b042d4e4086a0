"""Lists of money on pages: older rows are reached by links that keep the filters; and payments that name no invoice."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from billing_shapes import ACME, AGE, BANK_LINE, CHARGE, OWED, PAID, PAYMENT, REMINDED, ROW, RUN_FOUND, WRITTEN_OFF
from upstream import Pages, beside, words

CLIENTS = 60
ROWS = 130
BYTES_MAX = 60_000
CHARGES = f"/desk/admin/billing/{ACME}/charges"
NAME = "Vereinigte Maschinenbau- und Anlagentechnik Gesellschaft {} mbH & Co. KG"


def listed(row: dict[str, Any], *, of: int = ROWS) -> Callable[[dict[str, str]], dict[str, Any]]:
    """Return a list of many rows that come in pages, as a service answers it."""
    rows = [
        {**row, "id": str(UUID(int=number + 1)), "invoice_id": str(UUID(int=number + 1)), "number": f"INV-2026-{number:04}",
         "client_name": NAME.format(number), "text": f"Item {number}"}
        for number in range(of)
    ]  # fmt: skip

    def answer(query: dict[str, str]) -> dict[str, Any]:
        first, limit = int(query.get("after", 0)), int(query["limit"])
        return {"items": rows[first : first + limit], "next": str(first + limit) if first + limit < of else None}

    return answer


@pytest.fixture
def seen(house: Pages) -> Pages:
    clients = [{"id": ACME, "name": "Acme", "currency": "GBP"}]
    clients += [
        {"id": str(UUID(int=1000 + n)), "name": NAME.format(n), "currency": "EUR" if n else "JPY"}
        for n in range(CLIENTS)
    ]
    contract = {"id": CHARGE["contract_id"], "name": "Support", "ref": "C-1", "status": "active"}
    house.upstream.answers |= {
        "/tickets/counts": {"open": 1, "unassigned": 0},
        "/clients": {"items": clients, "next": None},
        f"/clients/{ACME}": clients[0],
        "/contracts": {"items": [contract], "next": None},
        "/invoices": listed(ROW),
        "/payments": listed(PAID),
        f"/payments/{PAYMENT}": {**PAID, "allocations": [], "left_minor": 15_000},
        "/payments/left-over": {"items": [{"currency": "GBP", "payment_count": 2, "left_minor": 18_000}], "next": None},
        "/bank-lines": listed(BANK_LINE),
        "/billing-runs": listed(RUN_FOUND),
        "/receivables": listed(OWED),
        "/receivables/ageing": listed(AGE),
        "/reminders": listed(REMINDED),
        "/write-offs": listed(WRITTEN_OFF),
        f"/billing-profiles/{ACME}/charges": listed(CHARGE),
    }
    return house


def link(page: str, text: str) -> str | None:
    """Return where the last link of a text leads."""
    found = re.findall(rf'href="([^"]+)">{text}</a>', page)
    return unescape(found[-1]) if found else None


@pytest.mark.parametrize(
    ("path", "row", "text"),
    [
        (f"/desk/billing/invoices?client_id={ACME}&status=issued&from=2026-01-01&to=2027-01-01", "/desk/billing/invoices/", "Older"),
        (f"/desk/billing/payments?client_id={ACME}&has_left=true&from=2026-01-01", "/desk/billing/payments/", "Older"),
        (f"/desk/billing/bank?status=matched&client_id={ACME}&to=2027-01-01", "/desk/billing/bank/", "Older"),
        ("/desk/billing/runs", "/desk/billing/runs/", "Older"),
        ("/desk/billing/reminders", "/desk/billing/invoices/", "Older"),
        ("/desk/billing/write-offs", "/desk/billing/invoices/", "Older"),
        (f"/desk/billing/receivables?client_id={ACME}", "/desk/billing/invoices/", "Next page"),
        (CHARGES, f"{CHARGES}/", "Older"),
    ],
)  # fmt: skip
async def test_every_row_of_a_list_is_reached_by_links_that_keep_the_filters(
    seen: Pages, path: str, row: str, text: str
) -> None:
    base, _, asked = path.partition("?")
    kept, found, here = parse_qs(asked), set(), path
    for _ in range(ROWS):
        answer = await seen.get(here)
        assert answer.status_code == 200, here
        assert len(answer.content) < BYTES_MAX, here
        found |= set(re.findall(rf'(?:href|action)="{row}([0-9a-f-]{{36}})', answer.text))
        onward = link(answer.text, text)
        if onward is None:
            break
        here = base + onward
        query = parse_qs(urlsplit(here).query)
        assert {name: query.get(name) for name in kept} == kept
    assert len(found) == ROWS
    newest = link(answer.text, "First page" if text == "Next page" else "Newest")
    assert newest is not None
    query = parse_qs(urlsplit(newest).query)
    assert ({name: query.get(name) for name in kept}, "after" in query) == (kept, False)


async def test_two_lists_of_one_page_go_on_each_for_itself(seen: Pages) -> None:
    first = (await seen.get("/desk/billing/receivables")).text
    owing = re.findall(r'href="(\?[^"]*)">Next page', first)[0]

    second = (await seen.get(f"/desk/billing/receivables{unescape(owing)}")).text

    assert dict(seen.upstream.query("/receivables/ageing"))["after"] == "15"
    assert "after" not in dict(seen.upstream.query("/receivables"))
    assert "owing=15&amp;after=15" in second


async def test_filters_are_asked_of_the_service_and_what_makes_no_sense_is_left_out(seen: Pages) -> None:
    await seen.get(f"/desk/billing/payments?client_id={ACME}&from=2026-11-01&to=2026-12-01&has_left=true")
    asked = dict(seen.upstream.query("/payments"))
    wanted = {"client_id": ACME, "from": "2026-11-01", "to": "2026-12-01", "has_left": "true"}
    assert {name: asked.get(name) for name in wanted} == wanted

    page = await seen.get("/desk/billing/payments?client_id=x&from=yesterday&to=<b>")

    assert page.status_code == 200
    assert set(dict(seen.upstream.query("/payments"))) == {"limit"}
    assert "yesterday" not in page.text


async def test_a_client_reaches_all_its_invoices(seen: Pages) -> None:
    roles = {"invoices": 0, "pages": 0}
    here = "/portal/invoices"
    while here:
        answer = await seen.get(here, by="client")
        assert (answer.status_code, len(answer.content) < BYTES_MAX) == (200, True)
        roles["invoices"] += len(re.findall(r'class="title keep"', answer.text))
        roles["pages"] += 1
        onward = link(answer.text, "Older")
        here = f"/portal/invoices{onward}" if onward else ""
    assert roles == {"invoices": ROWS, "pages": 4}


async def test_what_is_on_no_invoice_is_told_and_listed(seen: Pages) -> None:
    page = (await seen.get("/desk/billing/payments")).text

    assert "£180.00 of payments is on no invoice yet." in words(page)
    assert link(page, "Allocate it") == "?has_left=true"
    assert 'href="/desk/billing/payments/new"' in page


async def test_a_payment_without_an_invoice_is_recorded_on_account_and_allocated_on_its_page(seen: Pages) -> None:
    seen.upstream.refused["/payments"] = (201, PAID)
    form = {
        "client_id": ACME, "amount": "1,250.50", "currency": "", "received_on": "2026-11-20", "method": "cheque",
        "reference": "thanks", "key": "k-1",
    }  # fmt: skip
    assert "Money that names no invoice" in (await seen.get("/desk/billing/payments/new")).text

    answer = await seen.post("/desk/billing/payments", form)

    assert (answer.status_code, answer.headers["location"]) == (303, f"/desk/billing/payments/{PAYMENT}")
    assert seen.upstream.body("/payments") == {
        "client_id": ACME, "amount_minor": 125_050, "currency": "GBP", "received_on": "2026-11-20", "method": "cheque",
        "reference": "thanks",
    }  # fmt: skip
    seen.upstream.answers["/receivables"] = {"items": [OWED], "next": None}
    assert "Pay an invoice with it" in (await seen.get(answer.headers["location"])).text


async def test_a_payment_that_cannot_be_recorded_is_told_beside_its_fields_and_what_was_typed_stays(
    seen: Pages,
) -> None:
    form = {"client_id": ACME, "amount": "12.345", "received_on": "2026-11-20", "method": "card", "reference": "<b>"}
    at = "/desk/billing/payments"

    refused = await seen.post(at, form)
    assert (refused.status_code, 'id="amount-err">' in refused.text, 'value="12.345"' in refused.text) == (
        422,
        True,
        True,
    )
    assert "&lt;b&gt;" in refused.text
    nobody = await seen.post(at, {**form, "client_id": ""})
    assert beside(nobody.text, "client_id") == "choose the client it came from"
    decimals = await seen.post(at, {**form, "amount": "12.5", "currency": "JPY"})
    assert beside(decimals.text, "amount") == "a number above zero, as 1250.50"
    assert seen.upstream.changes() == []
    pointer = {"pointer": "/body/received_on", "detail": "Input should be a valid date"}
    seen.upstream.refused["/payments"] = (422, {"code": "invalid-request", "errors": [pointer]})
    told = await seen.post(at, {**form, "amount": "12.50", "received_on": "soon"})
    assert beside(told.text, "received_on") == "Input should be a valid date"


async def test_recording_payments_is_for_those_who_bill(seen: Pages) -> None:
    for by in ("agent", "client"):
        assert (await seen.get("/desk/billing/payments/new", by=by)).status_code == 403
        assert (await seen.post("/desk/billing/payments", {"client_id": ACME, "amount": "1"}, by=by)).status_code == 403
    assert seen.upstream.changes() == []
