"""The hot path: what tickets says about time becomes holds, postings and releases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from contracts.actions.saying import events_of
from contracts.domain.book import Book
from contracts.domain.coverage import Work
from contracts.domain.entry import Change, TimeEntry
from contracts.domain.ticket_day import ticket_days
from contracts.store import books as store, contracts as contract_store
from contracts.store.book_rows import hours_from
from msp_events.base import Event
from msp_events.contracts import TimeRefused
from msp_events.tickets import TimeEntryState
from msp_kit.database import Transaction
from msp_kit.outbox import record


class UnknownContract(Exception):
    """Time was logged on a contract that is not known here, or is no client's of that name."""


class EntryMovedContract(Exception):
    """A time entry cannot move from one contract to another: void it and log it anew."""


async def take(tx: Transaction, told: Iterable[TimeEntryState]) -> None:
    """Bring the books up to date with time entries as tickets tells them, several contracts at once.

    The newest telling of an entry counts; older and repeated ones change nothing.

    Raises:
        UnknownContract: an entry names a contract that does not exist, or belongs to another client.
        EntryMovedContract: an entry was on another contract before.
    """
    newest: dict[UUID, TimeEntryState] = {}
    for event in told:
        known = newest.get(event.time_entry_id)
        if known is None or known.revision < event.revision:
            newest[event.time_entry_id] = event
    books = await store.open_books(tx, {event.contract_id for event in newest.values()})
    before = await store.hours_of(tx, newest)
    changes: dict[UUID, list[Change]] = {}
    refused: list[Event] = []
    for event in newest.values():
        row = before.get(event.time_entry_id)
        if row is not None and row["entry_revision"] >= event.revision:
            continue
        book = books.get(event.contract_id)
        if book is None:
            refused += await _without_book(tx, event)
            continue
        if book.contract.client_id != event.client_id:
            raise UnknownContract(f"{book.contract.ref} is not a contract of client {event.client_id}")
        if row is not None and row["contract_id"] != event.contract_id:
            raise EntryMovedContract(f"{event.time_entry_id} is on contract {row['contract_id']}")
        known_hours = None if row is None else hours_from(row)
        changes.setdefault(event.contract_id, []).append(Change(_time_entry(event), known_hours))
    for contract_id, of_contract in changes.items():
        await _settle(tx, books[contract_id], of_contract)
    await save(tx, [books[contract_id] for contract_id in changes], refused)


async def save(tx: Transaction, books: Sequence[Book], more: Iterable[Event] = ()) -> None:
    """Save books and say what changed in them."""
    events = [event for book in books for event in events_of(book)]
    await store.save(tx, books)
    await record(tx, *events, *more)


async def _settle(tx: Transaction, book: Book, changes: Sequence[Change]) -> None:
    days = ticket_days(book.contract, changes)
    plan = book.plan(changes, await store.neighbours(tx, book.contract, days) if days else ())
    tail = [] if plan.tail_from is None else await store.tail(tx, book.contract, plan.tail_from)
    book.settle(plan, tail)


async def _without_book(tx: Transaction, event: TimeEntryState) -> list[Event]:
    """Refuse time on a contract that was never activated; there is nothing it could be held on."""
    head = await contract_store.head(tx, event.contract_id)
    if head is None or head["client_id"] != event.client_id:
        raise UnknownContract(f"contract {event.contract_id} of client {event.client_id} is not known here")
    return [
        TimeRefused(
            occurred_at=tx.now,
            time_entry_id=event.time_entry_id,
            client_id=event.client_id,
            contract_id=event.contract_id,
            entry_revision=event.revision,
            reason="contract-active",
            detail=f"{head['ref']} is a draft, not active",
        )
    ]


def _time_entry(event: TimeEntryState) -> TimeEntry:
    return TimeEntry(
        id=event.time_entry_id,
        revision=event.revision,
        decision=event.status,
        work=Work(event.job_type, event.level, event.worked_from, event.worked_minutes),
        agent_id=event.agent_id,
        agent_name=event.agent_name,
        ticket_id=event.ticket_id,
        task_id=event.task_id,
        note=event.note,
        ref=event.ref,
    )
