"""What billing hears: clients, terms, posted hours, and the answers to its period closes."""

from __future__ import annotations

from collections.abc import Sequence

from billing.actions import intake, runs
from msp_events.contracts import (
    ClientRegistered,
    ClientState,
    ClientUpdated,
    ContractActivated,
    ContractAmended,
    ContractEnded,
    ContractState,
    HoursHeld,
    HoursPosted,
    HoursReleased,
    HoursState,
    PeriodClosed,
    PeriodReopened,
)
from msp_events.sla import SlaCreditEarned, SlaCreditState, SlaCreditWithdrawn
from msp_events.tickets import PeriodSealRefused, WorklogSealed
from msp_kit.consumers import Consumers
from msp_kit.database import Transaction

consumers = Consumers(
    "billing",
    order={
        "contracts.client": "state",
        "contracts.contract": "effect",
        "contracts.hours": "effect",
        "contracts.period": "effect",
        "tickets.period": "effect",
        "sla.credit": "state",
    },
    # Hours are priced at the end of a period; nobody waits for one.
    gather_seconds=0.1,
)


@consumers.hears(ClientRegistered, ClientUpdated)
async def on_client(tx: Transaction, event: ClientState) -> None:
    """Keep who is billed."""
    await intake.keep_client(tx, event)


@consumers.hears(ContractActivated, ContractAmended, ContractEnded)
async def on_contract(tx: Transaction, event: ContractState) -> None:
    """Keep the terms of every version."""
    await intake.keep_contract(tx, event)


@consumers.hears_many(HoursHeld, HoursPosted, HoursReleased)
async def on_hours(tx: Transaction, events: Sequence[HoursState]) -> None:
    """Keep what became of every entry."""
    await intake.keep_hours(tx, events)


@consumers.hears(WorklogSealed)
async def on_worklog_sealed(tx: Transaction, event: WorklogSealed) -> None:
    """Go on with a run."""
    await runs.take_seal(tx, event)


@consumers.hears(PeriodSealRefused)
async def on_seal_refused(tx: Transaction, event: PeriodSealRefused) -> None:
    """Block a client with the reason."""
    await runs.take_refusal(tx, event)


@consumers.hears(PeriodClosed)
async def on_period_closed(tx: Transaction, event: PeriodClosed) -> None:
    """Go on with a run, or block a client with the difference."""
    await runs.take_close(tx, event)


@consumers.hears(PeriodReopened)
async def on_period_reopened(tx: Transaction, event: PeriodReopened) -> None:
    """Drop the drafts of a period that is open again."""
    await runs.take_reopening(tx, event)


@consumers.hears(SlaCreditEarned, SlaCreditWithdrawn)
async def on_sla_credit(tx: Transaction, event: SlaCreditState) -> None:
    """Keep a credit with its evidence, or take it back as long as no issued invoice gave it."""
    await intake.keep_sla_credit(tx, event)
