"""Finding what the gateway itself knows: names of clients, and people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msp_kit.database import Transaction
from portal_gateway.store import notes, people


async def clients(tx: Transaction, words: Sequence[str], *, limit: int) -> Sequence[Any]:
    """Return clients whose name or code has all the words; for the staff."""
    return await notes.clients_with_words(tx, words, limit=limit)


async def persons(tx: Transaction, words: Sequence[str], *, limit: int) -> Sequence[Any]:
    """Return people whose name or address has all the words, as far as the transaction's scope sees them."""
    return await people.with_words(tx, words, limit=limit)
