"""Warning in time: once a day each bucket is asked how long it will last."""

from __future__ import annotations

from contracts.actions import hours
from contracts.actions.saying import bucket_state
from contracts.store import books, forecasts
from msp_events.base import Event
from msp_events.contracts import BucketShortfallForecast
from msp_kit.database import Transaction

BATCH_SIZE = 50


async def warn(tx: Transaction) -> bool:
    """Say which buckets are likely to end before their period, each once until a top-up; return whether more is due."""
    due = await books.not_forecast(tx, limit=BATCH_SIZE)
    for contract_id in due:
        row = await forecasts.bucket(tx, contract_id)
        assert row is not None, "it was locked just now"
        (found,) = await forecasts.told(tx, [row], await forecasts.burn_histories(tx, [row]))
        book = (await books.open_books(tx, [contract_id]))[contract_id]
        await books.note_forecast(tx, contract_id)
        if not found["is_short"] or book.is_shortfall_said or book.balances.available == 0:
            continue
        book.is_shortfall_said = book.is_restated = True
        days = {name: found[name] for name in ("exhausts_on", "earliest_on", "latest_on", "period_ends_on")}
        said: list[Event] = [BucketShortfallForecast(**bucket_state(book), **days)]
        await hours.save(tx, [book], said)
    return len(due) == BATCH_SIZE
