"""Months to be settled, what counts in them, and the credits that were given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from msp_kit.database import Transaction
from sla.domain.credits import Counted, Credit, earned, next_month
from sla.store.terms import terms_of
from sla.store.text import json_text

EVIDENCE_MAX = 200

_MONTHS = """
SELECT m.contract_id, m.client_id, m.starts_on, c.currency, c.ends_on, coalesce(k.timezone, 'UTC') AS timezone
  FROM credit_months m
  JOIN contracts c USING (contract_id)
  LEFT JOIN clients k ON k.client_id = m.client_id
"""
# The same clocks as in compliance, where they count: one number on every screen and on every credit.
_COUNTED = """
SELECT c.id AS clock_id, c.ticket_id, t.ref AS ticket_ref, c.contract_version, c.metric, c.priority, c.budget_minutes,
       c.breached_at, c.breach_reason
  FROM clocks c
  JOIN tickets t USING (ticket_id)
 WHERE c.client_id = $1 AND c.contract_id = $2 AND c.counted_on >= $3 AND c.counted_on < $4
   AND NOT c.is_breach_carried AND c.verdict IS DISTINCT FROM 'excluded'
"""
_SAVE = """
INSERT INTO credits (id, client_id, contract_id, contract_version, rule_id, kind, starts_on, clock_id, currency, amount_minor,
                     basis_points, is_capped, met_count, missed_count, evidence, status, because, revision, earned_at,
                     changed_at)
SELECT id, client_id, contract_id, contract_version, rule_id, kind, starts_on, clock_id, currency, amount_minor,
       basis_points, is_capped, met_count, missed_count, evidence, status, because, revision, $2, $2
  FROM jsonb_populate_recordset(NULL::credits, $1::jsonb)
ON CONFLICT (id) DO UPDATE
   SET status = excluded.status, because = excluded.because, revision = excluded.revision, changed_at = excluded.changed_at

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month of a contract that gives credits, in the client's zone."""

    contract_id: UUID
    client_id: UUID
    starts_on: date
    currency: str
    ends_on: date | None
    """When the contract ends."""
    timezone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenCredit:
    """A credit as it is stored, with what it is evidence of."""

    id: UUID
    client_id: UUID
    contract_id: UUID
    contract_version: int
    rule_id: str
    kind: Literal["per_breach", "monthly_compliance"]
    starts_on: date
    clock_id: UUID | None
    currency: str
    amount_minor: int | None
    basis_points: int | None
    is_capped: bool
    met_count: int
    missed_count: int
    evidence: Sequence[Mapping[str, Any]]
    status: Literal["earned", "withdrawn"]
    because: str = ""
    revision: int

    @property
    def value(self) -> int:
        """Return what it gives, in its unit."""
        return self.amount_minor if self.amount_minor is not None else self.basis_points or 0


def given(credit: Credit, month: Month) -> GivenCredit:
    """Return a credit of a month as it is stored first."""
    is_amount = credit.rule.amount_minor is not None
    return GivenCredit(
        id=credit.id,
        client_id=month.client_id,
        contract_id=month.contract_id,
        contract_version=credit.contract_version,
        rule_id=credit.rule.rule_id,
        kind=credit.rule.kind,
        starts_on=month.starts_on,
        clock_id=credit.clock_id,
        currency=month.currency,
        amount_minor=credit.value if is_amount else None,
        basis_points=None if is_amount else credit.value,
        is_capped=credit.is_capped,
        met_count=credit.met_count,
        missed_count=credit.missed_count,
        evidence=[_evidence(one) for one in credit.evidence[:EVIDENCE_MAX]],
        status="earned",
        revision=1,
    )


def _evidence(counted: Counted) -> Mapping[str, Any]:
    return {name: value for name, value in asdict(counted).items() if name != "contract_version"}


async def open_month(
    tx: Transaction, *, contract_id: UUID, client_id: UUID, starts_on: date, settle_at: datetime
) -> None:
    """Note that a month of a contract is to be settled at an instant; one that is noted stays as it is."""
    await tx.driver.execute(
        "INSERT INTO credit_months (contract_id, client_id, starts_on, settle_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT DO NOTHING",
        contract_id,
        client_id,
        starts_on,
        settle_at,
    )


async def reopen_last_month(tx: Transaction, contract_id: UUID) -> None:
    """Let the last month of a contract be settled again: a contract that was to end may go on."""
    await tx.driver.execute(
        "UPDATE credit_months SET settle_at = $2 WHERE contract_id = $1 AND settle_at IS NULL"
        " AND starts_on = (SELECT max(starts_on) FROM credit_months WHERE contract_id = $1)",
        contract_id,
        tx.now,
    )


async def lock_months_due(tx: Transaction, *, limit: int) -> list[Month]:
    """Return months that are to be settled by now and that no other worker holds, oldest first, locked."""
    rows = await tx.fetch(
        f"{_MONTHS} WHERE m.settle_at <= $1 ORDER BY m.settle_at, m.contract_id LIMIT $2 FOR UPDATE OF m SKIP LOCKED",
        tx.now,
        limit,
    )
    return [Month(**row) for row in rows]


async def settled_months(tx: Transaction) -> list[Month]:
    """Return the months that are settled and of whose client nothing waits to be folded (``verify``)."""
    rows = await tx.fetch(
        f"{_MONTHS} WHERE m.settle_at IS NULL AND m.client_id NOT IN (SELECT client_id FROM rollup_changes)"
        " ORDER BY m.contract_id, m.starts_on"
    )
    return [Month(**row) for row in rows]


async def month_done(tx: Transaction, month: Month, *, settle_again_at: datetime | None) -> None:
    """Note that a month is settled, or is to be settled later."""
    await tx.driver.execute(
        "UPDATE credit_months SET settle_at = $3::timestamptz, settled_at = CASE WHEN $3 IS NULL THEN $4 ELSE settled_at END"
        " WHERE contract_id = $1 AND starts_on = $2",
        month.contract_id,
        month.starts_on,
        settle_again_at,
        tx.now,
    )


async def derived_credits(tx: Transaction, month: Month, known: Mapping[UUID, GivenCredit]) -> list[Credit]:
    """Return the credits that the clocks and rules of a month say it earns; what is known keeps its value."""
    ends_on = next_month(month.starts_on)
    rows = await tx.fetch(_COUNTED, month.client_id, month.contract_id, month.starts_on, ends_on)
    counted = [Counted(**row) for row in rows]
    # The version in force when the month ended; the first one when none was yet.
    version_at_end = await tx.fetchval(
        "SELECT coalesce(max(version) FILTER (WHERE effective_from < $2), min(version)) FROM terms WHERE contract_id = $1",
        month.contract_id,
        ends_on,
    )
    versions = {version_at_end, *(one.contract_version for one in counted)}
    terms = await terms_of(tx, {(month.contract_id, version) for version in versions})
    return earned(
        month.contract_id,
        month.starts_on,
        counted,
        rules_of=lambda version: terms[month.contract_id, version].credits,
        version_at_end=version_at_end,
        given={one.id: one.value for one in known.values() if one.status == "earned"},
    )


async def credits_of(tx: Transaction, month: Month) -> dict[UUID, GivenCredit]:
    """Return the credits that were given for a month, those taken back too, by id."""
    rows = await tx.fetch(
        f"SELECT {', '.join(GivenCredit.__dataclass_fields__)} FROM credits WHERE contract_id = $1 AND starts_on = $2",
        month.contract_id,
        month.starts_on,
    )
    return {row["id"]: GivenCredit(**row) for row in rows}


async def save_credits(tx: Transaction, changed: Sequence[GivenCredit]) -> None:
    """Save credits that are new, taken back, or given again."""
    if changed:
        await tx.driver.execute(_SAVE, json_text([asdict(one) for one in changed]), tx.now)
