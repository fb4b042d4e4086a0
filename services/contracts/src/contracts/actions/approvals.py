"""The client's word on work beyond the bucket: asked when it is logged, given in the portal, settled in the book.

A client's person decides under row-level security of their own company, and can write nothing but the decision; the
book is changed by the service a moment later, under the contract's lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

from contracts.actions import hours
from contracts.domain.book import Book
from contracts.domain.entry import Hours
from contracts.domain.pricing import priced
from contracts.store import approvals as store, books, contracts
from contracts.store.book_rows import hours_from
from msp_events.contracts import ApprovalDecided
from msp_kernel.ids import new_id
from msp_kernel.periods import day_of, midnight
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.outbox import record
from msp_kit.problems import NotFound

BATCH_SIZE = 50
Decision = Literal["approved", "declined"]


class NothingToApprove(Exception):
    """The time entry does not wait for its client (any more)."""


class ApprovalOutdated(Exception):
    """The overage of the entry is another one now: look again before you decide."""


class AlreadyDecided(Exception):
    """Somebody of the client has just decided about this entry."""


async def decide(
    tx: Transaction, time_entry_id: UUID, *, by: Caller, decision: Decision, overage_minutes: int, reason: str
) -> Mapping[str, Any]:
    """Keep what a client's person decided, and say it; the book follows when it is settled.

    Raises:
        NotFound: there is no such entry, or it is another client's.
        NothingToApprove, ApprovalOutdated, AlreadyDecided: why there is nothing to decide.
    """
    row = await store.waiting(tx, time_entry_id)
    if row is None:
        if not await store.is_known(tx, time_entry_id):
            raise NotFound
        raise NothingToApprove("the time entry does not wait for approval")
    if row["overage_minutes"] != overage_minutes:
        raise ApprovalOutdated(f"it is {row['overage_minutes']} minutes beyond the bucket now, not {overage_minutes}")
    if await store.has_unsettled(tx, time_entry_id):
        raise AlreadyDecided("the time entry was decided a moment ago")
    contract = await contracts.contract(tx, row["contract_id"])
    assert contract is not None, "whoever sees the hours sees their contract"
    entry = hours_from(row)
    terms = contract.terms_at(entry.entry.work.worked_from)
    price = priced(entry.split.parts, terms, job_type=row["job_type"], level=row["level"]).overage_minor
    kept = {
        "id": new_id(),
        **{name: row[name] for name in ("client_id", "contract_id", "time_entry_id", "overage_minutes")},
        **{name: row[name] for name in ("worked_from", "worked_minutes", "job_type", "level")},
        "price_minor": price,
        "currency": contract.currency,
        "decision": decision,
        "reason": reason,
        "decided_by": by.id,
        "decided_by_name": by.name,
        "decided_at": tx.now,
    }
    await store.insert_approval(tx, kept)
    said = {name: kept[name] for name in ApprovalDecided.model_fields if name in kept}
    said |= {"occurred_at": tx.now, "decided_by": str(by.id), "entry_revision": row["entry_revision"]}
    await record(tx, ApprovalDecided(**said, ticket_id=row["ticket_id"]))
    return kept


async def settle(tx: Transaction) -> bool:
    """Bring decisions of clients into the books; return whether more may be due."""
    due = await store.unsettled(tx, limit=BATCH_SIZE)
    for row in due:
        book = (await books.open_books(tx, [row["contract_id"]]))[row["contract_id"]]
        found = (await books.hours_of(tx, [row["time_entry_id"]]))[row["time_entry_id"]]
        entry = hours_from(found)
        is_meant = entry.is_active and all(
            found[name] == row[name] for name in ("worked_from", "worked_minutes", "job_type", "level")
        )
        if is_meant:
            source = f"approval:{row['id']}"
            if row["decision"] == "approved":
                book.consent(entry, minutes=row["overage_minutes"], source=source)
            else:
                await _decline(tx, book, entry, source=source)
            await hours.save(tx, [book])
        await store.settle(tx, row["id"], outcome="applied" if is_meant else "outdated")
    return len(due) == BATCH_SIZE


async def _decline(tx: Transaction, book: Book, entry: Hours, *, source: str) -> None:
    """Give back what the entry holds; later entries may have it."""
    worked_from = entry.entry.work.worked_from
    timezone = book.contract.terms_at(worked_from).calendar.timezone
    # From midnight on, because entries of one ticket and day are rounded together.
    open_hours = await books.open_from(tx, book.contract, midnight(day_of(worked_from, timezone), timezone))
    declined = replace(entry, is_declined=True)
    behind = [declined if one.entry.id == entry.entry.id else one for one in open_hours]
    beside = await books.beside(tx, book.contract, behind)
    book.reallocate(behind, source=source, restamp=True, beside=beside)
