"""Keeping what other services say about clients, terms and hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from billing.actions import drafting
from billing.domain.items import Credit
from billing.store import intake as store, profiles
from msp_events.contracts import ClientState, ContractState, HoursPosted, HoursState
from msp_events.sla import SlaCreditState
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


async def keep_sla_credit(tx: Transaction, event: SlaCreditState) -> None:
    """Keep a credit a broken promise earned; a withdrawn one leaves its draft, and stays given once that is issued."""
    if event.status == "withdrawn":
        _, draft_id = await profiles.withdraw_credit(tx, credit_id=event.credit_id)
        if draft_id is not None:
            await drafting.make_anew(tx, invoice_id=draft_id, seller=None)
        return
    if not (event.amount_minor or event.basis_points):
        # The cap of its rule left nothing.
        return
    credit = Credit(
        id=event.credit_id,
        contract_id=event.contract_id,
        currency=event.currency,
        amount_minor=event.amount_minor or 0,
        basis_points=event.basis_points or 0,
        text=f"SLA, {event.starts_on:%Y-%m} ({event.rule_id})",
        evidence=(
            {
                "kind": event.kind,
                "rule_id": event.rule_id,
                "contract_version": event.contract_version,
                "met_count": event.met_count,
                "missed_count": event.missed_count,
                "compliance_basis_points": event.compliance_basis_points,
                "is_capped": event.is_capped,
            },
            *(one.model_dump(mode="json") for one in event.evidence),
        ),
        source="sla",
        # It belongs on the invoice of its month.
        earned_on=event.ends_on - timedelta(days=1),
    )
    await profiles.add_credit(tx, client_id=event.client_id, credit=credit)
