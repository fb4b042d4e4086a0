"""What wakes by itself: finding agents for new tickets, closing what was resolved, reminding of time, forgetting lost files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC

from msp_kit.database import Transaction
from msp_kit.jobs import Job
from tickets.actions import assigning, forgetting, reminding, tickets
from tickets.blobs import Blobs
from tickets.domain.attachment import SHARD_SECONDS


def _today(reminded: Callable[..., Awaitable[bool]]) -> Callable[[Transaction], Awaitable[bool]]:
    async def tick(tx: Transaction) -> bool:
        return await reminded(tx, on=tx.now.astimezone(UTC).date())

    return tick


def jobs(blobs: Blobs, *, kept_days: int) -> tuple[Job, ...]:
    """Return the jobs; contents of files no ticket names are kept for so many days, ``0`` for ever."""

    async def forget_contents(tx: Transaction) -> bool:
        return await forgetting.forget_contents(tx, blobs, kept_days=kept_days)

    return (
        Job("assign", 0.5, assigning.assign_waiting),
        Job("close-resolved", 60, tickets.close_resolved),
        Job("remind-of-waiting", 60, _today(reminding.remind_of_waiting)),
        Job("remind-of-unsubmitted", 600, _today(reminding.remind_of_unsubmitted)),
        *((Job("forget-contents", SHARD_SECONDS, forget_contents),) if kept_days else ()),
    )
