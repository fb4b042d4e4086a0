"""Keeping local copies of what other services say."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from msp_events.contracts import BucketState, ClientState, ContractState, HoursState, JobTypeState
from msp_events.portal import PersonState
from msp_events.sla import ClockState
from msp_kit.database import Transaction
from tickets.store import copies as store


async def keep_client(tx: Transaction, event: ClientState) -> None:
    """Keep a client."""
    await store.save_client(
        tx, event.client_id, event.revision, event.code, event.name, event.timezone, event.is_active
    )


async def keep_job_type(tx: Transaction, event: JobTypeState) -> None:
    """Keep a job type."""
    await store.save_job_type(tx, event.code, event.job_type_id, event.revision, event.name, event.is_billable)


async def keep_contract(tx: Transaction, event: ContractState) -> None:
    """Keep a contract's terms."""
    await store.save_contract(
        tx,
        event.client_id,
        event.contract_id,
        event.revision,
        event.ref,
        event.name,
        event.kind,
        event.version,
        event.status,
        event.starts_on,
        event.ends_on,
        list(event.job_types),
        list(event.levels),
        event.priority,
        orjson.dumps(event.calendar).decode(),
    )


async def keep_person(tx: Transaction, event: PersonState) -> None:
    """Keep a person."""
    await store.save_person(
        tx,
        event.person_id,
        event.revision,
        event.kind,
        event.client_id,
        event.display_name,
        list(event.roles),
        event.is_active,
    )


async def keep_balances(tx: Transaction, events: Sequence[BucketState]) -> None:
    """Keep balances; of several of one contract, the newest."""
    newest = {event.contract_id: event for event in sorted(events, key=lambda one: one.revision)}
    await store.save_balances(
        tx,
        [
            (one.client_id, one.contract_id, one.revision, one.granted_minutes, one.available_minutes)
            for _, one in sorted(newest.items())
        ],
    )


async def keep_hours(tx: Transaction, events: Sequence[HoursState]) -> None:
    """Keep the stamps of entries; of several of one entry, the newest."""
    newest = {event.time_entry_id: event for event in sorted(events, key=lambda one: one.revision)}
    await store.save_hours(
        tx,
        [
            (one.time_entry_id, one.revision, one.status, one.billed_minutes, one.bucket_minutes, one.overage_minutes)
            for _, one in sorted(newest.items())
        ],
    )


async def keep_clocks(tx: Transaction, events: Sequence[ClockState]) -> None:
    """Keep clocks; of several of one clock, the newest."""
    newest = {event.clock_id: event for event in sorted(events, key=lambda one: one.revision)}
    await store.save_clocks(
        tx,
        [
            (
                one.client_id,
                one.clock_id,
                one.ticket_id,
                one.revision,
                one.metric,
                one.cycle,
                one.status,
                one.budget_minutes,
                one.remaining_seconds,
                one.due_at,
                one.is_breached,
                one.verdict,
                one.occurred_at,
            )
            for _, one in sorted(newest.items())
        ],
    )
