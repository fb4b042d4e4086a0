"""The billing run as a durable saga. Every step is one transaction and may be repeated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from billing.actions import drafting
from billing.actions.issuing import check_ready
from billing.actions.profiles import seller_of
from billing.domain.invoice import Control, TotalsDiffer, differing
from billing.domain.pricing import MixedCurrencies, PricesMissing, RateNotPossible, SameSpecificity
from billing.store import intake, invoices, runs, unbilled
from billing.store.runs import RunItem
from billing.store.unbilled import Waiting
from msp_events.billing import BillingRunFinished, BillingRunReady, PeriodCloseRequested
from msp_events.contracts import PeriodClosed, PeriodReopened
from msp_events.tickets import PeriodSealRefused, WorklogSealed
from msp_kernel.ids import new_id
from msp_kernel.periods import midnight
from msp_kit.database import Transaction
from msp_kit.outbox import record
from msp_kit.problems import NotFound, slug

_NAMESPACE = UUID("6f3a2c1e-8f7b-5b0e-9d44-52a1c7e0b9aa")
PATIENCE = timedelta(seconds=60)
"""How long an answer, or the last posted hours, may take before the run asks again or says what is missing."""
ATTEMPTS_MAX = 5
PERIOD_DAYS_MAX = 366


class PeriodTooLong(Exception):
    """A billing period is at least a day and at most a year."""


class PeriodOverlaps(Exception):
    """A client is billed for a part of this period already; a day is billed once."""


class WorkChanged(Exception):
    """Time entries got a newer stamp while their draft was made; the next try makes it of what they are now."""


class NothingToIssue(Exception):
    """The run has no drafts."""


def period_close_id(client_id: UUID, starts_on: date, ends_on: date) -> UUID:
    """Return the id of a client's period: the same however often, and from wherever, it is asked for."""
    return uuid5(_NAMESPACE, f"{client_id}/{starts_on}/{ends_on}")


async def start_run(tx: Transaction, *, starts_on: date, ends_on: date, client_ids: Sequence[UUID] | None) -> UUID:
    """Start the run of a period, or add clients to it; return its id. Starting it again changes nothing.

    Raises:
        PeriodTooLong: the period is empty or longer than a year.
        NotFound: a client has no contract in the period.
        PeriodOverlaps: a client is billed for a part of the period by another run.
    """
    if not 1 <= (ends_on - starts_on).days <= PERIOD_DAYS_MAX:
        raise PeriodTooLong(
            f"from {starts_on} to {ends_on} are {(ends_on - starts_on).days} days; 1 to {PERIOD_DAYS_MAX} are accepted"
        )
    known = dict(await intake.clients_with_contract(tx, starts_on=starts_on, ends_on=ends_on))
    wanted = list(known) if client_ids is None else [one for one in dict.fromkeys(client_ids) if one in known]
    if client_ids is not None and not wanted:
        raise NotFound
    overlapping = await runs.overlapping(tx, client_ids=wanted, starts_on=starts_on, ends_on=ends_on)
    if overlapping:
        named = "; ".join(f"{name} from {start} to {end}" for name, start, end in overlapping)
        raise PeriodOverlaps(f"from {starts_on} to {ends_on} overlaps what is billed already: {named}")
    run_id = await runs.run_of_period(tx, starts_on=starts_on, ends_on=ends_on)
    items = [(one, period_close_id(one, starts_on, ends_on)) for one in wanted]
    lists = await intake.clients_listing_unapproved(tx, client_ids=wanted)
    added = await runs.add_items(tx, run_id=run_id, items=items)
    if added:
        await runs.said(tx, run_id, "")
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
                lists_unapproved=one in lists,
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
            lists_unapproved=item.client_id in await intake.clients_listing_unapproved(tx, client_ids=[item.client_id]),
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
        await runs.move(tx, item, to="blocked", detail=event.detail, reason="unapproved")


async def take_close(tx: Transaction, event: PeriodClosed) -> None:
    """Note what contracts closed, or why it could not."""
    item = await runs.lock_item(tx, period_close_id=event.period_close_id)
    if item is None or item.status in ("drafted", "issuing", "issued", "nothing"):
        return
    if event.outcome != "closed":
        await runs.move(tx, item, to="blocked", detail=f"the ledger differs: {event.detail}", reason="ledger-differs")
        return
    closed = {
        "entry_count": event.entry_count,
        "worked_minutes": event.worked_minutes,
        "checksum": event.checksum,
        "statement": [one.model_dump(mode="json") for one in event.contracts],
    }
    await runs.move(tx, item, to="closed" if item.sealed else item.status, closed=closed)


async def take_reopening(tx: Transaction, event: PeriodReopened) -> None:
    """Drop the drafts of a period, let go of their work, and wait until somebody asks for the period again.

    What is issued stays: contracts opens no period whose invoice it has heard of, and nothing is dropped beside one.
    """
    item = await runs.lock_item(tx, period_close_id=event.period_close_id)
    if (
        item is None
        or item.status == "issued"
        or await invoices.is_any_issued(tx, period_close_id=item.period_close_id)
    ):
        return
    await invoices.drop_drafts(tx, period_close_id=item.period_close_id)
    detail = f"the period was opened again: {event.reason}; ask again when its time is right"
    await runs.move(tx, item, to="blocked", detail=detail, reason="reopened", sealed=None, closed=None, invoice_id=None)
    await runs.said(tx, item.run_id, "")


async def draft_next(tx: Transaction, *, default_seller: dict[str, Any]) -> bool:
    """Make the draft of one closed client after the three-way match; return whether there may be more."""
    item = await runs.lock_next(tx, status="closed", changed_before=tx.now)
    if item is None:
        return False
    try:
        await _draft(tx, item, default_seller=default_seller)
    except TotalsDiffer as error:
        # The last posted hours may still be on their way.
        if await _is_overdue(tx, item):
            await _block(tx, item, error)
        else:
            return False
    except (PricesMissing, SameSpecificity, RateNotPossible, MixedCurrencies) as error:
        await _block(tx, item, error)
    return True


async def _block(tx: Transaction, item: RunItem, error: Exception) -> None:
    await runs.move(tx, item, to="blocked", detail=str(error), reason=slug(type(error).__name__))


async def _is_overdue(tx: Transaction, item: RunItem) -> bool:
    return tx.now - item.changed_at > PATIENCE


async def _draft(tx: Transaction, item: RunItem, *, default_seller: dict[str, Any]) -> None:
    assert item.sealed is not None, "a closed item was sealed"
    assert item.closed is not None, "a closed item has an answer of contracts"
    sealed = Control(**item.sealed)
    closed = Control(**{name: item.closed[name] for name in ("entry_count", "worked_minutes", "checksum")})
    if sealed != closed:
        raise TotalsDiffer(
            f"tickets sealed {sealed.entry_count} entries of {sealed.worked_minutes} min, contracts closed"
            f" {closed.entry_count} of {closed.worked_minutes} min"
        )
    basis = await drafting.basis_of(tx, client_id=item.client_id, starts_on=item.starts_on, ends_on=item.ends_on)
    before = midnight(item.ends_on, basis.client["timezone"])
    work = await _sealed(tx, client_id=item.client_id, before=before, sealed=sealed)
    made = drafting.made_of(basis, work.summed, statement=item.closed["statement"])
    if not made:
        await runs.move(tx, item, to="nothing", detail="no work and nothing due in this period")
        return
    seller = await seller_of(tx, default_seller)
    ids = [new_id() for _ in made]
    taken = 0
    for invoice_id, one in zip(ids, made, strict=True):
        taken += await drafting.add(
            tx,
            one,
            basis,
            invoice_id=invoice_id,
            period_close_id=item.period_close_id,
            seller=seller,
            rows=work.rows,
        )
    if taken != sealed.entry_count:
        raise WorkChanged(f"{sealed.entry_count} entries were priced, {taken} of them are as they were")
    await runs.move(tx, item, to="drafted", invoice_id=ids[0])


async def _sealed(tx: Transaction, *, client_id: UUID, before: datetime, sealed: Control) -> Waiting:
    """Return the waiting work a sealed period is made of.

    Entries approved after the sealing belong to the next period: when all are too many, the first that were posted are tried.

    Raises:
        TotalsDiffer: with the difference in words.
    """
    found = await unbilled.waiting(tx, client_id=client_id, before=before)
    if found.control == sealed:
        return found
    first = await unbilled.waiting(tx, client_id=client_id, before=before, first=sealed.entry_count)
    if first.control == sealed:
        return first
    raise differing(sealed, found.control)


async def ask_overdue(tx: Transaction) -> bool:
    """Ask again where an answer is overdue, and say so when asking does not help; return whether there may be more."""
    for status in ("requested", "sealed"):
        item = await runs.lock_next(tx, status=status, changed_before=tx.now - PATIENCE)
        if item is None:
            continue
        if item.attempt >= ATTEMPTS_MAX:
            who = "tickets" if status == "requested" else "contracts"
            await runs.move(
                tx, item, to="blocked", detail=f"no answer from {who} after {item.attempt} requests", reason="no-answer"
            )
        else:
            await ask_again(tx, item)
        return True
    return False


async def tell_what_runs_become(tx: Transaction) -> bool:
    """Say of each run when it waits for somebody, and when it is finished."""
    for run in await runs.unsettled(tx):
        word = "review" if run.drafted or run.blocked else "finished" if run.issued or run.nothing else ""
        word = "" if run.moving else word
        if word == run.said:
            continue
        await runs.said(tx, run.id, word)
        if word:
            kind = BillingRunReady if word == "review" else BillingRunFinished
            await record(
                tx,
                kind(
                    occurred_at=tx.now,
                    run_id=run.id,
                    starts_on=run.starts_on,
                    ends_on=run.ends_on,
                    drafted_count=run.drafted,
                    blocked_count=run.blocked,
                    issued_count=run.issued,
                    nothing_count=run.nothing,
                ),
            )
    return False


async def issue_drafts(
    tx: Transaction, *, run_id: UUID, invoice_ids: Sequence[UUID] | None, default_seller: dict[str, Any]
) -> int:
    """Mark the drafts of a run, or some of them, to be issued one after the other; return how many.

    Raises:
        NothingToIssue: there is no such draft.
        InvoiceIncomplete: a draft lacks what its invoice needs; none of them is issued.
    """
    drafted = await runs.lock_items(tx, run_id=run_id, status="drafted")
    drafts = await invoices.lock_drafts_of_run(tx, run_id=run_id)
    # A client's invoices of a period, one in each currency, are issued together.
    chosen = {one.period_close_id for one in drafts if invoice_ids is None or one.id in invoice_ids}
    wanted = [item for item in drafted if item.period_close_id in chosen]
    if not wanted:
        raise NothingToIssue("the run has no such draft; a blocked client has to be solved first")
    closes = {item.period_close_id for item in wanted}
    await check_ready(tx, [one for one in drafts if one.period_close_id in closes], default_seller=default_seller)
    for item in wanted:
        await runs.move(tx, item, to="issuing", invoice_id=item.invoice_id)
    return len(wanted)


async def preview(
    tx: Transaction, *, client_id: UUID, starts_on: date, ends_on: date
) -> tuple[list[drafting.Made], str | None]:
    """Return the invoices a client would get for a period as things stand, and what would keep it from getting them.

    Nothing is changed, asked or said.

    Raises:
        NotFound: the client is unknown.
    """
    basis = await drafting.basis_of(tx, client_id=client_id, starts_on=starts_on, ends_on=ends_on)
    before = midnight(ends_on, basis.client["timezone"])
    work = await unbilled.waiting(tx, client_id=client_id, before=before)
    try:
        return drafting.made_of(basis, work.summed, statement=()), None
    except (PricesMissing, SameSpecificity, RateNotPossible, MixedCurrencies, TotalsDiffer) as error:
        return [], str(error)
