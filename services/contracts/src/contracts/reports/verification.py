"""Recomputes every book from its first posting and says what does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from contracts.domain.proof import Kept, first_failure
from contracts.store import books
from contracts.store.book_rows import hours_from, posting_from
from msp_kit.database import Transaction


async def verify(tx: Transaction) -> Sequence[str]:
    """Return the first failure of each contract, one sentence each; empty when every ledger holds.

    Each book is read under its lock, so that the proof is of one state even while time is being logged.
    """
    broken = []
    rows = await tx.fetch(
        "SELECT b.contract_id, c.ref FROM buckets b JOIN contracts c ON c.id = b.contract_id ORDER BY b.contract_id"
    )
    for row in rows:
        failure = await _failure(tx, row["contract_id"])
        if failure is not None:
            broken.append(f"{row['ref']}: {failure}")
    return broken


async def _failure(tx: Transaction, contract_id: UUID) -> str | None:
    book = (await books.open_books(tx, [contract_id]))[contract_id]
    hours = await tx.fetch("SELECT * FROM hours WHERE contract_id = $1", contract_id)
    postings = await tx.fetch("SELECT * FROM postings WHERE contract_id = $1 ORDER BY seq", contract_id)
    kept = Kept(
        balances=book.balances,
        last_seq=book.last_seq,
        last_hash=book.last_hash,
        lots=book.lots,
        hours={row["time_entry_id"]: hours_from(row) for row in hours},
    )
    return first_failure([posting_from(one) for one in postings], kept)
