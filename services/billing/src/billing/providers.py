"""Online payment: what billing asks of a provider, and the one that comes with it.

A provider turns an open amount into a page where it is paid, and vouches for what was paid. ``SignedPages`` speaks to any
payment page that takes a signed link and answers with a signed notice; another provider is a class with these two methods.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from urllib.parse import urlencode
from uuid import UUID


class NoProvider(Exception):
    """No provider of online payment is set up (``MSP_PAYMENT_PAGE_URL``, ``MSP_PAYMENT_PAGE_SECRET``)."""


class NoticeNotBelieved(Exception):
    """A notice of a payment is not signed by the provider, or does not say what was paid."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """What somebody is about to pay."""

    invoice_id: UUID
    number: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a provider says was paid. ``payment`` is its own name for it, the same however often it says so."""

    payment: str
    invoice_id: UUID
    amount_minor: int
    currency: str
    paid_on: date


class PaymentProvider(Protocol):
    """Takes money online."""

    @property
    def name(self) -> str:
        """Return what it is called on payments."""

    def page(self, asked: Checkout) -> str:
        """Return the address of the page where it is paid."""

    def notice(self, body: str, signature: str) -> Notice:
        """Return what was paid.

        Raises:
            NoticeNotBelieved: the provider did not sign this.
        """


@dataclass(frozen=True, slots=True)
class SignedPages:
    """A payment page that shares a secret with us: HMAC-SHA-256 over the query of the link, and over the body of a notice."""

    url: str
    secret: bytes
    name: str = "payment page"

    def sign(self, text: str) -> str:
        """Return the signature of a text."""
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()

    def page(self, asked: Checkout) -> str:
        """Return the signed link."""
        query = urlencode(
            {
                "invoice": str(asked.invoice_id),
                "number": asked.number,
                "amount_minor": asked.amount_minor,
                "currency": asked.currency,
            }
        )
        return f"{self.url}?{query}&signature={self.sign(query)}"

    def notice(self, body: str, signature: str) -> Notice:
        """Return what was paid.

        Raises:
            NoticeNotBelieved: the signature is not ours, or the body not a notice.
        """
        if not hmac.compare_digest(self.sign(body), signature):
            raise NoticeNotBelieved("the signature does not fit the body")
        try:
            said: dict[str, Any] = json.loads(body)
            made = Notice(
                payment=str(said["payment"])[:80],
                invoice_id=UUID(said["invoice"]),
                amount_minor=said["amount_minor"],
                currency=said["currency"],
                paid_on=date.fromisoformat(said["paid_on"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NoticeNotBelieved("payment, invoice, amount_minor, currency and paid_on are accepted") from error
        if type(made.amount_minor) is not int or made.amount_minor <= 0:
            raise NoticeNotBelieved("amount_minor is a whole number above zero")
        return made


def provider_of(*, url: str, secret: str) -> PaymentProvider | None:
    """Return the provider of the settings, ``None`` when none is set up."""
    return SignedPages(url, secret.encode()) if url and secret else None
