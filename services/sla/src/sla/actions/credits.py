"""Credits for broken promises: settle a contract's month once it is over in the client's zone, and again when late facts come."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from msp_events import sla as events
from msp_kernel.periods import midnight
from msp_kit.database import Transaction
from msp_kit.outbox import record
from sla import store
from sla.domain import credits as rules
from sla.domain.credits import next_month
from sla.store import GivenCredit, Month

SETTLED_AT_ONCE_MAX = 20
SETTLES_AFTER = timedelta(hours=1)
"""How long after its end a month is settled: what happened in its last minutes has been told by then."""


async def open_month(tx: Transaction, *, contract_id: UUID, client_id: UUID, on: date) -> None:
    """Note that the month of a day is to be settled; the months after it follow."""
    starts_on = on.replace(day=1)
    # The client's zone is looked up when it is due: it may not be known yet, and the client may move.
    settle_at = midnight(next_month(starts_on), "UTC")
    await store.open_month(tx, contract_id=contract_id, client_id=client_id, starts_on=starts_on, settle_at=settle_at)
    await store.reopen_last_month(tx, contract_id)


async def settle_months(tx: Transaction) -> bool:
    """Give the credits of months that are over, and take back what late facts have made unjustified.

    Returns whether more may be due at once.
    """
    months = await store.lock_months_due(tx, limit=SETTLED_AT_ONCE_MAX)
    for month in months:
        ends_on = next_month(month.starts_on)
        settles_at = midnight(ends_on, month.timezone) + SETTLES_AFTER
        if settles_at > tx.now:
            await store.month_done(tx, month, settle_again_at=settles_at)
            continue
        await _settle(tx, month)
        await store.month_done(tx, month, settle_again_at=None)
        if month.ends_on is None or ends_on < month.ends_on:
            await store.open_month(
                tx,
                contract_id=month.contract_id,
                client_id=month.client_id,
                starts_on=ends_on,
                settle_at=midnight(next_month(ends_on), month.timezone) + SETTLES_AFTER,
            )
    return len(months) == SETTLED_AT_ONCE_MAX


async def _settle(tx: Transaction, month: Month) -> None:
    known = await store.credits_of(tx, month)
    derived = {one.id: one for one in await store.derived_credits(tx, month, known)}
    changed: list[GivenCredit] = []
    for credit_id, credit in derived.items():
        before = known.get(credit_id)
        if before is None:
            changed.append(store.given(credit, month))
        elif before.status == "withdrawn":
            changed.append(replace(before, status="earned", because="", revision=before.revision + 1))
    for credit_id, before in known.items():
        if credit_id not in derived and before.status == "earned":
            because = "the breach was voided" if before.clock_id else "late facts lifted the month's compliance"
            changed.append(replace(before, status="withdrawn", because=because, revision=before.revision + 1))
    await store.save_credits(tx, changed)
    await record(tx, *(_event(one, tx) for one in changed))


def _event(given: GivenCredit, tx: Transaction) -> events.SlaCreditState:
    total = given.met_count + given.missed_count
    state = {
        "occurred_at": tx.now,
        "credit_id": given.id,
        "client_id": given.client_id,
        "contract_id": given.contract_id,
        "contract_version": given.contract_version,
        "revision": given.revision,
        "rule_id": given.rule_id,
        "kind": given.kind,
        "starts_on": given.starts_on,
        "ends_on": next_month(given.starts_on),
        "status": given.status,
        "currency": given.currency,
        "amount_minor": given.amount_minor,
        "basis_points": given.basis_points,
        "is_capped": given.is_capped,
        "clock_id": given.clock_id,
        "met_count": given.met_count,
        "missed_count": given.missed_count,
        "compliance_basis_points": None if given.clock_id else rules.WHOLE * given.met_count // total,
        "evidence_count": given.missed_count,
        "evidence": given.evidence,
    }
    if given.status == "withdrawn":
        return events.SlaCreditWithdrawn.model_validate({**state, "because": given.because})
    return events.SlaCreditEarned.model_validate(state)
