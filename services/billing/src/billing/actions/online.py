"""Invoices for those without an account: links that expire, and payment online."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from billing.actions.payments import Money, record_payment
from billing.domain.payments import CurrencyDiffers, MoreThanThereIs, shared_out
from billing.providers import Checkout, PaymentProvider
from billing.store import payments as store
from msp_kit.database import Transaction
from msp_kit.problems import NotFound


async def make_link(tx: Transaction, *, invoice_id: UUID, days: int) -> tuple[UUID, str]:
    """Make a link to an issued invoice for somebody without an account; return its id and, this once, its token.

    Raises:
        NotFound: there is no such issued invoice.
    """
    invoice = await store.open_invoice(tx, invoice_id=invoice_id)
    if invoice is None:
        raise NotFound
    token = secrets.token_urlsafe(32)
    link_id = await store.add_link(tx, invoice, token_sha256=hash_of(token), expires_at=tx.now + timedelta(days=days))
    return link_id, token


async def revoke_link(tx: Transaction, *, link_id: UUID) -> None:
    """End a link.

    Raises:
        NotFound: there is none, or it was ended before.
    """
    if not await store.revoke_link(tx, link_id=link_id):
        raise NotFound


def hash_of(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


async def invoice_of_link(tx: Transaction, *, token: str) -> UUID:
    """Return the invoice behind a token.

    Raises:
        NotFound: the token is unknown, expired or revoked: the three are not told apart.
    """
    found = await store.linked_invoice(tx, token_sha256=hash_of(token))
    if found is None:
        raise NotFound
    return found


async def checkout(tx: Transaction, *, invoice_id: UUID, provider: PaymentProvider) -> str:
    """Return the address of the page where what is open on an invoice is paid.

    Raises:
        NotFound: there is no such issued invoice, or it is another client's.
        MoreThanThereIs: nothing is open.
    """
    invoice = await store.owed(tx, invoice_id=invoice_id)
    if invoice is None:
        raise NotFound
    if invoice.open_minor <= 0:
        raise MoreThanThereIs(f"nothing is open on {invoice.number}")
    return provider.page(Checkout(invoice.id, invoice.number, invoice.open_minor, invoice.currency))


async def take_notice(tx: Transaction, *, body: str, signature: str, provider: PaymentProvider) -> UUID:
    """Record what a provider says was paid; what is more than is open stays with the payment. Said again, nothing happens.

    Raises:
        NoticeNotBelieved: the provider did not sign this.
        NotFound: there is no such invoice.
        CurrencyDiffers: the invoice is in another currency.
    """
    notice = provider.notice(body, signature)
    external_id = f"{provider.name}:{notice.payment}"
    invoice = await store.open_invoice(tx, invoice_id=notice.invoice_id)
    if invoice is None:
        raise NotFound
    known = await store.payment_of(tx, external_id=external_id)
    if known is not None:
        return known
    if invoice.currency != notice.currency:
        raise CurrencyDiffers(f"{notice.currency} was paid, {invoice.number} is in {invoice.currency}")
    return await record_payment(
        tx,
        client_id=invoice.client_id,
        money=Money(notice.amount_minor, notice.currency, notice.paid_on, provider.name, invoice.number, external_id),
        shares=[(one.id, part) for one, part in shared_out(notice.amount_minor, [invoice])],
    )
