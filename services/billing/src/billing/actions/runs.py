"""The billing run as a durable saga, and the issuing of invoices. Every step is one transaction and may be repeated."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

from billing.documents.pdf import render
from billing.domain.invoice import Control, TotalsDiffer, canonical, chained, choose_sealed, content_of
from billing.domain.pricing import PricesMissing, SameSpecificity, price_fixed_items, price_work
from billing.store import intake, invoices, runs
from billing.store.invoices import Draft
from billing.store.runs import RunItem
from msp_events.billing import InvoiceDrafted, InvoiceIssued, PeriodCloseRequested
from msp_events.contracts import PeriodClosed
from msp_events.tickets import PeriodSealRefused, WorklogSealed
from msp_kernel.ids import new_id
from msp_kernel.periods import day_of, midnight
from msp_kit.database import Transaction
from msp_kit.outbox import record
from msp_kit.problems import NotFound

_NAMESPACE = UUID("6f3a2c1e-8f7b-5b0e-9d44-52a1c7e0b9aa")
PATIENCE = timedelta(seconds=60)
"""How long an answer, or the last posted hours, may take before the run asks again or says what is missing."""
ATTEMPTS_MAX = 5
PERIOD_DAYS_MAX = 366


class PeriodTooLong(Exception):
    """A billing period is at least a day and at most a year."""


class NothingToIssue(Exception):
    """The run has no drafts."""


@dataclass(frozen=True, slots=True)
class Seller:
    """Who sends the invoices."""

    name: str


def period_close_id(client_id: UUID, starts_on: date, ends_on: date) -> UUID:
    """Return the id of a client's period: the same however often, and from wherever, it is asked for."""
    return uuid5(_NAMESPACE, f"{client_id}/{starts_on}/{ends_on}")


async def start_run(tx: Transaction, *, starts_on: date, ends_on: date, client_ids: Sequence[UUID] | None) -> UUID:
    """Start the run of a period, or add clients to it; return its id. Starting it again changes nothing.

    Raises:
        PeriodTooLong: the period is empty or longer than a year.
        NotFound: a client has no contract in the period.
    """
    if not 1 <= (ends_on - starts_on).days <= PERIOD_DAYS_MAX:
        raise PeriodTooLong(
            f"from {starts_on} to {ends_on} are {(ends_on - starts_on).days} days; 1 to {PERIOD_DAYS_MAX} are accepted"
        )
    known = dict(await intake.clients_with_contract(tx, starts_on=starts_on, ends_on=ends_on))
    wanted = list(known) if client_ids is None else [one for one in dict.fromkeys(client_ids) if one in known]
    if client_ids is not None and not wanted:
        raise NotFound
    run_id = await runs.run_of_period(tx, starts_on=starts_on, ends_on=ends_on)
    items = [(one, period_close_id(one, starts_on, ends_on)) for one in wanted]
    added = await runs.add_items(tx, run_id=run_id, items=items)
    await record(
        tx,
        *(
            PeriodCloseRequested(
                occurred_at=tx.now,
                period_close_id=period_close_id(one, starts_on, ends_on),
                run_id=run_id,
                client_id=one,
                starts_on=starts_on,
                ends_on=ends_on,
                timezone=known[one],
            )
            for one in added
        ),
    )
    return run_id


async def ask_again(tx: Transaction, item: RunItem) -> None:
    """Ask tickets and contracts once more for an answer."""
    client = await intake.client(tx, client_id=item.client_id)
    assert client is not None, "a client in a run is known"
    await runs.move(tx, item, to="requested", attempt=item.attempt + 1)
    await record(
        tx,
        PeriodCloseRequested(
            occurred_at=tx.now,
            period_close_id=item.period_close_id,
            run_id=item.run_id,
            client_id=item.client_id,
            starts_on=item.starts_on,
            ends_on=item.ends_on,
            timezone=client["timezone"],
            attempt=item.attempt + 1,
        ),
    )


async def retry_run(tx: Transaction, *, run_id: UUID) -> int:
    """Ask again for everything that is blocked; return how many."""
    blocked = await runs.lock_items(tx, run_id=run_id, status="blocked")
    for item in blocked:
        await ask_again(tx, item)
    return len(blocked)


async def take_seal(tx: Transaction, event: WorklogSealed) -> None:
    """Note what tickets sealed."""
    item = await runs.lock_item(tx, period_close_id=event.period_close_id)
    if item is None or item.status in ("drafted", "issuing", "issued", "nothing"):
        return
    sealed = {"entry_count": event.entry_count, "worked_minutes": event.worked_minutes, "checksum": event.checksum}
    await runs.move(tx, item, to="closed" if item.closed else "sealed", sealed=sealed)


async def take_refusal(tx: Transaction, event: PeriodSealRefused) -> None:
    """Block a client with the reason tickets gave."""
    item = await runs.lock_item(tx, period_close_id=event.period_close_id)
    if item is not None and item.status in ("requested", "sealed", "blocked"):
        await runs.move(tx, item, to="blocked", detail=event.detail)


async def take_close(tx: Transaction, event: PeriodClosed) -> None:
    """Note what contracts closed, or why it could not."""
    item = await runs.lock_item(tx, period_close_id=event.period_close_id)
    if item is None or item.status in ("drafted", "issuing", "issued", "nothing"):
        return
    if event.outcome != "closed":
        await runs.move(tx, item, to="blocked", detail=f"the ledger differs: {event.detail}")
        return
    closed = {
        "entry_count": event.entry_count,
        "worked_minutes": event.worked_minutes,
        "checksum": event.checksum,
        "statement": [one.model_dump(mode="json") for one in event.contracts],
    }
    await runs.move(tx, item, to="closed" if item.sealed else item.status, closed=closed)


async def draft_next(tx: Transaction) -> bool:
    """Make the draft of one closed client after the three-way match; return whether there may be more."""
    item = await runs.lock_next(tx, status="closed", changed_before=tx.now)
    if item is None:
        return False
    try:
        await _draft(tx, item)
    except TotalsDiffer as error:
        # The last posted hours may still be on their way.
        if await _is_overdue(tx, item):
            await runs.move(tx, item, to="blocked", detail=str(error))
        else:
            return False
    except (PricesMissing, SameSpecificity) as error:
        await runs.move(tx, item, to="blocked", detail=str(error))
    return True


async def _is_overdue(tx: Transaction, item: RunItem) -> bool:
    return tx.now - item.changed_at > PATIENCE


async def _draft(tx: Transaction, item: RunItem) -> None:
    assert item.sealed is not None, "a closed item was sealed"
    assert item.closed is not None, "a closed item has an answer of contracts"
    sealed = Control(**item.sealed)
    closed = Control(**{name: item.closed[name] for name in ("entry_count", "worked_minutes", "checksum")})
    if sealed != closed:
        raise TotalsDiffer(
            f"tickets sealed {sealed.entry_count} entries of {sealed.worked_minutes} min, contracts closed"
            f" {closed.entry_count} of {closed.worked_minutes} min"
        )
    client = await intake.client(tx, client_id=item.client_id)
    assert client is not None, "a client in a run is known"
    before = midnight(item.ends_on, client["timezone"])
    works = choose_sealed(await intake.uninvoiced_works(tx, client_id=item.client_id, before=before), sealed)
    terms = await intake.terms_of_client(tx, client_id=item.client_id)
    newest = {contract_id: of for (contract_id, _), of in sorted(terms.items(), key=lambda one: one[0][1])}
    lines = [
        *price_fixed_items(newest.values(), starts_on=item.starts_on, ends_on=item.ends_on),
        *price_work(works, terms),
    ]
    if not lines and not works:
        await runs.move(tx, item, to="nothing", detail="no work and nothing due in this period")
        return
    main = next(iter(newest.values()))
    refs = {str(contract_id): of.ref for contract_id, of in newest.items()}
    content = content_of(
        lines=lines,
        works=works,
        currency=main.currency,
        header={
            "client": {
                "client_id": str(item.client_id),
                "name": client["name"],
                "tax_id": client["tax_id"],
                "billing_address": client["billing_address"],
            },
            "starts_on": item.starts_on.isoformat(),
            "ends_on": item.ends_on.isoformat(),
            "timezone": client["timezone"],
            "payment_days": main.payment_days,
            "purchase_order": main.purchase_order or client["purchase_order"],
        },
        statement=[{**one, "ref": refs.get(one["contract_id"], "")} for one in item.closed["statement"]],
    )
    draft = Draft(
        id=new_id(),
        client_id=item.client_id,
        period_close_id=item.period_close_id,
        currency=main.currency,
        starts_on=item.starts_on,
        ends_on=item.ends_on,
        content=content,
    )
    assert await invoices.add_draft(tx, draft, content_text=canonical(content)), "one invoice per client and period"
    bound = await intake.mark_invoiced(tx, invoice_id=draft.id, entry_ids=[work.time_entry_id for work in works])
    assert bound == len(works), "every entry is bound to one invoice"
    await runs.move(tx, item, to="drafted", invoice_id=draft.id)
    await record(tx, InvoiceDrafted(occurred_at=tx.now, **_state(draft), revision=1, status="draft"))


async def ask_overdue(tx: Transaction) -> bool:
    """Ask again where an answer is overdue, and say so when asking does not help; return whether there may be more."""
    for status in ("requested", "sealed"):
        item = await runs.lock_next(tx, status=status, changed_before=tx.now - PATIENCE)
        if item is None:
            continue
        if item.attempt >= ATTEMPTS_MAX:
            who = "tickets" if status == "requested" else "contracts"
            await runs.move(tx, item, to="blocked", detail=f"no answer from {who} after {item.attempt} requests")
        else:
            await ask_again(tx, item)
        return True
    return False


async def issue_drafts(tx: Transaction, *, run_id: UUID, invoice_ids: Sequence[UUID] | None) -> int:
    """Mark the drafts of a run, or some of them, to be issued one after the other; return how many.

    Raises:
        NothingToIssue: there is no such draft.
    """
    drafted = await runs.lock_items(tx, run_id=run_id, status="drafted")
    wanted = [item for item in drafted if invoice_ids is None or item.invoice_id in invoice_ids]
    if not wanted:
        raise NothingToIssue("the run has no such draft; a blocked client has to be solved first")
    for item in wanted:
        await runs.move(tx, item, to="issuing", invoice_id=item.invoice_id)
    return len(wanted)


async def issue_next(tx: Transaction, *, seller: Seller) -> bool:
    """Issue one invoice: number, content, hash, document and event in one transaction; return whether there may be more."""
    item = await runs.lock_next(tx, status="issuing", changed_before=tx.now)
    if item is None:
        return False
    assert item.invoice_id is not None, "what is issued was drafted"
    draft = await invoices.lock_draft(tx, invoice_id=item.invoice_id)
    assert draft is not None, "a draft is issued once"
    issued_on = day_of(tx.now, draft.content["timezone"])
    due_on = issued_on + timedelta(days=draft.content["payment_days"])
    # The number is taken last but for the document: the row of the series is locked as short as can be.
    series = f"INV-{issued_on.year}"
    number, text, previous = await invoices.next_number(tx, series=series, prefix=f"{series}-")
    content = {
        **draft.content,
        "seller": {"name": seller.name},
        "number": text,
        "issued_at": tx.now.isoformat(),
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
    pdf = await asyncio.to_thread(render, {**content, "content_sha256": sha256})
    await invoices.add_pdf(tx, draft, body=pdf, sha256=hashlib.sha256(pdf).hexdigest())
    await runs.move(tx, item, to="issued", invoice_id=draft.id)
    await record(
        tx,
        InvoiceIssued(
            occurred_at=tx.now,
            **_state(draft),
            revision=2,
            status="issued",
            number=text,
            due_on=due_on,
            content_sha256=sha256,
        ),
    )
    return True


def _state(draft: Draft) -> dict[str, Any]:
    return {
        "invoice_id": draft.id,
        "client_id": draft.client_id,
        "currency": draft.currency,
        "starts_on": draft.starts_on,
        "ends_on": draft.ends_on,
        **{name: draft.content[name] for name in ("net_minor", "tax_minor", "gross_minor", "worked_minutes")},
    }
