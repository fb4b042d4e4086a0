"""Money: recording, allocating, giving back, writing off, reminding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from billing.domain.payments import (
    REMINDER_DAYS,
    AlreadyDecided,
    CurrencyDiffers,
    MoreThanThereIs,
    OpenInvoice,
    PaymentKnown,
    SecondPersonNeeded,
)
from billing.store import intake, payments as store
from msp_events.billing import InvoiceBalanceChanged, InvoiceReminderDue, InvoiceSentAgain, PaymentRecorded
from msp_kernel.ids import new_id
from msp_kernel.money import amount_text
from msp_kit.database import Transaction
from msp_kit.outbox import record
from msp_kit.problems import NotFound


@dataclass(frozen=True, slots=True)
class Money:
    """A payment as somebody reports it. ``external_id`` is what a bank or provider calls it."""

    amount_minor: int
    currency: str
    received_on: date
    method: str
    reference: str = ""
    external_id: str | None = None


async def balance_of(tx: Transaction, *, invoice_id: UUID) -> list[InvoiceBalanceChanged]:
    """Return what to say about what is owed on an invoice by now."""
    found = await store.open_invoice(tx, invoice_id=invoice_id)
    assert found is not None, "it is issued"
    return [InvoiceBalanceChanged(**await _balance(tx, found))]


async def record_payment(
    tx: Transaction, *, client_id: UUID, money: Money, shares: Sequence[tuple[UUID, int]] = ()
) -> UUID:
    """Record a payment and give it to invoices; what is over stays with the payment, as credit of the client.

    Raises:
        NotFound: the client or an invoice is unknown.
        MoreThanThereIs: more than is open on an invoice, or more than the payment.
        PaymentKnown: it was recorded before.
        CurrencyDiffers: an invoice is in another currency.
    """
    if await intake.client(tx, client_id=client_id) is None:
        raise NotFound
    payment_id = new_id()
    is_new = await store.add_payment(
        tx,
        client_id=client_id,
        id=payment_id,
        amount_minor=money.amount_minor,
        currency=money.currency,
        received_on=money.received_on,
        method=money.method,
        reference=money.reference,
        external_id=money.external_id,
    )
    if not is_new:
        raise PaymentKnown(f"the payment {money.external_id} is recorded already")
    said = [
        PaymentRecorded(
            occurred_at=tx.now,
            payment_id=payment_id,
            client_id=client_id,
            currency=money.currency,
            amount_minor=money.amount_minor,
            received_on=money.received_on,
            method=money.method,
        )
    ]
    changed = [
        one
        for invoice_id, amount in shares
        for one in await _allocate(tx, payment_id=payment_id, invoice_id=invoice_id, amount_minor=amount)
    ]
    await record(tx, *said, *changed)
    return payment_id


async def _allocate(
    tx: Transaction, *, payment_id: UUID, invoice_id: UUID, amount_minor: int
) -> list[InvoiceBalanceChanged]:
    payment = await store.payment(tx, payment_id=payment_id)
    invoice = await store.open_invoice(tx, invoice_id=invoice_id)
    if payment is None or invoice is None or payment["client_id"] != invoice.client_id:
        raise NotFound
    if payment["currency"] != invoice.currency:
        raise CurrencyDiffers(f"the payment is in {payment['currency']}, {invoice.number} in {invoice.currency}")
    if amount_minor > min(invoice.open_minor, payment["left_minor"]):
        raise MoreThanThereIs(
            f"{amount_text(amount_minor, invoice.currency)} asked; {amount_text(invoice.open_minor, invoice.currency)} is open on"
            f" {invoice.number}, {amount_text(payment['left_minor'], invoice.currency)} is left of the payment"
        )
    await store.allocate(tx, payment_id=payment_id, invoice=invoice, amount_minor=amount_minor)
    return await balance_of(tx, invoice_id=invoice_id)


async def allocate(tx: Transaction, *, payment_id: UUID, shares: Sequence[tuple[UUID, int]]) -> None:
    """Give what is left of a payment to invoices of its client.

    Raises:
        NotFound, MoreThanThereIs, CurrencyDiffers: as for a new payment.
    """
    changed = [
        one
        for invoice_id, amount in shares
        for one in await _allocate(tx, payment_id=payment_id, invoice_id=invoice_id, amount_minor=amount)
    ]
    await record(tx, *changed)


async def release(tx: Transaction, *, payment_id: UUID, invoice_id: UUID, amount_minor: int, reason: str) -> None:
    """Take money of a payment back from an invoice; it is left of the payment again.

    Raises:
        NotFound: there is no such payment or invoice.
        MoreThanThereIs: more than the payment gave to it.
    """
    payment = await store.payment(tx, payment_id=payment_id)
    invoice = await store.open_invoice(tx, invoice_id=invoice_id)
    if payment is None or invoice is None or payment["client_id"] != invoice.client_id:
        raise NotFound
    await store.allocate(tx, payment_id=payment_id, invoice=invoice, amount_minor=-amount_minor, reason=reason)
    await record(tx, *await balance_of(tx, invoice_id=invoice_id))


async def release_excess(tx: Transaction, *, invoice_id: UUID) -> None:
    """Take back from an invoice what is paid beyond it after a credit note: it becomes credit of the client."""
    invoice = await store.open_invoice(tx, invoice_id=invoice_id)
    assert invoice is not None, "it is issued"
    excess = -invoice.open_minor
    for payment_id, amount in await store.allocations_of(tx, invoice_id=invoice_id):
        part = min(excess, amount)
        if part > 0:
            await store.allocate(
                tx, payment_id=payment_id, invoice=invoice, amount_minor=-part, reason="the invoice was credited"
            )
            excess -= part


async def refund(tx: Transaction, *, payment_id: UUID, amount_minor: int, refunded_on: date, reason: str) -> UUID:
    """Record that money left of a payment was given back.

    Raises:
        NotFound: there is no such payment.
        MoreThanThereIs: more than is left of it.
    """
    payment = await store.payment(tx, payment_id=payment_id)
    if payment is None:
        raise NotFound
    if amount_minor > payment["left_minor"]:
        asked, left = (amount_text(minor, payment["currency"]) for minor in (amount_minor, payment["left_minor"]))
        raise MoreThanThereIs(f"{asked} asked, {left} is left of the payment")
    return await store.add_refund(
        tx,
        client_id=payment["client_id"],
        payment_id=payment_id,
        amount_minor=amount_minor,
        refunded_on=refunded_on,
        reason=reason,
    )


async def propose_write_off(tx: Transaction, *, invoice_id: UUID, amount_minor: int, reason: str) -> UUID:
    """Propose not to ask for an amount any more; it counts when a second person approves.

    Raises:
        NotFound: there is no such invoice.
        MoreThanThereIs: more than is open.
    """
    invoice = await store.open_invoice(tx, invoice_id=invoice_id)
    if invoice is None:
        raise NotFound
    if amount_minor > invoice.open_minor:
        asked, left = (amount_text(minor, invoice.currency) for minor in (amount_minor, invoice.open_minor))
        raise MoreThanThereIs(f"{asked} asked, {left} is open on {invoice.number}")
    return await store.propose_write_off(tx, invoice, amount_minor=amount_minor, reason=reason)


async def approve_write_off(tx: Transaction, *, write_off_id: UUID) -> None:
    """Approve a write-off that somebody else proposed.

    Raises:
        NotFound: there is no such write-off.
        SecondPersonNeeded: it is one's own.
        AlreadyDecided: it was approved before.
        MoreThanThereIs: less than that is open by now.
    """
    found = await store.write_off(tx, write_off_id=write_off_id)
    if found is None:
        raise NotFound
    if found["approved_at"] is not None:
        raise AlreadyDecided("the write-off was approved before")
    if found["proposed_by"] == tx.scope.actor:
        raise SecondPersonNeeded("you proposed it; somebody else has to approve")
    await store.approve_write_off(tx, write_off_id=write_off_id)
    await record(tx, *await balance_of(tx, invoice_id=found["invoice_id"]))


async def remind_next(tx: Transaction, *, days: Sequence[int] = REMINDER_DAYS) -> bool:
    """Say that one overdue invoice is due for its next reminder; return whether there may be more."""
    for step, after in enumerate(days, start=1):
        invoice = await store.lock_overdue(tx, step=step, due_before=tx.now.date() - timedelta(days=after))
        if invoice is not None:
            await store.add_reminder(tx, invoice, step=step)
            await record(tx, await _reminder(tx, invoice, step=step))
            return True
    return False


async def send_again(tx: Transaction, *, invoice_id: UUID) -> None:
    """Have the client told of an issued invoice once more, with what is still open on it.

    Raises:
        NotFound: there is no such invoice, or it is a draft or a credit note.
    """
    invoice = await store.open_invoice(tx, invoice_id=invoice_id)
    if invoice is None:
        raise NotFound
    await record(tx, InvoiceSentAgain(**await _balance(tx, invoice)))


async def _reminder(tx: Transaction, invoice: OpenInvoice, *, step: int) -> InvoiceReminderDue:
    overdue = (tx.now.date() - invoice.due_on).days
    return InvoiceReminderDue(**await _balance(tx, invoice), step=step, days_overdue=overdue)


async def _balance(tx: Transaction, invoice: OpenInvoice) -> dict[str, Any]:
    return {
        "occurred_at": tx.now,
        "invoice_id": invoice.id,
        "client_id": invoice.client_id,
        "number": invoice.number,
        "currency": invoice.currency,
        "gross_minor": await store.gross_of(tx, invoice_id=invoice.id),
        "open_minor": invoice.open_minor,
        "due_on": invoice.due_on,
    }
