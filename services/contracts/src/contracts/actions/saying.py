"""From domain values to events: how the service words what happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from contracts.domain.book import Book
from contracts.domain.coverage import Check
from contracts.domain.entry import Hours
from contracts.domain.pricing import priced
from contracts.store.states import span
from msp_events.base import Event
from msp_events.contracts import (
    ApprovalRequested,
    BucketBalanceChanged,
    BucketExhausted,
    BucketThresholdCrossed,
    HoursHeld,
    HoursPosted,
    HoursReleased,
    HoursState,
    TimeRefused,
)
from msp_kernel.periods import day_of

_HOURS_EVENTS: dict[str, type[HoursState]] = {"held": HoursHeld, "posted": HoursPosted, "released": HoursReleased}


def events_of(book: Book) -> list[Event]:
    """Return what the changes of a book say: one event per entry, one for the balance, and alerts; notes the alerts."""
    events: list[Event] = []
    for hours in book.changed.values():
        if hours.refusal is not None:
            events.append(_refusal(book, hours, hours.refusal))
        # Who was told of its hours before has to hear that they are gone.
        if hours.refusal is None or hours.revision > 1:
            events.append(_state(book, hours))
    events += _questions(book)
    if book.contract.kind != "time_and_materials" and (book.postings or book.changed_lots):
        events += [*_alerts(book), BucketBalanceChanged(**bucket_state(book))]
    return events


def _refusal(book: Book, hours: Hours, refusal: Check) -> Event:
    return TimeRefused(
        occurred_at=book.now,
        time_entry_id=hours.entry.id,
        client_id=book.contract.client_id,
        contract_id=book.contract.id,
        entry_revision=hours.entry.revision,
        reason=refusal.rule,
        detail=refusal.text,
    )


def _state(book: Book, hours: Hours) -> Event:
    entry, contract = hours.entry, book.contract
    split = hours.split
    status = "released" if hours.status == "refused" else hours.status
    return _HOURS_EVENTS[status](
        occurred_at=book.now,
        time_entry_id=entry.id,
        client_id=contract.client_id,
        contract_id=contract.id,
        revision=hours.revision,
        entry_revision=entry.revision,
        contract_version=hours.contract_version,
        rate_card_version=hours.rate_card_version,
        status=status,
        worked_from=entry.work.worked_from,
        worked_minutes=entry.work.worked_minutes,
        billed_minutes=split.billed_minutes,
        bucket_minutes=split.bucket_minutes,
        overage_minutes=split.overage_minutes,
        excluded_minutes=split.excluded_minutes,
        job_type=entry.work.job_type,
        level=entry.work.level,
        agent_id=entry.agent_id,
        agent_name=entry.agent_name,
        ticket_id=entry.ticket_id,
        task_id=entry.task_id,
        note=entry.note,
        spans=tuple(span(part) for part in split.parts),
        is_late=hours.is_late,
    )


def bucket_state(book: Book) -> dict[str, Any]:
    """Return the members of a bucket event, as they will be after the book is saved."""
    balances = book.balances
    ends = [one.lot.ends_at for one in book.lots.values() if one.lot.ends_at is not None and not one.is_lapsed]
    timezone = book.contract.versions[-1].calendar.timezone
    return {
        "occurred_at": book.now,
        "contract_id": book.contract.id,
        "client_id": book.contract.client_id,
        "revision": book.revision + 1,
        "granted_minutes": balances.granted,
        "available_minutes": balances.available,
        "held_minutes": balances.held,
        "consumed_minutes": balances.consumed,
        "overage_minutes": balances.overage,
        "expired_minutes": balances.expired,
        "carried_in_minutes": balances.carried_in,
        "carried_out_minutes": balances.carried_out,
        "adjusted_minutes": balances.adjusted,
        "lot_ends_on": day_of(min(ends), timezone) if ends else None,
    }


def _questions(book: Book) -> Iterable[Event]:
    """Ask the client about work beyond the bucket that only they can agree to; notes what was asked."""
    found: list[Event] = []
    for hours in list(book.changed.values()):
        overage_minutes = hours.split.overage_minutes
        if not hours.awaits_consent or hours.asked_minutes == overage_minutes:
            continue
        book.changed[hours.entry.id] = replace(hours, asked_minutes=overage_minutes)
        work = hours.entry.work
        prices = priced(
            hours.split.parts, book.contract.terms_at(work.worked_from), job_type=work.job_type, level=work.level
        )
        found.append(
            ApprovalRequested(
                occurred_at=book.now,
                time_entry_id=hours.entry.id,
                client_id=book.contract.client_id,
                contract_id=book.contract.id,
                entry_revision=hours.entry.revision,
                worked_from=work.worked_from,
                worked_minutes=work.worked_minutes,
                overage_minutes=overage_minutes,
                price_minor=prices.overage_minor,
                currency=book.contract.currency,
                job_type=work.job_type,
                level=work.level,
                ticket_id=hours.entry.ticket_id,
            )
        )
    return found


def _alerts(book: Book) -> Iterable[Event]:
    """Say which thresholds the use of a lot passed, each once, and that the bucket is empty, once until a top-up."""
    found: list[Event] = []
    thresholds = sorted(book.contract.versions[-1].bucket_thresholds_percent)
    for lot_id in sorted(book.changed_lots):
        one = book.lots[lot_id]
        passed = [percent for percent in thresholds if one.alerted_percent < percent <= one.used_percent]
        if passed:
            book.lots[lot_id] = replace(one, alerted_percent=passed[-1])
        found += [
            BucketThresholdCrossed(**bucket_state(book), threshold_percent=percent, lot_id=lot_id) for percent in passed
        ]
    if book.balances.available == 0 and not book.is_exhausted and book.lots:
        book.is_exhausted = True
        found.append(BucketExhausted(**bucket_state(book)))
    return found
