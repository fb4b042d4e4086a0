"""What came and what was done, month by month in the client's time zone."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from msp_kernel.periods import whole_months
from msp_kit.database import Transaction
from msp_kit.problems import NotFound
from tickets.store import organisation

# Each count is a range of one index; a month's ends are instants, so the clocks may change in it.
_COUNTS = """
SELECT m.starts_on AS on,
       (SELECT count(*) FROM tickets t WHERE t.client_id = $1 AND t.merged_into_id IS NULL
           AND t.raised_at >= m.starts_at AND t.raised_at < m.ends_at) AS raised,
       (SELECT count(*) FROM tickets t WHERE t.client_id = $1 AND t.resolved_at IS NOT NULL
           AND t.resolved_at >= m.starts_at AND t.resolved_at < m.ends_at) AS resolved
  FROM unnest($2::date[], $3::timestamptz[], $4::timestamptz[]) AS m (starts_on, starts_at, ends_at)
 ORDER BY m.starts_on
"""


async def by_month(tx: Transaction, *, client_id: UUID, starts_on: date, ends_on: date) -> dict[str, Any]:
    """Return how many tickets were raised and resolved in each month, the earliest first.

    One that was merged into another is the same request told twice: the other one counts. One that was opened again
    counts where it was resolved last.

    Raises:
        NotWholeMonths: see there.
        NotFound: there is no such client, or it is not the caller's.
    """
    months = whole_months(starts_on, ends_on)
    timezone = await organisation.timezone_of(tx, client_id=client_id)
    if timezone is None:
        raise NotFound
    spans = [one.in_zone(timezone) for one in months]
    rows = await tx.fetch(
        _COUNTS,
        client_id,
        [one.starts_on for one in months],
        [one.starts_at for one in spans],
        [one.ends_at for one in spans],
    )
    return {"client_id": client_id, "timezone": timezone, "months": [dict(row) for row in rows]}
