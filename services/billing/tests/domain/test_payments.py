"""Whose money it is, how old it is, and when to remind."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from billing.documents.bank import read
from billing.domain.payments import (
    REMINDER_DAYS,
    BankLine,
    NotABankStatement,
    OpenInvoice,
    age_of,
    matched,
    next_step,
    numbers_in,
    shared_out,
)
from billing.testing import a_camt

TODAY = date(2026, 11, 20)


def an_open(number: str, open_minor: int = 10_000, **given: Any) -> OpenInvoice:
    default: dict[str, Any] = {
        "id": UUID(int=int(number[-4:])),
        "client_id": UUID(int=1),
        "client_name": "Harbour & Lowe",
        "currency": "GBP",
        "due_on": date(2026, 11, 1),
    }
    return OpenInvoice(number=number, open_minor=open_minor, **{**default, **given})


def a_line(reference: str = "", amount: int = 10_000, counterparty: str = "HARBOUR & LOWE LTD") -> BankLine:
    return BankLine(TODAY, amount, "GBP", counterparty, reference, "")


@pytest.mark.parametrize(
    "typed",
    ["INV-2026-0042", "inv 2026 0042", "Rechnung INV2026-0042.", "x INV/2026/0042 y", "INV-2026-0042 12.11.2026"],
)
def test_numbers_are_found_however_they_were_typed(typed: str) -> None:
    assert numbers_in(typed) == ["INV-2026-0042"]


def test_a_named_invoice_is_paid_whatever_the_amount() -> None:
    one, two = an_open("INV-2026-0001"), an_open("INV-2026-0002")

    found = matched(a_line("INV-2026-0002", amount=5), [one, two])

    assert found is not None
    assert found.invoices == (two,)


@pytest.mark.parametrize(
    ("line", "known"),
    [
        (a_line("INV-2026-0009"), [an_open("INV-2026-0001")]),
        (a_line("INV-2026-0001, INV-2026-0002"), [an_open("INV-2026-0001"), an_open("INV-2026-0002", client_id=UUID(int=2))]),
        (a_line("thanks", counterparty="Somebody Else"), [an_open("INV-2026-0001")]),
        (a_line("thanks"), [an_open("INV-2026-0001"), an_open("INV-2026-0002")]),
        (a_line("thanks", amount=9_999), [an_open("INV-2026-0001")]),
        (a_line("INV-2026-0001"), [an_open("INV-2026-0001", currency="EUR")]),
        (a_line("thanks", counterparty=""), [an_open("INV-2026-0001", client_name="")]),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_left_to_a_person(line: BankLine, known: list[OpenInvoice]) -> None:
    assert matched(line, known) is None


def test_amount_and_name_together_are_certain() -> None:
    found = matched(a_line("thanks"), [an_open("INV-2026-0001"), an_open("INV-2026-0002", open_minor=7)])

    assert found is not None
    assert [one.number for one in found.invoices] == ["INV-2026-0001"]


@given(st.integers(0, 10**6), st.lists(st.integers(-100, 10**5), max_size=8))
def test_an_amount_is_shared_out_to_what_is_open_and_never_more(amount: int, opens: list[int]) -> None:
    invoices = [an_open(f"INV-2026-{number:04}", one) for number, one in enumerate(opens, start=1)]

    shares = shared_out(amount, invoices)

    assert sum(part for _, part in shares) == min(amount, sum(max(one, 0) for one in opens))
    assert all(0 < part <= one.open_minor for one, part in shares)


@pytest.mark.parametrize(
    ("days", "age"),
    [(-5, "not_due"), (0, "not_due"), (1, "days_1_30"), (30, "days_1_30"), (31, "days_31_60"), (90, "days_61_90"), (91, "days_over_90")],
)  # fmt: skip
def test_ages_have_edges(days: int, age: str) -> None:
    assert age_of(TODAY - timedelta(days=days), on=TODAY) == age


@pytest.mark.parametrize(("sent", "step", "days"), [(0, 1, 3), (1, 2, 14), (2, 3, 30)])
def test_reminders_come_in_steps_and_none_is_skipped(sent: int, step: int, days: int) -> None:
    assert next_step(TODAY, steps_sent=sent) == (step, TODAY + timedelta(days=days))


def test_after_the_last_reminder_comes_none() -> None:
    assert next_step(TODAY, steps_sent=len(REMINDER_DAYS)) is None


def test_camt_and_csv_say_the_same() -> None:
    camt = a_camt(("85.00", "CRDT", "Harbour & Lowe", "INV-2026-0001"), ("12.50", "DBIT", "Power Co", "meter"))
    csv = "booked_on,amount,currency,counterparty,reference\n2026-11-19,85.00,GBP,Harbour & Lowe,INV-2026-0001\n2026-11-19,-12.50,GBP,Power Co,meter\n"

    def plain(body: str) -> list[tuple[Any, ...]]:
        return [
            (one.booked_on, one.amount_minor, one.currency, one.counterparty, one.reference) for one, _ in read(body)
        ]

    assert plain(camt) == plain(csv)
    assert plain(csv.replace(",", ";").replace("\n", "\r\n")) == plain(csv)
    assert [one for _, one in read(camt)] == [one for _, one in read(camt)]


def test_two_equal_payments_of_one_day_are_two() -> None:
    body = "booked_on,amount,currency,counterparty,reference\n" + "2026-11-19,5.00,GBP,A,x\n" * 2

    assert len({fingerprint for _, fingerprint in read(body)}) == 2


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", "the columns"),
        ("booked_on,amount\n", "currency, counterparty, reference is missing"),
        ("booked_on,amount,currency,counterparty,reference\n", "has 0 lines"),
        ("booked_on,amount,currency,counterparty,reference\n2026-11-19,5.001,GBP,A,x", "line 2: '5.001' is not an amount"),
        ("booked_on,amount,currency,counterparty,reference\n19.11.2026,5,GBP,A,x", "line 2: Invalid isoformat"),
        ("<Document/>", "not a statement of the kind camt.053"),
        ("<Document", "the XML cannot be read"),
        ('<!DOCTYPE x [<!ENTITY a "aa">]><Document>&a;</Document>', "the XML cannot be read"),
        (a_camt(("85.001", "CRDT", "A", "x")), "entry 1"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_statement_is_refused_with_the_place(body: str, expected: str) -> None:
    with pytest.raises(NotABankStatement, match=expected):
        read(body)
