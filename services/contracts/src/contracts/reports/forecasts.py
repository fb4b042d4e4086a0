"""When buckets will be empty, and how often such forecasts held."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from contracts.domain.forecast import BackTest, back_test, pace_of
from contracts.store import forecasts as store
from msp_kit.database import Transaction
from msp_kit.problems import NotFound

BAND_DAYS_MAX = 120
BACK_TESTED_MAX = 10_000


async def forecast_of(tx: Transaction, contract_id: UUID) -> dict[str, Any]:
    """Return the forecast of one bucket with its band day by day.

    Raises:
        NotFound: there is no such contract with a bucket, or it is not the caller's.
    """
    row = await store.bucket(tx, contract_id)
    if row is None:
        raise NotFound
    histories = await store.burn_histories(tx, [row])
    found = (await store.told(tx, [row], histories))[0]
    pace = pace_of(histories[contract_id])
    band = []
    if pace is not None:
        for number, day in enumerate(pace.days(BAND_DAYS_MAX)):
            band.append(
                {
                    "on": found["today"] + timedelta(days=number),
                    "expected_minutes": max(0, row["available"] - day.expected_minutes),
                    "low_minutes": max(0, row["available"] - day.most_minutes),
                    "high_minutes": max(0, row["available"] - day.least_minutes),
                }
            )
            if band[-1]["high_minutes"] == 0:
                break
    told = back_test(histories[contract_id])
    return {**found, "band": band, "back_test": _told(told)}


async def forecasts(tx: Transaction, *, limit: int) -> list[dict[str, Any]]:
    """Return the forecasts of all active buckets, the first to be empty first."""
    rows = await store.buckets(tx, limit=limit)
    found = await store.told(tx, rows, await store.burn_histories(tx, rows))
    return sorted(found, key=lambda one: (one["exhausts_on"] is None, one["exhausts_on"] or one["today"], one["ref"]))


async def back_tests(tx: Transaction) -> dict[str, Any]:
    """Return how often the intervals of every contract would have held."""
    rows = await store.buckets(tx, limit=BACK_TESTED_MAX, is_ended_shown=True)
    histories = await store.burn_histories(tx, rows)
    per_contract = {row["ref"]: back_test(histories[row["contract_id"]]) for row in rows}
    whole = BackTest(
        sum(one.held_count for one in per_contract.values()), sum(one.interval_count for one in per_contract.values())
    )
    return {"contracts": {ref: _told(one) for ref, one in per_contract.items()}, "all": _told(whole)}


def _told(one: BackTest) -> dict[str, Any]:
    return {
        "held_count": one.held_count,
        "interval_count": one.interval_count,
        "coverage_percent": one.coverage_percent,
    }
