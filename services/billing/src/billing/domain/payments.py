"""Money that arrives: which invoice it is for, how old what is owed is, and when to remind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

REMINDER_DAYS = (3, 14, 30)
"""Days after the due day at which the steps of reminders fall."""
AGES = ((0, "not_due"), (30, "days_1_30"), (60, "days_31_60"), (90, "days_61_90"))
OLDEST = "days_over_90"
_NUMBER = re.compile(r"INV[\s./_-]*(\d{4})[\s./_-]*(\d{4,})", re.ASCII)


class MoreThanThereIs(Exception):
    """More than is open on the invoice, or more than is left of the payment."""


class PaymentKnown(Exception):
    """A payment with this outside id was recorded before."""


class CurrencyDiffers(Exception):
    """A payment and the invoice it pays have one currency."""


class SecondPersonNeeded(Exception):
    """What one person proposed to write off, another one has to approve."""


class AlreadyDecided(Exception):
    """The write-off was approved before."""


class PaymentGivenBack(Exception):
    """Money that was refunded to the client cannot be taken back from it as well."""


class NotABankStatement(Exception):
    """The file is neither CAMT.053 nor a CSV with the columns named in the answer."""


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An issued invoice with what is still owed on it."""

    id: UUID
    client_id: UUID
    client_name: str
    number: str
    currency: str
    open_minor: int
    due_on: date


@dataclass(frozen=True, slots=True)
class BankLine:
    """A booked line of a bank statement; money that went out is below zero."""

    booked_on: date
    amount_minor: int
    currency: str
    counterparty: str
    reference: str
    bank_reference: str
    """What the bank calls it; empty when it has no name."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which client a line is from, which invoices it pays, and why."""

    client_id: UUID
    invoices: tuple[OpenInvoice, ...]
    because: str


def numbers_in(text: str) -> list[str]:
    """Return the invoice numbers in a reference, however they were typed (``inv 2026 0042``)."""
    return [f"INV-{year}-{number}" for year, number in _NUMBER.findall(text.upper())]


def matched(line: BankLine, known: Sequence[OpenInvoice]) -> Match | None:
    """Return whose money it is and what for; ``None`` leaves the question to a person.

    Named numbers count first. Without one, the amount and the name have to point to exactly one invoice.
    """
    same = [one for one in known if one.currency == line.currency]
    named = set(numbers_in(line.reference))
    if named:
        found = sorted((one for one in same if one.number in named), key=lambda one: (one.due_on, one.number))
        if found and len({one.client_id for one in found}) == 1:
            return Match(found[0].client_id, tuple(found), "the reference names the invoice")
        return None
    name = _packed(line.counterparty)
    fitting = [one for one in same if one.open_minor == line.amount_minor and name and _packed(one.client_name) in name]
    if len(fitting) == 1:
        return Match(fitting[0].client_id, tuple(fitting), "amount and name fit one open invoice")
    return None


def _packed(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", name.casefold())


def shared_out(amount_minor: int, invoices: Iterable[OpenInvoice]) -> list[tuple[OpenInvoice, int]]:
    """Return how much of an amount goes to each invoice, in the given order; what is over stays with the payment."""
    shares: list[tuple[OpenInvoice, int]] = []
    for one in invoices:
        part = min(amount_minor, max(one.open_minor, 0))
        if part:
            shares.append((one, part))
            amount_minor -= part
    return shares


def age_of(due_on: date, *, on: date) -> str:
    """Return the column of the ageing an invoice belongs to."""
    days = (on - due_on).days
    return next((name for last, name in AGES if days <= last), OLDEST)


def next_step(due_on: date, *, steps_sent: int, days: Sequence[int] = REMINDER_DAYS) -> tuple[int, date] | None:
    """Return the next step of reminders and its day, ``None`` after the last one; steps are never skipped."""
    step = steps_sent + 1
    return (step, due_on + timedelta(days=days[step - 1])) if step <= len(days) else None
