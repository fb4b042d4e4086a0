"""Numbers typed in forms: in English and in German, to the last unit, or refused with what would be taken."""

from __future__ import annotations

from typing import Any

import pytest
from billing_shapes import ACME, INVOICE, LINE, OWED, PAID, PAYMENT, WHOLE
from hypothesis import given, strategies as st
from upstream import Pages, beside

from portal_gateway.language import LANGUAGES, speaking
from portal_gateway.pages import shown
from portal_gateway.pages.amendments import _items
from portal_gateway.pages.amounts import amount, as_typed, basis_points, percent_text, price
from portal_gateway.pages.catalogue import _card
from portal_gateway.pages.drafts import _draft, whole

BOTH = pytest.mark.parametrize("language", sorted(LANGUAGES))


@BOTH
@pytest.mark.parametrize(
    "text", ["1250.50", "1250,50", "1,250.50", "1.250,50", " 1 250,50 ", "1'250.50", "1\N{NO-BREAK SPACE}250,5"]
)
def test_what_can_only_be_read_in_one_way_is_read_in_every_language(language: str, text: str) -> None:
    with speaking(language):
        assert amount(text, "EUR") == 125_050


@pytest.mark.parametrize(
    ("text", "english", "german"),
    [("1,250", 125_000, None), ("1.250", None, 125_000), ("1.250.000", None, 125_000_000)],
)
def test_before_three_digits_the_language_decides(text: str, english: int | None, german: int | None) -> None:
    assert amount(text, "EUR") == english
    with speaking("de"):
        assert amount(text, "EUR") == german
    # As many decimals as the dinar has, in the language that writes them so.
    assert amount("1.250", "KWD") == 1250


@BOTH
@pytest.mark.parametrize(
    "text", ["", ".", ",", "-5", "+5", "1e3", "NaN", "1.2.3", "1,2,3", "1.25,5", "12.345,6.7", "٣", "1_000", "0x1", "9" * 13, "5 EUR"]
)  # fmt: skip
def test_what_is_no_amount_is_no_amount_in_any_language(language: str, text: str) -> None:
    with speaking(language):
        assert amount(text, "EUR") is None
        assert price(text, "EUR") == text


@given(
    st.text(alphabet="0123456789.,' -", max_size=14),
    st.sampled_from(sorted(LANGUAGES)),
    st.sampled_from(["JPY", "EUR", "KWD"]),
)
def test_whatever_is_typed_is_exact_or_refused(text: str, language: str, currency: str) -> None:
    with speaking(language):
        made = amount(text, currency)
        # What is shown of what was read is read as the same.
        assert made is None or amount(shown.plain(made, currency), currency) == made


@given(st.integers(0, 10_000), st.sampled_from(sorted(LANGUAGES)))
def test_a_share_is_read_as_it_is_written(points: int, language: str) -> None:
    with speaking(language):
        assert basis_points(percent_text(points)) == basis_points(f"{percent_text(points)} %") == points


@BOTH
def test_shares_are_typed_with_either_mark_and_never_beyond_the_whole(language: str) -> None:
    with speaking(language):
        assert [basis_points(text) for text in ("12.5", "12,5", "19", "0", "100", "0,01")] == [
            1250,
            1250,
            1900,
            0,
            10_000,
            1,
        ]
        assert [basis_points(text) for text in ("100.01", "101", "-1", "1.234", "12,345", "x", "")] == [None] * 7


def test_currencies_are_written_with_the_decimals_their_invoices_have() -> None:
    assert shown.money(123_456, "RSD").endswith("1,234.56")
    assert shown.money(123_456, "IQD").endswith("123.456")
    assert shown.money(-123_456, "EUR") == "\N{MINUS SIGN}€1,234.56"
    assert shown.plain(123_456, "RSD") == "1234.56"


@BOTH
def test_the_forms_of_contracts_take_both_marks_exactly(language: str) -> None:
    client = {"id": ACME, "currency": "EUR"}
    with speaking(language):
        for typed, minor in (("1250,50", 125_050), ("1250.50", 125_050), ("1.250,50", 125_050), ("99", 9900)):
            rates = _card({"name": "x", "rates-0-price": typed}, currency="EUR", known=None)[0]["rates"]
            assert rates[0]["rate_minor"] == minor
            bucket = _draft({"hours": "1,5", "price": typed}, client)[0]["bucket"]
            assert (bucket["minutes"], bucket["price_minor"]) == (90, minor)
            items = _items({"item-text": "Licence", "item-price": typed, "item-0": typed}, [{"unit_minor": 1}], "EUR")[
                0
            ]
            assert [one["unit_minor"] for one in items] == [minor, minor]
        assert [whole(text, times=60) for text in ("1.5", "1,5", "1.500", "1,500")] == [90, 90, "1.500", "1,500"]


@pytest.fixture
def seen(house: Pages) -> Pages:
    acme = {"id": ACME, "name": "Acme", "currency": "GBP"}
    house.upstream.answers |= {
        "/tickets/counts": {"open": 1, "unassigned": 0},
        "/clients": {"items": [acme], "next": None},
        f"/clients/{ACME}": acme,
        "/contracts": {"items": [{"id": LINE, "name": "Support", "ref": "C-1", "status": "active"}], "next": None},
        f"/invoices/{INVOICE}": WHOLE,
        f"/invoices/{INVOICE}/left": {"items": [{"n": 1, "net_minor": 10_000, "left_net_minor": 10_000}], "next": None},
        f"/invoices/{INVOICE}/credit-notes": {"id": INVOICE, "items": [], "next": None},
        "/payments": {**PAID, "items": [], "next": None},
        f"/payments/{PAYMENT}": {**PAID, "left_minor": 15_000},
        "/receivables": {"items": [OWED], "next": None},
        "/cost-rates": {"rates": []},
        f"/billing-profiles/{ACME}": {"client_id": ACME, "profile": {"tax_rate_basis_points": 1950}},
    }
    return house


CHARGE = {"contract_id": LINE, "kind": "item", "text": "x", "frequency": "once", "starts_on": "2026-12-01"}
PAY = {"client_id": ACME, "received_on": "2026-11-20", "method": "card"}
FORMS: dict[str, tuple[str, dict[str, str], str, str]] = {
    "a charge": (f"/desk/admin/billing/{ACME}/charges", CHARGE, "amount", "amount_minor"),
    "a payment": ("/desk/billing/payments", PAY, "amount", "amount_minor"),
    "a payment of an invoice": (f"/desk/billing/invoices/{INVOICE}/payments", PAY, "amount", "amount_minor"),
    "an allocation": (f"/desk/billing/payments/{PAYMENT}/allocations", {"invoice": INVOICE}, "amount", "amount_minor"),
    "a refund": (f"/desk/billing/payments/{PAYMENT}/refunds", {"on": "2026-11-20", "reason": "x"}, "amount", "amount_minor"),
    "a release": (f"/desk/billing/payments/{PAYMENT}/release", {"invoice": INVOICE, "reason": "x"}, "amount", "amount_minor"),
    "a write-off": (f"/desk/billing/invoices/{INVOICE}/write-off", {"reason": "x"}, "amount", "amount_minor"),
    "a credit note": (f"/desk/billing/invoices/{INVOICE}/credit", {"line": "1", "reason": "x", "intent": "issue"}, "net1", "net_minor"),
    "a cost rate": ("/desk/admin/cost-rates", {}, "L1-GBP", "rate_minor"),
    "a discount": (f"/desk/admin/billing/{ACME}/charges", {**CHARGE, "kind": "discount"}, "percent", "basis_points"),
    "a tax rate": (f"/desk/admin/billing/{ACME}", {}, "tax_rate", "tax_rate_basis_points"),
}  # fmt: skip


def found(body: Any, name: str) -> Any:
    """Return the value of a name anywhere in a body."""
    if isinstance(body, dict):
        return (
            body[name] if name in body else next((one for one in (found(v, name) for v in body.values()) if one), None)
        )
    return next((one for one in (found(v, name) for v in body) if one), None) if isinstance(body, list) else None


@pytest.mark.parametrize("what", FORMS)
async def test_every_form_of_billing_takes_both_marks_and_names_what_it_takes(seen: Pages, what: str) -> None:
    path, form, field, sent = FORMS[what]
    for typed in ("17.25", "17,25"):
        answer = await seen.post(path, {**form, field: typed}, by="finance")
        assert answer.status_code == 303, (typed, answer.text[-3000:])
        assert found(seen.upstream.changes()[-1][2], sent) == 1725, typed

    seen.upstream.asked.clear()
    for typed in ("1.725,5.1", "12.345", "a lot"):
        refused = await seen.post(path, {**form, field: typed}, by="finance")
        assert (refused.status_code, seen.upstream.changes()) == (422, []), typed
        told = beside(refused.text, field) or refused.text
        assert "125.50" in told or "1250.50" in told or "12.5" in told, typed
        assert f'value="{typed}"' in refused.text, typed


async def test_a_tax_rate_is_shown_in_per_cent(seen: Pages) -> None:
    page = (await seen.get(f"/desk/admin/billing/{ACME}", by="finance")).text

    assert 'name="tax_rate" value="19.5"' in page


def test_whoever_types_no_number_is_told_how_they_look_in_their_language() -> None:
    assert as_typed() == "a number: amounts and hours as 12.50, counts whole"
    with speaking("de"):
        assert "12,50" in as_typed()
