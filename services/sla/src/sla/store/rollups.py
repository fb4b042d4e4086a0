"""The sums of compliance: folded from what changed, made anew from the clocks, compared with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msp_kit.database import Transaction

_KEY = "client_id, grain, starts_on, metric, dimension, value"
_FOLDED = """
SELECT p.client_id, p.grain, p.starts_on, c.metric, p.dimension, p.value, sum(c.met)::int AS met,
       sum(c.missed)::int AS missed, sum(c.open_overdue)::int AS open_overdue
  FROM {source} c
 CROSS JOIN LATERAL rollup_parts(c.client_id, c.counted_on, c.counted_hour, c.priority, c.level, c.job_type, c.queue,
                                 c.assignee_id) p
 GROUP BY 1, 2, 3, 4, 5, 6
"""
# What `count_clocks` writes for each clock, from scratch.
_CONTRIBUTIONS = """
(SELECT client_id, counted_on, counted_hour, metric, priority, level, job_type, queue, assignee_id,
        count(*) FILTER (WHERE verdict = 'met') AS met, count(*) FILTER (WHERE verdict = 'missed') AS missed,
        count(*) FILTER (WHERE verdict IS NULL) AS open_overdue
   FROM clocks
  WHERE counted_on IS NOT NULL AND NOT is_breach_carried AND verdict IS DISTINCT FROM 'excluded'
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9)
"""
# Rows are taken in the order of their key: two workers that fold at once wait for one another and never in a circle.
_FOLD = f"""
WITH taken AS (
    DELETE FROM rollup_changes
     WHERE id IN (SELECT id FROM rollup_changes ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING *
), folded AS (
    INSERT INTO rollups ({_KEY}, met, missed, open_overdue)
    {_FOLDED.format(source="taken")} ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT ({_KEY}) DO UPDATE
       SET met = rollups.met + excluded.met, missed = rollups.missed + excluded.missed,
           open_overdue = rollups.open_overdue + excluded.open_overdue
), months AS (
    -- A month whose credits were settled before this was known is settled again.
    SELECT contract_id, starts_on FROM credit_months
     WHERE settle_at IS NULL
       AND (client_id, starts_on) IN (SELECT client_id, date_trunc('month', counted_on)::date FROM taken)
     ORDER BY contract_id, starts_on FOR UPDATE
), reopened AS (
    UPDATE credit_months m SET settle_at = $2 FROM months WHERE (m.contract_id, m.starts_on) = (months.contract_id, months.starts_on)
)
SELECT count(*) FROM taken
"""
_DIFFERENCES = f"""
WITH kept AS (
    SELECT {_KEY}, sum(met)::int AS met, sum(missed)::int AS missed, sum(open_overdue)::int AS open_overdue
      FROM (SELECT * FROM rollups UNION ALL {_FOLDED.format(source="rollup_changes")}) AS r
     GROUP BY 1, 2, 3, 4, 5, 6
    HAVING sum(met) <> 0 OR sum(missed) <> 0 OR sum(open_overdue) <> 0
), derived AS ({_FOLDED.format(source=_CONTRIBUTIONS)})
SELECT {", ".join(f"coalesce(d.{name}, k.{name}) AS {name}" for name in _KEY.split(", "))},
       coalesce(k.met, 0) AS met, coalesce(k.missed, 0) AS missed, coalesce(k.open_overdue, 0) AS open_overdue,
       coalesce(d.met, 0) AS derived_met, coalesce(d.missed, 0) AS derived_missed,
       coalesce(d.open_overdue, 0) AS derived_open_overdue
  FROM kept k
  FULL JOIN derived d USING ({_KEY})
 WHERE (k.met, k.missed, k.open_overdue) IS DISTINCT FROM (d.met, d.missed, d.open_overdue)
 ORDER BY 1, 2, 3, 4, 5, 6
 LIMIT 100
"""


async def fold_changes(tx: Transaction, *, limit: int) -> int:
    """Fold up to ``limit`` changes into the sums and return how many there were."""
    folded: int = await tx.fetchval(_FOLD, limit, tx.now)
    return folded


async def rebuild_rollups(tx: Transaction) -> int:
    """Make the sums anew from the clocks, with nobody else writing; return how many sums there are."""
    await tx.driver.execute("LOCK TABLE clocks, rollup_changes, rollups IN SHARE ROW EXCLUSIVE MODE")
    await tx.driver.execute("DELETE FROM rollup_changes")
    await tx.driver.execute("DELETE FROM rollups")
    done = await tx.driver.execute(
        f"INSERT INTO rollups ({_KEY}, met, missed, open_overdue) {_FOLDED.format(source=_CONTRIBUTIONS)} ORDER BY 1, 2, 3"
    )
    return int(done.rpartition(" ")[2])


async def rollup_differences(tx: Transaction) -> Sequence[Mapping[str, Any]]:
    """Return sums that are not what the clocks say, up to 100 of them."""
    return await tx.fetch(_DIFFERENCES)
