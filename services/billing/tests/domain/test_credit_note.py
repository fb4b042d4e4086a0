"""Credit notes give back what was charged, to the cent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from billing.domain.credit_note import (
    Credited,
    LineUnknown,
    MoreThanIsLeft,
    NothingToCredit,
    credit_content,
    credited_parts,
)
from billing.domain.invoice import broken_sums
from billing.domain.pricing import PricedLine
from billing.domain.tax import allocated
from billing.testing import CONTRACT, an_invoice
from msp_kernel.money import Money, half_up

LINES = st.lists(
    st.tuples(st.integers(1, 10**7), st.sampled_from([500, 700, 1900, 2000]), st.booleans()), min_size=1, max_size=8
)


def an_invoice_of(*nets: int, rates: tuple[int, ...] = ()) -> dict[str, Any]:
    lines = [
        PricedLine(
            "fixed" if net > 0 else "discount",
            CONTRACT,
            f"item {number}",
            Money(abs(net), "GBP"),
            "S",
            rates[number] if rates else 2000,
            "rule",
            quantity=1 if net > 0 else -1,
        )
        for number, net in enumerate(nets)
    ]
    return an_invoice(lines=lines)


class Book:
    """Credits an invoice step by step, as the database would remember it."""

    def __init__(self, invoice: dict[str, Any]) -> None:
        self.invoice = invoice
        self.credited: dict[int, Credited] = {}
        self.notes: list[dict[str, Any]] = []

    def credit(self, wanted: dict[int, int | None] | None = None) -> dict[str, Any]:
        parts = credited_parts(self.invoice, self.credited, wanted)
        note = credit_content(self.invoice, parts, reason="agreed")
        for line, net, tax in parts:
            before = self.credited.get(line["n"], Credited(0, 0))
            self.credited[line["n"]] = Credited(before.net_minor + net, before.tax_minor + tax)
        self.notes.append(note)
        assert broken_sums(note) == []
        return note

    def sum(self, name: str) -> int:
        return int(self.invoice[name] + sum(note[name] for note in self.notes))


def test_i1_four_credit_notes_of_one_line_each_total_334_99() -> None:
    book = Book(an_invoice_of(6833, 6833, 5750, 8500))

    notes = [book.credit({n: None}) for n in (3, 1, 4, 2)]

    assert book.invoice["gross_minor"] == 33_499
    assert sum(note["gross_minor"] for note in notes) == -33_499
    assert (book.sum("net_minor"), book.sum("tax_minor"), book.sum("gross_minor")) == (0, 0, 0)


@given(lines=LINES)
def test_a_whole_credit_note_and_its_invoice_are_zero(lines: list[tuple[int, int, bool]]) -> None:
    nets = [net if is_plus else -net for net, _, is_plus in lines]
    book = Book(an_invoice_of(*nets, rates=tuple(rate for _, rate, _ in lines)))

    note = book.credit()

    assert [book.sum(name) for name in ("net_minor", "tax_minor", "gross_minor")] == [0, 0, 0]
    assert {(one["category"], one["rate_basis_points"]) for one in note["taxes"]} == {
        (one["category"], one["rate_basis_points"]) for one in book.invoice["taxes"]
    }


@given(lines=LINES, data=st.data())
def test_parts_in_any_number_and_order_give_back_exactly_the_invoice(
    lines: list[tuple[int, int, bool]], data: st.DataObject
) -> None:
    nets = [net if is_plus else -net for net, _, is_plus in lines]
    book = Book(an_invoice_of(*nets, rates=tuple(rate for _, rate, _ in lines)))
    for _ in range(4):
        n = data.draw(st.integers(1, len(nets)))
        left = nets[n - 1] - book.credited.get(n, Credited(0, 0)).net_minor
        if left:
            sign = 1 if left > 0 else -1
            book.credit({n: sign * data.draw(st.integers(1, abs(left)))})
    if any(nets[n] != book.credited.get(n + 1, Credited(0, 0)).net_minor for n in range(len(nets))):
        book.credit()

    assert [book.sum(name) for name in ("net_minor", "tax_minor", "gross_minor")] == [0, 0, 0]
    with pytest.raises(NothingToCredit):
        book.credit()


@pytest.mark.parametrize(("asked", "said"), [(1001, "10.01"), (-1, "-0.01")])
def test_never_more_than_is_left_and_never_the_other_way(asked: int, said: str) -> None:
    with pytest.raises(MoreThanIsLeft, match=f"{said} GBP asked, 10.00 GBP of 10.00 GBP is left"):
        Book(an_invoice_of(1000)).credit({1: asked})


def test_a_line_that_is_not_there_is_named() -> None:
    with pytest.raises(LineUnknown, match="line 7 is not on INV-2026-0001; it has 1 lines"):
        Book(an_invoice_of(1000)).credit({7: None})


@given(nets=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30), rate=st.integers(0, 10_000))
def test_the_tax_on_lines_adds_up_and_is_nowhere_a_cent_away(nets: list[int], rate: int) -> None:
    tax = half_up(sum(nets) * rate, 10_000)

    parts = allocated(nets, rate_basis_points=rate, tax_minor=tax)

    assert sum(parts) == tax
    assert all(abs(part * 10_000 - net * rate) < 10_000 for part, net in zip(parts, nets, strict=True))
