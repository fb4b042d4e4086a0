"""Local copies of what other services say: the newest revision wins, whatever the order of arrival."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction


async def save_client(tx: Transaction, *values: Any) -> None:
    """Save (client_id, revision, code, name, timezone, is_active)."""
    await tx.driver.execute(
        "INSERT INTO clients AS c (client_id, revision, code, name, timezone, is_active) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT (client_id) DO UPDATE SET revision = excluded.revision, code = excluded.code, name = excluded.name,"
        " timezone = excluded.timezone, is_active = excluded.is_active WHERE c.revision < excluded.revision",
        *values,
    )


async def save_contract(tx: Transaction, *values: Any) -> None:
    """Save a contract: head, days, job types, levels, priority and calendar, in the order of the columns below."""
    await tx.driver.execute(
        "INSERT INTO contracts AS c (client_id, contract_id, revision, ref, name, kind, version, status, starts_on,"
        " ends_on, job_types, levels, priority, calendar)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        " ON CONFLICT (contract_id) DO UPDATE SET revision = excluded.revision, ref = excluded.ref, name = excluded.name,"
        " kind = excluded.kind, version = excluded.version, status = excluded.status, starts_on = excluded.starts_on,"
        " ends_on = excluded.ends_on, job_types = excluded.job_types, levels = excluded.levels, priority = excluded.priority,"
        " calendar = excluded.calendar WHERE c.revision < excluded.revision",
        *values,
    )


async def save_job_type(tx: Transaction, *values: Any) -> None:
    """Save (code, job_type_id, revision, name, is_billable)."""
    await tx.driver.execute(
        "INSERT INTO job_types AS j (code, job_type_id, revision, name, is_billable) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (code) DO UPDATE SET revision = excluded.revision, name = excluded.name,"
        " is_billable = excluded.is_billable WHERE j.revision < excluded.revision",
        *values,
    )


async def save_person(tx: Transaction, *values: Any) -> None:
    """Save (person_id, revision, kind, of_client_id, display_name, roles, is_active)."""
    await tx.driver.execute(
        "INSERT INTO people AS p (person_id, revision, kind, of_client_id, display_name, roles, is_active)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT (person_id) DO UPDATE SET revision = excluded.revision, display_name = excluded.display_name,"
        " roles = excluded.roles, is_active = excluded.is_active WHERE p.revision < excluded.revision",
        *values,
    )


async def save_clocks(tx: Transaction, clocks: Sequence[tuple[Any, ...]]) -> None:
    """Save clocks, and what the lists of tickets show of them.

    A clock is (client_id, clock_id, ticket_id, revision, metric, cycle, status, budget_minutes, remaining_seconds, due_at,
    is_breached, verdict, as_of).
    """
    await tx.driver.executemany(
        "INSERT INTO clocks AS c (client_id, clock_id, ticket_id, revision, metric, cycle, status, budget_minutes,"
        " remaining_seconds, due_at, is_breached, verdict, as_of)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        " ON CONFLICT (client_id, clock_id) DO UPDATE SET revision = excluded.revision, cycle = excluded.cycle,"
        " status = excluded.status, budget_minutes = excluded.budget_minutes,"
        " remaining_seconds = excluded.remaining_seconds, due_at = excluded.due_at,"
        " is_breached = excluded.is_breached, verdict = excluded.verdict, as_of = excluded.as_of"
        " WHERE c.revision < excluded.revision",
        clocks,
    )
    await _show_clocks(tx, sorted({clock[2] for clock in clocks}))


async def _show_clocks(tx: Transaction, ticket_ids: Sequence[UUID]) -> None:
    """Copy the most urgent clock of each ticket into its row: running before paused before stopped, then by due."""
    await tx.driver.execute(
        """
        UPDATE tickets t SET clock_metric = s.metric, clock_status = s.status, clock_due_at = s.due_at,
               clock_remaining_seconds = s.remaining_seconds, clock_budget_minutes = s.budget_minutes,
               clock_is_breached = s.is_breached, clock_verdict = s.verdict, due_at = coalesce(s.due_at, 'infinity')
          FROM (SELECT DISTINCT ON (ticket_id) * FROM clocks WHERE ticket_id = ANY($1)
                 ORDER BY ticket_id, array_position(ARRAY['running', 'paused', 'stopped'], status), due_at,
                          as_of DESC, clock_id) AS s
         WHERE t.client_id = s.client_id AND t.id = s.ticket_id
        """,
        ticket_ids,
    )


async def save_balances(tx: Transaction, balances: Sequence[tuple[Any, ...]]) -> None:
    """Save (client_id, contract_id, revision, granted_minutes, available_minutes)."""
    await tx.driver.executemany(
        "INSERT INTO balances AS b (client_id, contract_id, revision, granted_minutes, available_minutes)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (contract_id) DO UPDATE SET revision = excluded.revision,"
        " granted_minutes = excluded.granted_minutes, available_minutes = excluded.available_minutes"
        " WHERE b.revision < excluded.revision",
        balances,
    )


async def save_hours(tx: Transaction, hours: Sequence[tuple[Any, ...]]) -> None:
    """Save (time_entry_id, revision, status, billed_minutes, bucket_minutes, overage_minutes) on the entries."""
    await tx.driver.executemany(
        "UPDATE time_entries SET hours_revision = $2, hours_status = $3, billed_minutes = $4, bucket_minutes = $5,"
        " overage_minutes = $6 WHERE id = $1 AND hours_revision < $2",
        # By id, as approvals lock them: the two wait for one another instead of standing in each other's way.
        sorted(hours, key=lambda one: one[0]),
    )
