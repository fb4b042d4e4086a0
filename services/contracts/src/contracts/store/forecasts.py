"""How buckets were used, and how long they last by that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from contracts.domain.forecast import CONFIDENCE_PERCENT, HISTORY_DAYS_MAX, HORIZON_DAYS_MAX, forecast
from msp_kernel.periods import day_of
from msp_kit.database import Transaction

_BUCKETS = """
    SELECT b.contract_id, b.client_id, c.ref, c.name, c.kind, c.starts_on, c.ends_on, b.available, b.is_shortfall_said,
           (SELECT v.terms -> 'calendar' ->> 'timezone' FROM contract_versions v WHERE v.contract_id = c.id
             ORDER BY v.effective_from DESC, v.version DESC LIMIT 1) AS timezone
      FROM buckets b JOIN contracts c ON c.id = b.contract_id
"""
# What work asked of the bucket counts, whether it was there or not: overage is burn, too.
_BURN = """
    SELECT contract_id, (worked_from AT TIME ZONE z.timezone)::date AS on, sum(bucket_minutes + overage_minutes)::bigint AS minutes
      FROM hours JOIN unnest($1::uuid[], $2::text[]) AS z (id, timezone) ON z.id = contract_id
     WHERE status IN ('held', 'posted') AND worked_from >= $3 AND worked_from < $4
     GROUP BY 1, 2
"""
_OPEN_LOTS = """
    SELECT contract_id, origin, expires_on FROM lots
     WHERE contract_id = ANY($1) AND is_granted AND NOT is_lapsed AND starts_at <= $2
"""


async def bucket(tx: Transaction, contract_id: UUID) -> asyncpg.Record | None:
    """Return a bucket to be asked about, ``None`` when there is none."""
    return await tx.fetchrow(f"{_BUCKETS} WHERE b.contract_id = $1 AND c.kind <> 'time_and_materials'", contract_id)


async def buckets(tx: Transaction, *, limit: int, is_ended_shown: bool = False) -> Sequence[asyncpg.Record]:
    """Return the buckets of active contracts by ref, those of ended ones too when wanted."""
    return await tx.fetch(
        f"{_BUCKETS} WHERE (c.status = 'active' OR $2) AND c.kind <> 'time_and_materials' ORDER BY c.ref LIMIT $1",
        limit,
        is_ended_shown,
    )


async def burn_histories(tx: Transaction, rows: Sequence[asyncpg.Record]) -> dict[UUID, list[int]]:
    """Return the minutes of each day until yesterday, oldest first, from the first work on, of some buckets."""
    since = tx.now - timedelta(days=HISTORY_DAYS_MAX + 7)
    ids, zones = [row["contract_id"] for row in rows], [row["timezone"] for row in rows]
    burnt: dict[UUID, dict[date, int]] = {one: {} for one in ids}
    for row in await tx.fetch(_BURN, ids, zones, since, tx.now):
        burnt[row["contract_id"]][row["on"]] = row["minutes"]
    found = {}
    for row in rows:
        days, today = burnt[row["contract_id"]], day_of(tx.now, row["timezone"])
        first = max(min(days, default=today), today - timedelta(days=HISTORY_DAYS_MAX))
        found[row["contract_id"]] = [
            days.get(first + timedelta(days=number), 0) for number in range((today - first).days)
        ]
    return found


async def told(
    tx: Transaction, rows: Sequence[asyncpg.Record], histories: Mapping[UUID, Sequence[int]]
) -> list[dict[str, Any]]:
    """Return the forecast of each of some buckets, in their order."""
    lots = await tx.fetch(_OPEN_LOTS, [row["contract_id"] for row in rows], tx.now)
    found = []
    for row in rows:
        contract_id, today = row["contract_id"], day_of(tx.now, row["timezone"])
        told = forecast(histories[contract_id], available_minutes=max(0, row["available"]))
        ends_on = period_end(row, [lot for lot in lots if lot["contract_id"] == contract_id])
        exhausts_on = None if told is None else _day(today, told.days)
        found.append(
            {
                **{name: row[name] for name in ("contract_id", "client_id", "ref", "name", "kind")},
                "today": today,
                "available_minutes": row["available"],
                "history_days": len(histories[contract_id]),
                "weekly_minutes": None if told is None else told.weekly_minutes,
                "exhausts_on": exhausts_on,
                "earliest_on": None if told is None else _day(today, told.earliest_days),
                "latest_on": None if told is None else _day(today, told.latest_days),
                "confidence_percent": CONFIDENCE_PERCENT,
                "horizon_days": HORIZON_DAYS_MAX,
                "period_ends_on": ends_on,
                "is_short": exhausts_on is not None and ends_on is not None and exhausts_on < ends_on,
            }
        )
    return found


def period_end(contract: Mapping[str, Any], lots: Sequence[Mapping[str, Any]]) -> date | None:
    """Return until when what is open should last: a retainer's next grant, the last expiry, or the contract's end."""
    grants = [lot["expires_on"] for lot in lots if lot["origin"] == "retainer" and lot["expires_on"]]
    ends = grants or [lot["expires_on"] for lot in lots]
    found: date | None = contract["ends_on"] if not ends or None in ends else max(ends)
    return found


def _day(today: date, days: int | None) -> date | None:
    return None if days is None else today + timedelta(days=days)
