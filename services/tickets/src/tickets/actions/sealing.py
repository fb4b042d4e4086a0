"""Sealing a client's period for billing, and locking it before."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from msp_events.billing import PeriodCloseRequested
from msp_events.contracts import PeriodReopened
from msp_events.tickets import PeriodSealRefused, WorklogSealed
from msp_kernel.periods import day_of, midnight
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.outbox import record
from msp_kit.problems import NotFound
from tickets.domain.time_entry import check_is_over, checksum
from tickets.store import organisation, time as store, workplaces
from tickets.store.time import SealedPeriod


async def seal_period(tx: Transaction, request: PeriodCloseRequested) -> None:
    """Freeze a client's approved time up to the end of a period and say its control totals; once, answered again."""
    sealed = await store.sealed_period(tx, period_close_id=request.period_close_id)
    ends_at = midnight(request.ends_on, request.timezone)
    period: dict[str, Any] = {
        "period_close_id": request.period_close_id,
        "client_id": request.client_id,
        "starts_on": request.starts_on,
        "ends_on": request.ends_on,
    }
    waiting = await store.submitted_before(tx, client_id=request.client_id, before=ends_at)
    if sealed is None and waiting and not request.lists_unapproved:
        detail = f"{waiting} unapproved time entries before {request.ends_on}"
        await record(tx, PeriodSealRefused(occurred_at=tx.now, **period, unapproved_count=waiting, detail=detail))
        return
    if sealed is None:
        entries = await store.seal_entries(
            tx, period_close_id=request.period_close_id, client_id=request.client_id, before=ends_at
        )
        sealed = SealedPeriod(
            **period,
            entry_count=len(entries),
            worked_minutes=sum(minutes for _, minutes in entries),
            checksum=checksum(entries),
        )
        await store.add_sealed_period(tx, sealed)
    await record(
        tx,
        WorklogSealed(
            occurred_at=tx.now,
            **period,
            entry_count=sealed.entry_count,
            worked_minutes=sealed.worked_minutes,
            checksum=sealed.checksum,
            unapproved_count=waiting,
        ),
    )


async def reopen_period(tx: Transaction, event: PeriodReopened) -> None:
    """Let the time of a sealed period be changed again; nothing happens when it was opened before."""
    await store.unseal(tx, period_close_id=event.period_close_id)


async def lock_period(tx: Transaction, *, client_id: UUID, locked_before: date | None, reason: str, by: Caller) -> None:
    """Lock what was worked before a day (in the client's zone) for everybody but managers; ``None`` opens it again.

    Raises:
        NotFound: no such client.
        PeriodNotOver: the day is still to come.
    """
    zone = await organisation.timezone_of(tx, client_id=client_id)
    if zone is None:
        raise NotFound
    check_is_over(locked_before, today=day_of(tx.now, zone))
    await workplaces.save_lock(tx, client_id=client_id, locked_before=locked_before, by=by.name, reason=reason)
