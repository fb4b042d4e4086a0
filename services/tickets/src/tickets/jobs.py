"""What wakes by itself: finding agents for new tickets, closing what was resolved long enough ago, forgetting lost files."""

from __future__ import annotations

from msp_kit.database import Transaction
from msp_kit.jobs import Job
from tickets.actions import assigning, forgetting, tickets
from tickets.blobs import Blobs
from tickets.domain.attachment import SHARD_SECONDS


def jobs(blobs: Blobs, *, kept_days: int) -> tuple[Job, ...]:
    """Return the jobs; contents of files no ticket names are kept for so many days, ``0`` for ever."""

    async def forget_contents(tx: Transaction) -> bool:
        return await forgetting.forget_contents(tx, blobs, kept_days=kept_days)

    return (
        Job("assign", 0.5, assigning.assign_waiting),
        Job("close-resolved", 60, tickets.close_resolved),
        *((Job("forget-contents", SHARD_SECONDS, forget_contents),) if kept_days else ()),
    )
