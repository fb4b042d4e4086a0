"""Lots as they are bought, granted and let lapse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import insert, select

from contracts.domain.contract import Contract
from contracts.domain.entry import BookLot
from contracts.store.rows import all_rows
from contracts.tables import lots
from msp_kernel.ids import new_id
from msp_kernel.periods import midnight
from msp_kit.database import Transaction

_NOTHING_YET = {
    "adjusted_minutes": 0,
    "carried_out_minutes": 0,
    "carried_from": None,
    "carry_percent": None,
    "carry_cap_minutes": None,
    "carry_out_seq": None,
    "carry_in_seq": None,
}


async def insert_lot(
    tx: Transaction,
    *,
    contract: Mapping[str, Any],
    timezone: str,
    origin: str,
    minutes: int,
    price_minor: int,
    valid_from: date,
    expires_on: date | None,
    is_granted: bool,
    priority: int = 0,
) -> dict[str, Any]:
    """Save a lot as the next purchase of its contract and return its row; the contract is locked by the caller."""
    sequence = await tx.fetchval(
        "SELECT coalesce(max(sequence), 0) + 1 FROM lots WHERE contract_id = $1", contract["id"]
    )
    row = {
        "id": new_id(),
        "client_id": contract["client_id"],
        "contract_id": contract["id"],
        "sequence": sequence,
        "origin": origin,
        "minutes": minutes,
        "left_minutes": minutes,
        "expired_minutes": 0,
        "price_minor": price_minor,
        "priority": priority,
        "valid_from": valid_from,
        "expires_on": expires_on,
        "starts_at": midnight(valid_from, timezone),
        "ends_at": None if expires_on is None else midnight(expires_on, timezone),
        "is_granted": is_granted,
        "is_lapsed": False,
        "is_closed": False,
        "expiry_seq": None,
        "alerted_percent": 0,
        **_NOTHING_YET,
    }
    await tx.execute(insert(lots).values(**row))
    return row


async def insert_carried(
    tx: Transaction, one: BookLot, *, contract: Contract, valid_from: date, expires_on: date | None
) -> None:
    """Save an empty lot that will carry what another one leaves; the book is locked by the caller."""
    lot, carry = one.lot, one.lot.carry
    assert carry is not None, "it says what it carries"
    await tx.execute(
        insert(lots).values(
            id=lot.id,
            client_id=contract.client_id,
            contract_id=contract.id,
            sequence=lot.sequence,
            origin=one.origin,
            minutes=0,
            left_minutes=0,
            expired_minutes=0,
            price_minor=0,
            priority=lot.priority,
            valid_from=valid_from,
            expires_on=expires_on,
            starts_at=lot.starts_at,
            ends_at=lot.ends_at,
            is_granted=True,
            is_lapsed=False,
            is_closed=False,
            alerted_percent=0,
            **{
                **_NOTHING_YET,
                "carried_from": carry.from_lot_id,
                "carry_percent": carry.percent,
                "carry_cap_minutes": carry.cap_minutes,
            },
        )
    )


async def of_contracts(tx: Transaction, contract_ids: Sequence[UUID]) -> dict[UUID, list[Mapping[str, Any]]]:
    """Return all lots of contracts, granted or not, in purchase sequence."""
    rows = await tx.execute(
        select(lots).where(lots.c.contract_id.in_(contract_ids)).order_by(lots.c.contract_id, lots.c.sequence)
    )
    found: dict[UUID, list[Mapping[str, Any]]] = {one: [] for one in contract_ids}
    for row in all_rows(rows):
        found[row["contract_id"]].append(row)
    return found


async def lapsing(tx: Transaction, *, limit: int) -> Sequence[asyncpg.Record]:
    """Return lots whose time is over and that were not let lapse yet."""
    return await tx.fetch(
        "SELECT id, contract_id FROM lots WHERE ends_at <= $1 AND is_granted AND NOT is_lapsed"
        " ORDER BY ends_at, id LIMIT $2",
        tx.now,
        limit,
    )
