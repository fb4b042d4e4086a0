"""What other services said: clients, contract versions, posted hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson

from billing.domain.pricing import FixedItem, Rate, Terms
from billing.domain.work import Work, WorkSpan
from billing.store import unbilled
from msp_kit.database import Transaction
from msp_kit.memory import uncollected


async def save_client(tx: Transaction, *values: Any) -> None:
    """Save (client_id, revision, name, timezone, state as JSON text); the newest revision wins."""
    await tx.driver.execute(
        "INSERT INTO clients AS c (client_id, revision, name, timezone, state) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (client_id) DO UPDATE SET revision = excluded.revision, name = excluded.name,"
        " timezone = excluded.timezone, state = excluded.state WHERE c.revision < excluded.revision",
        *values,
    )


async def save_contract_version(tx: Transaction, *values: Any) -> None:
    """Save (client_id, contract_id, version, revision, status, state as JSON text); the newest revision wins."""
    await tx.driver.execute(
        "INSERT INTO contract_versions AS v (client_id, contract_id, version, revision, status, state)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (contract_id, version) DO UPDATE SET revision = excluded.revision,"
        " status = excluded.status, state = excluded.state WHERE v.revision < excluded.revision",
        *values,
    )


_KEEP = """
WITH kept AS (
    INSERT INTO hours AS h (client_id, time_entry_id, contract_id, revision, status, worked_from, worked_minutes, posted_at, state)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (time_entry_id) DO UPDATE SET revision = excluded.revision, status = excluded.status,
        contract_id = excluded.contract_id, worked_from = excluded.worked_from, worked_minutes = excluded.worked_minutes,
        posted_at = coalesce(h.posted_at, excluded.posted_at), state = excluded.state
     WHERE h.revision < excluded.revision
       AND NOT EXISTS (SELECT FROM invoiced b WHERE b.time_entry_id = excluded.time_entry_id)
    RETURNING h.*
)
INSERT INTO unbilled (client_id, time_entry_id, revision, contract_id, worked_from, posted_at, worked_minutes,
    contract_version, asks, minutes, said)
SELECT client_id, time_entry_id, revision, contract_id, worked_from, posted_at, worked_minutes, $10, $11, $12, $13
  FROM kept WHERE status = 'posted'
"""


async def save_hours(tx: Transaction, rows: Sequence[tuple[Any, ...]]) -> None:
    """Save (client_id, time_entry_id, contract_id, revision, status, worked_from, worked_minutes, posted_at, state).

    The newest revision wins; what is on an invoice stays as it was invoiced. What is posted waits for one.
    """
    await unbilled.forget_older(tx, [(row[1], row[3]) for row in rows])
    kept = []
    for row in rows:
        _, entry_id, contract_id, _, status, worked_from, _, _, state = row
        waits: Sequence[Any] = (None, None, None, None)
        if status == "posted":
            waits = unbilled.columns_of(work_of(entry_id, contract_id, worked_from.astimezone(UTC), state))
        kept.append((*row, *waits))
    await tx.driver.executemany(_KEEP, kept)


async def works(tx: Transaction, *, entry_ids: Sequence[UUID]) -> list[Work]:
    """Return entries by their ids, as they are stamped."""
    rows = await tx.fetch(f"SELECT {_WORK} FROM hours h WHERE h.time_entry_id = ANY($1)", entry_ids)
    with uncollected():
        return [work_of(*row) for row in rows]


async def let_go(tx: Transaction, *, entry_ids: Sequence[UUID]) -> None:
    """Let the entries of drafts that were dropped wait again."""
    await tx.driver.execute("DELETE FROM invoiced WHERE time_entry_id = ANY($1)", entry_ids)
    await unbilled.add(tx, await works(tx, entry_ids=entry_ids))


async def terms_of_client(tx: Transaction, *, client_id: UUID) -> dict[tuple[UUID, int], Terms]:
    """Return every contract version of a client by contract and version."""
    return (await terms_of_clients(tx, client_ids=[client_id])).get(client_id, {})


async def terms_of_clients(tx: Transaction, *, client_ids: Sequence[UUID]) -> dict[UUID, dict[tuple[UUID, int], Terms]]:
    """Return every contract version of clients by contract and version."""
    rows = await tx.fetch(
        "SELECT client_id, state FROM contract_versions WHERE client_id = ANY($1) AND status <> 'draft'", client_ids
    )
    found: dict[UUID, dict[tuple[UUID, int], Terms]] = {}
    for row in rows:
        version, terms = _terms(row["state"])
        found.setdefault(row["client_id"], {})[terms.contract_id, version] = terms
    return found


async def client(tx: Transaction, *, client_id: UUID) -> dict[str, Any] | None:
    """Return the state of a client as last heard."""
    state: dict[str, Any] | None = await tx.fetchval("SELECT state FROM clients WHERE client_id = $1", client_id)
    return state


async def clients_with_contract(tx: Transaction, *, starts_on: date, ends_on: date) -> list[tuple[UUID, str]]:
    """Return id and zone of the clients that have a contract in force in a period, by name."""
    rows = await tx.fetch(
        "SELECT DISTINCT c.client_id, c.timezone, c.name FROM clients c JOIN contract_versions v USING (client_id)"
        " WHERE v.status <> 'draft' AND (v.state->>'starts_on')::date < $2"
        " AND ((v.state->>'ends_on') IS NULL OR (v.state->>'ends_on')::date > $1) ORDER BY c.name, c.client_id",
        starts_on,
        ends_on,
    )
    return [(row["client_id"], row["timezone"]) for row in rows]


async def clients_listing_unapproved(tx: Transaction, *, client_ids: Sequence[UUID]) -> set[UUID]:
    """Return the clients that want to be billed although time is unapproved: it goes to the next period, listed."""
    rows = await tx.fetch(
        "SELECT client_id FROM contract_versions WHERE client_id = ANY($1) AND status = 'active'"
        " GROUP BY client_id HAVING bool_and(coalesce(state->'billing'->>'bills_unapproved', 'blocked') = 'listed')",
        client_ids,
    )
    return {row["client_id"] for row in rows}


def _rates(listed: Sequence[dict[str, Any]]) -> tuple[Rate, ...]:
    return tuple(Rate(**{one.name: rate[one.name] for one in fields(Rate)}) for rate in listed)


def _terms(state: dict[str, Any]) -> tuple[int, Terms]:
    tax = state["billing"]
    return state["version"], Terms(
        contract_id=UUID(state["contract_id"]),
        ref=state["ref"],
        name=state["name"],
        kind=state["kind"],
        currency=state["currency"],
        starts_on=date.fromisoformat(state["starts_on"]),
        ends_on=None if state["ends_on"] is None else date.fromisoformat(state["ends_on"]),
        rates=_rates(state["rates"]),
        overage_rates=_rates(state["overage_rates"]),
        multiplier_applies_to_overage=state["multiplier_applies_to_overage"],
        fixed_items=tuple(
            FixedItem(
                item_id=item["item_id"],
                text=item["text"],
                quantity=item["quantity"],
                unit_minor=item["unit_minor"],
                frequency=item["frequency"],
                starts_on=date.fromisoformat(item["starts_on"]),
            )
            for item in state["fixed_items"]
        ),
        tax_category=tax["tax_category"],
        tax_rate_basis_points=tax["tax_rate_basis_points"],
        payment_days=tax["payment_days"],
        purchase_order=tax["purchase_order"],
        effective_from=date.fromisoformat(state["effective_from"]),
        bills_unapproved=tax.get("bills_unapproved", "blocked"),
    )


_WORK = "h.time_entry_id, h.contract_id, h.worked_from, h.state::text"


def work_of(time_entry_id: UUID, contract_id: UUID, worked_from: datetime, text: str) -> Work:
    """Return an entry by its stamp, ``text`` as contracts said it."""
    # Ids and instants come as the driver reads them: texts of a million entries would be parsed anew.
    state = orjson.loads(text)
    spans = state["spans"]
    return Work(
        time_entry_id=time_entry_id,
        contract_id=contract_id,
        contract_version=state["contract_version"],
        worked_from=worked_from,
        worked_minutes=state["worked_minutes"],
        billed_minutes=state["billed_minutes"],
        bucket_minutes=state["bucket_minutes"],
        job_type=state["job_type"],
        level=state["level"],
        agent_name=state.get("agent_name", ""),
        note=state["note"],
        is_late=state["is_late"],
        section="support" if state.get("task_id") is None else "project",
        excluded_minutes=state.get("excluded_minutes", 0),
        rule_ids=tuple(dict.fromkeys(rule for span in spans for rule in span.get("rule_ids", ()))),
        spans=tuple(
            WorkSpan(
                condition=span["condition"],
                overage_minutes=span["overage_minutes"],
                time_and_materials_minutes=span["time_and_materials_minutes"],
                weight_percent=span["weight_percent"],
            )
            for span in spans
        ),
    )
