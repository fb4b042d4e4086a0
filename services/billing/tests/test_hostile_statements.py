"""Bank statements of somebody who means harm, or of a bank that made a mistake: refused whole, with the place; nothing is taken in."""

from __future__ import annotations

import pytest
from office import Office

from billing.testing import a_camt

HEAD = "booked_on,amount,currency,counterparty,reference\n"
CAMT = a_camt(("5.00", "CRDT", "Harbour & Lowe", "INV-2026-0001"))
DEEP = 50_000


def with_doctype(inside: str) -> str:
    """Return a statement that declares something and uses it as its counterparty."""
    return CAMT.replace("<Document", f"<!DOCTYPE Document [{inside}]><Document").replace("Harbour &amp; Lowe", "&x;")


LAUGHS = "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = {
    "a file of the machine": (with_doctype('<!ENTITY x SYSTEM "file:///etc/passwd">'), "the XML cannot be read"),
    "an address": (with_doctype('<!ENTITY x SYSTEM "http://127.0.0.1:9/x">'), "the XML cannot be read"),
    "a parameter entity": (with_doctype('<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;'), "the XML cannot be read"),
    "a billion laughs": (with_doctype(f'<!ENTITY x0 "ha">{LAUGHS}<!ENTITY x "&x9;">'), "the XML cannot be read"),
    "elements without end": ("<a>" * DEEP, "the XML cannot be read"),
    "elements in elements": ("<a>" * DEEP + "</a>" * DEEP, "not a statement of the kind camt.053"),
    "another kind of statement": (CAMT.replace("camt.053", "camt.054"), "not a statement of the kind camt.053"),
    "no currency": (CAMT.replace(" Ccy='GBP'", ""), "entry 1"),
    "no amount": (CAMT.replace("<Amt Ccy='GBP'>5.00</Amt>", ""), "entry 1: it has no amount (Amt)"),
    "no day": (CAMT.replace("<Dt>2026-11-19</Dt>", ""), "entry 1"),
    "a character XML does not have": (CAMT.replace("INV", "\x01"), "the XML cannot be read"),
    "a power of ten": (f"{HEAD}2026-11-19,1e5,GBP,A,x\n", "line 2: '1e5' is not an amount"),
    "no number": (f"{HEAD}2026-11-19,NaN,GBP,A,x\n", "line 2: 'NaN' is not an amount"),
    "digits of another script": (f"{HEAD}2026-11-19,٥,GBP,A,x\n", "is not an amount"),
    "more than there is money": (f"{HEAD}2026-11-19,{'9' * 30},GBP,A,x\n", "line 2"),
    "no currency of ISO 4217": (f"{HEAD}2026-11-19,5.00,XXX,A,x\n", "line 2: 'XXX' is not an ISO 4217 currency"),
    "a line that stops": (f"{HEAD}2026-11-19,5.00\n", "line 2"),
    "a field without end": (f'{HEAD}2026-11-19,5.00,GBP,"{"A" * 200_000},x\n', "line 2"),
    "too many lines": (HEAD + "2026-11-19,1,GBP,A,x\n" * 20_001, "20001 lines; 1 to 20000 are accepted"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_hostile_statement_is_refused_whole_with_the_place(office: Office, what: str) -> None:
    body, said = HOSTILE[what]

    code, detail = await office.refused("/bank-statements", {"name": "x", "body": body})

    assert (code, said in detail) == ("not-a-bank-statement", True), detail
    assert "root:" not in detail
    assert (await office.get("/bank-lines"))["items"] == []


async def test_a_statement_that_is_too_large_is_refused_at_the_door(office: Office) -> None:
    answer = await office.requests.post(office.manager, "/bank-statements", {"name": "x", "body": "x" * 9_000_000})

    assert answer.status_code in (413, 422), answer.text
    assert answer.json()["title"]
    assert (await office.get("/bank-lines"))["items"] == []


@pytest.mark.parametrize("declared", ["ISO-8859-1", "UTF-16", "windows-1252", "no-such-encoding"])
async def test_what_a_statement_says_of_its_encoding_changes_no_letter(office: Office, declared: str) -> None:
    body = a_camt(("5.00", "CRDT", "Müller & Söhne", "Grüße")).replace("encoding='UTF-8'", f"encoding='{declared}'")

    await office.post("/bank-statements", {"name": "x", "body": body})

    (line,) = (await office.get("/bank-lines"))["items"]
    assert (line["counterparty"], line["reference"]) == ("Müller & Söhne", "Grüße")


async def test_what_would_include_another_file_is_text_of_no_meaning(office: Office) -> None:
    inside = "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='file:///etc/passwd' parse='text'/>"
    body = CAMT.replace("<Ustrd>", f"<Ustrd>{inside}")

    await office.post("/bank-statements", {"name": "x", "body": body})

    (line,) = (await office.get("/bank-lines"))["items"]
    assert "root:" not in line["reference"]


async def test_a_zero_byte_is_refused_at_the_door(office: Office) -> None:
    body = f"{HEAD}2026-11-19,5.00,GBP,A\0B,x\n"

    code, detail = await office.refused("/bank-statements", {"name": "x", "body": body})

    assert (code, "U+0000" in detail) == ("invalid-request", True)


async def test_what_a_bank_sends_beside_letters_is_made_visible_and_a_line_without_money_waits_for_nobody(
    office: Office,
) -> None:
    rows = "2026-11-19,5.00,GBP,A,\x1b[2Jpaid\n2026-11-19,0.00,GBP,Bank,yearly notice\n"

    done = await office.post("/bank-statements", {"name": "x", "body": HEAD + rows})

    assert (done["unmatched"], done["outgoing"]) == (1, 1)
    assert {one["reference"]: one["note"] for one in (await office.get("/bank-lines"))["items"]} == {
        "\N{REPLACEMENT CHARACTER}[2Jpaid": "",
        "yearly notice": "no money came with it",
    }
