"""What the contracts service hears."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.actions import hours, periods, returns
from msp_events.billing import CreditNoteIssued, InvoiceIssued
from msp_events.tickets import TimeApproved, TimeEntryState, TimeLogged, TimeRejected, TimeVoided, WorklogSealed
from msp_kit.consumers import Consumers, Permanent, Transient
from msp_kit.database import Transaction

consumers = Consumers(
    "contracts",
    order={
        # Each event carries the whole entry with its revision, and the newest telling counts: approved before logged is
        # taken as approved, and the older one changes nothing. So nothing has to wait for a missing number.
        "tickets.time_entry": "effect",
        "tickets.period": "effect",
        "billing.invoice": "state",
        "billing.credit_note": "effect",
    },
)


@consumers.hears_many(TimeLogged, TimeApproved, TimeRejected, TimeVoided)
async def time_entries(tx: Transaction, events: Sequence[TimeEntryState]) -> None:
    """Hold, post or give back minutes."""
    try:
        await hours.take(tx, events)
    except hours.UnknownContract as error:
        raise Transient(str(error)) from error
    except hours.EntryMovedContract as error:
        raise Permanent(str(error)) from error


@consumers.hears(WorklogSealed)
async def worklog_sealed(tx: Transaction, event: WorklogSealed) -> None:
    """Close the client's period when the ledger has every sealed minute."""
    try:
        await periods.close(tx, event)
    except periods.HoursBehind as error:
        raise Transient(str(error)) from error


@consumers.hears(InvoiceIssued)
async def invoice_issued(tx: Transaction, event: InvoiceIssued) -> None:
    """Keep the invoiced period closed for good."""
    await periods.note_invoice(tx, event)


@consumers.hears(CreditNoteIssued)
async def credit_note_issued(tx: Transaction, event: CreditNoteIssued) -> None:
    """Give hours back to the bucket."""
    try:
        await returns.give_back(tx, event)
    except returns.CreditOnUnknownContract as error:
        raise Transient(str(error)) from error
    except returns.NoLotForReturn as error:
        raise Permanent(str(error)) from error
