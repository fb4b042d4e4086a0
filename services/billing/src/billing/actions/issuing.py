"""Issuing: number, content, hash, documents and event in one transaction; and the credit notes that correct it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from billing.actions import payments
from billing.actions.drafting import findings_of, state
from billing.actions.profiles import logo_of, seller_of
from billing.documents import made_for
from billing.domain.credit_note import MoreThanIsLeft, NotAnInvoice, credit_content, credited_parts
from billing.domain.invoice import chained
from billing.domain.profile import InvoiceIncomplete
from billing.store import invoices, runs
from billing.store.canonical import canonical
from billing.store.invoices import Draft, Issued
from msp_events.billing import CreditNoteIssued, InvoiceIssued, ReturnedHours
from msp_kernel.ids import new_id
from msp_kernel.periods import day_of
from msp_kit.database import Transaction
from msp_kit.outbox import record
from msp_kit.problems import NotFound


async def issue_next(tx: Transaction, *, default_seller: dict[str, Any]) -> bool:
    """Issue one invoice of those marked; return whether there may be more."""
    item = await runs.lock_next(tx, status="issuing", changed_before=tx.now)
    if item is None:
        return False
    draft, more = await invoices.lock_draft_of_close(tx, period_close_id=item.period_close_id)
    if draft is None:
        await runs.move(tx, item, to="issued")
        return True
    seller = await seller_of(tx, default_seller)
    blocking = [
        one
        for one in await findings_of(tx, client_id=draft.client_id, content=draft.content, seller=seller)
        if one.blocks
    ]
    if blocking:
        # Something changed since it was marked: it is a draft again, with the reason.
        await runs.move(tx, item, to="drafted", detail=said_of(blocking))
        return True
    await _issue(tx, draft, seller=seller)
    if more:
        await runs.touch(tx, item)
    else:
        await runs.move(tx, item, to="issued")
    return True


def said_of(blocking: Sequence[Any]) -> str:
    """Return findings as one sentence: what, where, and what would be accepted."""
    return "; ".join(f"{one.where}: {one.detail} ({one.fix})" for one in blocking)


async def _issue(tx: Transaction, draft: Draft, *, seller: Mapping[str, Any]) -> None:
    issued_on = day_of(tx.now, draft.content["timezone"])
    due_on = issued_on + timedelta(days=draft.content["payment_days"])
    logo = await logo_of(tx, seller)
    # The number is taken last but for the documents: the row of the series is locked as short as can be.
    series = f"INV-{issued_on.year}"
    number, text, previous = await invoices.next_number(tx, series=series, prefix=f"{series}-")
    content = {
        **draft.content,
        "seller": dict(seller),
        "number": text,
        "issued_at": tx.now.isoformat(),
        "issued_on": issued_on.isoformat(),
        "due_on": due_on.isoformat(),
    }
    content_text = canonical(content)
    sha256 = chained(content_text, previous)
    await invoices.issue(
        tx,
        draft,
        content_text=content_text,
        series=series,
        series_number=number,
        number=text,
        issued_at=tx.now,
        due_on=due_on,
        content_sha256=sha256,
        previous_sha256=previous,
    )
    await invoices.add_lines(tx, draft)
    made = await asyncio.to_thread(made_for, {**content, "content_sha256": sha256}, logo)
    await invoices.add_documents(tx, client_id=draft.client_id, invoice_id=draft.id, made=made)
    await record(
        tx,
        InvoiceIssued(
            occurred_at=tx.now,
            **state(draft),
            revision=draft.revision + 1,
            status="issued",
            number=text,
            due_on=due_on,
            content_sha256=sha256,
        ),
    )


async def credit(
    tx: Transaction,
    *,
    invoice_id: UUID,
    wanted: Mapping[int, int | None] | None,
    reason: str,
    returned: Sequence[tuple[UUID, int, UUID | None]] = (),
) -> UUID:
    """Issue a credit note over parts of an invoice, or over what is left of it; return its id.

    ``returned``: (contract, bucket minutes, time entry) to be given back; only what the invoice took from buckets.

    Raises:
        NotFound: there is no such invoice.
        NotAnInvoice: it is a draft or a credit note.
        LineUnknown, MoreThanIsLeft, NothingToCredit: what was asked cannot be credited.
    """
    invoice = await _creditable(tx, invoice_id=invoice_id)
    parts = credited_parts(invoice.content, await invoices.credited(tx, invoice_id=invoice_id), wanted)
    hours = await _returned(tx, invoice, returned)
    content = credit_content(
        invoice.content, parts, reason=reason, returned_hours=[one.model_dump(mode="json") for one in hours]
    )
    logo = await logo_of(tx, content["seller"] or {})
    issued_on = day_of(tx.now, content["timezone"])
    series, note_id = f"CN-{issued_on.year}", new_id()
    number, text, previous = await invoices.next_number(tx, series=series, prefix=f"{series}-")
    content |= {
        "number": text,
        "issued_at": tx.now.isoformat(),
        "issued_on": issued_on.isoformat(),
        "due_on": issued_on.isoformat(),
    }
    content_text = canonical(content)
    sha256 = chained(content_text, previous)
    await invoices.add_credit_note(
        tx,
        invoice,
        note_id=note_id,
        content=content,
        content_text=content_text,
        series=series,
        series_number=number,
        number=text,
        issued_at=tx.now,
        due_on=issued_on,
        content_sha256=sha256,
        previous_sha256=previous,
    )
    made = await asyncio.to_thread(made_for, {**content, "content_sha256": sha256}, logo)
    await invoices.add_documents(tx, client_id=invoice.client_id, invoice_id=note_id, made=made)
    await payments.release_excess(tx, invoice_id=invoice_id)
    balance = await payments.balance_of(tx, invoice_id=invoice_id)
    await record(tx, _said(tx, invoice, note_id, content, hours, sha256), *balance)
    return note_id


async def _creditable(tx: Transaction, *, invoice_id: UUID) -> Issued:
    """Return an issued invoice, locked, that can be credited."""
    invoice = await invoices.lock_issued(tx, invoice_id=invoice_id)
    if invoice is None:
        if await invoices.lock_draft(tx, invoice_id=invoice_id) is None:
            raise NotFound
        raise NotAnInvoice("a draft is made anew, not credited")
    if invoice.kind != "invoice":
        raise NotAnInvoice(f"{invoice.number} is a credit note; issue a new invoice instead")
    if any("tax_minor" not in line for line in invoice.content["lines"]):
        raise NotAnInvoice(
            f"{invoice.number} was issued before the tax on its lines was kept; issue a new invoice instead"
        )
    return invoice


def _said(
    tx: Transaction,
    invoice: Issued,
    note_id: UUID,
    content: Mapping[str, Any],
    hours: Sequence[ReturnedHours],
    sha256: str,
) -> CreditNoteIssued:
    return CreditNoteIssued(
        occurred_at=tx.now,
        credit_note_id=note_id,
        client_id=invoice.client_id,
        invoice_id=invoice.id,
        number=content["number"],
        invoice_number=invoice.number,
        currency=invoice.currency,
        **{name: content[name] for name in ("net_minor", "tax_minor", "gross_minor", "reason")},
        returned_hours=tuple(hours),
        content_sha256=sha256,
    )


async def _returned(
    tx: Transaction, invoice: Issued, returned: Sequence[tuple[UUID, int, UUID | None]]
) -> list[ReturnedHours]:
    """Return the hours to give back, after the check that the invoice took as many from the buckets."""
    taken: dict[UUID, int] = {}
    for entry in invoice.content["entries"]:
        contract = UUID(entry["contract_id"])
        taken[contract] = taken.get(contract, 0) + entry["bucket_minutes"]
    before = await invoices.returned_minutes(tx, invoice_id=invoice.id)
    for contract, minutes, _ in returned:
        before[contract] = before.get(contract, 0) + minutes
        if before[contract] > taken.get(contract, 0):
            raise MoreThanIsLeft(
                f"{invoice.number} took {taken.get(contract, 0)} min from the bucket of contract {contract};"
                f" {before[contract]} min would be given back"
            )
    return [
        ReturnedHours(contract_id=contract, bucket_minutes=minutes, time_entry_id=entry)
        for contract, minutes, entry in returned
    ]


async def check_ready(tx: Transaction, drafts: Sequence[Draft], *, default_seller: dict[str, Any]) -> None:
    """Refuse drafts that lack what their invoice needs.

    Raises:
        InvoiceIncomplete: with every draft, what is wrong, where, and what would be accepted.
    """
    seller = await seller_of(tx, default_seller)
    wrong = []
    for draft in drafts:
        found = await findings_of(tx, client_id=draft.client_id, content=draft.content, seller=seller)
        blocking = [one for one in found if one.blocks]
        if blocking:
            wrong.append(f"{draft.content['client']['name']}: {said_of(blocking)}")
    if wrong:
        raise InvoiceIncomplete(" / ".join(wrong[:10]))
