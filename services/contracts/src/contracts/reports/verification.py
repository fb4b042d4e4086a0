"""Recomputes every book from its first posting and says what does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from contracts.domain.ledger import LedgerBroken
from contracts.domain.proof import Audit, Kept
from contracts.store import books, kept as evidence
from msp_kit.database import Transaction


async def verify(tx: Transaction, contract: str | None = None) -> Sequence[str]:
    """Return the first failure of each contract, one sentence each; empty when every ledger holds.

    ``contract`` is the ref of a single one. Nothing is locked: run it in a snapshot while time is being logged.
    """
    broken = []
    rows = await tx.fetch(
        "SELECT b.contract_id, c.ref FROM buckets b JOIN contracts c ON c.id = b.contract_id"
        " WHERE $1::text IS NULL OR c.ref = $1 ORDER BY c.ref",
        contract,
    )
    if contract is not None and not rows:
        return [f"{contract}: there is no active contract of this ref"]
    for row in rows:
        failure = await _failure(tx, row["contract_id"])
        if failure is not None:
            broken.append(f"{row['ref']}: {failure}")
    return broken


async def _failure(tx: Transaction, contract_id: UUID) -> str | None:
    book = await books.read_book(tx, contract_id)
    kept = Kept(
        balances=book.balances,
        last_seq=book.last_seq,
        last_hash=book.last_hash,
        lots=book.lots,
        adjustments=await evidence.adjustments(tx, contract_id),
    )
    audit = Audit(kept, taken=await books.minutes_taken(tx, contract_id))
    try:
        async for postings in books.postings_of(tx, contract_id):
            for posting in postings:
                audit.read_posting(posting)
        audit.close_postings()
        async for entries in books.told_in_order(tx, book):
            for told in entries:
                audit.read_hours(told)
        audit.close()
    except LedgerBroken as error:
        return str(error)
    return await evidence.first_broken(tx, contract_id, book.contract.client_id)
