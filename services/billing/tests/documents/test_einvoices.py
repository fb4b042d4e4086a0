"""E-invoices against the official EN 16931 rules, and against our own, which are to the cent."""

from __future__ import annotations

import io
from typing import Any

import pypdf
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from official import broken_rules

from billing.documents import cii, made_for, ubl
from billing.documents.check import differences
from billing.documents.pdf import render
from billing.domain.credit_note import credit_content, credited_parts
from billing.domain.items import Credit, price_fixed_items, with_credits
from billing.domain.pricing import FixedItem, PricedLine
from billing.testing import CONTRACT, OCTOBER, SELLER, an_invoice, some_terms, some_work
from msp_kernel.ids import new_id
from msp_kernel.money import Money

RENDER = {"ubl": ubl.render, "cii": cii.render}
both = pytest.mark.parametrize("syntax", ["ubl", "cii"])
CASES: dict[str, dict[str, Any]] = {
    "standard": {},
    "zero": {"tax_category": "Z", "tax_rate_basis_points": 0},
    "exempt": {"tax_category": "E", "tax_rate_basis_points": 0, "reason": "Education, Article 132 (1) (i)"},
    "reverse charge": {"tax_category": "AE", "tax_rate_basis_points": 0},
    "outside scope": {"tax_category": "O", "tax_rate_basis_points": 0},
}


def a_case(name: str, **more: Any) -> dict[str, Any]:
    terms = dict(CASES[name])
    return an_invoice(exemption_reason=terms.pop("reason", None), terms=terms, **more)


def credited(invoice: dict[str, Any], wanted: dict[int, int | None] | None = None) -> dict[str, Any]:
    note = credit_content(invoice, credited_parts(invoice, {}, wanted), reason="Billed twice & sorry")
    return {**note, "number": "CN-2026-0001", "issued_at": "2026-11-20T09:00:00+00:00", "issued_on": "2026-11-20"}


@both
@pytest.mark.parametrize("case", CASES)
def test_invoices_and_their_credit_notes_pass_the_official_rules(syntax: str, case: str) -> None:
    invoice = a_case(case)

    for document in (invoice, credited(invoice), credited(invoice, {1: 333})):
        xml = RENDER[syntax](document)

        assert broken_rules(syntax, xml) == []
        assert differences(document, xml) == []


@both
@pytest.mark.parametrize("currency", ["GBP", "EUR", "JPY", "CHF"])
def test_every_currency_with_two_decimals_or_none_passes(syntax: str, currency: str) -> None:
    assert broken_rules(syntax, RENDER[syntax](an_invoice(terms={"currency": currency}))) == []


@both
def test_peppol_is_named_where_both_can_be_reached(syntax: str) -> None:
    reachable = an_invoice(
        client={"endpoint": {"scheme": "9930", "id": "DE123456789"}, "buyer_reference": "04011000-12345-34"}
    )
    xml = RENDER[syntax](reachable)

    assert broken_rules(syntax, xml) == []
    assert (b"peppol" in xml) == (syntax == "ubl")
    assert b"peppol" not in RENDER[syntax](an_invoice(client={"buyer_reference": None}, purchase_order=None))


@both
def test_credits_and_negative_lines_pass(syntax: str) -> None:
    terms = some_terms(fixed_items=(FixedItem("fee", "Managed service", 3, 33_333, "monthly", OCTOBER[0]),))
    lines = price_fixed_items([terms], starts_on=OCTOBER[0], ends_on=OCTOBER[1])
    credit = Credit(new_id(), CONTRACT, "GBP", 1999, "Missed promise", ({"ticket": "HLO-1"},), "sla", OCTOBER[0])
    lines, used = with_credits(lines, [credit], {CONTRACT: terms})
    invoice = an_invoice(lines=lines)
    xml = RENDER[syntax](invoice)

    assert used == [credit.id]
    assert broken_rules(syntax, xml) == []
    assert differences(invoice, xml) == []


@both
def test_the_official_rules_find_a_wrong_total_and_a_missing_vat_id(syntax: str) -> None:
    good = RENDER[syntax](an_invoice())
    gross = str(Money(an_invoice()["gross_minor"], "GBP")).encode()

    assert broken_rules(syntax, good.replace(gross, b"8.99"))
    assert any("VAT" in one for one in broken_rules(syntax, RENDER[syntax](an_invoice(seller={"tax_id": None}))))


@both
def test_our_own_check_finds_a_cent_that_the_official_rules_let_pass(syntax: str) -> None:
    invoice = an_invoice()
    tax, gross = (Money(invoice[name], "GBP") for name in ("tax_minor", "gross_minor"))
    off = RENDER[syntax](invoice)
    for amount in (tax, gross):
        off = off.replace(str(amount).encode(), str(amount + Money(1, "GBP")).encode())

    assert broken_rules(syntax, off) == []
    assert differences(invoice, off)


@both
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    lines=st.lists(st.tuples(st.integers(1, 40_000), st.integers(1, 10**6), st.booleans()), min_size=1, max_size=8),
    rate=st.sampled_from([500, 700, 1900, 2000, 2100, 2550]),
)
def test_any_invoice_is_right_to_the_cent_and_passes(
    syntax: str, lines: list[tuple[int, int, bool]], rate: int
) -> None:
    priced = [
        PricedLine(
            "time_and_materials" if is_time else "fixed",
            CONTRACT,
            f"Line {number}",
            Money(unit, "EUR"),
            "S",
            rate,
            "rule",
            quantity=1 if is_time else amount % 50 + 1,
            quantity_minutes=amount if is_time else None,
        )
        for number, (amount, unit, is_time) in enumerate(lines)
    ]
    invoice = an_invoice(lines=priced, terms={"currency": "EUR"})
    xml = RENDER[syntax](invoice)

    assert differences(invoice, xml) == []
    assert broken_rules(syntax, xml) == []


def test_the_pdf_carries_the_e_invoice_and_says_so() -> None:
    invoice = an_invoice()
    made = made_for(invoice)
    # Strict: the appended table of objects is read as it stands, nothing is mended.
    reader = pypdf.PdfReader(io.BytesIO(made["pdf"]), strict=True)

    assert made["pdf"].startswith(b"%PDF-1.7")
    assert made["pdf"].count(b"%%EOF") == 2
    assert reader.attachments["factur-x.xml"] == [made["cii"]]
    metadata = reader.xmp_metadata
    assert metadata is not None
    text = reader.root_object["/Metadata"].get_object().get_data().decode()  # type: ignore[union-attr]
    assert "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>" in text
    assert "<pdfaid:part>3</pdfaid:part>" in text
    relation = reader.root_object["/AF"][0].get_object()["/AFRelationship"]  # type: ignore[index]
    assert relation == "/Alternative"


@pytest.mark.parametrize("syntax", ["pdf", "ubl", "cii"])
def test_the_same_invoice_renders_to_the_same_bytes(syntax: str) -> None:
    invoice = an_invoice(works=[some_work(overage=30, worked=90)])

    assert made_for(invoice)[syntax] == made_for(dict(reversed(invoice.items())))[syntax]


def test_a_currency_with_three_decimals_has_a_pdf_but_no_e_invoice() -> None:
    made = made_for(an_invoice(terms={"currency": "KWD"}))

    assert made.keys() == {"pdf"}
    assert b"factur-x.xml" not in made["pdf"]


@pytest.mark.parametrize(
    ("language", "currency", "expected"),
    [
        ("en", "GBP", ["Invoice INV", "£9.99", "Managed service", "Amount due", "VAT 20 % on"]),
        ("de", "EUR", ["Rechnung INV", "9,99\N{NO-BREAK SPACE}€", "Zahlbetrag", "Fällig", "USt 20 % auf"]),
        ("fr", "EUR", ["Facture INV", "9,99\N{NO-BREAK SPACE}€", "À payer"]),
        ("nl", "EUR", ["Factuur INV", "€\N{NO-BREAK SPACE}9,99", "Te betalen"]),
        ("de", "KWD", ["0,999\N{NO-BREAK SPACE}KWD"]),
        ("en", "JPY", ["999"]),
        ("pl", "PLN", ["9,99\N{NO-BREAK SPACE}zł", "Amount due"]),
    ],
)
def test_the_pdf_speaks_the_language_of_the_client(language: str, currency: str, expected: list[str]) -> None:
    invoice = an_invoice(language=language, terms={"currency": currency})
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(render(invoice))).pages)

    for words in expected:
        assert words in text.replace("\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"), words


@pytest.mark.parametrize(("language", "price"), [("en", "£30.67"), ("de", "30,67\N{NO-BREAK SPACE}£")])
def test_twenty_minutes_are_twenty_minutes_on_paper_and_minutes_in_the_e_invoice(language: str, price: str) -> None:
    made = made_for(an_invoice(works=[some_work(overage=20, worked=20)], language=language))

    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made["pdf"])).pages)
    assert price in text
    assert "0:20 h" in text
    assert "0.33" not in text.replace(",", ".")
    assert b'<cbc:InvoicedQuantity unitCode="MIN">20</cbc:InvoicedQuantity>' in made["ubl"]


def test_markup_and_control_characters_change_nothing() -> None:
    nasty = '#panic("x") *b* $x$ <b>&amp; ]] }} \\ `raw` //no \N{RIGHT-TO-LEFT OVERRIDE}'
    work = some_work(overage=60, note=f"{nasty}\x07\x00", agent_name="=cmd|x")
    invoice = an_invoice(works=[work], client={"name": nasty}, seller={"name": f"{nasty} Ltd"})
    made = made_for(invoice)

    for syntax in ("ubl", "cii"):
        assert broken_rules(syntax, made[syntax]) == []
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made["pdf"])).pages)
    assert "#panic" in text
    assert "<b>&amp;" in text
    assert "\x07" not in text
    assert str(SELLER["name"]) not in text


def test_characters_without_a_picture_stop_no_invoice() -> None:
    work = some_work(overage=60, note="fixed \N{THUMBS UP SIGN} \ufdd0", agent_name="日本")
    invoice = an_invoice(works=[work], client={"name": "日本 Ltd \N{ROCKET}"})
    made = made_for(invoice)

    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made["pdf"])).pages)
    assert "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER} Ltd \N{REPLACEMENT CHARACTER}" in text
    # What programs read keeps every character.
    assert "日本 Ltd \N{ROCKET}" in made["ubl"].decode()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=30))
def test_any_text_of_a_person_can_be_laid_out(text: str) -> None:
    works = [some_work(overage=60, note=text, agent_name=text)]

    assert render(an_invoice(works=works, client={"name": f"{text}."})).startswith(b"%PDF-")
