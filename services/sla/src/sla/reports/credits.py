"""Credits that were given, newest month first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from msp_kit.problems import BadCursor

_CREDITS = """
SELECT id AS credit_id, client_id, contract_id, contract_version, rule_id, kind, starts_on, clock_id, currency, amount_minor,
       basis_points, is_capped, met_count, missed_count, status, because, revision, earned_at, changed_at, evidence
  FROM credits
 WHERE starts_on >= $1 AND starts_on < $2 AND ($3::uuid IS NULL OR client_id = $3)
   AND ($4::uuid IS NULL OR contract_id = $4)
   AND ($5::date IS NULL OR (starts_on, id) < ($5, $6::uuid))
 ORDER BY starts_on DESC, id DESC
 LIMIT $7
"""


async def credits_page(
    tx: Transaction,
    *,
    starts_on: date,
    ends_on: date,
    client_id: UUID | None,
    contract_id: UUID | None,
    limit: int,
    after: Sequence[Any] | None,
) -> list[dict[str, Any]]:
    """Return up to ``limit + 1`` credits of the months that begin in ``[starts_on, ends_on)``, the newest month first.

    Raises:
        BadCursor: ``after`` is not the position of a credit.
    """
    try:
        before = (None, None) if after is None else (date.fromisoformat(after[0]), UUID(after[1]))
    except (ValueError, TypeError, AttributeError) as error:
        message = "take the cursor from `next` of the previous page"
        raise BadCursor(message) from error
    rows = await tx.fetch(_CREDITS, starts_on, ends_on, client_id, contract_id, *before, limit + 1)
    return [dict(row) for row in rows]
