"""Bank statements: importing, matching, assigning by hand, and taking a match back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from billing.actions import payments
from billing.documents import bank as statements
from billing.domain.payments import BankLine, PaymentGivenBack, matched, numbers_in, shared_out
from billing.store import payments as store
from msp_kit.database import Transaction
from msp_kit.outbox import record
from msp_kit.problems import NotFound


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the lines of a statement."""

    imported: int
    known_before: int
    matched: int
    unmatched: int
    outgoing: int


async def import_statement(tx: Transaction, *, body: str, name: str) -> Imported:
    """Import a bank statement; lines that are known change nothing, lines that fit invoices pay them.

    Raises:
        NotABankStatement: the file cannot be read; nothing of it was imported.
    """
    lines = statements.read(body)
    counts = {"matched": 0, "unmatched": 0, "outgoing": 0}
    fresh = 0
    for line, fingerprint in lines:
        line_id = await store.add_bank_line(tx, line, fingerprint=fingerprint, statement=name)
        if line_id is None:
            continue
        fresh += 1
        counts[await _take_line(tx, line, line_id=line_id, fingerprint=fingerprint)] += 1
    return Imported(imported=fresh, known_before=len(lines) - fresh, **counts)


async def _take_line(tx: Transaction, line: BankLine, *, line_id: UUID, fingerprint: str) -> str:
    if line.amount_minor <= 0:
        note = "money that went out" if line.amount_minor else "no money came with it"
        await store.decide_bank_line(tx, line_id=line_id, status="ignored", note=note, payment_id=None)
        return "outgoing"
    known = await store.open_invoices(tx, numbers=numbers_in(line.reference), amounts=[line.amount_minor])
    match = matched(line, known)
    if match is None:
        return "unmatched"
    payment_id = await payments.record_payment(
        tx,
        client_id=match.client_id,
        money=_money(line, fingerprint),
        shares=[(one.id, part) for one, part in shared_out(line.amount_minor, match.invoices)],
    )
    await store.decide_bank_line(tx, line_id=line_id, status="matched", note=match.because, payment_id=payment_id)
    return "matched"


def _money(line: BankLine, fingerprint: str, taken_back: int = 0) -> payments.Money:
    return payments.Money(
        amount_minor=line.amount_minor,
        currency=line.currency,
        received_on=line.booked_on,
        method="bank transfer",
        reference=line.reference,
        # A line that is matched anew has a payment of its own each time.
        external_id=f"bank:{fingerprint}" + (f":{taken_back}" if taken_back else ""),
    )


async def assign_line(tx: Transaction, *, line_id: UUID, client_id: UUID, shares: Sequence[tuple[UUID, int]]) -> UUID:
    """Say whose money a bank line is, and what for; return the payment.

    Raises:
        NotFound: the line is decided, or there is none; or the client or an invoice is unknown.
        MoreThanThereIs, CurrencyDiffers: as for a payment.
    """
    found = await store.bank_line(tx, line_id=line_id)
    if found is None:
        raise NotFound
    line = BankLine(
        **{name: found[name] for name in ("booked_on", "amount_minor", "currency", "counterparty", "reference")},
        bank_reference="",
    )
    payment_id = await payments.record_payment(
        tx, client_id=client_id, money=_money(line, found["fingerprint"], found["taken_back"]), shares=shares
    )
    await store.decide_bank_line(tx, line_id=line_id, status="matched", note="by hand", payment_id=payment_id)
    return payment_id


async def ignore_line(tx: Transaction, *, line_id: UUID, note: str) -> None:
    """Say that a bank line is no payment of a client.

    Raises:
        NotFound: the line is decided, or there is none.
    """
    if await store.bank_line(tx, line_id=line_id) is None:
        raise NotFound
    await store.decide_bank_line(tx, line_id=line_id, status="ignored", note=note, payment_id=None)


async def take_back(tx: Transaction, *, line_id: UUID, reason: str) -> None:
    """Let a bank line wait for a decision again; what was paid with it is open again.

    Raises:
        NotFound: there is no such line, nobody decided about it, or its money went out.
        PaymentGivenBack: some of its money was refunded to the client.
    """
    found = await store.bank_line(tx, line_id=line_id, statuses=("matched", "ignored"))
    if found is None or found["amount_minor"] <= 0:
        raise NotFound
    if found["payment_id"] is not None:
        await _withdraw(tx, payment_id=found["payment_id"], reason=reason)
    await store.decide_bank_line(
        tx,
        line_id=line_id,
        status="unmatched",
        note=reason,
        payment_id=None,
        taken_back=found["taken_back"] + (found["payment_id"] is not None),
    )


async def _withdraw(tx: Transaction, *, payment_id: UUID, reason: str) -> None:
    payment = await store.payment(tx, payment_id=payment_id)
    assert payment is not None, "a matched line has its payment"
    given = await store.allocations_from(tx, payment_id=payment_id)
    if payment["left_minor"] + sum(amount for _, amount in given) != payment["amount_minor"]:
        raise PaymentGivenBack(
            "some of this money was refunded to the client; record what came back as a payment instead"
        )
    changed = []
    for invoice_id, amount in given:
        invoice = await store.open_invoice(tx, invoice_id=invoice_id)
        assert invoice is not None, "money is given to issued invoices"
        await store.allocate(tx, payment_id=payment_id, invoice=invoice, amount_minor=-amount, reason=reason)
        changed += await payments.balance_of(tx, invoice_id=invoice_id)
    await store.add_refund(
        tx,
        client_id=payment["client_id"],
        payment_id=payment_id,
        amount_minor=payment["amount_minor"],
        refunded_on=tx.now.date(),
        reason=reason,
        kind="withdrawn",
    )
    await record(tx, *changed)
