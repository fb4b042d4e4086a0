"""Forgetting contents of files that no ticket names: of uploads that failed, and of rows that are gone.

Safe against an upload of the same content at the same time: whoever puts or forgets a content holds its lock until the
end of the transaction, and what was put lately is left alone, whatever the database says.
"""

from __future__ import annotations

from datetime import timedelta

from msp_kit import telemetry
from msp_kit.database import Transaction
from tickets.blobs import Blobs
from tickets.domain.attachment import are_doubtful, shard_at
from tickets.store import threads

log = telemetry.logger(__name__)
AT_ONCE_MAX = 500


async def forget_contents(tx: Transaction, blobs: Blobs, *, kept_days: int, shard: str | None = None) -> bool:
    """Forget the contents of a part of the store that are older than ``kept_days`` and belong to no file.

    Each quarter of an hour has its own part (``shard``): in less than three days all of them have had their turn. Return
    whether more is left of this one.
    """
    before = tx.now - timedelta(days=kept_days)
    old = [one.name for one in await blobs.kept(shard or shard_at(tx.now)) if one.put_at < before]
    needed = await threads.contents_needed(tx, names=old)
    lost = [name for name in old if name not in needed]
    if are_doubtful(kept=len(needed), lost=len(lost)):
        log.error("most old contents belong to no file; none was forgotten", kept=len(needed), lost=len(lost))
        return False
    for name in lost[:AT_ONCE_MAX]:
        if await threads.try_hold_content(tx, name) and not await threads.contents_needed(tx, names=[name]):
            await blobs.forget(name)
            log.info("content forgotten", name=name)
    return len(lost) > AT_ONCE_MAX
