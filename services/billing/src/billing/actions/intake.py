"""Keeping what other services say about clients, terms and hours."""

from __future__ import annotations

from collections.abc import Sequence

from billing.store import intake as store
from msp_events.contracts import ClientState, ContractState, HoursPosted, HoursState
from msp_kit.database import Transaction


async def keep_client(tx: Transaction, event: ClientState) -> None:
    """Keep a client."""
    await store.save_client(tx, event.client_id, event.revision, event.name, event.timezone, event.model_dump_json())


async def keep_contract(tx: Transaction, event: ContractState) -> None:
    """Keep a contract version."""
    await store.save_contract_version(
        tx, event.client_id, event.contract_id, event.version, event.revision, event.status, event.model_dump_json()
    )


async def keep_hours(tx: Transaction, events: Sequence[HoursState]) -> None:
    """Keep the stamps of entries; of several of one entry, the newest."""
    newest = {event.time_entry_id: event for event in sorted(events, key=lambda one: one.revision)}
    await store.save_hours(
        tx,
        [
            (
                one.client_id,
                one.time_entry_id,
                one.contract_id,
                one.revision,
                one.status,
                one.worked_from,
                one.worked_minutes,
                one.occurred_at if isinstance(one, HoursPosted) else None,
                one.model_dump_json(),
            )
            for _, one in sorted(newest.items())
        ],
    )
