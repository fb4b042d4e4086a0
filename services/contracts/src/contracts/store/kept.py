"""What stands beside the ledger and must not change: terms, decisions of people, closed periods. Read to be proved."""

from __future__ import annotations

from uuid import UUID

from msp_kit.database import Transaction

_BROKEN = """
SELECT 'version ' || n || ' of the terms is missing' AS failure
  FROM contracts c CROSS JOIN generate_series(1, c.version) AS n
 WHERE c.id = $1 AND NOT EXISTS (SELECT FROM contract_versions v WHERE v.contract_id = c.id AND v.version = n)
UNION ALL
SELECT 'version ' || t.version || ' of the terms was changed after it was sealed'
  FROM contract_versions t WHERE t.contract_id = $1 AND t.seal <> seal_of(t)
UNION ALL
SELECT 'adjustment ' || t.id || ' was changed after it was sealed'
  FROM adjustments t WHERE t.contract_id = $1 AND t.seal <> seal_of(t)
UNION ALL
SELECT 'approval ' || t.id || ' was changed after it was sealed'
  FROM approvals t WHERE t.contract_id = $1 AND t.seal <> seal_of(t)
UNION ALL
SELECT 'the close of the period up to ' || t.ends_on || ' was changed after it was sealed'
  FROM period_closes t WHERE t.client_id = $2 AND t.seal <> seal_of(t)
UNION ALL
SELECT 'the invoice of the period up to ' || t.ends_on || ' was changed after it was sealed'
  FROM invoiced_periods t WHERE t.client_id = $2 AND t.seal <> seal_of(t)
UNION ALL
SELECT 'time entry ' || h.time_entry_id || ' has a word of the client that nobody gave'
  FROM hours h
 WHERE h.contract_id = $1 AND (h.consented_minutes > 0 OR h.is_declined)
   AND NOT EXISTS (SELECT FROM approvals a
                    WHERE a.time_entry_id = h.time_entry_id AND a.outcome = 'applied'
                      AND (a.worked_from, a.worked_minutes, a.job_type, a.level)
                        = (h.worked_from, h.worked_minutes, h.job_type, h.level)
                      AND CASE a.decision WHEN 'declined' THEN h.is_declined
                                          ELSE a.overage_minutes = h.consented_minutes END)
UNION ALL
SELECT 'time entry ' || h.time_entry_id || ' is closed in a period that is not'
  FROM hours h
 WHERE h.contract_id = $1 AND h.period_close_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM period_closes p
                    WHERE p.period_close_id = h.period_close_id AND p.client_id = h.client_id AND p.reopened_at IS NULL)
 LIMIT 1
"""


async def first_broken(tx: Transaction, contract_id: UUID, client_id: UUID) -> str | None:
    """Return the first thing beside the ledger of a contract that was changed or taken out, as a sentence."""
    failure: str | None = await tx.fetchval(_BROKEN, contract_id, client_id)
    return failure


async def adjustments(tx: Transaction, contract_id: UUID) -> dict[str, tuple[UUID, int]]:
    """Return the lot and the minutes of adjustments that two people agreed on, by the source of their posting."""
    rows = await tx.fetch(
        "SELECT id, lot_id, minutes FROM adjustments WHERE contract_id = $1 AND status = 'confirmed'", contract_id
    )
    return {f"adjustment:{row['id']}": (row["lot_id"], row["minutes"]) for row in rows}
