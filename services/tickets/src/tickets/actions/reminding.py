"""Reminding people of time: managers of what waits for them, agents of what they have not submitted."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from msp_events.tickets import TimeUnsubmitted, TimeWaiting
from msp_kit.database import Transaction
from msp_kit.outbox import record
from tickets.domain.reminder import is_nearly_over, month_of
from tickets.store import reminders as store

KEPT = timedelta(days=100)


async def remind_of_waiting(tx: Transaction, *, on: date) -> bool:
    """Say once a day that submitted time waits for approval, when there is some."""
    about = f"waiting {on}"
    if await store.is_given(tx, about):
        return False
    entries, minutes = await store.waiting_time(tx)
    reminder_id = await store.give(tx, about) if entries else None
    if reminder_id is not None:
        await store.forget(tx, before=tx.now - KEPT)
        said = TimeWaiting(
            occurred_at=tx.now,
            reminder_id=reminder_id,
            period_ends_on=month_of(on)[1],
            entry_count=entries,
            worked_minutes=minutes,
        )
        await record(tx, said)
    return False


async def remind_of_unsubmitted(tx: Transaction, *, on: date) -> bool:
    """Tell one agent, near the end of a month, that not all of their time is submitted; return whether there may be more."""
    if not is_nearly_over(on):
        return False
    starts_on, ends_on = month_of(on)
    since, before = (datetime.combine(day, time(), tzinfo=UTC) for day in (starts_on, ends_on))
    found = await store.open_time(tx, since=since, before=before, month=f"{starts_on:%Y-%m}")
    if found is None:
        return False
    reminder_id = await store.give(tx, f"{found.agent_id} {starts_on:%Y-%m}")
    assert reminder_id is not None, "the agent is locked"
    running = timedelta() if found.running_since is None else tx.now - found.running_since
    said = TimeUnsubmitted(
        occurred_at=tx.now,
        reminder_id=reminder_id,
        period_ends_on=ends_on,
        agent_id=found.agent_id,
        person_id=found.person_id,
        open_minutes=found.rejected_minutes + running // timedelta(minutes=1),
    )
    await record(tx, said)
    return True
